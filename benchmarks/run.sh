#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh benchmarks/run.sh [--quick] [--rounds N] [--update-readme] [program]...
# Sets up what is missing, builds the programs that measure (all of them unless some are named), with -march=native and
# without, and their peers in Go; runs them in turns, five rounds unless told otherwise, so that a busy moment meets all
# alike; prints one table, and writes it with results and plots to benchmarks/results/. What is not the whole, because
# programs were named, goes to build/benchmarks-results/ instead.
# --quick: two short rounds without the build for this very processor, under three minutes of running.
# --update-readme: puts the table into README.md too.
# A program that fails makes the run fail, after all else was shown.
set -eu
cd -- "$(dirname -- "$0")/.."

usage() {
    echo "usage: run.sh [--quick] [--rounds N] [--update-readme] [program]..." >&2
    exit 2
}
# Those in C++, and peers in Go that stand alone.
all_programs() {
    for file in benchmarks/*.cpp benchmarks/peers/*.go; do
        file=${file##*/}
        echo "${file%.*}"
    done | grep -vx report | sort -u
}
is_cpp() { [ -e "benchmarks/$1.cpp" ]; }
is_in() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac; }

quick=
rounds=
update=
named=
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=--quick ;;
        --rounds)
            case ${2:-} in '' | 0* | *[!0-9]*) usage ;; esac
            rounds=$2
            shift
            ;;
        --update-readme) update=yes ;;
        -*) usage ;;
        *)
            if ! all_programs | grep -qx -e "$1"; then
                echo "run.sh: there is no program '$1' in benchmarks/; there are:" >&2
                all_programs >&2
                exit 2
            fi
            named="$named $1"
            ;;
    esac
    shift
done
if [ -z "$rounds" ]; then
    rounds=5
    if [ -n "$quick" ]; then rounds=2; fi
fi
if [ -n "$named" ]; then
    if [ -n "$update" ]; then
        echo "run.sh: README.md shows the whole table, so name no programs with --update-readme" >&2
        exit 2
    fi
    programs=$named
    results=build/benchmarks-results
else
    programs=$(all_programs)
    results=benchmarks/results
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
mkdir "$work/results"
peers=build/benchmarks/peers

# ---- What is peculiar to a program; all else holds for all.

# prepare <program>: what must be done once before it or its peer is run.
prepare() {
    case $1 in
        decode_answer)
            for series in $series_counts; do
                "build/benchmarks/benchmarks/$1" --write-body "$series" "$work/$series.json"
            done
            ;;
    esac
}
series_counts="1 100 10000"
# arguments <program>: words for it beside --quick; without spaces.
arguments() {
    case $1 in
        hit_rate) echo "--plots $work/results" ;;
        http_query) if [ -x "$peers/$1" ]; then echo "--go-peer=$peers/$1"; fi ;;
    esac
}
# peer_arguments <program>: the same for its peer in Go.
peer_arguments() {
    case $1 in
        decode_answer) for series in $series_counts; do echo "$work/$series.json"; done ;;
    esac
}
# Does it start its peer in Go itself?
starts_its_peer() {
    case $1 in
        http_query) ;;
        *) return 1 ;;
    esac
}
# Does it take minutes by the clock, or give the same every time? Then it runs in the first round only.
runs_once() {
    case $1 in
        hit_rate | reconcile_latency) ;;
        *) return 1 ;;
    esac
}
# Is what it measures without influence of the processor's newest instructions?
is_portable_only() {
    case $1 in
        hit_rate | reconcile_latency | background_round | idle_and_due) ;;
        *) return 1 ;;
    esac
}
# What those look for that measure against a real Prometheus.
export_prometheus() {
    WVA_METRICS_PROMETHEUS=$(sed -n 's/^prometheus //p' build/deps/ready)
    if [ -n "$WVA_METRICS_PROMETHEUS" ]; then export WVA_METRICS_PROMETHEUS; else unset WVA_METRICS_PROMETHEUS; fi
}

# ---- Building.

sh cmake/setup.sh benchmarks

# build <preset> <target>...
build() {
    preset=$1
    shift
    cmake --preset "$preset" >&2
    cmake --build --preset "$preset" -j "$(getconf _NPROCESSORS_ONLN)" --target "$@" >&2
}
portable=report
native=
for program in $programs; do
    is_cpp "$program" || continue
    portable="$portable $program"
    if [ -z "$quick" ] && ! is_portable_only "$program"; then native="$native $program"; fi
done
# shellcheck disable=SC2086  # lists of targets
build benchmarks $portable
# shellcheck disable=SC2086
if [ -n "$native" ]; then build benchmarks-native $native; fi

# Says in the program's samples why its peer in Go has none.
leave_out_peer() {
    printf '*** %s: its peer in Go is left out: %s ***\n' "$1" "$2" >&2
    printf '{"absent":"Go","why":"%s"}\n' "$2" >>"$work/portable.$1"
}
rm -rf "$peers"
mkdir -p "$peers"
for program in $programs; do
    : >"$work/portable.$program"
    [ -e "benchmarks/peers/$program.go" ] || continue
    if ! command -v go >/dev/null; then
        leave_out_peer "$program" "no Go here"
    elif ! GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE="$PWD/build/benchmarks/go" \
        go build -o "$peers/$program" "benchmarks/peers/$program.go" >&2; then
        leave_out_peer "$program" "cannot be built here"
    fi
done

# ---- Running.

# The commit, and whether something that is measured differs from it.
BENCHMARK_COMMIT=$(git rev-parse --short HEAD 2>/dev/null || true)
if [ -n "$BENCHMARK_COMMIT" ] && [ -n "$(git status --porcelain -- include benchmarks examples ':!benchmarks/results')" ]; then
    BENCHMARK_COMMIT="$BENCHMARK_COMMIT with changes"
fi
BENCHMARK_NOTE="$rounds rounds${quick:+, short ones}"
export BENCHMARK_COMMIT BENCHMARK_NOTE

failed=
# measure <name> <samples> <command>...: adds the lines of JSON to the samples; what else it says is for people.
measure() {
    name=$1
    samples=$2
    shift 2
    if "$@" >"$work/output"; then
        grep '^{' "$work/output" >>"$samples" || true
        grep -v '^{' "$work/output" >"$work/results/$name.txt" || rm "$work/results/$name.txt"
    else
        echo "*** FAILED: $* ***" >&2
        cat "$work/output" >&2
        failed="$failed $name"
    fi
}

export_prometheus
began=$(date +%s)
for program in $programs; do
    if ! prepare "$program"; then failed="$failed $program"; fi
done
round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    for program in $programs; do
        if [ $round -gt 1 ] && runs_once "$program"; then continue; fi
        echo "round $round of $rounds: $program" >&2
        if is_cpp "$program"; then
            # shellcheck disable=SC2046  # words
            measure "$program" "$work/portable.$program" \
                "build/benchmarks/benchmarks/$program" $quick $(arguments "$program")
        fi
        if [ -x "$peers/$program" ] && ! starts_its_peer "$program"; then
            # shellcheck disable=SC2046  # words
            measure "${program}_in_Go" "$work/portable.$program" "$peers/$program" $quick $(peer_arguments "$program")
        fi
        if is_in "$program" "$native"; then
            # shellcheck disable=SC2046  # words
            measure "${program}_native" "$work/native.$program" \
                "build/benchmarks-native/benchmarks/$program" $quick $(arguments "$program")
        fi
    done
done
took=$(($(date +%s) - began))

# ---- Showing.

for text in "$work"/results/*.txt; do
    if [ -e "$text" ]; then cat "$text"; fi
done
set -- "$work"/portable.*
for samples in "$work"/native.*; do
    [ -e "$samples" ] || continue
    is_in --native "$*" || set -- "$@" --native
    set -- "$@" "$samples"
done
build/benchmarks/benchmarks/report --output "$work/results" "$@"
mkdir -p "$results"
rm -f "$results"/*.svg "$results"/*.txt "$results/results.json" "$results/table.md"
cp "$work"/results/* "$results/"
if [ -n "$update" ]; then
    awk -v table="$results/table.md" '
        /<!-- end of the table of benchmarks -->/ { inside = 0 }
        !inside { print }
        /<!-- table of benchmarks/ { inside = 1; print ""; while ((getline line < table) > 0) print line; print "" }
    ' README.md >"$work/README.md"
    cat "$work/README.md" >README.md
fi
echo "It ran for $took seconds; results and plots are in $results/."
if [ -n "$failed" ]; then
    echo "*** FAILED:$failed ***" >&2
    exit 1
fi
