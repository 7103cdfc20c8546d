# SPDX-License-Identifier: Apache-2.0
# recal_build_flags: how this repository compiles its own tests, examples and benchmarks. Never exported.

include(HostArch)

set(RECAL_ARCH "" CACHE STRING "-march of tests, examples and benchmarks; 'host' for the level of this machine, empty for the compiler's default")
option(RECAL_WERROR "Treat warnings in tests, examples and benchmarks as errors" ON)

add_library(recal_build_flags INTERFACE)
target_compile_options(recal_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                                   $<$<BOOL:${RECAL_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees an overlap in "literal" + std::string at -O3 (its bug 105651).
  target_compile_options(recal_build_flags INTERFACE -Wno-restrict)
endif()

set(recal_march "${RECAL_ARCH}")
if(recal_march STREQUAL "host")
  recal_host_arch(recal_march)
endif()
if(recal_march)
  target_compile_options(recal_build_flags INTERFACE -march=${recal_march})
endif()

set(RECAL_SANITIZE "" CACHE STRING "Sanitizers for tests and examples: 'address,undefined' or 'thread'")
if(RECAL_SANITIZE)
  target_compile_options(recal_build_flags INTERFACE -fsanitize=${RECAL_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(recal_build_flags INTERFACE -fsanitize=${RECAL_SANITIZE})
endif()
if(RECAL_SANITIZE STREQUAL "thread")
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "RECAL_SANITIZE=thread needs clang++: g++ cannot leave the headers of oneTBB uninstrumented")
  endif()
  # libtbb itself is not instrumented. So that nothing is seen by halves, its headers are not either;
  # core/parallel.hpp tells the sanitizer about fork and join.
  target_compile_options(recal_build_flags INTERFACE -fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/cmake/tsan_ignore.txt)
endif()

option(RECAL_COVERAGE "Count executed lines in tests" OFF)
if(RECAL_COVERAGE)
  target_compile_options(recal_build_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(recal_build_flags INTERFACE --coverage)
endif()
