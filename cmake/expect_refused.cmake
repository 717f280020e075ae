# SPDX-License-Identifier: Apache-2.0
#
# cmake -D build_directory=... -D target=... -D expected=<regular expression> -P expect_refused.cmake
# Succeeds when the target does not compile and the compiler says what is expected.

execute_process(COMMAND ${CMAKE_COMMAND} --build ${build_directory} --target ${target}
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "${target} compiles, and it must not.")
endif()
if(NOT output MATCHES "${expected}")
  message(FATAL_ERROR "${target} is refused, but the compiler does not say \"${expected}\":\n${output}")
endif()
