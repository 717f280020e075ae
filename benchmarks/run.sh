#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs the benchmarks in alternating rounds, so that a busy moment of the machine affects all alike, and combines their
# results. If a program fails, the run fails too, after all other results are shown.
set -eu
cd -- "$(dirname -- "$0")/.."

usage() {
    cat <<'END'
usage: sh benchmarks/run.sh [option]... [program]...

Installs what is missing, builds the benchmarks (all of them, or the named ones) and their peers, runs them in rounds,
and prints one table. The table, the results as JSON and the pictures replace those in build/benchmarks/results/.

Options:
  --quick          two short rounds, without the -march=native build; they run for less than three minutes
  --rounds N       the number of rounds; the default is 5
  --update-readme  also replaces the table in benchmarks/README.md and the files in benchmarks/results/ that it mentions
  --help           prints this text

Programs:
END
    all_programs | sed 's/^/  /'
}
# refuse <reason>
refuse() {
    echo "benchmarks/run.sh: $1" >&2
    exit 2
}
# The programs in C++, and peers in Go without a C++ program.
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
            case ${2:-} in
                '' | 0* | *[!0-9]*) refuse "--rounds needs a number of at least 1, not '${2:-}'" ;;
            esac
            rounds=$2
            shift
            ;;
        --update-readme) update=yes ;;
        -h | --help)
            usage
            exit 0
            ;;
        -*) refuse "unknown option '$1'; sh benchmarks/run.sh --help lists the options" ;;
        *)
            all_programs | grep -qx -e "$1" ||
                refuse "unknown program '$1'; sh benchmarks/run.sh --help lists the programs"
            named="$named $1"
            ;;
    esac
    shift
done
if [ -z "$rounds" ]; then
    rounds=5
    if [ -n "$quick" ]; then rounds=2; fi
fi
if [ -n "$named" ] && [ -n "$update" ]; then
    refuse "--update-readme needs the whole table, so it cannot be combined with program names"
fi
programs=${named:-$(all_programs)}
results=build/benchmarks/results

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
mkdir "$work/results" "$work/portable" "$work/native"
peers=build/benchmarks/peers

# ---- Special cases of single programs.

# prepare <program>: writes the files that it and its peer need, once before the first round.
prepare() {
    case $1 in
        decode_answer)
            for series in $series_counts; do
                "build/benchmarks/benchmarks/$1" --write-body "$series" "$work/$series.json" || return 1
            done
            ;;
        parse_page) "build/benchmarks/benchmarks/$1" "--write-pages=$work" || return 1 ;;
    esac
}
series_counts="1 100 10000"
# arguments <program>: its arguments besides --quick; they contain no spaces.
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
        parse_page) for page in 1 2 3; do echo "$work/page_$page.txt"; done ;;
    esac
}
# Whether the program itself starts its peer in Go.
starts_its_peer() {
    case $1 in
        http_query) ;;
        *) return 1 ;;
    esac
}
# Whether it runs in the first round only, because it takes minutes of wall time, or simulates and gives the same results
# up to random jitter.
runs_once() {
    case $1 in
        hit_rate | reconcile_latency) ;;
        *) return 1 ;;
    esac
}
# Whether it has no -march=native build, because instructions of a newer processor do not affect its results.
is_portable_only() {
    case $1 in
        hit_rate | reconcile_latency | background_round | idle_and_due) ;;
        *) return 1 ;;
    esac
}
# Some programs need a real Prometheus; the environment variable is its path.
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

# leave_out_peer <program> <reason>: writes to the program's samples why its peer in Go has none.
leave_out_peer() {
    printf '*** %s: its peer in Go is skipped: %s ***\n' "$1" "$2" >&2
    printf '{"absent":"Go","why":"%s"}\n' "$2" >>"$work/portable/$1.jsonl"
}
rm -rf "$peers"
mkdir -p "$peers"
for program in $programs; do
    : >"$work/portable/$program.jsonl"
    [ -e "benchmarks/peers/$program.go" ] || continue
    if ! command -v go >/dev/null; then
        leave_out_peer "$program" "Go is not installed"
    elif ! GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE="$PWD/build/benchmarks/go" \
        go build -o "$peers/$program" "benchmarks/peers/$program.go" >&2; then
        leave_out_peer "$program" "cannot be built here"
    fi
done

# ---- Running.

# The commit, and whether the measured files differ from it.
BENCHMARK_COMMIT=$(git rev-parse --short HEAD 2>/dev/null || true)
if [ -n "$BENCHMARK_COMMIT" ] && [ -n "$(git status --porcelain -- include benchmarks examples ':!benchmarks/results' ':!*.md')" ]; then
    BENCHMARK_COMMIT="$BENCHMARK_COMMIT with changes"
fi
BENCHMARK_NOTE="$rounds rounds${quick:+, short ones}"
export BENCHMARK_COMMIT BENCHMARK_NOTE

failed=
# measure <name> <samples> <command>...: runs the command. Adds its lines of JSON to <samples>; the rest of its output
# goes to results/<name>.txt.
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
            measure "$program" "$work/portable/$program.jsonl" \
                "build/benchmarks/benchmarks/$program" $quick $(arguments "$program")
        fi
        if [ -x "$peers/$program" ] && ! starts_its_peer "$program"; then
            # shellcheck disable=SC2046  # words
            measure "${program}_in_Go" "$work/portable/$program.jsonl" "$peers/$program" $quick $(peer_arguments "$program")
        fi
        if is_in "$program" "$native"; then
            # shellcheck disable=SC2046  # words
            measure "${program}_native" "$work/native/$program.jsonl" \
                "build/benchmarks-native/benchmarks/$program" $quick $(arguments "$program")
        fi
    done
done
took=$(($(date +%s) - began))

# ---- Showing.

for text in "$work"/results/*.txt; do
    if [ -e "$text" ]; then cat "$text"; fi
done
set -- "$work"/portable/*
for samples in "$work"/native/*; do
    [ -e "$samples" ] || continue
    is_in --native "$*" || set -- "$@" --native
    set -- "$@" "$samples"
done
build/benchmarks/benchmarks/report --output "$work/results" "$@"
rm -rf "$results"
mkdir -p "$results"
cp "$work"/results/* "$results/"
echo "The benchmarks ran for $took seconds; results and pictures are in $results/."
if [ -n "$failed" ]; then
    echo "*** FAILED:$failed ***" >&2
    exit 1
fi
if [ -n "$update" ]; then
    readme=benchmarks/README.md
    awk -v table="$results/table.md" '
        /<!-- end of the table of benchmarks -->/ { inside = 0 }
        !inside { print }
        /<!-- table of benchmarks/ { inside = 1; print ""; while ((getline line < table) > 0) print line; print "" }
    ' $readme >"$work/README.md"
    cat "$work/README.md" >$readme
    grep -oE 'results/[a-z_]+\.[a-z]+' $readme | sort -u | while read -r file; do
        cp "build/benchmarks/$file" benchmarks/results/
    done
    echo "$readme and benchmarks/results/ have the new results."
fi
