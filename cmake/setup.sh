#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Checks that what the project needs is installed, and installs what is missing; `sh cmake/setup.sh --help` says how.
# All messages go to stderr.
set -eu
LC_ALL=C
export LC_ALL

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
deps=$root/build/deps
apt=$deps/apt
stamp=$deps/ready
unavailable=$deps/unavailable
go_packages=/usr/share/gocode/src/github.com/prometheus

# A part is a program or a library; setup/parts.sh describes each of them.
for_examples="compiler cmake ninja openssl certificates libssl boost"
other_servers="victoria_metrics prometheus3 node_exporter python_client"
for_tests="prometheus catch2 zlib pkgconfig doxygen spdlog $other_servers"
peers="go client_golang prometheus_common simdjson wrk"
linters="clang_format clang_tidy shellcheck"
parts="$for_examples $for_tests clang libfuzzer $peers $linters"
optional="prometheus pkgconfig doxygen spdlog $other_servers $peers $linters"

help() {
    cat <<END
usage: sh cmake/setup.sh [tests] [clang] [fuzz] [benchmarks] [lint] [prometheus]
Checks that everything the examples need is installed, and installs what is missing.
  tests        also what the tests need
  clang        also that compiler
  fuzz         also its libFuzzer
  benchmarks   also the peers of the benchmarks (optional: it succeeds without them)
  lint         also the tools that check format and style (optional)
  prometheus   also that server, which is among what the tests and the benchmarks need (optional)
On Debian and Ubuntu it installs packages of the distribution, as root or through sudo, unless that would remove a
package. A package that would conflict with an installed one or start a service is unpacked under build/deps instead.
The apt sources of the machine are not changed. Elsewhere it lists what is missing, and fails.
END
}

wanted=$for_examples
for extra in "$@"; do
    case $extra in
        tests) wanted="$wanted $for_tests" ;;
        clang) wanted="$wanted clang" ;;
        fuzz) wanted="$wanted libfuzzer" ;;
        benchmarks) wanted="$wanted prometheus $peers" ;;
        lint) wanted="$wanted $linters" ;;
        prometheus) wanted="$wanted prometheus" ;;
        -h | --help) help; exit ;;
        *) echo "cmake/setup.sh: unknown argument '$extra'; see --help" >&2; exit 2 ;;
    esac
done

# shellcheck source=cmake/setup/parts.sh
. "$root/cmake/setup/parts.sh"
# shellcheck source=cmake/setup/apt.sh
. "$root/cmake/setup/apt.sh"
# shellcheck source=cmake/setup/recipes.sh
. "$root/cmake/setup/recipes.sh"

is_in() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac; }
is_missing() { is_in "$1" "$missing"; }
say() { printf 'cmake/setup.sh: %s\n' "$*" >&2; }

own_checksum() { cat "$0" "$root"/cmake/setup/*.sh | cksum; }

# The stamp holds the checksum of these scripts, then a line "<part> <path>" for each part that was found.
is_ready() {
    [ -r "$stamp" ] || return 1
    known=
    {
        read -r checksum && [ "$checksum" = "$(own_checksum)" ] || return 1
        while read -r part path; do
            if [ -e "$path" ]; then known="$known $part"; fi
        done
    } <"$stamp"
    missing=
    for part in $wanted; do
        if ! is_in "$part" "$known"; then
            is_known_as_unavailable "$part" || return 1
            missing="$missing $part"
        fi
    done
}

# The servers that could not be had are not searched for again on the same day, because that takes longer than all else.
unavailable_is_recent() { [ -n "$(find "$unavailable" -mtime 0 2>/dev/null)" ]; }
is_known_as_unavailable() { is_in "$1" "$other_servers" && unavailable_is_recent && grep -qx "$1" "$unavailable"; }

remember_unavailable() {
    for part in $other_servers; do
        is_in "$part" "$wanted" || return 0
    done
    for part in $other_servers; do
        if is_missing "$part"; then echo "$part"; fi
    done >"$unavailable.new"
    if unavailable_is_recent && cmp -s "$unavailable.new" "$unavailable"; then
        rm "$unavailable.new"
    else
        mv "$unavailable.new" "$unavailable"
    fi
}

# Searches for all parts. Sets $missing to the wanted ones that were not found, and writes the others to the stamp.
find_parts() {
    mkdir -p "$deps"
    probe_libraries
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

# Installs the missing parts with apt, as far as possible.
install_missing() {
    rm -rf "$apt"
    packages=
    for part in $missing; do
        packages="$packages$(basic_package "$part")"
    done
    if [ -n "$packages" ]; then
        # shellcheck disable=SC2086  # a list of packages
        apt_install $packages || return 0
        find_parts
    fi
    for part in clang libfuzzer boost catch2 prometheus pkgconfig doxygen spdlog $other_servers $peers $linters; do
        if is_missing "$part" && ! is_known_as_unavailable "$part"; then "get_$part" || true; fi
    done
    rm -rf "$apt"
    find_parts
}

# Says what happens without the optional parts that are missing.
report_optional_parts() {
    for part in $optional; do
        if is_missing "$part"; then
            say "*** Not available here: $(describe "$part"). $(consequence "$part") ***"
        fi
    done
}

# Fails with a list of all wanted parts if a required one is missing.
require_other_parts() {
    is_complete=yes
    for part in $missing; do
        is_in "$part" "$optional" || is_complete=
    done
    if [ -n "$is_complete" ]; then return; fi
    say "wva_metrics needs:"
    for part in $wanted; do
        status=found
        if is_missing "$part"; then status=MISSING; fi
        # Libraries are found by CMake, which was not run if one of its tools is missing.
        if [ $status = MISSING ] && [ -z "$is_probed" ] && is_in "$part" "$libraries"; then status=unknown; fi
        note=
        if is_in "$part" "$optional"; then note=" (optional)"; fi
        printf '  %-8s %s%s\n' $status "$(describe "$part")" "$note" >&2
    done
    say "please install what is missing, then try again"
    exit 1
}

if is_ready; then
    report_optional_parts
    exit 0
fi
find_parts
if [ -n "$missing" ] && is_debian; then
    install_missing
fi
remember_unavailable
report_optional_parts
require_other_parts
if [ -z "$missing" ]; then say "everything needed is installed"; fi
