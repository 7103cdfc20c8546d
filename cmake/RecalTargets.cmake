# SPDX-License-Identifier: Apache-2.0
# What users link:
#   recal::recal   the modules (srm.hpp, se.hpp, ...); several threads where oneTBB is found
#   recal::nn      recal::recal and Eigen: layers, networks, training (nn/, train/)
#   recal::io      recal::recal and nlohmann-json: safetensors and checkpoints (io/)
# recal::nn and recal::io exist where their library is found. None carries compile options.

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

function(recal_add_part part package target)
  find_package(${package} QUIET GLOBAL)
  if(TARGET ${target})
    add_library(recal_${part} INTERFACE)
    add_library(recal::${part} ALIAS recal_${part})
    set_target_properties(recal_${part} PROPERTIES EXPORT_NAME ${part})
    target_link_libraries(recal_${part} INTERFACE recal ${target})
  else()
    message(STATUS "recal: ${package} not found, no target recal::${part}")
  endif()
endfunction()

recal_add_part(nn Eigen3 Eigen3::Eigen)
recal_add_part(io nlohmann_json nlohmann_json::nlohmann_json)
