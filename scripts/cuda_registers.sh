#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cuda_registers.sh: assembles every kernel for every target that nvcc knows, warnings as errors, and writes the registers
# that each takes to docs/results/cuda_registers.md. Takes some minutes.
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
[[ -x $nvcc ]] || die "cuda_registers.sh needs nvcc"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=(tests/backend/cuda/ptx/*.cu)
for program in "${programs[@]}"; do
  say "compiling $program"
  "$nvcc" -std=c++20 --expt-relaxed-constexpr -arch=compute_75 -ptx -Werror all-warnings -I include -I . "$program" \
    -o "$work/$(basename "$program" .cu).ptx"
done
rm -f "$work/sample.ptx"

say "assembling"
{
  cat <<'TEXT'
# Registers

Registers of a thread of every kernel, for every target that nvcc knows (`75` is sm_75). No kernel spills, uses local memory
or has shared memory of its own; what a launch adds is at most 1320 bytes (see `shared_bytes` in
[plane_team.hpp](../../include/recal/backend/cuda/plane_team.hpp) and
[lanes.hpp](../../include/recal/backend/cuda/lanes.hpp)). Blocks have 256 threads or fewer.
TEXT
  printf 'Written by `scripts/cuda_registers.sh` with %s.\n\n' "$("$nvcc" --version | grep -o 'release [0-9.]*, V[0-9.]*')"
  tests/backend/cuda/ptx/targets.sh --markdown "$work"/*.ptx
} >docs/results/cuda_registers.md
say "wrote docs/results/cuda_registers.md"
