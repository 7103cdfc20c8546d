#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh: fails where a file is not formatted as .clang-format says, or where clang-tidy finds what .clang-tidy asks for
# in a header or a source of the examples and the trainer.
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

need "${build_packages[@]}" clang clang-format clang-tidy
scripts/format.sh --check

say "clang-tidy"
quietly cmake --preset clang
quietly run-clang-tidy -quiet -j "$(nproc)" -p build/clang 'tests/headers/linked_twice_main\.cpp$' '/examples/.*\.cpp$'
say "clean"
