# SPDX-License-Identifier: Apache-2.0
#
# Tests against a real Prometheus. If the system has none, cmake/setup.sh puts one under build/deps.

find_program(WVA_METRICS_PROMETHEUS prometheus HINTS ${PROJECT_SOURCE_DIR}/build/deps/usr/bin)

file(GLOB_RECURSE sources CONFIGURE_DEPENDS integration/*.cpp)
wva_metrics_add_test_program(integration ${sources})
if(NOT TARGET integration)
  return()
endif()

if(NOT WVA_METRICS_PROMETHEUS)
  # Skipped as a whole, because otherwise tests that checked nothing would be reported as passed.
  set(notice "SKIPPED: prometheus is not installed")
  message(WARNING "${notice}")
  add_test(NAME integration COMMAND ${CMAKE_COMMAND} -E echo "${notice}")
  set_tests_properties(integration PROPERTIES LABELS integration SKIP_REGULAR_EXPRESSION "^SKIPPED")
  return()
endif()

set(environment WVA_METRICS_PROMETHEUS=${WVA_METRICS_PROMETHEUS})
if(TARGET vllm_fleet)
  add_dependencies(integration vllm_fleet)
  list(APPEND environment WVA_METRICS_FLEET=$<TARGET_FILE:vllm_fleet>)
endif()
if(TARGET prometheus_poll)
  add_dependencies(integration prometheus_poll)
  list(APPEND environment WVA_METRICS_POLL=$<TARGET_FILE:prometheus_poll>)
endif()
add_test(NAME integration COMMAND integration)
set_tests_properties(integration PROPERTIES
  LABELS integration TIMEOUT 900 PROCESSORS 2 ENVIRONMENT "${environment}")
