# SPDX-License-Identifier: Apache-2.0
#
# Tests against a real Prometheus and servers like it. What the system lacks, cmake/setup.sh puts under build/deps.

set(deps ${PROJECT_SOURCE_DIR}/build/deps)
find_program(WVA_METRICS_PROMETHEUS prometheus HINTS ${deps}/usr/bin)
find_program(WVA_METRICS_PROMETHEUS3 prometheus PATHS ${deps}/newest/usr/bin NO_DEFAULT_PATH)
find_program(WVA_METRICS_VICTORIA_METRICS victoria-metrics HINTS ${deps}/usr/bin)
find_program(WVA_METRICS_NODE_EXPORTER prometheus-node-exporter HINTS ${deps}/usr/bin)
find_program(WVA_METRICS_PYTHON python3)
find_path(WVA_METRICS_PYTHON_CLIENT prometheus_client/__init__.py NO_DEFAULT_PATH
  PATHS /usr/lib/python3/dist-packages ${deps}/usr/lib/python3/dist-packages)

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

if(NOT WVA_METRICS_PROMETHEUS3)
  execute_process(COMMAND ${WVA_METRICS_PROMETHEUS} --version OUTPUT_VARIABLE version ERROR_VARIABLE version)
  if(version MATCHES "^prometheus, version ([3-9]|[1-9][0-9])")
    set(WVA_METRICS_PROMETHEUS3 ${WVA_METRICS_PROMETHEUS})
  endif()
endif()

set(environment WVA_METRICS_PROMETHEUS=${WVA_METRICS_PROMETHEUS})
foreach(server IN ITEMS PROMETHEUS3 VICTORIA_METRICS)
  if(WVA_METRICS_${server})
    list(APPEND environment WVA_METRICS_${server}=${WVA_METRICS_${server}})
  else()
    message(WARNING "SKIPPED: the integration tests that run with each server run without ${server}; see tests/README.md")
  endif()
endforeach()
foreach(program IN ITEMS NODE_EXPORTER PYTHON PYTHON_CLIENT)
  if(WVA_METRICS_${program})
    list(APPEND environment WVA_METRICS_${program}=${WVA_METRICS_${program}})
  else()
    message(WARNING "SKIPPED: the test of real pages runs without those of ${program}; see tests/README.md")
  endif()
endforeach()
if(TARGET vllm_fleet)
  add_dependencies(integration vllm_fleet)
  list(APPEND environment WVA_METRICS_FLEET=$<TARGET_FILE:vllm_fleet>)
endif()
if(TARGET prometheus_poll)
  add_dependencies(integration prometheus_poll)
  list(APPEND environment WVA_METRICS_POLL=$<TARGET_FILE:prometheus_poll>)
endif()
add_test(NAME integration COMMAND integration)
# The longest begins first. It waits for servers most of the time.
set_tests_properties(integration PROPERTIES
  LABELS integration TIMEOUT 900 COST 1000 ENVIRONMENT "${environment}")
