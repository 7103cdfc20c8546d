# SPDX-License-Identifier: Apache-2.0
# cmake -DPAGE=<page> -DROOT=<repository> -P fragments.cmake
# Fails unless every fragment of the page stands, word for word, in the file that it names.

cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/blocks.cmake")

file(READ "${PAGE}" text)
while(TRUE)
  recal_next_block("${text}" "cpp" block info text)
  if("${block}" STREQUAL "")
    break()
  endif()
  if("${info}" STREQUAL "")
    continue()
  endif()
  if(NOT "${info}" MATCHES "^fragment ([^ ]+)$")
    message(FATAL_ERROR "${PAGE}: a block is marked '${info}', expected nothing or 'fragment FILE'")
  endif()
  set(source "${CMAKE_MATCH_1}")
  file(READ "${ROOT}/${source}" code)
  string(FIND "${code}" "${block}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${PAGE}: this does not stand in ${source}:\n${block}")
  endif()
endwhile()
