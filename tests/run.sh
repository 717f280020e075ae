#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: sh tests/run.sh [preset]...
#        sh tests/run.sh --fuzz <seconds> [target]...
#        sh tests/run.sh --soak <duration> [variants]
# Installs what is missing, then builds and runs all tests, with the given presets (default: gcc-debug; cmake
# --list-presets lists all, and tests/README.md describes them). Ends with CTest's summary. The exit status is 0 if all
# tests passed, 1 if one failed, and 2 if there is no such preset.
# With --fuzz: builds the fuzz targets with Clang instead, and runs each, or those that are named, for that many seconds.
# The exit status is 1 if an input breaks a promise, and 2 if there is no such target.
# With --soak: runs a collector of many variants (default: 10000) against a real Prometheus that is killed again and again,
# for a time such as 90s or 10m, and reports. The exit status is 1 if a promise was broken.
set -eu
cd -- "$(dirname -- "$0")/.."

if [ "${1:-}" = --fuzz ]; then
    shift
    exec sh tests/fuzz/run.sh "$@"
fi
if [ "${1:-}" = --soak ]; then
    shift
    exec sh tests/soak/run.sh "$@"
fi
[ $# -gt 0 ] || set -- gcc-debug
clang=
for preset in "$@"; do
    case $preset in
        -h | --help) sed -n '4,13s/^# //p' "$0"; exit 0 ;;
        clang-asan | clang-tsan) clang="clang fuzz" ;; # The sanitizers are in the package of libFuzzer.
        clang-*) clang=${clang:-clang} ;;
    esac
    # CMake may not be installed yet.
    if ! sed -n '/"workflowPresets"/,$p' CMakePresets.json | grep -qF "\"name\": \"$preset\""; then
        echo "tests/run.sh: there is no preset '$preset' that builds and runs tests; see --help" >&2
        exit 2
    fi
done
# shellcheck disable=SC2086  # nothing, or words
sh cmake/setup.sh tests $clang

jobs=$(getconf _NPROCESSORS_ONLN)
test_jobs=$((jobs + 1)) # The longest tests wait for servers most of the time.
status=0
for preset in "$@"; do
    printf '\n== %s\n' "$preset"
    if ! { cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs" && ctest --preset "$preset" -j "$test_jobs"; }; then
        echo "FAILED: $preset" >&2
        status=1
    fi
done

if ! grep -q "^prometheus " build/deps/ready; then
    echo "*** Without a prometheus server the integration tests were SKIPPED. ***" >&2
fi
exit $status
