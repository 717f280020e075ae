# SPDX-License-Identifier: Apache-2.0
#
# cmake -D BUILD=... -D CPACK=... -D DPKG=... -D DPKG_DEB=... -D VERSION=... -D WORK=... -D "CONSUMER=<command>..." -P debian_package.cmake
# Makes the package, installs it into a root of its own, lets a consumer find it there, and removes it without a trace.

set(packages ${WORK}/packages)
set(root ${WORK}/root)
file(REMOVE_RECURSE ${packages} ${root})
execute_process(COMMAND ${CPACK} -G DEB --config ${BUILD}/CPackConfig.cmake -B ${packages}
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
set(package ${packages}/libwva-metrics-dev_${VERSION}_all.deb)

execute_process(COMMAND ${DPKG_DEB} --show "--showformat=\${Package} \${Version} \${Architecture}\n\${Depends}" ${package}
  OUTPUT_VARIABLE fields COMMAND_ERROR_IS_FATAL ANY)
if(NOT fields MATCHES "^libwva-metrics-dev ${VERSION} all\n.*libboost-json-dev \\(>= 1.83\\)")
  message(FATAL_ERROR "The package's fields are not right:\n${fields}")
endif()
execute_process(COMMAND ${DPKG_DEB} --contents ${package} OUTPUT_VARIABLE contents COMMAND_ERROR_IS_FATAL ANY)
foreach(path IN ITEMS
    include/wva_metrics/wva_metrics.hpp share/cmake/wva_metrics/wva_metrics-config.cmake share/pkgconfig/wva_metrics.pc
    share/doc/libwva-metrics-dev/copyright share/doc/libwva-metrics-dev/changelog.gz)
  if(NOT contents MATCHES "root/root +[0-9]+ [^\n]* \\./usr/${path}\n")
    message(SEND_ERROR "The package has no file /usr/${path}, or it is not root's.")
  endif()
endforeach()
string(REGEX MATCHALL "[^\n]* \\./(usr/)?(local|lib|bin|etc|opt|tmp|home|root|work)/[^\n]*" strays "${contents}")
if(strays)
  message(SEND_ERROR "The package has files where they do not belong:\n${strays}")
endif()

execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
if(user EQUAL 0)
  file(MAKE_DIRECTORY ${root}/var/lib/dpkg/info ${root}/var/lib/dpkg/updates ${root}/var/lib/dpkg/triggers)
  file(TOUCH ${root}/var/lib/dpkg/status)
  # What it depends on is not in there, and need not be to see its files come and go.
  set(dpkg ${DPKG} --root=${root} --log=/dev/null --force-depends)
  execute_process(COMMAND ${dpkg} --install ${package} COMMAND_ERROR_IS_FATAL ANY)
else()
  message(STATUS "Only root can try dpkg on a root of its own: the package is unpacked instead, and its removal is not tried.")
  execute_process(COMMAND ${DPKG_DEB} --extract ${package} ${root} COMMAND_ERROR_IS_FATAL ANY)
endif()
execute_process(COMMAND ${CONSUMER} -DINSTALLATION=${root}/usr OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
if(user EQUAL 0)
  execute_process(COMMAND ${dpkg} --audit OUTPUT_VARIABLE complaints COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${dpkg} --purge libwva-metrics-dev COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB_RECURSE left LIST_DIRECTORIES true ${root}/usr/*)
  file(READ ${root}/var/lib/dpkg/status status)
  if(complaints OR left OR status MATCHES "libwva")
    message(SEND_ERROR "Something is left of the package, or dpkg is not content:\n${complaints}${left}")
  endif()
endif()
