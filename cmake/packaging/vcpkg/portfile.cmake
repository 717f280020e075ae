# SPDX-License-Identifier: Apache-2.0
#
# An overlay port for this source tree:
#   vcpkg install "wva-metrics[tls,gzip]" --overlay-ports=<tree>/cmake/packaging/vcpkg
# In a registry of ports, replace the next line by vcpkg_from_github or vcpkg_from_git.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../.." ABSOLUTE)

# The library is header-only, so one build type is enough.
set(VCPKG_BUILD_TYPE release)

vcpkg_check_features(OUT_FEATURE_OPTIONS feature_options
  FEATURES
    gzip WVA_METRICS_GZIP
    tls WVA_METRICS_TLS)

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    ${feature_options}
    -DWVA_METRICS_BUILD_BENCHMARKS=OFF
    -DWVA_METRICS_BUILD_EXAMPLES=OFF
    -DWVA_METRICS_BUILD_TESTS=OFF
    -DWVA_METRICS_INSTALL=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME wva_metrics CONFIG_PATH share/cmake/wva_metrics)
vcpkg_fixup_pkgconfig()

# A port's usage text and licence belong to share/wva-metrics.
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/share/doc")
file(INSTALL "${CURRENT_PORT_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
