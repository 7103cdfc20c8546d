# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts. Goes to the root of the repository and defines
#   need PACKAGE...    installs the missing ones of these Debian packages, or names them and ends the script
#   say TEXT           one line of progress
#   build PRESET [TARGET...]

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# What building the library's tests and examples takes.
build_packages=(g++ cmake ninja-build libtbb-dev nlohmann-json3-dev doctest-dev libcli11-dev
  libboost-context-dev libjpeg62-turbo-dev libpng-dev)

say() { printf '%s\n' "== $*"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

has_command() { command -v "$1" >/dev/null 2>&1; }

has_header() { g++ -E -x c++ -include "$1" /dev/null >/dev/null 2>&1; }

# Asks for what a package brings rather than for the package, so that other distributions work too.
has_package() {
  case $1 in
    g++) has_command g++ && has_header vector ;;
    ninja-build) has_command ninja ;;
    libtbb-dev) has_header oneapi/tbb/parallel_for.h ;;
    nlohmann-json3-dev) has_header nlohmann/json.hpp ;;
    doctest-dev) has_header doctest/doctest.h ;;
    libcli11-dev) has_header CLI/CLI.hpp ;;
    libboost-context-dev) has_header boost/context/fiber.hpp ;;
    libjpeg62-turbo-dev) printf '#include <stdio.h>\n#include <jpeglib.h>\n' | g++ -E -x c++ - >/dev/null 2>&1 ;;
    libturbojpeg0-dev) has_header turbojpeg.h ;;
    libpng-dev) has_header png.h ;;
    libbenchmark-dev) has_header benchmark/benchmark.h ;;
    clang) has_command clang++ ;;
    libclang-rt-dev) compgen -G "$(clang++ -print-resource-dir 2>/dev/null)/lib/linux/libclang_rt.tsan*" >/dev/null ;;
    *) has_command "$1" ;;
  esac
}

missing_packages() {
  local package
  for package in "$@"; do
    has_package "$package" || printf '%s\n' "$package"
  done
}

need() {
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -eq 0 ]] && return 0

  if [[ $(id -u) -ne 0 ]]; then
    as_root=(sudo -n)
  fi
  if ! has_command apt-get || ! "${as_root[@]}" true 2>/dev/null; then
    die "missing packages (names as in Debian 12): ${missing[*]}"
  fi

  local log
  log=$(mktemp)
  say "installing ${missing[*]}"
  if ! { "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "${missing[@]}"; } </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "could not install: ${missing[*]}"
  fi
  rm -f "$log"
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -eq 0 ]] || die "still missing after installation: ${missing[*]}"
}

# Runs a command with its output kept back; prints it only where the command fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "failed: $*"
  fi
  rm -f "$log"
}

build() {
  local preset=$1 compile=(cmake --build --preset "$1")
  shift
  [[ $# -eq 0 ]] || compile+=(--target "$@")
  say "building (preset $preset)"
  quietly cmake --preset "$preset"
  if [[ -t 1 ]]; then
    "${compile[@]}" # on a terminal ninja counts its steps in one line
  else
    quietly "${compile[@]}"
  fi
}

run_tests() {
  local preset=$1
  shift
  ctest --preset "$preset" -j "$(nproc)" "$@"
}
