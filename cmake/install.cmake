# SPDX-License-Identifier: Apache-2.0

# Installs the headers and the package files that find_package(wva_metrics) reads.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/wva_metrics)

install(TARGETS wva_metrics EXPORT wva_metrics-targets FILE_SET HEADERS)
install(EXPORT wva_metrics-targets NAMESPACE wva_metrics:: DESTINATION ${package_dir})

# An export set of its own, so that who does not ask for TLS does not need OpenSSL.
if(TARGET wva_metrics_tls)
  install(TARGETS wva_metrics_tls EXPORT wva_metrics-tls-targets FILE_SET HEADERS)
  install(EXPORT wva_metrics-tls-targets NAMESPACE wva_metrics:: DESTINATION ${package_dir})
endif()

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/wva_metrics-config.cmake.in
  ${PROJECT_BINARY_DIR}/wva_metrics-config.cmake
  INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/wva_metrics-config-version.cmake
  COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES
  ${PROJECT_BINARY_DIR}/wva_metrics-config.cmake
  ${PROJECT_BINARY_DIR}/wva_metrics-config-version.cmake
  DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
