#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compile_time.sh HEADER LIMIT COMPILER [FLAG...]: fails where a file that only includes HEADER takes more than
# LIMIT seconds of processor time to compile (the median of three).
set -euo pipefail

header=$1 limit=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "#include <$header>" >"$folder/probe.cpp"

TIMEFORMAT='%U %S'
for _ in 1 2 3; do
  { time "$@" -c "$folder/probe.cpp" -o "$folder/probe.o" 2>"$folder/errors"; } 2>>"$folder/times" || {
    cat "$folder/errors"
    exit 1
  }
done
awk -v header="$header" -v limit="$limit" '
  { seconds[NR] = $1 + $2 }
  END {
    for (i = 1; i <= 3; ++i) for (j = i + 1; j <= 3; ++j)
      if (seconds[j] < seconds[i]) { kept = seconds[i]; seconds[i] = seconds[j]; seconds[j] = kept }
    printf "#include <%s>: %.2f s of compile time, limit %.2f s\n", header, seconds[2], limit
    exit seconds[2] > limit
  }' "$folder/times"
