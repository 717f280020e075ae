# SPDX-License-Identifier: Apache-2.0
#
# The optional components. Each is a target of its own, so a consumer that does not request a component does not need
# its library.

set(wva_metrics_components)

# wva_metrics_add_component(<name> <library>...): adds the target wva_metrics::<name>: wva_metrics with the component's
# libraries. It defines WVA_METRICS_WITH_<NAME>, so that one source file can support builds with and without the
# component, as examples/prometheus_poll.cpp does.
macro(wva_metrics_add_component name)
  add_library(wva_metrics_${name} INTERFACE)
  add_library(wva_metrics::${name} ALIAS wva_metrics_${name})
  set_target_properties(wva_metrics_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(wva_metrics_${name} INTERFACE wva_metrics ${ARGN})
  string(TOUPPER ${name} upper_name)
  target_compile_definitions(wva_metrics_${name} INTERFACE WVA_METRICS_WITH_${upper_name})
  list(APPEND wva_metrics_components ${name})
endmacro()

# Assigns every header to a target. Only the headers named tls* and gzip* include OpenSSL or zlib; they belong to that
# component, and are not installed without it. Except *_config.hpp: plain settings, which every program has.
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
  # Each header of the first set must compile alone. A program does not include those of the second set by themselves,
  # except src.hpp, which needs a definition.
  set(internal ${headers})
  list(FILTER internal INCLUDE REGEX "/(detail|impl)/|/src\\.hpp$")
  list(REMOVE_ITEM headers ${internal})
  target_sources(wva_metrics INTERFACE
    FILE_SET HEADERS BASE_DIRS include FILES ${headers}
    FILE_SET internal TYPE HEADERS BASE_DIRS include FILES ${internal})
endfunction()
