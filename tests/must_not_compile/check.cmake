# SPDX-License-Identifier: Apache-2.0
# cmake -DCASE=<file> -DCOMPILER=<c++> -DINCLUDE_DIRS=<dirs> -P check.cmake

file(STRINGS "${CASE}" expected REGEX "^// expected: ")
string(REGEX REPLACE "^// expected: " "" expected "${expected}")
if(expected STREQUAL "")
  message(FATAL_ERROR "${CASE} has no line '// expected: <regular expression>'")
endif()

list(TRANSFORM INCLUDE_DIRS PREPEND "-I")
set(command "${COMPILER}" -std=c++20 -fsyntax-only ${INCLUDE_DIRS} "${CASE}")

execute_process(COMMAND ${command} -DRECAL_PASSING RESULT_VARIABLE status ERROR_VARIABLE text OUTPUT_VARIABLE text)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the case without its mistake must compile:\n${text}")
endif()

execute_process(COMMAND ${command} RESULT_VARIABLE status ERROR_VARIABLE text OUTPUT_VARIABLE text)
if(status EQUAL 0)
  message(FATAL_ERROR "this must not compile, but does")
endif()
if(NOT text MATCHES "${expected}")
  message(FATAL_ERROR "the compiler must say '${expected}', but says:\n${text}")
endif()
