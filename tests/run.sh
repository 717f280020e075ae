#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh tests/run.sh [preset]...
# Installs what is missing, then builds and runs all tests, with the given presets (default: gcc-debug; cmake
# --list-presets lists all). Ends with CTest's summary. The exit status is 0 if all tests passed.
set -eu
cd -- "$(dirname -- "$0")/.."

[ $# -gt 0 ] || set -- gcc-debug
clang=
for preset in "$@"; do
    case $preset in clang-*) clang=clang ;; esac
done
# shellcheck disable=SC2086  # nothing, or one word
sh cmake/setup.sh tests $clang

jobs=$(getconf _NPROCESSORS_ONLN)
status=0
for preset in "$@"; do
    printf '\n== %s\n' "$preset"
    if ! { cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs" && ctest --preset "$preset" -j "$jobs"; }; then
        echo "FAILED: $preset" >&2
        status=1
    fi
done

if ! grep -q "^prometheus " build/deps/ready; then
    echo "*** Without a prometheus server the integration tests were SKIPPED. ***" >&2
fi
exit $status
