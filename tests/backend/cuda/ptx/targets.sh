#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# targets.sh [--markdown] [--target ARCH]... FILE.ptx...: what ptxas makes of every kernel for each target (all that it
# knows unless some are given). Warnings are errors, spills and local memory are warnings. Prints the registers of each
# kernel per target; fails where a target fails.
set -euo pipefail

markdown=false
targets=()
files=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --markdown) markdown=true ;;
    --target) targets+=("$2") && shift ;;
    *) files+=("$1") ;;
  esac
  shift
done

nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
ptxas=$(dirname "$(readlink -f "$nvcc")")/ptxas
if [[ ${#targets[@]} -eq 0 ]]; then
  mapfile -t targets < <("$nvcc" --list-gpu-code)
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in "${files[@]}"; do
  for target in "${targets[@]}"; do
    printf '%s\0' "$file" "$target" "$work/$(basename "$file" .ptx).$target"
  done
done | xargs -0 -n 3 -P "$(nproc)" bash -c '
  "$0" -arch="$2" -warn-spills -warn-lmem-usage -Werror -v "$1" -o /dev/null >"$3" 2>&1 || { cat "$3" >&2; exit 255; }
' "$ptxas"

# "kernel target registers static-shared" from ptxas -v, then a table.
for target in "${targets[@]}"; do
  cat "$work"/*."$target" | c++filt | sed -n \
    -e "s/.*Compiling entry function 'void recal::cuda::entry<\(.*\) >(.*/\1/;t keep" \
    -e "s/.*Compiling entry function 'void recal::cuda::entry<\(.*\)>(.*/\1/;t keep" \
    -e 's/.*Used \([0-9]*\) registers.*/\1/;t keep' -e 'b' -e ':keep' -e p |
    sed -e 's/recal:://g' -e 's/cuda:://g' -e 's/testing:://g' -e 's/\([0-9]\)l>/\1>/g' -e 's/ >/>/g' |
    paste -d '\t' - - | sed "s/\$/\t$target/"
done | sort -u | awk -F '\t' -v targets="${targets[*]}" -v markdown="$markdown" '
  { registers[$1, $3] = $2 }
  $1 != last { sorted[++total] = last = $1 }
  END {
    count = split(targets, names, " ")
    line = markdown == "true" ? "| kernel" : "kernel"
    for (t = 1; t <= count; ++t) { name = names[t]; sub("sm_", "", name); line = line (markdown == "true" ? " | " : " ") name }
    print line (markdown == "true" ? " |" : "")
    if (markdown == "true") { line = "|---"; for (t = 1; t <= count; ++t) line = line "|--:"; print line "|" }
    for (k = 1; k <= total; ++k) {
      line = markdown == "true" ? "| `" sorted[k] "`" : sorted[k]
      for (t = 1; t <= count; ++t) line = line (markdown == "true" ? " | " : " ") registers[sorted[k], names[t]]
      print line (markdown == "true" ? " |" : "")
    }
  }'
