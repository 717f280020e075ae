# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154  # variables come from and go to setup.sh
#
# Part of setup.sh: the parts that may be wanted, how each is described, and how it is found.

describe() {
    case $1 in
        compiler) echo "g++ 12 or newer" ;;
        cmake) echo "CMake 3.25 or newer (the library alone: 3.24)" ;;
        ninja) echo "Ninja" ;;
        openssl) echo "the openssl command" ;;
        certificates) echo "a bundle of CA certificates" ;;
        libssl) echo "OpenSSL 3 with its headers" ;;
        boost) echo "Boost 1.83 or newer: headers and Boost.JSON, with their CMake files" ;;
        catch2) echo "Catch2 3.4 or newer, with its CMake files" ;;
        clang) echo "clang++ 14 or newer, with its sanitizer libraries" ;;
        zlib) echo "zlib with its headers" ;;
        prometheus) echo "the prometheus server (not required: see above)" ;;
        pkgconfig) echo "pkg-config (not required: see above)" ;;
        doxygen) echo "Doxygen (not required: see above)" ;;
        spdlog) echo "spdlog with its CMake files (not required: see above)" ;;
        go) echo "Go (not required: see above)" ;;
        client_golang) echo "Prometheus' client_golang, as a distribution's package (not required: see above)" ;;
        prometheus_common) echo "Prometheus' common, as a distribution's package (not required: see above)" ;;
        simdjson) echo "simdjson with its CMake files (not required: see above)" ;;
        wrk) echo "wrk (not required: see above)" ;;
        clang_format) echo "clang-format 14: other versions format otherwise (not required: see above)" ;;
        clang_tidy) echo "clang-tidy (not required: see above)" ;;
        shellcheck) echo "shellcheck (not required: see above)" ;;
    esac
}

# at_least 3.25.1 3.25
at_least() {
    awk -v have="$1" -v want="$2" 'BEGIN {
        split(have, h, "."); split(want, w, ".")
        for (i = 1; i <= 3; ++i) if (h[i] + 0 != w[i] + 0) exit h[i] + 0 < w[i] + 0
    }'
}

find_clang_format() {
    for program in clang-format-14 clang-format; do
        if "$program" --version | grep -q 'version 14\.'; then command -v "$program"; return; fi
    done
    return 1
}

# Prints where the part is, or fails.
find_part() {
    case $1 in
        compiler) command -v g++ && at_least "$(g++ -dumpfullversion -dumpversion)" 12 ;;
        clang)
            command -v clang++ && at_least "$(clang++ -dumpversion)" 14 &&
                echo 'int main() {}' | clang++ -fsanitize=address -x c++ -o /dev/null - 2>/dev/null
            ;;
        cmake) command -v cmake && at_least "$(cmake --version | awk 'NR == 1 { print $3 }')" 3.25 ;;
        ninja) command -v ninja ;;
        clang_format) find_clang_format ;;
        clang_tidy) command -v clang-tidy ;;
        openssl | doxygen | go | wrk | shellcheck) command -v "$1" ;;
        client_golang | prometheus_common) echo "$go_packages/${1#prometheus_}" && [ -d "$go_packages/${1#prometheus_}" ] ;;
        pkgconfig) command -v pkg-config ;;
        certificates)
            for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
                if [ -e "$bundle" ]; then echo "$bundle"; return; fi
            done
            return 1
            ;;
        prometheus)
            for program in prometheus "$deps/usr/bin/prometheus"; do
                if "$program" --version 2>&1 | grep -q '^prometheus, version'; then command -v "$program"; return; fi
            done
            return 1
            ;;
        boost | catch2 | libssl | zlib | spdlog | simdjson) grep "^$1 " "$deps/probe.txt" | cut -d ' ' -f 2- | grep . ;;
    esac 2>/dev/null
}
