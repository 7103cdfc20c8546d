# SPDX-License-Identifier: Apache-2.0
# recal_host_arch(<variable>): the highest x86-64 level that this machine runs and the compiler knows
# ("x86-64-v4", "-v3", "-v2"), or "" elsewhere. A level rather than "native", because "native" also
# picks a tuning, and GCC 12 takes newer processors for older ones: measured slower.

include(CheckCXXCompilerFlag)

function(recal_host_arch result)
  if(NOT DEFINED RECAL_HOST_LEVEL)
    set(level 0)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND NOT CMAKE_CROSSCOMPILING)
      try_run(RECAL_HOST_RUN RECAL_HOST_COMPILED "${CMAKE_BINARY_DIR}/host_arch"
              "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/host_arch.cpp")
      if(RECAL_HOST_COMPILED AND RECAL_HOST_RUN MATCHES "^[1-4]$")
        set(level ${RECAL_HOST_RUN})
      endif()
    endif()
    set(RECAL_HOST_LEVEL ${level} CACHE INTERNAL "x86-64 level of this machine, 0 where unknown")
  endif()

  set(${result} "" PARENT_SCOPE)
  foreach(level IN ITEMS 4 3 2)
    if(level GREATER RECAL_HOST_LEVEL)
      continue()
    endif()
    check_cxx_compiler_flag(-march=x86-64-v${level} RECAL_COMPILER_KNOWS_X86_64_V${level})
    if(RECAL_COMPILER_KNOWS_X86_64_V${level})
      set(${result} x86-64-v${level} PARENT_SCOPE)
      break()
    endif()
  endforeach()
endfunction()
