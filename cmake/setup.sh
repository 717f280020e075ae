#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh cmake/setup.sh [tests] [clang] [benchmarks] [lint]
#
# Makes sure that everything the examples need is there. "tests" adds the needs of the tests, "clang" that compiler,
# "benchmarks" the peers that they compare with, and "lint" the tools that check format and style. Peers and tools are not
# required.
# On Debian and Ubuntu it installs what the distribution has, as root or through sudo, and only what removes nothing.
# What would collide with an installed package or start a service goes under build/deps instead. The machine's apt
# sources stay as they are. Everything it says goes to stderr.
set -eu
LC_ALL=C
export LC_ALL

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
deps=$root/build/deps
apt=$deps/apt
stamp=$deps/ready
go_packages=/usr/share/gocode/src/github.com/prometheus
wanted="compiler cmake ninja openssl certificates libssl boost prometheus"
peers="go client_golang prometheus_common simdjson wrk"
linters="clang_format clang_tidy shellcheck"
optional="prometheus pkgconfig doxygen spdlog $peers $linters"
parts="$wanted catch2 zlib pkgconfig doxygen spdlog clang $peers $linters"
for extra in "$@"; do
    case $extra in
        tests) wanted="$wanted catch2 zlib pkgconfig doxygen spdlog" ;;
        clang) wanted="$wanted clang" ;;
        benchmarks) wanted="$wanted $peers" ;;
        lint) wanted="$wanted $linters" ;;
        *) echo "usage: setup.sh [tests] [clang] [benchmarks] [lint]" >&2; exit 2 ;;
    esac
done

# shellcheck source=cmake/setup/parts.sh
. "$root/cmake/setup/parts.sh"
# shellcheck source=cmake/setup/apt.sh
. "$root/cmake/setup/apt.sh"
# shellcheck source=cmake/setup/recipes.sh
. "$root/cmake/setup/recipes.sh"

is_in() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac; }
say() { printf 'set-up: %s\n' "$*" >&2; }

own_checksum() { cat "$0" "$root"/cmake/setup/*.sh | cksum; }

# The stamp has the script's checksum, then a line "<part> <path>" for each part that was found.
is_ready() {
    [ -r "$stamp" ] || return 1
    known=
    {
        read -r checksum && [ "$checksum" = "$(own_checksum)" ] || return 1
        while read -r part path; do
            if [ -e "$path" ]; then known="$known $part"; fi
        done
    } <"$stamp"
    for part in $wanted; do
        is_in "$part" "$known" || return 1
    done
}

# Looks at everything; leaves in $missing what is wanted and not there, and in the stamp what is there.
look_around() {
    mkdir -p "$deps"
    : >"$deps/probe.txt"
    probed=
    if find_part compiler >/dev/null && find_part cmake >/dev/null && find_part ninja >/dev/null; then
        probed=yes
        rm -rf "$deps/probe"
        cmake -S "$root/cmake/probe" -B "$deps/probe" -G Ninja -DCMAKE_CXX_COMPILER=g++ \
            "-DCMAKE_PREFIX_PATH=$deps/usr" "-DREPORT=$deps/probe.txt" >"$deps/probe.log" 2>&1 ||
            say "CMake cannot configure a project here, see $deps/probe.log"
        rm -rf "$deps/probe"
    fi
    missing=
    own_checksum >"$stamp.new"
    for part in $parts; do
        if path=$(find_part "$part"); then
            echo "$part $path" >>"$stamp.new"
        elif is_in "$part" "$wanted"; then
            missing="$missing $part"
        fi
    done
    mv "$stamp.new" "$stamp"
}

is_missing() { is_in "$1" "$missing"; }

get_missing() {
    rm -rf "$apt"
    packages=
    for part in $missing; do
        case $part in
            compiler) packages="$packages g++" ;;
            cmake | openssl) packages="$packages $part" ;;
            ninja) packages="$packages ninja-build" ;;
            certificates) packages="$packages ca-certificates" ;;
            # Without a compiler nobody has looked for the library yet.
            libssl) [ -e /usr/include/openssl/ssl.h ] || packages="$packages libssl-dev" ;;
            zlib) [ -e /usr/include/zlib.h ] || packages="$packages zlib1g-dev" ;;
        esac
    done
    if [ -n "$packages" ]; then
        # shellcheck disable=SC2086  # a list of packages
        install $packages || return 0
        look_around
    fi
    for part in clang boost catch2 prometheus pkgconfig doxygen spdlog $peers $linters; do
        if is_missing "$part"; then "get_$part" || true; fi
    done
    rm -rf "$apt"
    look_around
}

if is_ready; then exit 0; fi
look_around
if [ -n "$missing" ] && is_debian; then
    get_missing
fi
if is_missing prometheus; then
    say "*** There is no prometheus server here, and none could be had. ***"
    say "*** The integration tests and the benchmarks that need one are SKIPPED, and the example runs against a simulated Prometheus. ***"
fi
say_without() {
    if is_missing "$1"; then say "*** There is no $2 here, and none could be had. $3 ***"; fi
}
say_without pkgconfig "pkg-config" "The test of the files for it is SKIPPED."
say_without doxygen "Doxygen" "The test of the API reference is SKIPPED."
say_without spdlog "spdlog" "The example that logs through it is NOT BUILT."
say_without go "Go" "The columns of the peers in Go stay EMPTY."
say_without client_golang "client_golang of Prometheus" "The columns of the peers that use it stay EMPTY."
say_without prometheus_common "common of Prometheus" "The columns of the peers that use it stay EMPTY."
say_without simdjson "simdjson" "Its column stays EMPTY."
say_without wrk "wrk" "Its column stays EMPTY."
say_without clang_format "clang-format 14" "The test of the format is SKIPPED."
say_without clang_tidy "clang-tidy" "The test of names and of common mistakes is SKIPPED."
say_without shellcheck "shellcheck" "The test of the shell scripts is SKIPPED."
for part in $missing; do
    if is_in "$part" "$optional"; then continue; fi
    say "wva_metrics needs:"
    for need in $wanted; do
        mark=found
        if is_missing "$need"; then mark=MISSING; fi
        # Only CMake knows where libraries are, and without its tools nobody could ask it.
        if [ $mark = MISSING ] && [ -z "$probed" ] && is_in "$need" "libssl boost catch2 zlib spdlog"; then mark=unknown; fi
        printf '  %-8s %s\n' $mark "$(describe "$need")" >&2
    done
    say "please install what is missing, then try again"
    exit 1
done
if [ -z "$missing" ]; then say "everything needed is there"; fi
