# SPDX-License-Identifier: Apache-2.0
#
# The fuzz targets. In the suite `unit`, each runs on its corpus. With libFuzzer (preset `fuzz`), each is a program too, which
# invents inputs; `sh tests/run.sh --fuzz` runs them.

option(WVA_METRICS_FUZZERS "Build the fuzz targets as programs of libFuzzer; the compiler must be Clang" OFF)

file(GLOB fuzz_targets CONFIGURE_DEPENDS fuzz/*.cpp)
list(FILTER fuzz_targets EXCLUDE REGEX "/(corpus_test|libfuzzer)\\.cpp$")
wva_metrics_drop_unavailable_tests(fuzz_targets)
if(unit IN_LIST WVA_METRICS_TEST_SUITES)
  wva_metrics_add_test_program(fuzz_corpus fuzz/corpus_test.cpp ${fuzz_targets})
  wva_metrics_add_test(fuzz_corpus unit)
endif()
if(NOT WVA_METRICS_FUZZERS)
  return()
endif()

add_custom_target(fuzzers)
foreach(source IN LISTS fuzz_targets)
  cmake_path(GET source STEM name)
  add_executable(fuzz_${name} EXCLUDE_FROM_ALL ${source} fuzz/libfuzzer.cpp)
  # Without Catch2, whose library has a main function too.
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(fuzz_${name} PRIVATE wva_metrics)
  foreach(component IN LISTS wva_metrics_components)
    target_link_libraries(fuzz_${name} PRIVATE wva_metrics::${component})
  endforeach()
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  wva_metrics_enable_warnings(fuzz_${name})
  add_dependencies(fuzzers fuzz_${name})
endforeach()
