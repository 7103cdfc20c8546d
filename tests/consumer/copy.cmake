# SPDX-License-Identifier: Apache-2.0
# cmake -DFROM=<repository> -DTO=<folder> -P copy.cmake: what a clone holds, less what building the library never reads.

file(REMOVE_RECURSE "${TO}")
file(COPY "${FROM}/CMakeLists.txt" "${FROM}/LICENSE" "${FROM}/cmake" "${FROM}/include" DESTINATION "${TO}")
