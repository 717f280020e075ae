# SPDX-License-Identifier: Apache-2.0
#
# Builds and runs main.cpp with a plain compiler command and the flags from pkg-config.
foreach(needed IN ITEMS COMPILER PKG_CONFIG PREFIX SOURCE PROGRAM PARTS)
  if(NOT DEFINED ${needed})
    message(FATAL_ERROR "cmake -D ${needed}=... -P pkg_config.cmake")
  endif()
endforeach()

set(ENV{PKG_CONFIG_PATH} ${PREFIX}/share/pkgconfig)
set(packages wva_metrics)
foreach(part IN LISTS PARTS)
  list(APPEND packages wva_metrics-${part})
endforeach()
execute_process(COMMAND ${PKG_CONFIG} --cflags --libs ${packages}
  OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
message(STATUS "pkg-config prints: ${flags}")
separate_arguments(flags UNIX_COMMAND "${flags}")
execute_process(COMMAND ${COMPILER} -std=c++20 ${SOURCE} ${flags} -o ${PROGRAM} COMMAND_ERROR_IS_FATAL ANY)

execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PKG_CONFIG} --modversion ${packages} OUTPUT_VARIABLE versions COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "^[^\n]+" version "${versions}")
list(JOIN PARTS " " parts)
message(STATUS "The program prints: ${output}")
if(NOT output MATCHES "^wva_metrics ${version}, .*: ${parts}\n$")
  message(FATAL_ERROR "Expected: version ${version} and these components: ${parts}")
endif()
