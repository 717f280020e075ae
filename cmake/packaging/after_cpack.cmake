# SPDX-License-Identifier: Apache-2.0
#
# CPack runs this before it moves the packages to their folder.
foreach(package IN LISTS CPACK_PACKAGE_FILES)
  cmake_path(GET package FILENAME name)
  message(NOTICE "Install the package as root with: apt install ${CPACK_PACKAGE_DIRECTORY}/${name}")
endforeach()
