# SPDX-License-Identifier: Apache-2.0
#
# Tests against a real Prometheus, which the set-up script puts under build/deps where the system has none.

find_program(WVA_METRICS_PROMETHEUS prometheus HINTS ${PROJECT_SOURCE_DIR}/build/deps/usr/bin)

file(GLOB_RECURSE sources CONFIGURE_DEPENDS integration/*.cpp)
wva_metrics_add_test_program(integration ${sources})
if(NOT TARGET integration)
  return()
endif()

if(NOT WVA_METRICS_PROMETHEUS)
  # Not run at all: success would be reported for tests that proved nothing.
  set(notice "SKIPPED: there is no prometheus program to test against")
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
