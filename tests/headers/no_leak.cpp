// SPDX-License-Identifier: Apache-2.0
// Compiled with one public header in front (-include): what it must not have brought along.

#if defined(EIGEN_CORE_H) || defined(EIGEN_CORE_MODULE_H) || defined(EIGEN_WORLD_VERSION)
#error "the header includes Eigen"
#endif
#if defined(__CUDA_RUNTIME_H__) || defined(__CUDA_RUNTIME_API_H__)
#error "the header includes the CUDA runtime"
#endif
#if defined(NLOHMANN_JSON_VERSION_MAJOR) || defined(INCLUDE_NLOHMANN_JSON_HPP_)
#error "the header includes nlohmann-json"
#endif
#if defined(__TBB_task_arena_H) || defined(TBB_VERSION_MAJOR)
#error "the header includes oneTBB although RECAL_TBB is not set"
#endif
#if defined(_INC_WINDOWS) || defined(_WINDOWS_)
#error "the header includes windows.h"
#endif
#if defined(_GLIBCXX_IOSTREAM) || defined(_LIBCPP_IOSTREAM)
#error "the header includes <iostream>"
#endif
#if defined(min) || defined(max) || defined(CHECK) || defined(check)
#error "the header defines a macro with a common name"
#endif
