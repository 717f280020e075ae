# SPDX-License-Identifier: Apache-2.0
#
# cmake -D build_directory=... -D target=... -D expected=<regular expression> -P expect_refused.cmake
# Succeeds if the target cannot be built and the output matches.

execute_process(COMMAND ${CMAKE_COMMAND} --build ${build_directory} --target ${target}
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "${target} was built, but it must be refused.")
endif()
if(NOT output MATCHES "${expected}")
  message(FATAL_ERROR "${target} was refused, but the output does not match \"${expected}\":\n${output}")
endif()
