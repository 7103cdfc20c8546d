#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh [PRESET [CTEST-OPTION...]]: sets up, builds and runs every test. PRESET is release unless given
# (debug, serial, clang, ...: see CMakePresets.json).
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

preset=${1:-release}
shift || true

packages=("${build_packages[@]}" libbenchmark-dev)
[[ $preset == clang ]] && packages+=(clang)
[[ $preset == tsan ]] && packages+=(clang libclang-rt-dev)

need "${packages[@]}"
build "$preset"
run_tests "$preset" "$@"
