# SPDX-License-Identifier: Apache-2.0
#
# Tests of form, with the label lint. A test is skipped with a message if its tool is missing; `sh cmake/setup.sh lint`
# installs the tools.
#   format      clang-format 14 would change no file
#   lint        clang-tidy finds no wrong names and no common mistakes in the headers
#   shellcheck  shellcheck finds no mistakes in the scripts

# wva_metrics_add_lint_test(<name> <tool or NOTFOUND> <argument>...)
function(wva_metrics_add_lint_test name tool)
  if(tool)
    add_test(NAME ${name} COMMAND ${tool} ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  else()
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: its tool is missing; sh cmake/setup.sh lint installs it")
    set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION "^SKIPPED")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS lint)
endfunction()

# wva_metrics_find_files(<output> <pattern>...): the project's files, by patterns relative to its root.
function(wva_metrics_find_files output)
  list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE patterns)
  file(GLOB_RECURSE files RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${patterns})
  set(${output} ${files} PARENT_SCOPE)
endfunction()

# Other versions of clang-format break lines in other places.
function(wva_metrics_is_clang_format_14 result program)
  execute_process(COMMAND ${program} --version OUTPUT_VARIABLE version)
  if(NOT version MATCHES "version 14\\.")
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()
find_program(WVA_METRICS_CLANG_FORMAT NAMES clang-format-14 clang-format VALIDATOR wva_metrics_is_clang_format_14)
find_program(WVA_METRICS_CLANG_TIDY clang-tidy)
find_program(WVA_METRICS_SHELLCHECK shellcheck)
mark_as_advanced(WVA_METRICS_CLANG_FORMAT WVA_METRICS_CLANG_TIDY WVA_METRICS_SHELLCHECK)

wva_metrics_find_files(sources include/*.hpp tests/*.[ch]pp examples/*.[ch]pp benchmarks/*.[ch]pp cmake/*.[ch]pp)
wva_metrics_add_lint_test(format "${WVA_METRICS_CLANG_FORMAT}" --dry-run --Werror ${sources})

# clang-tidy gets one file that includes every header, so that it parses Asio only once. Headers of parts that are not
# built are left out.
set(definitions)
foreach(part IN LISTS wva_metrics_components)
  string(TOUPPER ${part} upper_name)
  list(APPEND definitions -DWVA_METRICS_WITH_${upper_name})
endforeach()
wva_metrics_find_files(headers include/*.hpp)
# It includes nothing but other headers, and compiles only with a definition.
list(REMOVE_ITEM headers include/wva_metrics/src.hpp)
foreach(part IN ITEMS tls gzip)
  if(NOT TARGET wva_metrics::${part})
    list(FILTER headers EXCLUDE REGEX "/${part}[^/]*\\.hpp$")
  endif()
endforeach()
list(TRANSFORM headers REPLACE "^include/(.+)" "#include \"\\1\"\n")
list(JOIN headers "" includes)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/all_headers.cpp CONTENT "${includes}")
get_target_property(boost_include_dirs Boost::headers INTERFACE_INCLUDE_DIRECTORIES)
list(TRANSFORM boost_include_dirs PREPEND -isystem)
wva_metrics_add_lint_test(lint "${WVA_METRICS_CLANG_TIDY}" --quiet --warnings-as-errors=*
  --config-file=${PROJECT_SOURCE_DIR}/.clang-tidy ${PROJECT_BINARY_DIR}/all_headers.cpp
  -- -std=c++20 -I${PROJECT_SOURCE_DIR}/include ${boost_include_dirs} ${definitions})
# It is among the longest of all tests, so it begins early.
set_tests_properties(lint PROPERTIES TIMEOUT 900 COST 500)

# SC2317 takes functions that are only called by trap or through "$@" for unreachable.
wva_metrics_find_files(scripts cmake/*.sh tests/*.sh examples/*.sh benchmarks/*.sh)
wva_metrics_add_lint_test(shellcheck "${WVA_METRICS_SHELLCHECK}" --external-sources --exclude=SC2317 ${scripts} .ci/run)
