#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: sh tests/run.sh --fuzz <seconds> [target]...
# Builds the fuzz targets and runs each, or those that are named, for that many seconds. What it finds is told with the
# command that repeats it.
set -eu
cd -- "$(dirname -- "$0")/../.."

refuse() { echo "tests/run.sh: $*; see --help" >&2; exit 2; }

case ${1:-} in
    '' | 0 | *[!0-9]*) refuse "--fuzz needs the seconds for each target" ;;
esac
seconds=$1
shift
known=$(cd tests/fuzz/corpus && echo *)
# shellcheck disable=SC2086  # a list of names
[ $# -gt 0 ] || set -- $known
programs=
for target in "$@"; do
    case " $known " in
        *" $target "*) programs="$programs fuzz_$target" ;;
        *) refuse "there is no fuzz target '$target' among: $known" ;;
    esac
done
sh cmake/setup.sh tests clang fuzz

cmake --preset fuzz
# shellcheck disable=SC2086  # a list of names
cmake --build build/fuzz -j "$(getconf _NPROCESSORS_ONLN)" --target $programs

status=0
for target in "$@"; do
    printf '\n== %s, for %s s\n' "$target" "$seconds"
    program=build/fuzz/tests/fuzz_$target
    # What is new goes into the first folder, and stays there for the next time.
    new=build/fuzz/inputs/$target
    crashes=build/fuzz/crashes/$target
    mkdir -p "$new" "$crashes"
    if ! "$program" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$crashes/" "$new" "tests/fuzz/corpus/$target"; then
        status=1
        echo "FAILED: $target. To repeat it: $program $crashes/<file>. Smaller: add -minimize_crash=1 -runs=100000." >&2
        echo "Keep the smallest input in tests/fuzz/corpus/$target, named after the fault." >&2
    fi
done
exit $status
