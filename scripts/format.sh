#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# format.sh [--check]: formats every C++ file as .clang-format says, or fails where one is not.
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

need clang-format
mode=(-i)
[[ ${1:-} == --check ]] && mode=(--dry-run --Werror)
find include tests examples bench -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.cu' \) -print0 2>/dev/null |
  xargs -0 clang-format --style=file "${mode[@]}"
