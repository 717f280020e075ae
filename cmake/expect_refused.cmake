# SPDX-License-Identifier: Apache-2.0
#
# cmake -D build_directory=... -D target=... -D expected=<regular expression> -P expect_refused.cmake
# Succeeds if the target does not compile and the compiler's output matches.

execute_process(COMMAND ${CMAKE_COMMAND} --build ${build_directory} --target ${target}
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "${target} compiles, but it must not.")
endif()
if(NOT output MATCHES "${expected}")
  message(FATAL_ERROR "${target} does not compile, but the compiler's output does not match \"${expected}\":\n${output}")
endif()
