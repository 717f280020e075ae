#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh benchmarks/compile_time.sh [--quick] [compiler]...
# Measures what including the library costs: user CPU seconds of the compiler at -O0, the median of five runs. The runs
# alternate, so that a busy moment of the machine affects all units alike. The unit "boost" is the cost of Asio, Beast
# and JSON alone. Default compilers: g++ and clang++, if installed. --quick: one run.
set -eu
cd -- "$(dirname -- "$0")/.."

runs=5
if [ "${1:-}" = --quick ]; then
    runs=1
    shift
fi
if [ $# = 0 ]; then
    for compiler in g++ clang++; do
        if command -v $compiler >/dev/null; then set -- "$@" $compiler; fi
    done
fi
boost=
if [ -d build/deps/usr/include/boost ]; then boost="-isystem build/deps/usr/include"; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# unit <name> <header>...
unit() {
    name=$1
    shift
    for header in "$@"; do echo "#include <$header>"; done >"$work/$name.cpp"
}
unit boost boost/asio.hpp boost/beast.hpp boost/json.hpp
unit umbrella wva_metrics/wva_metrics.hpp
unit words wva_metrics/metrics.hpp wva_metrics/workload.hpp wva_metrics/config.hpp wva_metrics/error.hpp
unit caches wva_metrics/cache/memory_cache.hpp wva_metrics/cache/sharded_cache.hpp wva_metrics/cache/no_op_cache.hpp
unit factory wva_metrics/settings/collector_factory.hpp wva_metrics/settings/load_settings.hpp wva_metrics/settings/apply_settings.hpp
unit kubernetes wva_metrics/kubernetes/owner_resolver.hpp wva_metrics/kubernetes/variant_watcher.hpp
units="boost umbrella words caches factory kubernetes"

# seconds <compiler> <unit>: user CPU time of one compilation.
seconds() {
    # shellcheck disable=SC2086  # options
    sh -c 'out=$1; shift; "$@"; times >"$out"' sh "$work/times" \
        "$1" -std=c++20 -O0 -Iinclude $boost -c "$work/$2.cpp" -o "$work/out.o"
    # The second line is the time of the shell's children: `0m3.21s 0m0.30s`.
    sed -nE '2s/^([0-9]+)m([0-9.]+)s.*/\1 \2/p' "$work/times" | awk '{ print $1 * 60 + $2 }'
}

for compiler in "$@"; do
    run=0
    while [ $run -lt $runs ]; do
        for unit in $units; do seconds "$compiler" "$unit" >>"$work/$compiler.$unit"; done
        run=$((run + 1))
    done
    printf '\n%s\n%-12s %10s %14s\n' "$("$compiler" --version | head -n 1)" unit "seconds" "times Boost's"
    base=$(sort -n "$work/$compiler.boost" | sed -n "$(((runs + 1) / 2))p")
    for unit in $units; do
        sort -n "$work/$compiler.$unit" | sed -n "$(((runs + 1) / 2))p" |
            awk -v unit="$unit" -v base="$base" '{ printf "%-12s %10.2f %14.2f\n", unit, $1, $1 / base }'
    done
done
