# SPDX-License-Identifier: Apache-2.0
# CMake 3.25 knows nvcc, but not its flag for C++20. Makes CUDA_STANDARD 20 work there; later ones need nothing.

if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
