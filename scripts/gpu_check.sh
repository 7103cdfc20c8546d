#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gpu_check.sh [OPTION...]: on a machine with a CUDA card, builds the CUDA backend for it, compares every module, tail and
# layer with the CPU backend, runs compute-sanitizer, measures, and writes all of it to build/cuda/gpu_report.txt.
# Without a card it builds all the same, says that there is none, and ends with 1.
#   --python PYTHON  a Python whose PyTorch is measured beside recal; python3 unless given
#   --no-sanitizer   leaves compute-sanitizer out
#   --no-bench       leaves the measurements out
usage() { sed -n '3,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

python=python3 sanitizer=1 bench=1
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) usage && exit ;;
    --python) python=${2:?} && shift ;;
    --no-sanitizer) sanitizer="" ;;
    --no-bench) bench="" ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

folder=build/cuda
report=$folder/gpu_report.txt
device=$folder/tests/backend/cuda/device
failed=()

# tool NAME: where a program of the CUDA toolkit is, on the PATH or in its usual place
tool() {
  local found
  for found in "$(command -v "$1")" "${CUDA_PATH:-/usr/local/cuda}/bin/$1"; do
    [[ -x $found ]] && printf '%s\n' "$found" && return
  done
  return 1
}

# section TITLE COMMAND...: runs it, shows its output and adds it to the report; notes where it fails
section() {
  local title=$1 status=0
  shift
  say "$title"
  printf '\n== %s\n' "$title" >>"$report"
  "$@" 2>&1 | tee -a "$report" || status=${PIPESTATUS[0]}
  [[ $status -eq 0 || $status -eq 77 ]] || failed+=("$title")
}

describe() {
  nvidia-smi --query-gpu=name,driver_version,compute_cap,memory.total --format=csv,noheader
  "$nvcc" --version | tail -n 2
  printf 'commit %s%s\n' "$(git rev-parse HEAD)" "$(git diff --quiet HEAD || printf ', with changes')"
  printf 'architecture %s, %s\n' "$architecture" "$(date -u +%FT%TZ)"
}

# The capability of the first card as CMake writes it, 75 where there is none.
architecture_of_card() {
  local found
  found=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d '. ') || true
  if [[ $found =~ ^[0-9]+$ ]]; then printf '%s\n' "$found"; else printf '75\n'; fi
}

need "${build_packages[@]}"
nvcc=$(tool nvcc) || die "no nvcc: install the CUDA toolkit or set CUDA_PATH"
architecture=$(architecture_of_card)

say "building for compute capability $architecture"
quietly cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRECAL_CUDA=ON -DRECAL_ARCH=host \
  -DCMAKE_CUDA_ARCHITECTURES="$architecture" -DCMAKE_CUDA_COMPILER="$nvcc"
quietly cmake --build "$folder" --target device_check device_bench example_cuda_module

status=0
"$folder/examples/cuda_module" >/dev/null 2>&1 || status=$?
[[ $status -ne 77 ]] || die "no CUDA card here: everything compiles, nothing could be run"

printf 'recal on a CUDA card\n' >"$report"
section "card, driver, toolkit, commit" describe
section "example: a module trained on the card" "$folder/examples/cuda_module"
section "modules and layers beside the CPU backend" "$device/device_check"
if [[ $sanitizer ]]; then
  if checker=$(tool compute-sanitizer); then
    for kind in memcheck racecheck initcheck synccheck; do
      section "compute-sanitizer $kind" "$checker" --tool "$kind" --error-exitcode 1 "$device/device_check" --quick
    done
  else
    say "no compute-sanitizer: left out" | tee -a "$report"
  fi
fi
if [[ $bench ]]; then
  section "speed" "$device/device_bench"
  section "speed of PyTorch" "$python" tests/backend/cuda/device/peer_torch.py
fi

if [[ ${#failed[@]} -gt 0 ]]; then
  printf '\nFAILED: %s\n' "${failed[@]}" >>"$report"
  die "failed: ${failed[*]} (report: $report)"
fi
printf '\nall passed\n' >>"$report"
say "report: $report"
