# SPDX-License-Identifier: Apache-2.0
#
# The target docs: the API reference of all public headers, in <build>/docs/html.

find_package(Doxygen 1.9.4)
if(NOT DOXYGEN_FOUND)
  add_custom_target(docs
    COMMAND ${CMAKE_COMMAND} -E echo "The API reference needs Doxygen 1.9.4 or newer, which was not found."
    COMMAND ${CMAKE_COMMAND} -E false)
  return()
endif()

# Each version of Doxygen has different warnings. Only with the tested version are they errors.
set(docs_warnings FAIL_ON_WARNINGS)
if(DOXYGEN_VERSION VERSION_GREATER 1.9.4)
  set(docs_warnings NO)
endif()
file(GLOB docs_pages CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/benchmarks/*.md ${PROJECT_SOURCE_DIR}/cmake/*.md ${PROJECT_SOURCE_DIR}/examples/*.md ${PROJECT_SOURCE_DIR}/tests/*.md)
list(TRANSFORM docs_pages REPLACE "(.+)" "\"\\1\"")
list(JOIN docs_pages " " docs_pages)
set(docs_output ${PROJECT_BINARY_DIR}/docs)
configure_file(${CMAKE_CURRENT_LIST_DIR}/Doxyfile.in ${PROJECT_BINARY_DIR}/Doxyfile @ONLY)
file(MAKE_DIRECTORY ${docs_output})
add_custom_target(docs
  COMMAND Doxygen::doxygen ${PROJECT_BINARY_DIR}/Doxyfile
  COMMAND ${CMAKE_COMMAND} -E echo "The API reference is ${docs_output}/html/index.html"
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
