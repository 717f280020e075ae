# SPDX-License-Identifier: Apache-2.0

# The version is defined once, in version.hpp, for the compiler and for CMake.
function(wva_metrics_read_version output)
  set(header ${CMAKE_CURRENT_SOURCE_DIR}/include/wva_metrics/version.hpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
  set(numbers)
  foreach(part IN ITEMS MAJOR MINOR PATCH)
    file(STRINGS ${header} line REGEX "^#define WVA_METRICS_VERSION_${part} +[0-9]+$")
    if(NOT line MATCHES "([0-9]+)$")
      message(FATAL_ERROR "${header} does not define WVA_METRICS_VERSION_${part}")
    endif()
    list(APPEND numbers ${CMAKE_MATCH_1})
  endforeach()
  list(JOIN numbers . version)
  set(${output} ${version} PARENT_SCOPE)
endfunction()
