# SPDX-License-Identifier: Apache-2.0
#
# cpack makes the package libwva-metrics-dev, for all architectures, in <build>/packages, and prints its path.

set(WVA_METRICS_PACKAGE_CONTACT "The wva_metrics authors <wva-metrics@lists.invalid>" CACHE STRING
  "Maintainer of the packages that CPack makes: name <address>")

set(CPACK_PACKAGE_NAME libwva-metrics-dev)
set(CPACK_PACKAGE_CONTACT "${WVA_METRICS_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_VENDOR "the wva_metrics authors")
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES OFF)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/after_cpack.cmake)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_PACKAGE_NAME ${CPACK_PACKAGE_NAME})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# Debian 12 has Boost 1.83 in its backports only, in packages with the version in their name. From Debian 13 and
# Ubuntu 24.04 on, the packages without it are new enough.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "libboost-dev (>= 1.83) | libboost1.83-dev | libboost1.88-dev, libboost-json-dev (>= 1.83) | libboost-json1.83-dev | libboost-json1.88-dev")
# For the optional parts: the package has their headers, which need these libraries only if they are included.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libssl-dev (>= 3.0), zlib1g-dev")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake (>= 3.24), pkgconf | pkg-config")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "C++20 library that tells autoscalers how loaded inference servers are")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Collects arrival rate, token counts, latencies, KV cache usage and queue
lengths of LLM inference servers from Prometheus, keeps them in a cache, and
reports the age and the availability of every value.

The library is header-only. This package contains its headers, its CMake
package and its files for pkg-config.")

# Debian has its own rules for documents: a folder named after the package, with copyright and changelog.
set(CPACK_COMPONENTS_ALL wva_metrics debian)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
# The entries of the changelog are the bullets of the newest version in the README's section "Changes".
file(READ ${PROJECT_SOURCE_DIR}/README.md readme)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md)
string(REGEX MATCH "\n### Changes\n.*" changes "${readme}")
string(REGEX MATCH "\n(- [^\n]+\n(  [^\n]+\n)*)+" changes "${changes}")
string(REPLACE "\n  " "\n    " changes "${changes}")
string(REPLACE "\n- " "\n  * " changes "${changes}")
string(STRIP "${changes}" changes)
string(TIMESTAMP changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/changelog.in ${PROJECT_BINARY_DIR}/debian/changelog @ONLY)
find_program(WVA_METRICS_GZIP_PROGRAM gzip)
mark_as_advanced(WVA_METRICS_GZIP_PROGRAM)
set(document_dir ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_PACKAGE_NAME})
install(FILES ${CMAKE_CURRENT_LIST_DIR}/debian/copyright DESTINATION ${document_dir} COMPONENT debian EXCLUDE_FROM_ALL)
if(WVA_METRICS_GZIP_PROGRAM)
  execute_process(COMMAND ${WVA_METRICS_GZIP_PROGRAM} -9nf ${PROJECT_BINARY_DIR}/debian/changelog COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${PROJECT_BINARY_DIR}/debian/changelog.gz DESTINATION ${document_dir} COMPONENT debian EXCLUDE_FROM_ALL)
endif()

include(CPack)
