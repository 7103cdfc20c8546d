# SPDX-License-Identifier: Apache-2.0
# What users link: recal::recal, all headers; several threads where oneTBB is found. It carries no compile options.

include(GNUInstallDirs)

add_library(recal INTERFACE)
add_library(recal::recal ALIAS recal)
target_compile_features(recal INTERFACE cxx_std_20)
target_include_directories(recal INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                                           "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")

# GLOBAL, so that a project that adds recal as a subdirectory sees the imported targets too.
set(RECAL_USES_TBB OFF)
if(RECAL_WITH_TBB)
  find_package(TBB QUIET GLOBAL)
  if(TARGET TBB::tbb)
    set(RECAL_USES_TBB ON)
    target_link_libraries(recal INTERFACE TBB::tbb)
    target_compile_definitions(recal INTERFACE RECAL_TBB=1)
  else()
    message(STATUS "recal: oneTBB not found, building for one thread")
  endif()
endif()
