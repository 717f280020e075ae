# SPDX-License-Identifier: Apache-2.0
#
# The library as a consumer uses it: small separate projects that CTest configures, builds and runs.

set(consumer_root ${CMAKE_CURRENT_SOURCE_DIR}/consumer)
set(work ${CMAKE_CURRENT_BINARY_DIR}/consumer)

# Installs into an empty folder, because files of an earlier version must not help, and moves the installation before
# it is used, because it must be relocatable.
add_test(NAME consumer.install COMMAND ${CMAKE_COMMAND}
  -D build_directory=${PROJECT_BINARY_DIR} -D source_directory=${PROJECT_SOURCE_DIR} -D prefix=${work}/prefix
  -P ${PROJECT_SOURCE_DIR}/cmake/install_afresh.cmake)
set_tests_properties(consumer.install PROPERTIES LABELS consumer FIXTURES_SETUP installed)

set(toolchain
  -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
  -DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}
  -DBoost_DIR=${Boost_DIR})
set(installed -DCMAKE_PREFIX_PATH=${work}/prefix)

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
  if(WVA_METRICS_CCACHE)
    set_tests_properties(consumer.${name} PROPERTIES ENVIRONMENT CMAKE_CXX_COMPILER_LAUNCHER=${WVA_METRICS_CCACHE})
  endif()
endfunction()

# wva_metrics_add_way(<name> [OPTIONS <cmake option>...]): a folder with the CMakeLists.txt that cmake/README.md shows and
# the program that all ways share.
function(wva_metrics_add_way name)
  set(source ${work}/source/${name})
  configure_file(${consumer_root}/${name}/CMakeLists.txt ${source}/CMakeLists.txt COPYONLY)
  configure_file(${consumer_root}/main.cpp ${source}/main.cpp COPYONLY)
  wva_metrics_add_consumer(${name} ${source} ${ARGN} RUN consumer)
endfunction()

wva_metrics_add_way(add_subdirectory)
file(CREATE_LINK ${PROJECT_SOURCE_DIR} ${work}/source/add_subdirectory/wva_metrics SYMBOLIC)
# The test must not use the network, so the source is already there.
wva_metrics_add_way(fetch_content OPTIONS -DFETCHCONTENT_SOURCE_DIR_WVA_METRICS=${PROJECT_SOURCE_DIR})
wva_metrics_add_way(find_package OPTIONS ${installed})
set_tests_properties(consumer.find_package PROPERTIES FIXTURES_REQUIRED installed)
if(TARGET wva_metrics::tls AND TARGET wva_metrics::gzip)
  wva_metrics_add_way(components OPTIONS ${installed})
  set_tests_properties(consumer.components PROPERTIES
    FIXTURES_REQUIRED installed PASS_REGULAR_EXPRESSION "components: tls gzip plugin\n")
endif()

wva_metrics_add_consumer(separate_compilation ${consumer_root}/separate_compilation
  OPTIONS ${installed} RUN separate)
set_tests_properties(consumer.separate_compilation PROPERTIES
  FIXTURES_REQUIRED installed FIXTURES_SETUP separate_compilation COST 100)
# wva_metrics_refuse_to_link(<target> <regular expression of the linker's message>)
function(wva_metrics_refuse_to_link target expected)
  add_test(NAME consumer.separate_compilation_${target} COMMAND ${CMAKE_COMMAND}
    -D build_directory=${work}/separate_compilation -D target=${target} -D expected=${expected}
    -P ${PROJECT_SOURCE_DIR}/cmake/expect_refused.cmake)
  set_tests_properties(consumer.separate_compilation_${target} PROPERTIES
    LABELS consumer FIXTURES_REQUIRED separate_compilation)
endfunction()
wva_metrics_refuse_to_link(without_library "undefined reference to .wva_metrics::")
wva_metrics_refuse_to_link(mixture "separate_compilation_must_be_defined_in_all_source_files_or_in_none")

# Each example is copied as a user would copy it: the file, and the folder of the same name if there is one.
set(copies ${work}/copied_source)
add_test(NAME consumer.copy_examples COMMAND ${CMAKE_COMMAND}
  -D examples=${PROJECT_SOURCE_DIR}/examples -D project=${consumer_root}/copied_examples -D copies=${copies}
  -P ${consumer_root}/copy_examples.cmake)
set_tests_properties(consumer.copy_examples PROPERTIES LABELS consumer FIXTURES_SETUP copied)
wva_metrics_add_consumer(copied_examples ${copies} OPTIONS ${installed})
set_tests_properties(consumer.copied_examples PROPERTIES FIXTURES_REQUIRED "installed;copied" COST 90)

# Without Boost_DIR, because Boost must not be found.
add_test(NAME consumer.missing_libraries COMMAND ${CMAKE_COMMAND}
  -D SOURCE=${PROJECT_SOURCE_DIR} -D PREFIX=${work}/prefix -D WORK=${work}/missing_libraries
  -D "OPTIONS=-G;${CMAKE_GENERATOR};-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER};-DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}"
  -P ${consumer_root}/missing_libraries.cmake)
set_tests_properties(consumer.missing_libraries PROPERTIES LABELS consumer FIXTURES_REQUIRED installed)

add_test(NAME consumer.refusals COMMAND ${CMAKE_COMMAND} -S ${consumer_root}/refusals -B ${work}/refusals
  -G ${CMAKE_GENERATOR} ${toolchain} -DINSTALLATION=${work}/prefix)
set_tests_properties(consumer.refusals PROPERTIES LABELS consumer FIXTURES_REQUIRED installed)

# The library alone, by each preset that sets other variables than the one before.
add_test(NAME consumer.presets COMMAND ${CMAKE_COMMAND} -D SOURCE=${PROJECT_SOURCE_DIR} -D WORK=${work}/presets
  -D "PRESETS=gcc-release;gcc-asan;examples" -D "OPTIONS=-DBoost_DIR=${Boost_DIR}" -P ${consumer_root}/presets.cmake)
set_tests_properties(consumer.presets PROPERTIES LABELS consumer)

# The program of examples/README.md, and the output that it shows.
wva_metrics_add_consumer(afternoon ${consumer_root}/afternoon OPTIONS ${installed})
set_tests_properties(consumer.afternoon PROPERTIES FIXTURES_REQUIRED installed FIXTURES_SETUP afternoon COST 90)
if(TARGET vllm_fleet AND TARGET plugin_other_version)
  add_test(NAME consumer.readme COMMAND
    sh ${CMAKE_CURRENT_SOURCE_DIR}/support/with_fleet.sh "$<TARGET_FILE:vllm_fleet> --models 1"
    sh ${consumer_root}/afternoon/replay.sh ${PROJECT_SOURCE_DIR}/examples/README.md ${consumer_root}/afternoon ${work}/afternoon
    $<TARGET_FILE:plugin_other_version>)
  set_tests_properties(consumer.readme PROPERTIES LABELS consumer FIXTURES_REQUIRED afternoon)
endif()

find_program(WVA_METRICS_PKG_CONFIG NAMES pkgconf pkg-config)
mark_as_advanced(WVA_METRICS_PKG_CONFIG)
if(WVA_METRICS_PKG_CONFIG)
  add_test(NAME consumer.pkg_config COMMAND ${CMAKE_COMMAND}
    -D COMPILER=${CMAKE_CXX_COMPILER} -D PKG_CONFIG=${WVA_METRICS_PKG_CONFIG} -D PREFIX=${work}/prefix
    -D "PARTS=${wva_metrics_components}" -D SOURCE=${consumer_root}/main.cpp -D PROGRAM=${work}/pkg_config
    -P ${consumer_root}/pkg_config.cmake)
  # Boost may be outside the compiler's default paths.
  get_target_property(boost_include Boost::headers INTERFACE_INCLUDE_DIRECTORIES)
  set(boost_lib ${boost_include}/../lib:${boost_include}/../lib/${CMAKE_LIBRARY_ARCHITECTURE})
  set_tests_properties(consumer.pkg_config PROPERTIES LABELS consumer FIXTURES_REQUIRED installed
    ENVIRONMENT "CPATH=${boost_include};LIBRARY_PATH=${boost_lib};LD_LIBRARY_PATH=${boost_lib}")
else()
  add_test(NAME consumer.pkg_config COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: pkg-config is not installed")
  set_tests_properties(consumer.pkg_config PROPERTIES LABELS consumer SKIP_REGULAR_EXPRESSION "^SKIPPED")
endif()

find_program(WVA_METRICS_DPKG_DEB dpkg-deb)
find_program(WVA_METRICS_DPKG dpkg)
mark_as_advanced(WVA_METRICS_DPKG_DEB WVA_METRICS_DPKG)
if(WVA_METRICS_DPKG_DEB AND WVA_METRICS_DPKG)
  add_test(NAME consumer.debian_package COMMAND ${CMAKE_COMMAND}
    -D BUILD=${PROJECT_BINARY_DIR} -D CPACK=${CMAKE_CPACK_COMMAND} -D DPKG=${WVA_METRICS_DPKG} -D DPKG_DEB=${WVA_METRICS_DPKG_DEB}
    -D VERSION=${PROJECT_VERSION} -D WORK=${work}/debian_package
    -D "CONSUMER=${CMAKE_COMMAND};-S;${consumer_root}/refusals;-B;${work}/debian_package/build;-G;${CMAKE_GENERATOR};${toolchain}"
    -P ${consumer_root}/debian_package.cmake)
else()
  add_test(NAME consumer.debian_package COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: dpkg is not installed")
  set_tests_properties(consumer.debian_package PROPERTIES SKIP_REGULAR_EXPRESSION "^SKIPPED")
endif()
set_tests_properties(consumer.debian_package PROPERTIES LABELS consumer)

# The packages for vcpkg and Conan, as far as they can be checked without these tools.
add_test(NAME consumer.vcpkg_port_without_vcpkg COMMAND ${CMAKE_COMMAND}
  -D PORT_DIRECTORY=${PROJECT_SOURCE_DIR}/cmake/packaging/vcpkg -D VERSION=${PROJECT_VERSION} -D WORK=${work}/vcpkg_port
  -D "OPTIONS=-G;${CMAKE_GENERATOR};${toolchain}" -P ${consumer_root}/vcpkg_port.cmake)
find_package(Python3 COMPONENTS Interpreter)
if(Python3_Interpreter_FOUND)
  add_test(NAME consumer.conan_recipe_without_conan COMMAND Python3::Interpreter ${consumer_root}/conan_recipe.py
    ${PROJECT_SOURCE_DIR}/cmake/packaging/conan ${PROJECT_VERSION} ${work}/conan_recipe)
else()
  add_test(NAME consumer.conan_recipe_without_conan COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: Python is not installed")
  set_tests_properties(consumer.conan_recipe_without_conan PROPERTIES SKIP_REGULAR_EXPRESSION "^SKIPPED")
endif()
set_tests_properties(consumer.vcpkg_port_without_vcpkg consumer.conan_recipe_without_conan PROPERTIES LABELS consumer)
