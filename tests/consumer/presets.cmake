# SPDX-License-Identifier: Apache-2.0
#
# cmake -D SOURCE=... -D WORK=... -D "PRESETS=<preset>;..." -D "OPTIONS=<cmake option>;..." -P presets.cmake
# Configures the library alone, as the README does, and fails if CMake warns.

foreach(preset IN LISTS PRESETS)
  file(REMOVE_RECURSE ${WORK}/${preset})
  execute_process(COMMAND ${CMAKE_COMMAND} --preset ${preset} -B ${WORK}/${preset} ${OPTIONS}
    -D WVA_METRICS_BUILD_TESTS=OFF -D WVA_METRICS_BUILD_EXAMPLES=OFF -D WVA_METRICS_BUILD_BENCHMARKS=OFF
    WORKING_DIRECTORY ${SOURCE} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE messages)
  if(status OR "${output}${messages}" MATCHES "Warning")
    message(SEND_ERROR "The preset ${preset} fails, or CMake warns:\n${output}${messages}")
  endif()
endforeach()
