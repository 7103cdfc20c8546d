# SPDX-License-Identifier: Apache-2.0
# What every consumer may rely on.

function(expect_property target property expected)
  get_target_property(found ${target} ${property})
  if(NOT found)
    set(found "")
  endif()
  if(NOT "${found}" STREQUAL "${expected}")
    message(FATAL_ERROR "${property} of ${target} is '${found}', expected '${expected}'")
  endif()
endfunction()

# Nothing reaches a user's compiler but the include folder, the language level and the choice of threads.
expect_property(recal::recal INTERFACE_COMPILE_OPTIONS "")
expect_property(recal::recal INTERFACE_LINK_OPTIONS "")
expect_property(recal::recal INTERFACE_COMPILE_FEATURES cxx_std_20)
if(EXPECT_TBB)
  expect_property(recal::recal INTERFACE_COMPILE_DEFINITIONS RECAL_TBB=1)
  expect_property(recal::recal INTERFACE_LINK_LIBRARIES TBB::tbb)
else()
  expect_property(recal::recal INTERFACE_COMPILE_DEFINITIONS "")
  expect_property(recal::recal INTERFACE_LINK_LIBRARIES "")
endif()
if(TARGET recal_build_flags)
  message(FATAL_ERROR "recal's own build flags reach its users")
endif()

add_executable(consumer "${CMAKE_CURRENT_LIST_DIR}/main.cpp" "${CMAKE_CURRENT_LIST_DIR}/parts.cpp")
target_compile_options(consumer PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
target_link_libraries(consumer PRIVATE recal::recal)
