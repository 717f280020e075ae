# SPDX-License-Identifier: Apache-2.0
#
# Explains what to do if find_package has not found a library: which version was found and where, which one is needed,
# and how to get it on this distribution. The installed package has this file too.

cmake_policy(VERSION 3.24) # For a project that includes it and sets none.

# wva_metrics_expect_found(<package>): stops with the explanation if find_package(<package> QUIET) found nothing.
function(wva_metrics_expect_found package)
  if(NOT ${package}_FOUND)
    wva_metrics_explain_missing(${package} explanation)
    message(FATAL_ERROR "${explanation}")
  endif()
endfunction()

# wva_metrics_explain_missing(<package> <output>)
function(wva_metrics_explain_missing package output)
  # The code names of Debian's and Ubuntu's old releases. New releases do not change these lists.
  set(before_openssl_3 jessie stretch buster bullseye
    trusty xenial artful bionic cosmic disco eoan focal groovy hirsute impish)
  set(before_boost_1_83 ${before_openssl_3} bookworm jammy kinetic lunar mantic)
  set(too_old_in)
  set(setup_options)
  if(package STREQUAL "Boost")
    set(needed "Boost 1.83 or newer: the headers and Boost.JSON, with their CMake files")
    set(debian_packages libboost-dev libboost-json-dev)
    set(too_old_in ${before_boost_1_83})
  elseif(package STREQUAL "Catch2")
    set(needed "Catch2 3.4 or newer for its tests. WVA_METRICS_BUILD_TESTS=OFF builds no tests")
    set(debian_packages catch2)
    set(too_old_in ${before_boost_1_83}) # The same releases have an old Catch2.
    set(setup_options " tests")
  elseif(package STREQUAL "OpenSSL")
    set(needed "OpenSSL 3.0 or newer, with its headers, for the component \"tls\"")
    set(debian_packages libssl-dev)
    set(too_old_in ${before_openssl_3})
  else()
    set(needed "zlib, with its headers, for the component \"gzip\"")
    set(debian_packages zlib1g-dev)
  endif()
  wva_metrics_describe_found(${package} found)
  wva_metrics_name_remedy("${debian_packages}" "${too_old_in}" remedy)
  set(${output} "wva_metrics needs ${needed}.\n${found}\n${remedy}" PARENT_SCOPE)
endfunction()

# What find_package has seen and refused.
function(wva_metrics_describe_found package output)
  set(seen)
  foreach(config version IN ZIP_LISTS ${package}_CONSIDERED_CONFIGS ${package}_CONSIDERED_VERSIONS)
    string(APPEND seen "  ${package} ${version} at ${config}\n")
  endforeach()
  if(package STREQUAL "OpenSSL" AND OPENSSL_VERSION)
    string(APPEND seen "  OpenSSL ${OPENSSL_VERSION} at ${OPENSSL_INCLUDE_DIR}\n")
  endif()
  if(NOT seen)
    set(${output} "CMake has not found it." PARENT_SCOPE)
    return()
  endif()
  # CMake gives a reason only if the version is right and something else is missing.
  if(${package}_NOT_FOUND_MESSAGE)
    string(APPEND seen "which says: ${${package}_NOT_FOUND_MESSAGE}\n")
  endif()
  set(${output} "CMake has found only\n${seen}" PARENT_SCOPE)
endfunction()

# wva_metrics_name_remedy(<Debian's packages> <releases in which they are too old> <output>)
# wva_metrics_os_release may name another file than /etc/os-release.
function(wva_metrics_name_remedy packages too_old_in output)
  set(os_release /etc/os-release)
  if(wva_metrics_os_release)
    set(os_release ${wva_metrics_os_release})
  endif()
  foreach(field IN ITEMS ID ID_LIKE PRETTY_NAME VERSION_CODENAME DEBIAN_CODENAME UBUNTU_CODENAME)
    set(${field})
    if(EXISTS ${os_release})
      file(STRINGS ${os_release} line REGEX "^${field}=" LIMIT_COUNT 1)
      string(REGEX REPLACE "^${field}=|[\"']" "" ${field} "${line}")
    endif()
  endforeach()
  # A distribution that is made from another has that one's packages, but a code name of its own.
  set(codename ${VERSION_CODENAME})
  foreach(origin IN ITEMS DEBIAN UBUNTU)
    if(${origin}_CODENAME)
      set(codename ${${origin}_CODENAME})
    endif()
  endforeach()

  set(configure_again "configure again with\n  -D CMAKE_PREFIX_PATH=<the folder in which it is installed>\n")
  list(JOIN packages " " packages)
  if(NOT "${ID} ${ID_LIKE}" MATCHES "debian|ubuntu" OR NOT codename)
    string(CONCAT remedy
      "Install it with the packages of your distribution, or from its source. If CMake does not find it then, "
      "${configure_again}")
  elseif(NOT codename IN_LIST too_old_in)
    set(remedy "On ${PRETTY_NAME}, install it as root with\n  apt-get install ${packages}\n")
  elseif(codename STREQUAL "bookworm" AND ID STREQUAL "debian")
    set(tree "<the source of wva_metrics>")
    if(EXISTS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/setup.sh)
      cmake_path(GET CMAKE_CURRENT_FUNCTION_LIST_DIR PARENT_PATH tree)
    endif()
    string(CONCAT remedy
      "${PRETTY_NAME} has a version that is too old. This script installs a newer one from its backports under build/deps, "
      "and what else is needed as packages:\n  sh \"${tree}/cmake/setup.sh\"${setup_options}\n"
      "Then configure again with\n  -D \"CMAKE_PREFIX_PATH=${tree}/build/deps/usr\"\n")
  else()
    string(CONCAT remedy
      "${PRETTY_NAME} has a version that is too old. Use a newer release, or install it from its source and "
      "${configure_again}")
  endif()
  set(${output} "${remedy}" PARENT_SCOPE)
endfunction()
