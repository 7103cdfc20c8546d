# SPDX-License-Identifier: Apache-2.0
# Every <folder>/.../<name>_test.cpp is one ctest test, <folder>.<name>. The files of a folder are linked into
# one executable; the small folders of the modules share one, backend/cuda has its own, and so have long runs.

add_library(recal_test_main OBJECT main.cpp)
target_compile_features(recal_test_main PRIVATE cxx_std_20)
target_include_directories(recal_test_main SYSTEM PUBLIC "${DOCTEST_INCLUDE_DIR}")

set(timeout 300)
if(RECAL_SANITIZE OR RECAL_COVERAGE)
  set(timeout 3600) # plain loops through whole networks, instrumented
endif()

# recal_add_tests(<executable> <prefix> <level> <source>...): an executable, and a ctest test for each source. <level>
# stands in for the -O3 of a release build: most tests take longer to compile than to run.
function(recal_add_tests executable prefix level)
  add_executable(${executable} ${ARGN})
  target_link_libraries(${executable} PRIVATE recal_test_main recal_build_flags)
  target_include_directories(${executable} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(${executable} PRIVATE RECAL_GOLDEN_DIR="${CMAKE_CURRENT_SOURCE_DIR}/golden"
                                                   RECAL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_compile_options(${executable} PRIVATE $<$<CONFIG:Release>:${level}>)
  foreach(source IN LISTS ARGN)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE relative)
    string(REGEX REPLACE "_test\\.cpp$" "" name "${relative}")
    string(REPLACE "/" "." name "${name}")
    add_test(NAME ${prefix}${name} COMMAND ${executable} "--source-file=*/${relative}" --no-version)
    set_tests_properties(${prefix}${name} PROPERTIES TIMEOUT ${timeout} FAIL_REGULAR_EXPRESSION "test cases: *0 ")
  endforeach()
endfunction()

find_package(Boost CONFIG REQUIRED COMPONENTS context)

# Executes PTX.
add_library(recal_ptx_interpreter OBJECT support/ptx/decode.cpp support/ptx/run.cpp)
target_include_directories(recal_ptx_interpreter PRIVATE "${PROJECT_SOURCE_DIR}")
target_link_libraries(recal_ptx_interpreter PRIVATE recal::recal recal_build_flags)
target_compile_options(recal_ptx_interpreter PRIVATE $<$<CONFIG:Release>:-O1>)

# Whole networks, some of them in plain loops, and kernels thread by thread on many shapes: optimised, and apart from the
# others, whose copies of inline functions the linker could put in place of these.
set(long_runs "^(nn/resnet(_golden|_step)?|backend/cuda/(modules|residual_tail|batch_norm|field/ge))_test\\.cpp$")

set(module_folders pool integrate gate fused)
file(GLOB_RECURSE sources CONFIGURE_DEPENDS "*_test.cpp")
if(NOT RECAL_NVCC)
  list(FILTER sources EXCLUDE REGEX "_ptx_test\\.cpp$") # nothing made the PTX
endif()
foreach(source IN LISTS sources)
  cmake_path(RELATIVE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE relative)
  string(REGEX MATCH "^[^/]+" folder "${relative}")
  if(NOT relative MATCHES "/" OR folder IN_LIST module_folders)
    set(folder modules)
  elseif(relative STREQUAL "nn/resnet_reference_test.cpp")
    set(folder reference)
  elseif(relative MATCHES "^backend/cuda/.*ptx_test\\.cpp$")
    set(folder ptx)
  elseif(relative MATCHES "^backend/cuda/")
    set(folder cuda)
  endif()
  if(relative MATCHES "${long_runs}")
    string(APPEND folder _long)
  endif()
  list(APPEND groups ${folder})
  list(APPEND sources_${folder} "${source}")
endforeach()
list(REMOVE_DUPLICATES groups)

foreach(group IN LISTS groups)
  if(group STREQUAL "animals" AND NOT TARGET animals_train_core)
    continue() # the trainer is not built
  endif()
  set(level -Og)
  if(group MATCHES "_long$")
    set(level -O1)
  elseif(group STREQUAL "reference")
    set(level -O2) # whole networks in plain loops
  elseif(group MATCHES "^(cuda|ptx|combinations|io|support)$")
    set(level -O0) # many types and few numbers; what runs PTX is compiled once, for itself
  endif()
  recal_add_tests(tests_${group} "" ${level} ${sources_${group}})
  target_link_libraries(tests_${group} PRIVATE recal::recal nlohmann_json::nlohmann_json)
  if(group STREQUAL "animals")
    target_link_libraries(tests_animals PRIVATE animals_train_core)
  elseif(group MATCHES "^cuda|^ptx$")
    target_link_libraries(tests_${group} PRIVATE Boost::context) # a fiber for every thread of a kernel
    if(group STREQUAL "ptx")
      target_link_libraries(tests_ptx PRIVATE recal_ptx_interpreter)
    elseif(group STREQUAL "cuda_long")
      set_target_properties(tests_cuda_long PROPERTIES UNITY_BUILD OFF) # large enough one by one
    endif()
  endif()
endforeach()

# The core once more as a user without CMake and oneTBB compiles it.
if(RECAL_USES_TBB AND sources_core)
  recal_add_tests(tests_core_serial serial. -O0 ${sources_core})
  target_compile_features(tests_core_serial PRIVATE cxx_std_20)
  target_include_directories(tests_core_serial PRIVATE "${PROJECT_SOURCE_DIR}/include")
endif()
