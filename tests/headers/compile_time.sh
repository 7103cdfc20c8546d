#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compile_time.sh HEADER LIMIT COMPILER [FLAG...]: fails where a file that only includes HEADER takes more than
# LIMIT seconds of processor time to compile (the least of up to five: other programs only add to it).
set -euo pipefail

header=$1 limit=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "#include <$header>" >"$folder/probe.cpp"

TIMEFORMAT='%U %S'
for _ in 1 2 3 4 5; do
  { time "$@" -c "$folder/probe.cpp" -o "$folder/probe.o" 2>"$folder/errors"; } 2>"$folder/time" || {
    cat "$folder/errors"
    exit 1
  }
  seconds=$(awk '{ print $1 + $2 }' "$folder/time")
  echo "#include <$header>: $seconds s of compile time, limit $limit s"
  awk -v seconds="$seconds" -v limit="$limit" 'BEGIN { exit seconds > limit }' && exit 0
done
exit 1
