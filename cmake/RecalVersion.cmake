# SPDX-License-Identifier: Apache-2.0
# Sets RECAL_VERSION to what include/recal/version.hpp says, so that it is written in one place only.

set(RECAL_VERSION "")
foreach(part IN ITEMS MAJOR MINOR PATCH)
  file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../include/recal/version.hpp" line
       REGEX "^#define RECAL_VERSION_${part} [0-9]+$")
  if(NOT line)
    message(FATAL_ERROR "include/recal/version.hpp does not define RECAL_VERSION_${part}")
  endif()
  string(REGEX REPLACE "^.* " "" number "${line}")
  list(APPEND RECAL_VERSION ${number})
endforeach()
list(JOIN RECAL_VERSION "." RECAL_VERSION)
