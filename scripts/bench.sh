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
compilers=() # of these, those with torch.compile, where that is asked for
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
turns=3                             # of networks in a round, recal and PyTorch
pixels='64px|128px|224px'           # of their images
training=('64 16' '128 16' '224 8') # pixels and batch
if [[ $quick ]]; then
  report=$folder/speed.md
  turns=1
  pixels='64px|128px'
  unset 'training[2]'
fi

# measure NAME REPETITIONS FILTER: benchmarks of recal in one process, in random order
measure() {
  quietly "$folder/bench/recal_bench" --benchmark_filter="$3" --benchmark_repetitions="$2" \
    --benchmark_enable_random_interleaving --benchmark_min_time=0.05 \
    --benchmark_out="$results/$1.json" --benchmark_out_format=json
}

# peers NAME FILTER: every PyTorch, each in a process of its own
peers() {
  for i in "${!pythons[@]}"; do
    quietly "${pythons[i]}" bench/peers/pytorch.py --filter="$2" --out="$results/$1-pytorch-$i.json"
  done
}

# compiled NAME FILTER: the same with torch.compile
compiled() {
  for i in "${!compilers[@]}"; do
    quietly "${compilers[i]}" bench/peers/pytorch.py --compile --filter="$2" --out="$results/$1-compiled-$i.json"
  done
}

need "${build_packages[@]}" libbenchmark-dev python3
has_header dnnl.hpp || say "no oneDNN (optional: libdnnl-dev): claims about convolutions will be missing"
for i in "${!pythons[@]}"; do
  if version=$("${pythons[i]}" -c 'import torch; print(torch.__version__)' 2>/dev/null); then
    say "PyTorch $version"
    if [[ $compile ]] && "${pythons[i]}" -c 'import torch; torch.compile' 2>/dev/null; then
      compilers+=("${pythons[i]}")
    fi
  else
    say "no PyTorch in ${pythons[i]}"
    unset "pythons[$i]"
  fi
done
build bench recal_bench memory_step
rm -rf "$results"
mkdir -p "$results"

for ((round = 1; round <= rounds; ++round)); do
  say "round $round of $rounds: passes over memory and convolutions"
  measure "$round-kernels" "$repetitions" '-^(step|inference|data_loading|stage)'
  peers "$round-modules" '^module'
  say "round $round of $rounds: networks"
  measure "$round-stages" "$repetitions" '^stage'
  measure "$round-steps" 1 "^step(/(srm|se|ge)|_on_one_thread).*/($pixels)"
  for ((turn = (round - 1) * turns + 1; turn <= round * turns; ++turn)); do
    for size in ${pixels//|/ }; do
      measure "$turn-networks-$size" 1 "^(step|inference)/none/$size"
      peers "$turn-networks-$size" "^(step|inference).*/$size"
      compiled "$turn-networks-$size" "^(step|inference).*/$size"
    done
    for images in "${training[@]}"; do
      # shellcheck disable=SC2086 # two arguments
      "$folder/bench/memory_step" none $images >"$results/$turn-memory-${images// /-}.json"
      peers "$turn-memory-${images// /-}" "^memory/none/${images% *}px"
    done
  done
done

say "data loading, include cost"
measure 1-data-loading 1 '^data_loading'
python3 bench/include_cost.py >"$results/1-include.json"

python3 bench/claims.py "$results" --report "$report"
say "report: $report"
