# SPDX-License-Identifier: Apache-2.0
# cmake -DPAGE=<page> -DSOURCE=<file> -DPARTS=<name>;... -P marked_parts.cmake
# Fails unless what stands in the file between '// <name>-begin' and '// <name>-end' stands in the page too.

cmake_minimum_required(VERSION 3.25)

file(READ "${PAGE}" page)
file(READ "${SOURCE}" code)
foreach(part IN LISTS PARTS)
  set(begin_mark "// ${part}-begin\n")
  string(FIND "${code}" "${begin_mark}" begin)
  string(FIND "${code}" "// ${part}-end\n" end)
  if(begin EQUAL -1 OR end EQUAL -1)
    message(FATAL_ERROR "${SOURCE} has no part ${part}")
  endif()
  string(LENGTH "${begin_mark}" length)
  math(EXPR begin "${begin} + ${length}")
  math(EXPR length "${end} - ${begin}")
  string(SUBSTRING "${code}" ${begin} ${length} block)
  string(FIND "${page}" "\n${block}```\n" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${PAGE} does not hold part ${part} of ${SOURCE}:\n${block}")
  endif()
endforeach()
