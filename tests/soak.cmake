# SPDX-License-Identifier: Apache-2.0
#
# The soak, which `sh tests/run.sh --soak` builds and runs. It is no test of CTest, because it takes minutes.

option(WVA_METRICS_SOAK "Build the soak; needs the component tls" OFF)
if(NOT WVA_METRICS_SOAK)
  return()
endif()

add_executable(soak EXCLUDE_FROM_ALL soak/soak.cpp)
# Without Catch2, whose library has a main function too.
target_include_directories(soak PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(soak PRIVATE wva_metrics wva_metrics::tls)
wva_metrics_enable_warnings(soak)
