# SPDX-License-Identifier: Apache-2.0
# What users of the CUDA backend link: recal::cuda, the headers, the CUDA runtime and what nvcc must be told. Neither
# oneTBB nor Eigen. Their targets want the properties CUDA_STANDARD 20 and CUDA_RUNTIME_LIBRARY Shared.
# For this repository's own device programs the language CUDA is enabled too.

find_package(CUDAToolkit QUIET)
if(NOT CUDAToolkit_FOUND OR NOT CUDAToolkit_NVCC_EXECUTABLE)
  message(FATAL_ERROR "RECAL_CUDA is on, but there is no nvcc: put it on the PATH, set CUDAToolkit_ROOT to where the "
                      "CUDA toolkit is (often /usr/local/cuda), or configure with -DRECAL_CUDA=OFF")
endif()
if(CUDAToolkit_VERSION VERSION_LESS 12.0)
  message(FATAL_ERROR "RECAL_CUDA is on, but nvcc ${CUDAToolkit_VERSION} does not know C++20: 12.0 or later is needed")
endif()

add_library(recal_cuda INTERFACE)
add_library(recal::cuda ALIAS recal_cuda)
set_target_properties(recal_cuda PROPERTIES EXPORT_NAME cuda)
target_compile_features(recal_cuda INTERFACE cxx_std_20)
target_compile_options(recal_cuda INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>)
target_include_directories(recal_cuda INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                                                "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_link_libraries(recal_cuda INTERFACE CUDA::cudart)

if(RECAL_BUILD_TESTS OR RECAL_BUILD_EXAMPLES)
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 75) # what this CMake would choose is too old for CUDA 13; later cards translate it
  endif()
  if(NOT DEFINED CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_COMPILER "${CUDAToolkit_NVCC_EXECUTABLE}")
  endif()
  enable_language(CUDA)
  include(RecalCudaStandard)
endif()
