# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154  # variables come from and go to setup.sh
#
# Part of setup.sh: what the parts are, and how they are found.

# The parts that CMake finds.
libraries="boost catch2 libssl zlib spdlog simdjson"

# describe <part>
describe() {
    case $1 in
        compiler) echo "g++ 12 or newer" ;;
        cmake) echo "CMake 3.25 or newer (3.24 for the library alone)" ;;
        ninja) echo "Ninja" ;;
        openssl) echo "the openssl command" ;;
        certificates) echo "a bundle of CA certificates" ;;
        libssl) echo "OpenSSL 3 with its headers" ;;
        boost) echo "Boost 1.83 or newer: headers and Boost.JSON, with their CMake files" ;;
        catch2) echo "Catch2 3.4 or newer, with its CMake files" ;;
        clang) echo "clang++ 14 or newer, with its sanitizer libraries" ;;
        libfuzzer) echo "libFuzzer of clang++" ;;
        zlib) echo "zlib with its headers" ;;
        prometheus) echo "the prometheus server" ;;
        victoria_metrics) echo "the victoria-metrics server" ;;
        prometheus3) echo "the prometheus server, version 3 or newer" ;;
        node_exporter) echo "prometheus-node-exporter" ;;
        python_client) echo "Prometheus' client for Python 3, with Python" ;;
        pkgconfig) echo "pkg-config" ;;
        doxygen) echo "Doxygen" ;;
        spdlog) echo "spdlog with its CMake files" ;;
        go) echo "Go" ;;
        client_golang) echo "Prometheus' client_golang, as a package of the distribution" ;;
        prometheus_common) echo "Prometheus' common for Go, as a package of the distribution" ;;
        simdjson) echo "simdjson with its CMake files" ;;
        wrk) echo "wrk" ;;
        clang_format) echo "clang-format 14 (other versions format differently)" ;;
        clang_tidy) echo "clang-tidy" ;;
        shellcheck) echo "shellcheck" ;;
    esac
}

# consequence <optional part>: what happens without it.
consequence() {
    case $1 in
        prometheus) echo "The integration tests and the benchmarks that need it are SKIPPED; examples/run.sh poll and loop use a simulated one." ;;
        victoria_metrics | prometheus3) echo "The integration tests with it are SKIPPED." ;;
        node_exporter | python_client) echo "Its pages are SKIPPED in the test of real pages." ;;
        pkgconfig) echo "The test of the files for pkg-config is SKIPPED." ;;
        doxygen) echo "The test of the API reference is SKIPPED." ;;
        spdlog) echo "The example that logs through it is NOT BUILT." ;;
        go) echo "The columns of the peers in Go stay EMPTY." ;;
        client_golang | prometheus_common) echo "The columns of the peers that use it stay EMPTY." ;;
        simdjson | wrk) echo "Its column stays EMPTY." ;;
        clang_format) echo "The test of the format is SKIPPED." ;;
        clang_tidy) echo "The test of names and common mistakes is SKIPPED." ;;
        shellcheck) echo "The test of the shell scripts is SKIPPED." ;;
    esac
}

# at_least <version> <least version>
at_least() {
    awk -v have="$1" -v want="$2" 'BEGIN {
        split(have, h, "."); split(want, w, ".")
        for (i = 1; i <= 3; ++i) if (h[i] + 0 != w[i] + 0) exit h[i] + 0 < w[i] + 0
    }'
}

# Lets CMake search for the libraries; find_part reads the result from probe.txt. Sets $is_probed, if CMake could be run.
probe_libraries() {
    : >"$deps/probe.txt"
    is_probed=
    if find_part compiler >/dev/null && find_part cmake >/dev/null && find_part ninja >/dev/null; then
        is_probed=yes
        rm -rf "$deps/probe"
        cmake -S "$root/cmake/probe" -B "$deps/probe" -G Ninja -DCMAKE_CXX_COMPILER=g++ \
            "-DCMAKE_PREFIX_PATH=$deps/usr" "-DREPORT=$deps/probe.txt" >"$deps/probe.log" 2>&1 ||
            say "CMake cannot configure a project here, see $deps/probe.log"
        rm -rf "$deps/probe"
    fi
}

# find_part <part>: prints its path, or fails.
find_part() {
    case $1 in
        compiler) command -v g++ && at_least "$(g++ -dumpfullversion -dumpversion)" 12 ;;
        clang)
            command -v clang++ && at_least "$(clang++ -dumpversion)" 14 &&
                echo 'int main() {}' | clang++ -fsanitize=address -x c++ -o /dev/null - 2>/dev/null
            ;;
        libfuzzer)
            command -v clang++ &&
                echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, decltype(sizeof 0)) { return 0; }' |
                clang++ -fsanitize=fuzzer -x c++ -o /dev/null - 2>/dev/null
            ;;
        cmake) command -v cmake && at_least "$(cmake --version | awk 'NR == 1 { print $3 }')" 3.25 ;;
        ninja | openssl | doxygen | go | wrk | shellcheck) command -v "$1" ;;
        pkgconfig) command -v pkg-config ;;
        clang_tidy) command -v clang-tidy ;;
        clang_format)
            for program in clang-format-14 clang-format; do
                if "$program" --version | grep -q 'version 14\.'; then command -v "$program"; return; fi
            done
            return 1
            ;;
        prometheus)
            for program in prometheus "$deps/usr/bin/prometheus"; do
                if "$program" --version 2>&1 | grep -q '^prometheus, version'; then command -v "$program"; return; fi
            done
            return 1
            ;;
        prometheus3)
            for program in prometheus "$deps/newest/usr/bin/prometheus"; do
                if "$program" --version 2>&1 | grep -Eq '^prometheus, version ([3-9]|[1-9][0-9])'; then
                    command -v "$program"
                    return
                fi
            done
            return 1
            ;;
        victoria_metrics)
            # It tells no version of itself, but fails where it cannot run.
            for program in victoria-metrics "$deps/usr/bin/victoria-metrics"; do
                if "$program" --version >/dev/null 2>&1; then command -v "$program"; return; fi
            done
            return 1
            ;;
        node_exporter)
            for program in prometheus-node-exporter "$deps/usr/bin/prometheus-node-exporter"; do
                if "$program" --version 2>&1 | grep -q '^node_exporter, version'; then command -v "$program"; return; fi
            done
            return 1
            ;;
        python_client)
            command -v python3 >/dev/null || return 1
            for folder in /usr/lib/python3/dist-packages "$deps/usr/lib/python3/dist-packages"; do
                if [ -d "$folder/prometheus_client" ]; then echo "$folder/prometheus_client"; return; fi
            done
            return 1
            ;;
        certificates)
            for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
                if [ -e "$bundle" ]; then echo "$bundle"; return; fi
            done
            return 1
            ;;
        client_golang | prometheus_common) echo "$go_packages/${1#prometheus_}" && [ -d "$go_packages/${1#prometheus_}" ] ;;
        *) is_in "$1" "$libraries" && grep "^$1 " "$deps/probe.txt" | cut -d ' ' -f 2- | grep . ;;
    esac 2>/dev/null
}
