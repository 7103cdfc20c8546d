#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh: trains ResNet-50 with SRM on the bundled photographs of animals (or on a folder of class folders:
# demo.sh FOLDER) and prints how well it does on the photographs kept back. Everything goes to build/demo.
data=${1:+$(realpath "$1")}
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

data=${data:-examples/animals_train/photos}
out=build/demo
[[ -d $data ]] || die "no such folder: $data"

need "${build_packages[@]}"
build release animals_train
animals_train=$(find build/release -type f -name animals_train -perm -u+x | head -n 1)

rm -rf "$out"
mkdir -p "$out"
say "splitting $data into 8 parts for training and 2 for validation"
"$animals_train" split --data "$data" --out "$out/split.json"
say "training ResNet-50 with SRM"
"$animals_train" train --split "$out/split.json" --net resnet50 --recalibration srm --size 64 --epochs 12 \
  --out "$out/srm"
say "evaluating"
"$animals_train" eval --run "$out/srm"
