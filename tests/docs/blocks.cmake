# SPDX-License-Identifier: Apache-2.0
# Reads the fenced code blocks of a Markdown page.
#
#   ```cpp                     a whole program
#   ```cpp fragment FILE       lines that stand in FILE, word for word
#
# Text is cut with string(FIND) and string(SUBSTRING) only: C++ is full of what CMake takes for list syntax.

# recal_next_block(<text> <language> <block> <info> <rest>): the next block of that language, what stands behind the
# language in its opening line, and the text after it. <block> is "" where there is none.
function(recal_next_block text language block info rest)
  set(${block} "" PARENT_SCOPE)
  set(${info} "" PARENT_SCOPE)
  set(${rest} "" PARENT_SCOPE)
  string(FIND "\n${text}" "\n```${language}" at)
  if(at EQUAL -1)
    return()
  endif()
  string(LENGTH "```${language}" opening)
  math(EXPR at "${at} + ${opening}")
  string(SUBSTRING "${text}" ${at} -1 text)
  string(FIND "${text}" "\n" line_end)
  string(SUBSTRING "${text}" 0 ${line_end} line)
  math(EXPR line_end "${line_end} + 1")
  string(SUBSTRING "${text}" ${line_end} -1 text)
  string(FIND "\n${text}" "\n```" end)
  if(end EQUAL -1)
    message(FATAL_ERROR "a code block is not closed")
  endif()
  string(SUBSTRING "${text}" 0 ${end} found)
  math(EXPR end "${end} + 3")
  string(SUBSTRING "${text}" ${end} -1 text)
  string(STRIP "${line}" line)
  set(${block} "${found}" PARENT_SCOPE)
  set(${info} "${line}" PARENT_SCOPE)
  set(${rest} "${text}" PARENT_SCOPE)
endfunction()

# recal_write_programs(<page> <prefix> <sources>): writes every whole program of the page to <prefix>_<k>.cpp.
function(recal_write_programs page prefix sources)
  file(READ "${page}" text)
  set(count 0)
  set(written "")
  while(TRUE)
    recal_next_block("${text}" "cpp" block info text)
    if("${block}" STREQUAL "")
      break()
    endif()
    if(NOT "${info}" STREQUAL "")
      continue()
    endif()
    math(EXPR count "${count} + 1")
    set(source "${prefix}_${count}.cpp")
    set(old "")
    if(EXISTS "${source}")
      file(READ "${source}" old)
    endif()
    if(NOT "${old}" STREQUAL "${block}")
      file(WRITE "${source}" "${block}")
    endif()
    list(APPEND written "${source}")
  endwhile()
  set(${sources} "${written}" PARENT_SCOPE)
endfunction()
