# SPDX-License-Identifier: Apache-2.0
#
# The library as others use it: small projects of their own, configured, built and run by CTest.

set(consumer_root ${CMAKE_CURRENT_SOURCE_DIR}/consumer)
set(work ${CMAKE_CURRENT_BINARY_DIR}/consumer)

# Starting from nothing: files of an earlier version must not help.
add_test(NAME consumer.install COMMAND ${CMAKE_COMMAND}
  -D build_directory=${PROJECT_BINARY_DIR} -D prefix=${work}/prefix
  -P ${PROJECT_SOURCE_DIR}/cmake/install_afresh.cmake)
set_tests_properties(consumer.install PROPERTIES LABELS consumer FIXTURES_SETUP installed)

set(toolchain
  -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
  -DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}
  -DBoost_DIR=${Boost_DIR})

# wva_metrics_add_consumer(<name> <source directory> [OPTIONS <cmake option>...] [RUN <program>])
function(wva_metrics_add_consumer name source)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "RUN" "OPTIONS")
  if(arg_RUN)
    set(arg_RUN --test-command ${work}/${name}/${arg_RUN})
  endif()
  add_test(NAME consumer.${name} COMMAND ${CMAKE_CTEST_COMMAND}
    --build-and-test ${source} ${work}/${name}
    --build-generator ${CMAKE_GENERATOR}
    --build-options ${toolchain} ${arg_OPTIONS}
    ${arg_RUN})
  set_tests_properties(consumer.${name} PROPERTIES LABELS consumer TIMEOUT 900)
endfunction()

wva_metrics_add_consumer(add_subdirectory ${consumer_root}/add_subdirectory
  OPTIONS -DWVA_METRICS_SOURCE_DIR=${PROJECT_SOURCE_DIR} RUN consumer)

wva_metrics_add_consumer(find_package ${consumer_root}/find_package
  OPTIONS -DCMAKE_PREFIX_PATH=${work}/prefix RUN consumer)
set_tests_properties(consumer.find_package PROPERTIES FIXTURES_REQUIRED installed)

foreach(version IN ITEMS 0.0 99)
  set(name consumer.refuses_version_${version})
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -S ${consumer_root}/find_package -B ${work}/refused_${version}
    -G ${CMAKE_GENERATOR} ${toolchain} -DCMAKE_PREFIX_PATH=${work}/prefix -DREQUESTED_VERSION=${version})
  set_tests_properties(${name} PROPERTIES LABELS consumer FIXTURES_REQUIRED installed
    PASS_REGULAR_EXPRESSION "compatible[ \n]+with[ \n]+requested[ \n]+version[ \n]+\"${version}\"")
endforeach()

if(EXISTS ${PROJECT_SOURCE_DIR}/examples/prometheus_poll.cpp)
  add_test(NAME consumer.copy_example COMMAND ${CMAKE_COMMAND} -E copy
    ${PROJECT_SOURCE_DIR}/examples/prometheus_poll.cpp ${consumer_root}/copied_example/CMakeLists.txt ${work}/copied_source)
  set_tests_properties(consumer.copy_example PROPERTIES LABELS consumer FIXTURES_SETUP copied)
  file(MAKE_DIRECTORY ${work}/copied_source)

  wva_metrics_add_consumer(copied_example ${work}/copied_source OPTIONS -DCMAKE_PREFIX_PATH=${work}/prefix)
  set_tests_properties(consumer.copied_example PROPERTIES FIXTURES_REQUIRED "installed;copied")
endif()
