#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh [OPTION...]: measures recal beside what it is compared with, prints one line a claim and writes
# docs/results/speed.md. The machine should do nothing else meanwhile.
#   --quick          one round of one repetition, nothing at 224 pixels; the report goes to build/bench/speed.md
#   --rounds N       3 unless given
#   --python PYTHON  a Python whose PyTorch takes part; may be given again. Without: $RECAL_PYTHON, else python3
#   --compile        PyTorch with torch.compile too, where it has that; takes minutes more
usage() { sed -n '3,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

rounds=3 repetitions=2 quick="" compile="" pythons=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) usage && exit ;;
    --quick) quick=1 rounds=1 repetitions=1 ;;
    --rounds) rounds=${2:?} && shift ;;
    --python)
      python=$(command -v "${2:?}") || { printf 'no such program: %s\n' "$2" >&2 && exit 2; }
      pythons+=("$(realpath --no-symlinks "$python")") # a virtual environment is known by its link
      shift
      ;;
    --compile) compile=1 ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"
[[ ${#pythons[@]} -gt 0 ]] || pythons=("${RECAL_PYTHON:-python3}")

folder=build/bench
results=$folder/results
report=docs/results/speed.md
networks='^(step|inference|stage|yardstick/multiply_add|yardstick/copy/64MiB)'
skip='^$' # names that peers leave out
training=('64 16' '128 16' '224 8') # pixels and batch
if [[ $quick ]]; then
  report=$folder/speed.md
  networks='^(step.*/(64|128)px|yardstick/multiply_add)'
  skip=224px
  unset 'training[2]'
fi

# measure NAME REPETITIONS FILTER: benchmarks of recal in one process, in random order
measure() {
  quietly "$folder/bench/recal_bench" --benchmark_filter="$3" --benchmark_repetitions="$2" \
    --benchmark_enable_random_interleaving --benchmark_min_time=0.05 \
    --benchmark_out="$results/$1.json" --benchmark_out_format=json
}

need "${build_packages[@]}" libbenchmark-dev python3
has_header dnnl.hpp || say "no oneDNN (optional: libdnnl-dev): claims about convolutions will be missing"
build bench recal_bench memory_step
rm -rf "$results"
mkdir -p "$results"

for ((round = 1; round <= rounds; ++round)); do
  say "round $round of $rounds: passes over memory and convolutions"
  measure "$round-kernels" "$repetitions" '-^(step|inference|data_loading|stage)'
  say "round $round of $rounds: networks"
  measure "$round-networks" "$repetitions" "$networks"
  for i in "${!pythons[@]}"; do
    python=${pythons[i]}
    if ! version=$("$python" -c 'import torch; print(torch.__version__)' 2>/dev/null); then
      say "no PyTorch in $python"
      continue
    fi
    say "round $round of $rounds: PyTorch $version"
    "$python" bench/peers/pytorch.py --filter="-$skip" >"$results/$round-pytorch-$i.json"
    if [[ $compile ]] && "$python" -c 'import torch; torch.compile' 2>/dev/null; then
      say "round $round of $rounds: PyTorch $version with torch.compile"
      "$python" bench/peers/pytorch.py --compile --filter="$networks" >"$results/$round-pytorch-compile-$i.json"
    fi
  done
  skip+='|^memory' # hardly varies
done

say "memory, data loading, include cost"
for images in "${training[@]}"; do
  # shellcheck disable=SC2086 # two arguments
  "$folder/bench/memory_step" none $images >"$results/1-memory-${images// /-}.json"
done
measure 1-data-loading 1 '^data_loading'
python3 bench/include_cost.py >"$results/1-include.json"

python3 bench/claims.py "$results" --report "$report"
say "report: $report"
