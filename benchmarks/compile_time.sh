#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: sh benchmarks/compile_time.sh [--quick] [compiler]...
#
# Measures what using the library costs to compile at -O0: user CPU seconds, and the compiler's largest memory if GNU
# time is installed. Each number is the median of five runs, which alternate between the units, so that a busy moment
# of the machine affects all units alike. The last columns compare with the unit "peer", which asks Prometheus in one
# coroutine with Asio, Beast and JSON alone. Default compilers: g++ and clang++, if installed.
#
#   --quick   one run
#   --help    this text
set -eu
cd -- "$(dirname -- "$0")/.."

runs=5
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        --quick) runs=1 ;;
        -*) echo "benchmarks/compile_time.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
        *) break ;;
    esac
    shift
done
if [ $# = 0 ]; then
    for compiler in g++ clang++; do
        if command -v $compiler >/dev/null; then set -- "$@" $compiler; fi
    done
fi
boost=
if [ -d build/deps/usr/include/boost ]; then boost="-isystem build/deps/usr/include"; fi
gnu_time=
if /usr/bin/time -f %M true 2>/dev/null; then gnu_time=/usr/bin/time; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each unit: its name, its source file, and what is measured.
units=
unit() {
    printf '%s\n' "$2" >"$work/$1.source"
    printf '%s\n' "$3" >"$work/$1.flags"
    units="$units $1"
}
separate=-DWVA_METRICS_SEPARATE_COMPILATION
source_folder=benchmarks/compile_time
unit peer $source_folder/peer.cpp ''
unit umbrella $source_folder/umbrella.cpp ''
unit collector $source_folder/collector.cpp ''
unit settings $source_folder/settings.cpp ''
unit any_collector $source_folder/any_collector.cpp ''
unit collector_separate $source_folder/collector.cpp $separate
unit settings_separate $source_folder/settings.cpp $separate
unit kubernetes_separate $source_folder/kubernetes.cpp $separate
unit library $source_folder/library.cpp $separate

# compile <compiler> <unit>: prints user CPU seconds and megabytes (0 = not known).
compile() {
    # shellcheck disable=SC2046,SC2086  # options
    set -- "$1" -std=c++20 -O0 -Iinclude $boost $(cat "$work/$2.flags") -c "$(cat "$work/$2.source")" -o "$work/out.o"
    if [ -n "$gnu_time" ]; then
        $gnu_time -o "$work/used" -f '%U %M' "$@"
        awk '{ print $1, $2 / 1024 }' "$work/used"
        return
    fi
    # The second line of `times` is the time of the shell's children: `0m3.21s 0m0.30s`.
    # shellcheck disable=SC2016  # expanded by the inner shell
    sh -c 'out=$1; shift; "$@"; times >"$out"' sh "$work/used" "$@"
    sed -nE '2s/^([0-9]+)m([0-9.]+)s.*/\1 \2/p' "$work/used" | awk '{ print $1 * 60 + $2, 0 }'
}

# median <file> <column>
median() {
    awk -v column="$2" '{ print $column }' "$1" | sort -n | sed -n "$(((runs + 1) / 2))p"
}

for compiler in "$@"; do
    samples=$work/$(printf '%s' "$compiler" | tr / _) # It may be a path.
    run=0
    while [ $run -lt $runs ]; do
        for unit in $units; do compile "$compiler" "$unit" >>"$samples.$unit"; done
        run=$((run + 1))
    done
    printf '\n%s\n%-22s %10s %8s %14s %14s\n' "$("$compiler" --version | head -n 1)" unit seconds MB "times peer's s" "times peer's MB"
    for unit in $units; do
        printf '%s %s %s %s %s\n' "$unit" "$(median "$samples.$unit" 1)" "$(median "$samples.$unit" 2)" \
            "$(median "$samples.peer" 1)" "$(median "$samples.peer" 2)" |
            awk '{ printf "%-22s %10.2f ", $1, $2; if ($5 > 0) printf "%8.0f %14.2f %14.2f\n", $3, $2 / $4, $3 / $5
                   else printf "%8s %14.2f %14s\n", "-", $2 / $4, "-" }'
    done
done
