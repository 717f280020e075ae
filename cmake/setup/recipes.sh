# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154  # variables come from and go to setup.sh
#
# Part of setup.sh: how to get each part on Debian and Ubuntu.

get_boost() {
    if at_least "$(offered libboost-json-dev)" 1.83 && install libboost-dev libboost-json-dev; then return; fi
    open_private_apt
    for package in libboost-json-dev libboost-json1.83-dev; do
        if at_least "$(offered $package private_apt)" 1.83; then
            # Boost.JSON's CMake files ask for the libraries it is built on.
            libraries=$(private_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
                --no-breaks --no-replaces --no-enhances $package | grep -E '^libboost[-0-9a-z.]*$' | sort -u)
            # shellcheck disable=SC2086  # a list of packages
            unpack usr $libraries
            return
        fi
    done
}

get_catch2() {
    for package in libcatch2-dev catch2; do
        if at_least "$(offered $package)" 3.4 && install $package; then return; fi
    done
    open_private_apt
    for package in libcatch2-dev catch2; do
        if at_least "$(offered $package private_apt)" 3.4; then unpack usr $package; return; fi
    done
}

# The distribution's package would start a service; its program alone is all that is needed.
get_prometheus() {
    open_private_apt
    unpack usr/bin prometheus
}

get_clang() {
    install clang || return
    find_part clang >/dev/null || install "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev"
}

get_pkgconfig() { install pkg-config; }
get_doxygen() { install doxygen; }
get_spdlog() { install libspdlog-dev; }
get_go() { install golang-go; }
get_client_golang() { install golang-github-prometheus-client-golang-dev; }
get_prometheus_common() { install golang-github-prometheus-common-dev; }
get_simdjson() { install libsimdjson-dev; }
get_wrk() { install wrk; }
get_clang_format() { install clang-format-14; }
get_clang_tidy() { install clang-tidy; }
get_shellcheck() { install shellcheck; }
