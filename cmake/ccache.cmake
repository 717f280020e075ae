# SPDX-License-Identifier: Apache-2.0

# Uses ccache if it is installed. With precompiled headers, ccache must be told to ignore their time stamps.
if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(WVA_METRICS_CCACHE ccache)
  mark_as_advanced(WVA_METRICS_CCACHE)
  if(WVA_METRICS_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${WVA_METRICS_CCACHE})
    add_compile_options(
      $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
      "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  endif()
endif()
