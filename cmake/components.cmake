# SPDX-License-Identifier: Apache-2.0
#
# The optional parts. Each is a target of its own, so that who does not ask for one does not need its library.

set(wva_metrics_components)

# wva_metrics_add_component(<name> <library>...): makes wva_metrics::<name>, which is the library and what the part needs.
# WVA_METRICS_WITH_<NAME> lets one source serve consumers with and without it: examples/prometheus_poll.cpp does.
macro(wva_metrics_add_component name)
  add_library(wva_metrics_${name} INTERFACE)
  add_library(wva_metrics::${name} ALIAS wva_metrics_${name})
  set_target_properties(wva_metrics_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(wva_metrics_${name} INTERFACE wva_metrics ${ARGN})
  string(TOUPPER ${name} upper_name)
  target_compile_definitions(wva_metrics_${name} INTERFACE WVA_METRICS_WITH_${upper_name})
  list(APPEND wva_metrics_components ${name})
endmacro()

# Gives every target its headers. Those named after TLS or gzip, and no others, include OpenSSL or zlib; they belong to
# that part, and are not installed without it. Except tls_config.hpp: plain settings, which every program has.
function(wva_metrics_assign_headers)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.hpp)
  foreach(part IN ITEMS tls gzip)
    set(part_headers ${headers})
    list(FILTER part_headers INCLUDE REGEX "/${part}[^/]*\\.hpp$")
    list(FILTER part_headers EXCLUDE REGEX "_config\\.hpp$")
    list(REMOVE_ITEM headers ${part_headers})
    if(TARGET wva_metrics_${part})
      target_sources(wva_metrics_${part} INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${part_headers})
    endif()
  endforeach()
  target_sources(wva_metrics INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${headers})
endfunction()
