#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: sh tests/run.sh --soak <duration> [variants]
# Builds the soak and runs it for so long (90s, 10m) with so many variants (10000 by default).
set -eu
cd -- "$(dirname -- "$0")/../.."

refuse() { echo "tests/run.sh: $*; see --help" >&2; exit 2; }

duration=${1:-}
variants=${2:-10000}
case $duration in
    [1-9]*[smh]) ;;
    *) refuse "--soak needs a duration such as 90s or 10m" ;;
esac
case $variants in
    '' | 0 | *[!0-9]*) refuse "'$variants' is no number of variants" ;;
esac
sh cmake/setup.sh tests

cmake --preset soak
cmake --build build/soak --target soak
prometheus=$(sed -n 's/^prometheus //p' build/deps/ready)
[ -n "$prometheus" ] || { echo "tests/run.sh: the soak needs a prometheus server, and there is none" >&2; exit 1; }
# The program ends what it started, also after Ctrl-C.
exec build/soak/tests/soak "$prometheus" "$duration" "$variants"
