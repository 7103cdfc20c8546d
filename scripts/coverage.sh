#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# coverage.sh: runs the tests with line counting and prints the coverage of include/recal, file by file.
# Fails under 95 %.
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

least=95
folder=build/coverage

need "${build_packages[@]}" lcov
build coverage
find "$folder" -name '*.gcda' -delete
run_tests coverage -E '^nn\.resnet_reference$' # takes longer than all others, and no line is run by it alone

say "collecting"
quietly lcov --quiet --capture --directory "$folder" --output-file "$folder/all.info"
quietly lcov --quiet --extract "$folder/all.info" "$PWD/include/recal/*" --output-file "$folder/recal.info"
lcov --list "$folder/recal.info"

# LF: lines that could run, LH: lines that did.
awk -F: -v least="$least" '
  $1 == "LF" { found += $2 }
  $1 == "LH" { hit += $2 }
  END {
    percent = found > 0 ? 100 * hit / found : 0
    printf "line coverage of include/recal: %.1f %% (%d of %d lines), at least %d %% wanted\n", percent, hit, found, least
    exit percent < least
  }' "$folder/recal.info"
