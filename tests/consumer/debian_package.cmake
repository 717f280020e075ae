# SPDX-License-Identifier: Apache-2.0
#
# cmake -D BUILD=... -D CPACK=... -D DPKG=... -D DPKG_DEB=... -D VERSION=... -D WORK=... -D "CONSUMER=<command>..." -P debian_package.cmake
# Makes the package, installs it into a separate root, configures a consumer against it, and removes it completely.

set(packages ${WORK}/packages)
set(root ${WORK}/root)
file(REMOVE_RECURSE ${packages} ${root})
execute_process(COMMAND ${CPACK} -G DEB --config ${BUILD}/CPackConfig.cmake -B ${packages}
  OUTPUT_VARIABLE messages ERROR_VARIABLE messages COMMAND_ERROR_IS_FATAL ANY)
set(package ${packages}/libwva-metrics-dev_${VERSION}_all.deb)
string(FIND "${messages}" "apt install ${package}\n" position)
if(position EQUAL -1)
  message(SEND_ERROR "CPack does not say where the package is and how to install it:\n${messages}")
endif()

execute_process(COMMAND ${DPKG_DEB} --show "--showformat=\${Package} \${Version} \${Architecture}\n\${Depends}" ${package}
  OUTPUT_VARIABLE fields COMMAND_ERROR_IS_FATAL ANY)
if(NOT fields MATCHES "^libwva-metrics-dev ${VERSION} all\n.*libboost-json-dev \\(>= 1.83\\)")
  message(FATAL_ERROR "The package's fields are wrong:\n${fields}")
endif()
execute_process(COMMAND ${DPKG_DEB} --contents ${package} OUTPUT_VARIABLE contents COMMAND_ERROR_IS_FATAL ANY)
foreach(path IN ITEMS
    include/wva_metrics/wva_metrics.hpp share/cmake/wva_metrics/wva_metrics-config.cmake share/pkgconfig/wva_metrics.pc
    share/doc/libwva-metrics-dev/copyright share/doc/libwva-metrics-dev/changelog.gz)
  if(NOT contents MATCHES "root/root +[0-9]+ [^\n]* \\./usr/${path}\n")
    message(SEND_ERROR "The package has no file /usr/${path}, or root does not own it.")
  endif()
endforeach()
string(REGEX MATCHALL "[^\n]* \\./(usr/)?(local|lib|bin|etc|opt|tmp|home|root|work)/[^\n]*" strays "${contents}")
if(strays)
  message(SEND_ERROR "The package has files in folders that are not its own:\n${strays}")
endif()

# The changelog has the version and at least one of its changes.
execute_process(COMMAND ${DPKG_DEB} --fsys-tarfile ${package}
  COMMAND tar -xO ./usr/share/doc/libwva-metrics-dev/changelog.gz COMMAND gzip -dc
  OUTPUT_VARIABLE changelog COMMAND_ERROR_IS_FATAL ANY)
if(NOT changelog MATCHES "^libwva-metrics-dev \\(${VERSION}\\) .*\n\n  \\* [^\n]+\n.*\n -- ")
  message(SEND_ERROR "The changelog is not valid, or has no changes:\n${changelog}")
endif()

execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
if(user EQUAL 0)
  file(MAKE_DIRECTORY ${root}/var/lib/dpkg/info ${root}/var/lib/dpkg/updates ${root}/var/lib/dpkg/triggers)
  file(TOUCH ${root}/var/lib/dpkg/status)
  # The packages that it depends on are not installed there, and this test does not need them.
  set(dpkg ${DPKG} --root=${root} --log=/dev/null --force-depends)
  execute_process(COMMAND ${dpkg} --install ${package} COMMAND_ERROR_IS_FATAL ANY)
else()
  message(STATUS "Only root can run dpkg with a separate root. The package is unpacked instead, and its removal is not tested.")
  execute_process(COMMAND ${DPKG_DEB} --extract ${package} ${root} COMMAND_ERROR_IS_FATAL ANY)
endif()
execute_process(COMMAND ${CONSUMER} -DINSTALLATION=${root}/usr OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
if(user EQUAL 0)
  execute_process(COMMAND ${dpkg} --audit OUTPUT_VARIABLE complaints COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${dpkg} --purge libwva-metrics-dev COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB_RECURSE left LIST_DIRECTORIES true ${root}/usr/*)
  file(READ ${root}/var/lib/dpkg/status status)
  if(complaints OR left OR status MATCHES "libwva")
    message(SEND_ERROR "The package was not removed completely, or dpkg reports problems:\n${complaints}${left}")
  endif()
endif()
