#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sanitize.sh: builds and runs the tests with AddressSanitizer + UndefinedBehaviorSanitizer, then with ThreadSanitizer.
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

need "${build_packages[@]}" clang libclang-rt-dev
for preset in asan tsan; do
  build "$preset"
  run_tests "$preset" "$@"
done
