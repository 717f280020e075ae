# SPDX-License-Identifier: Apache-2.0
#
# cpack -G DEB: the package libwva-metrics-dev, one for every architecture.

set(WVA_METRICS_PACKAGE_CONTACT "The wva_metrics authors <wva-metrics@lists.invalid>" CACHE STRING
  "Who looks after the packages that CPack makes: name <address>")

set(CPACK_PACKAGE_NAME libwva-metrics-dev)
set(CPACK_PACKAGE_CONTACT "${WVA_METRICS_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_VENDOR "the wva_metrics authors")
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES OFF)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_PACKAGE_NAME ${CPACK_PACKAGE_NAME})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# Debian 12 has Boost 1.83 in its backports, under names with the version; from Debian 13 and Ubuntu 24.04 on the plain names do.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "libboost-dev (>= 1.83) | libboost1.83-dev | libboost1.88-dev, libboost-json-dev (>= 1.83) | libboost-json1.83-dev | libboost-json1.88-dev")
# The optional parts: the headers are there, and need these only where they are included.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libssl-dev (>= 3.0), zlib1g-dev")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake (>= 3.24), pkgconf | pkg-config")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "C++20 library that tells autoscalers how loaded inference servers are")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Collects arrival rate, token counts, latencies, KV cache usage and queue
lengths of LLM inference servers from Prometheus, keeps them in a cache, and
says of every number how old it is and whether it is known at all.

The library is header-only. This package has its headers, its CMake package
and its files for pkg-config.")

# A package of Debian keeps its documents in a folder of its own name, and only in its own forms.
set(CPACK_COMPONENTS_ALL wva_metrics debian)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
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
