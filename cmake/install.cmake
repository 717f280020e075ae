# SPDX-License-Identifier: Apache-2.0

# Installs the headers and the files for find_package(wva_metrics) and pkg-config. The installation is relocatable.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# The default component is everything except the licence, which each kind of package puts in a different place.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME wva_metrics)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/wva_metrics)
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)

install(TARGETS wva_metrics EXPORT wva_metrics-targets FILE_SET HEADERS FILE_SET internal)
install(EXPORT wva_metrics-targets NAMESPACE wva_metrics:: DESTINATION ${package_dir})

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/wva_metrics-config.cmake.in
  ${PROJECT_BINARY_DIR}/wva_metrics-config.cmake
  INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/wva_metrics-config-version.cmake
  COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES
  ${PROJECT_BINARY_DIR}/wva_metrics-config.cmake
  ${PROJECT_BINARY_DIR}/wva_metrics-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/missing_library.cmake
  DESTINATION ${package_dir})

# Paths in a .pc file are relative to it, unless the installation's folders are absolute.
cmake_path(IS_ABSOLUTE pkgconfig_dir pkgconfig_is_absolute)
if(pkgconfig_is_absolute)
  set(pkgconfig_prefix ${CMAKE_INSTALL_PREFIX})
else()
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
    BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir} OUTPUT_VARIABLE way_up)
  string(CONCAT pkgconfig_prefix "\${pcfiledir}/" ${way_up})
endif()
set(pkgconfig_includedir ${CMAKE_INSTALL_INCLUDEDIR})
cmake_path(IS_ABSOLUTE pkgconfig_includedir pkgconfig_is_absolute)
if(NOT pkgconfig_is_absolute)
  string(PREPEND pkgconfig_includedir "\${prefix}/")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/wva_metrics.pc.in ${PROJECT_BINARY_DIR}/wva_metrics.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/wva_metrics.pc DESTINATION ${pkgconfig_dir})

# Each optional component has its own export set, so a consumer that does not request a component does not need its
# library.
set(tls_requires ", openssl >= 3.0")
set(gzip_requires ", zlib")
set(plugin_libs "-ldl")
foreach(component IN LISTS wva_metrics_components)
  set(name wva_metrics-${component})
  install(TARGETS wva_metrics_${component} EXPORT ${name}-targets FILE_SET HEADERS)
  install(EXPORT ${name}-targets NAMESPACE wva_metrics:: DESTINATION ${package_dir})

  string(TOUPPER ${component} upper_name)
  set(component_requires "${${component}_requires}")
  set(component_libs)
  if(${component}_libs)
    set(component_libs "Libs: ${${component}_libs}")
  endif()
  configure_file(${CMAKE_CURRENT_LIST_DIR}/wva_metrics-component.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pkgconfig_dir})
endforeach()

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT licence)

if(PROJECT_IS_TOP_LEVEL)
  include(cmake/packaging/debian.cmake)
endif()
