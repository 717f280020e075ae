# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154  # variables come from and go to setup.sh
#
# Part of setup.sh: how to get each part on Debian and Ubuntu.

# basic_package <part>: a space and the part's package, for the parts that are installed first and all at once, because
# CMake needs some of them to search for libraries. Nothing for a part that has a recipe below.
basic_package() {
    case $1 in
        compiler) echo " g++" ;;
        cmake | openssl) echo " $1" ;;
        ninja) echo " ninja-build" ;;
        certificates) echo " ca-certificates" ;;
        # Without a compiler, CMake has not searched for these yet.
        libssl) [ -e /usr/include/openssl/ssl.h ] || echo " libssl-dev" ;;
        zlib) [ -e /usr/include/zlib.h ] || echo " zlib1g-dev" ;;
    esac
}

get_boost() {
    if at_least "$(candidate_version libboost-json-dev)" 1.83 && apt_install libboost-dev libboost-json-dev; then return; fi
    set_up_private_apt
    for package in libboost-json-dev libboost-json1.83-dev; do
        if at_least "$(candidate_version $package private_apt)" 1.83; then
            # Boost.JSON's CMake files need the libraries that it depends on.
            boost_packages=$(private_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
                --no-breaks --no-replaces --no-enhances $package | grep -E '^libboost[-0-9a-z.]*$' | sort -u)
            # shellcheck disable=SC2086  # a list of packages
            unpack usr $boost_packages
            return
        fi
    done
}

get_catch2() {
    for package in libcatch2-dev catch2; do
        if at_least "$(candidate_version $package)" 3.4 && apt_install $package; then return; fi
    done
    set_up_private_apt
    for package in libcatch2-dev catch2; do
        if at_least "$(candidate_version $package private_apt)" 3.4; then unpack usr $package; return; fi
    done
}

# Unpacked, because the installed package would start a service, and only its program is needed.
get_prometheus() {
    set_up_private_apt
    unpack usr/bin prometheus
}

# Unpacked for the same reason, and its program alone.
get_victoria_metrics() {
    set_up_private_apt
    unpack usr/bin/victoria-metrics victoria-metrics
}

# Unpacked for the same reason.
get_node_exporter() {
    set_up_private_apt
    unpack usr/bin/prometheus-node-exporter prometheus-node-exporter
}

# Unpacked, because any Python can import it from there, and no root is needed.
get_python_client() {
    command -v python3 >/dev/null || apt_install python3 || return
    set_up_private_apt
    unpack usr/lib/python3/dist-packages/prometheus_client python3-prometheus-client
}

# From the newest packages of the distribution, because its releases may have Prometheus 2 only. With an apt and a folder
# of its own, because the other parts are taken from the machine's release.
get_prometheus3() {
    own_apt=$apt
    own_deps=$deps
    apt=$apt/newest
    deps=$deps/newest
    status=0
    unpack_prometheus3 || status=1
    apt=$own_apt
    deps=$own_deps
    return $status
}

unpack_prometheus3() {
    suite=sid
    if is_in ubuntu "$distribution"; then suite=devel; fi
    mkdir -p "$deps"
    set_up_private_apt $suite
    version=$(candidate_version prometheus private_apt)
    if ! at_least "$version" 3; then
        say "$suite has ${version:-no version} of prometheus"
        return 1
    fi
    unpack usr/bin/prometheus prometheus
}

get_clang() {
    apt_install clang || return
    find_part clang >/dev/null || apt_install "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev"
}

# Distributions have it with the sanitizers of the compiler, or in a package of its own.
get_libfuzzer() {
    version=$(clang++ -dumpversion | cut -d. -f1)
    for package in "libclang-rt-$version-dev" "libfuzzer-$version-dev"; do
        if apt_install "$package" && find_part libfuzzer >/dev/null; then return; fi
    done
}

get_pkgconfig() { apt_install pkg-config; }
get_doxygen() { apt_install doxygen; }
get_spdlog() { apt_install libspdlog-dev; }
get_go() { apt_install golang-go; }
get_client_golang() { apt_install golang-github-prometheus-client-golang-dev; }
get_prometheus_common() { apt_install golang-github-prometheus-common-dev; }
get_simdjson() { apt_install libsimdjson-dev; }
get_wrk() { apt_install wrk; }
get_clang_format() { apt_install clang-format-14; }
get_clang_tidy() { apt_install clang-tidy; }
get_shellcheck() { apt_install shellcheck; }
