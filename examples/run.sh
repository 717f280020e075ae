#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Shows the examples with a simulated fleet of inference servers; `sh examples/run.sh --help` says how.
# Only the output of the example goes to stdout.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$root/build/examples-run # Not that of the preset, which is a release build.
programs=$build/examples

help() {
    cat <<END
usage: sh examples/run.sh [pods] [--once]
       sh examples/run.sh [--prometheus] poll [--once] [--json] [--interval DURATION]
       sh examples/run.sh [--prometheus] loop [OPTION VALUE]...
Installs what is missing, builds what it needs, starts a simulated fleet of inference servers, and shows it.
  pods   the default: pod_scrape reads the pods themselves, with no Prometheus, and shows how loaded they are and how
         old each number is, every second: on a terminal until Ctrl-C, otherwise once
  poll   a Prometheus scrapes the fleet, and prometheus_poll asks it: on a terminal until Ctrl-C, otherwise for one
         round; the default with --prometheus, --json or --interval
  loop   a Prometheus scrapes the fleet, the load rises and falls with a period of 90 s, and autoscaler_loop scales the
         fleet, until Ctrl-C or for --rounds N of one second; more options, whose defaults are short here: --interval,
         --min, --max, --pause, --stabilisation, --max-age, --window
Where no Prometheus can be installed, poll and loop use a simulated one, which --prometheus refuses.
END
}

refuse() {
    echo "examples/run.sh: $*; see --help" >&2
    exit 2
}

real=
if [ "${1:-}" = --prometheus ]; then
    real=yes
    shift
fi
case ${1:-} in
    -h | --help) help; exit ;;
    poll | pods | loop)
        show=$1
        shift
        ;;
    *)
        show=pods
        for option in ${real:+--prometheus} "$@"; do
            case $option in --prometheus | --json | --interval) show=poll ;; esac
        done
        ;;
esac
[ -z "$real" ] || [ "$show" != pods ] || refuse "pods needs no --prometheus"

# check_options <option>...: refuses unknown options before the build. The program itself checks their values.
check_options() {
    while [ $# -gt 0 ]; do
        case $show$1 in
            *-h | *--help) help; exit ;;
            poll--once | poll--json | pods--once) ;;
            poll--interval | loop--rounds | loop--interval | loop--min | loop--max | loop--pause | loop--stabilisation | \
                loop--max-age | loop--window)
                [ $# -gt 1 ] || refuse "$1 needs a value"
                shift
                ;;
            *) refuse "$show has no option or argument '$1'" ;;
        esac
        shift
    done
}
check_options "$@"

prometheus=
if [ "$show" = pods ]; then
    sh "$root/cmake/setup.sh"
else
    sh "$root/cmake/setup.sh" prometheus
    # It has recorded where it found one, if there is one.
    prometheus=$(sed -n 's/^prometheus //p' "$root/build/deps/ready")
fi
if [ -n "$real" ] && [ -z "$prometheus" ]; then
    echo "examples/run.sh: --prometheus: no program prometheus was found; install one, or leave the option out" >&2
    exit 1
fi
case $show in
    poll) program=prometheus_poll ;;
    pods) program=pod_scrape ;;
    loop) program=autoscaler_loop ;;
esac
fake=
optimisation=-O0 # Compiles in half the time of a release build.
if [ -z "$prometheus" ] && [ "$show" != pods ]; then
    fake="--fake-prometheus 127.0.0.1:0"
    optimisation=-O1 # Otherwise the simulated Prometheus is too slow.
fi
(
    cd "$root"
    cmake --preset examples -B "$build" -D CMAKE_CXX_FLAGS_RELEASE=$optimisation
    cmake --build "$build" -j "$(getconf _NPROCESSORS_ONLN)" --target vllm_fleet "$program"
) >&2

work=$(mktemp -d)
running=

# Ends the processes that this script started, however it exits.
clean_up() {
    trap '' INT TERM HUP
    for process in $running; do
        kill "$process" 2>/dev/null || true
    done
    for process in $running; do
        tries=50
        while kill -0 "$process" 2>/dev/null; do
            tries=$((tries - 1))
            if [ "$tries" = 0 ]; then kill -9 "$process" 2>/dev/null || true; fi
            sleep 0.1
        done
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# await <what> <log> <command>...: repeats the command until it succeeds, for at most two minutes, or until the process
# that was started last has ended.
await() {
    what=$1
    log=$2
    shift 2
    tries=600
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ $tries = 0 ] || ! kill -0 "${running##* }" 2>/dev/null; then
            echo "examples/run.sh: waited in vain for $what; end of its log:" >&2
            tail -n 10 "$log" >&2
            return 1
        fi
        sleep 0.2
    done
}

case $show in
    poll) fleet="--models 3 --pods 2" ;;
    pods) fleet="--models 3 --pods 2 --engine vllm,sglang,trtllm" ;;
    loop) fleet="--models 2 --pods 1 --period 90 --wave 90 --start-delay 3 --control load=*&factor=1.5" ;;
esac

set -f
# shellcheck disable=SC2086  # $fleet and $fake are lists of options
"$programs/vllm_fleet" $fleet --namespace llm --listen 127.0.0.1:0 $fake \
    --ready-file "$work/fleet" >"$work/fleet.log" 2>&1 &
running=$!
set +f
await "the simulated fleet" "$work/fleet.log" grep -q '^POLL_ARGS=' "$work/fleet"
# shellcheck disable=SC1091
. "$work/fleet"

if [ "$show" = pods ]; then
    : # Nothing stands between the pods and their reader.
elif [ -n "$prometheus" ]; then
    cat >"$work/prometheus.yml" <<END
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: vllm_fleet
    honor_labels: true
    static_configs:
      - targets: ["$FLEET_ADDRESS"]
END
    "$prometheus" --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
        --web.listen-address=127.0.0.1:0 >"$work/prometheus.log" 2>&1 &
    running="$running $!"
    await Prometheus "$work/prometheus.log" grep -q 'ready to receive web requests' "$work/prometheus.log"
    address=$(sed -nE 's/.*msg="Listening on".* address=([0-9.]+:[0-9]+).*/\1/p' "$work/prometheus.log")
else
    echo "Prometheus is not installed: the fleet serves the library's simulated Prometheus instead." >&2
    address=$FAKE_PROMETHEUS_ADDRESS
fi

# Without a scrape there are no measurements, and a rate needs at least two. pod_scrape waits for them itself.
has_measurements() {
    if [ "$show" = poll ]; then
        eval "set -- $POLL_ARGS"
        "$programs/$program" --url "http://$address" "$@" --once --json | grep -q '"arrival_rate_per_minute":{"value":[0-9]'
    else
        eval "set -- $LOOP_ARGS"
        "$programs/$program" --url "http://$address" "$@" --dry-run --rounds 1 | grep -q '; KV cache [0-9]'
    fi
}
if [ "$show" != pods ]; then
    echo "waiting for the first measurements of the fleet ..." >&2
    await "the first measurements" "$work/fleet.log" has_measurements
fi

if [ "$show" = pods ]; then
    # A terminal shows a table per second.
    once=--once
    if [ -t 1 ] && [ $# = 0 ]; then once=; fi
    eval "set -- $once $PODS_ARGS"
elif [ "$show" = poll ]; then
    eval "set -- $POLL_ARGS \"\$@\""
    [ -t 1 ] || set -- --once "$@"
else
    # All times are much shorter than in production, so that the demonstration takes minutes, not hours.
    eval "set -- $LOOP_ARGS --fleet http://$FLEET_ADDRESS --interval 1s --window 5s --pause 8s --stabilisation 15s \"\$@\""
fi
# In the background, because the shell handles a signal only after a command in the foreground has ended.
[ "$show" = pods ] || set -- --url "http://$address" "$@"
"$programs/$program" "$@" &
shown=$!
running="$running $shown"
status=0
wait $shown || status=$?
running=${running% *}
exit $status
