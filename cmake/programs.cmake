# SPDX-License-Identifier: Apache-2.0

# Gold links these programs in a third of the time of GNU ld.
include(CheckLinkerFlag)
check_linker_flag(CXX -fuse-ld=gold WVA_METRICS_GOLD)
mark_as_advanced(WVA_METRICS_GOLD)
if(PROJECT_IS_TOP_LEVEL AND WVA_METRICS_GOLD)
  add_link_options(-fuse-ld=gold)
endif()

# What this project's own programs link.
add_library(wva_metrics_for_programs INTERFACE)
target_link_libraries(wva_metrics_for_programs INTERFACE wva_metrics)
if(WVA_METRICS_SEPARATE_COMPILATION)
  file(CONFIGURE OUTPUT library.cpp CONTENT "#include <wva_metrics/src.hpp>\n")
  add_library(wva_metrics_library STATIC EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/library.cpp)
  target_compile_definitions(wva_metrics_library PUBLIC WVA_METRICS_SEPARATE_COMPILATION)
  target_link_libraries(wva_metrics_library PUBLIC wva_metrics)
  foreach(component IN LISTS wva_metrics_components)
    target_link_libraries(wva_metrics_library PUBLIC wva_metrics_${component})
  endforeach()
  wva_metrics_enable_warnings(wva_metrics_library)
  target_link_libraries(wva_metrics_for_programs INTERFACE wva_metrics_library)
endif()
