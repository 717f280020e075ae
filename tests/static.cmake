# SPDX-License-Identifier: Apache-2.0
#
# Code that the compiler and the linker must accept, and code that the compiler must reject.

file(GLOB_RECURSE sources CONFIGURE_DEPENDS static/*.cpp)
if(sources)
  add_library(static_checks OBJECT ${sources})
  target_link_libraries(static_checks PRIVATE test_support)
  wva_metrics_enable_warnings(static_checks)
endif()

# Two translation units that include the same headers must link.
file(GLOB sources CONFIGURE_DEPENDS odr/*.cpp)
if(sources)
  add_executable(odr ${sources})
  set_target_properties(odr PROPERTIES UNITY_BUILD OFF)
  target_link_libraries(odr PRIVATE wva_metrics::wva_metrics)
  foreach(component IN LISTS wva_metrics_components)
    target_link_libraries(odr PRIVATE wva_metrics::${component})
  endforeach()
  wva_metrics_enable_warnings(odr)
  add_test(NAME odr COMMAND odr)
  set_tests_properties(odr PROPERTIES LABELS static)
endif()

# Each file must not compile, and the compiler's output must match its line "// expect: <regular expression>".
file(GLOB sources CONFIGURE_DEPENDS compile_fail/*.cpp)
foreach(source IN LISTS sources)
  cmake_path(GET source STEM stem)
  set(name compile_fail.${stem})
  file(STRINGS ${source} expected REGEX "^// expect: " LIMIT_COUNT 1)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  if(NOT expected)
    message(FATAL_ERROR "${source} has no line \"// expect: <regular expression>\"")
  endif()
  string(REGEX REPLACE "^// expect: *" "" expected "${expected}")

  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${source})
  target_link_libraries(${name} PRIVATE test_support)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND}
    -D build_directory=${PROJECT_BINARY_DIR} -D target=${name} -D expected=${expected}
    -P ${PROJECT_SOURCE_DIR}/cmake/expect_refused.cmake)
  # Two builds at the same time would write the same build log.
  set_tests_properties(${name} PROPERTIES LABELS "static;compile_fail" RESOURCE_LOCK build_directory)
endforeach()

# Headers include only lower layers, and no other folder's detail/.
add_test(NAME layers COMMAND ${CMAKE_COMMAND} -D root=${PROJECT_SOURCE_DIR} -P ${CMAKE_CURRENT_LIST_DIR}/layers.cmake)
set_tests_properties(layers PROPERTIES LABELS static)

# Code blocks in documents and comments are compiled.
add_test(NAME snippets COMMAND ${CMAKE_COMMAND} -D root=${PROJECT_SOURCE_DIR} -P ${CMAKE_CURRENT_LIST_DIR}/snippets.cmake)
set_tests_properties(snippets PROPERTIES LABELS static)

# Links lead somewhere, and every folder of the library has its README.md.
add_test(NAME documents COMMAND ${CMAKE_COMMAND} -D root=${PROJECT_SOURCE_DIR} -P ${CMAKE_CURRENT_LIST_DIR}/documents.cmake)
set_tests_properties(documents PROPERTIES LABELS static)

# Every public entity has a comment, and every reference in a comment is valid.
if(DOXYGEN_FOUND)
  add_test(NAME docs COMMAND Doxygen::doxygen ${PROJECT_BINARY_DIR}/Doxyfile)
else()
  add_test(NAME docs COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: Doxygen is not installed")
  set_tests_properties(docs PROPERTIES SKIP_REGULAR_EXPRESSION "^SKIPPED")
endif()
set_tests_properties(docs PROPERTIES LABELS static)
