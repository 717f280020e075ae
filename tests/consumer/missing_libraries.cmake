# SPDX-License-Identifier: Apache-2.0
#
# cmake -D SOURCE=... -D PREFIX=<installation> -D WORK=... -D "OPTIONS=<cmake option>;..." -P missing_libraries.cmake
# Configures the library and a consumer where a library is missing or too old, and checks that the error says what was
# found, what is needed, and what to do on each distribution.
cmake_minimum_required(VERSION 3.24)
file(REMOVE_RECURSE ${WORK})

# expect(<what> <text> <regular expression>...). CMake breaks lines, so each white space matches any other.
function(expect what text)
  string(REGEX REPLACE "[ \n]+" " " text "${text}")
  foreach(expression IN LISTS ARGN)
    if(NOT text MATCHES "${expression}")
      message(SEND_ERROR "${what}: \"${expression}\" does not match the message:\n${text}")
    endif()
  endforeach()
endfunction()

# write_os_release(<line>...)
set(wva_metrics_os_release ${WORK}/os-release)
function(write_os_release)
  list(JOIN ARGN "\n" lines)
  file(WRITE ${wva_metrics_os_release} "${lines}\n")
endfunction()

# The messages on each distribution.
include(${SOURCE}/cmake/missing_library.cmake)
set(debian "ID=debian")
set(ubuntu "ID=ubuntu" "ID_LIKE=debian")
set(boost_packages "apt-get install libboost-dev libboost-json-dev")
set(from_source "-D CMAKE_PREFIX_PATH=<the folder in which it is installed>")

write_os_release("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"" ${debian} "VERSION_CODENAME=bookworm")
wva_metrics_explain_missing(Boost message)
expect("Debian 12" "${message}"
  "needs Boost 1\\.83 or newer: .* CMake has not found it\\. Debian GNU/Linux 12 \\(bookworm\\) has a version that is too old"
  "sh \"${SOURCE}/cmake/setup\\.sh\" .*-D \"CMAKE_PREFIX_PATH=${SOURCE}/build/deps/usr\"")
wva_metrics_explain_missing(Catch2 message)
expect("Debian 12" "${message}" "needs Catch2 3\\.4 or newer.*WVA_METRICS_BUILD_TESTS=OFF" "setup\\.sh\" tests ")
wva_metrics_explain_missing(OpenSSL message)
expect("Debian 12" "${message}" "needs OpenSSL 3\\.0 or newer.*component \"tls\"" "apt-get install libssl-dev")
wva_metrics_explain_missing(ZLIB message)
expect("Debian 12" "${message}" "needs zlib.*component \"gzip\"" "apt-get install zlib1g-dev")

write_os_release("PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"" ${debian} "VERSION_CODENAME=trixie")
wva_metrics_explain_missing(Boost message)
expect("Debian 13" "${message}" "On Debian GNU/Linux 13 \\(trixie\\), install it as root with ${boost_packages}")
wva_metrics_explain_missing(Catch2 message)
expect("Debian 13" "${message}" "apt-get install catch2")

write_os_release("PRETTY_NAME=\"Debian GNU/Linux 10 (buster)\"" ${debian} "VERSION_CODENAME=buster")
foreach(package IN ITEMS Boost Catch2 OpenSSL)
  wva_metrics_explain_missing(${package} message)
  expect("Debian 10" "${message}" "Debian GNU/Linux 10 \\(buster\\) has a version that is too old\\..*${from_source}")
endforeach()

write_os_release("PRETTY_NAME='Ubuntu 24.04 LTS'" ${ubuntu} "VERSION_CODENAME=noble" "UBUNTU_CODENAME=noble")
wva_metrics_explain_missing(Boost message)
expect("Ubuntu 24.04" "${message}" "On Ubuntu 24\\.04 LTS, install it as root with ${boost_packages}")

# A distribution that is made from an old Ubuntu.
write_os_release("PRETTY_NAME=\"Linux Mint 21\"" "ID=linuxmint" "ID_LIKE=\"ubuntu debian\"" "VERSION_CODENAME=vanessa"
  "UBUNTU_CODENAME=jammy")
wva_metrics_explain_missing(Boost message)
expect("Linux Mint 21" "${message}" "Linux Mint 21 has a version that is too old\\..*${from_source}")

# A distribution that is made from an old Debian.
write_os_release("PRETTY_NAME=\"LMDE 5\"" "ID=linuxmint" "ID_LIKE=debian" "VERSION_CODENAME=elsie"
  "DEBIAN_CODENAME=bullseye")
wva_metrics_explain_missing(Boost message)
expect("LMDE 5" "${message}" "LMDE 5 has a version that is too old\\..*${from_source}")

write_os_release("PRETTY_NAME=\"Fedora Linux 40\"" "ID=fedora")
wva_metrics_explain_missing(Boost message)
expect("Fedora" "${message}" "Install it with the packages of your distribution.*${from_source}")
file(REMOVE ${wva_metrics_os_release})
wva_metrics_explain_missing(Boost message)
expect("No os-release" "${message}" "Install it with the packages of your distribution.*${from_source}")

# The same where CMake really finds nothing, or a version that is too old.
set(nothing -D CMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -D CMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF
  -D CMAKE_FIND_USE_CMAKE_ENVIRONMENT_PATH=OFF -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)
set(old ${WORK}/old/lib/cmake/Boost-1.74.0)
file(WRITE ${old}/BoostConfig.cmake "")
file(WRITE ${old}/BoostConfigVersion.cmake "set(PACKAGE_VERSION 1.74.0)\n")
set(too_old "needs Boost 1\\.83 or newer.* CMake has found only Boost 1\\.74\\.0 at ${old}/BoostConfig\\.cmake ")

# expect_failure(<what> <source> <build> <options> <regular expression>...)
function(expect_failure what source build options)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${source} -B ${WORK}/${build} ${OPTIONS} ${nothing} ${options}
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(status EQUAL 0)
    message(SEND_ERROR "${what}: CMake finds what it must not find.")
  endif()
  expect("${what}" "${output}" ${ARGN})
endfunction()
# Without cmake_minimum_required, so with the policies of old versions of CMake.
set(consumer ${WORK}/consumer)
file(WRITE ${consumer}/CMakeLists.txt "project(consumer LANGUAGES CXX)\nfind_package(wva_metrics REQUIRED)\n")
expect_failure("The library without Boost" ${SOURCE} library "" "needs Boost 1\\.83 or newer.* CMake has not found it")
expect_failure("The library with an old Boost" ${SOURCE} library "-DCMAKE_PREFIX_PATH=${WORK}/old" "${too_old}")
expect_failure("A consumer without Boost" ${consumer} consumer/build "-DCMAKE_PREFIX_PATH=${PREFIX}"
  "needs Boost 1\\.83 or newer.* CMake has not found it")
expect_failure("A consumer with an old Boost" ${consumer} consumer/build "-DCMAKE_PREFIX_PATH=${PREFIX}\\;${WORK}/old"
  "wva_metrics_FOUND to FALSE.*${too_old}")
