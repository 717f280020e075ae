#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh examples/run.sh [poll] [option of prometheus_poll]...
# sh examples/run.sh loop [option of autoscaler_loop]...
# Installs what is missing, builds the examples, starts a simulated fleet of inference servers and a Prometheus that
# scrapes it.
# poll: prometheus_poll shows how loaded the fleet is; on a terminal until Ctrl-C, otherwise for one round.
# loop: the load rises and falls with a period of 90 s, and autoscaler_loop scales the fleet; until Ctrl-C, or for N
# rounds of one second with --rounds N.
# Only the output of that program goes to stdout.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
programs=$root/build/examples/examples

case ${1:-} in
    poll | loop)
        show=$1
        shift
        ;;
    *) show=poll ;;
esac

sh "$root/cmake/setup.sh"
(
    cd "$root"
    cmake --preset examples
    cmake --build --preset examples -j "$(getconf _NPROCESSORS_ONLN)" --target vllm_fleet prometheus_poll autoscaler_loop
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
            if [ "$tries" = 0 ]; then kill -9 "$process"; fi
            sleep 0.1
        done
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# await <what> <log> <command>...: repeats the command until it succeeds, for at most 30 seconds.
await() {
    what=$1
    log=$2
    shift 2
    tries=150
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ $tries = 0 ]; then
            echo "timed out waiting for $what; end of its log:" >&2
            tail -n 10 "$log" >&2
            return 1
        fi
        sleep 0.2
    done
}

# setup.sh has recorded where it found a Prometheus, if there is one.
prometheus=$(sed -n 's/^prometheus //p' "$root/build/deps/ready")
fake=
[ -n "$prometheus" ] || fake="--fake-prometheus 127.0.0.1:0"

case $show in
    poll) fleet="--models 3 --pods 2" ;;
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

if [ -n "$prometheus" ]; then
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

# A rate needs at least two samples, so it is missing in the first seconds.
has_rates() {
    eval "set -- $POLL_ARGS"
    "$programs/prometheus_poll" --url "http://$address" "$@" --once --json | grep -q '"arrival_rate_per_minute":{"value":[0-9]'
}
echo "waiting for the first measurements of the fleet ..." >&2
await "the first measurements" "$work/fleet.log" has_rates

if [ "$show" = poll ]; then
    program=prometheus_poll
    eval "set -- $POLL_ARGS \"\$@\""
    [ -t 1 ] || set -- --once "$@"
else
    program=autoscaler_loop
    # All times are much shorter than in production, so that the demonstration takes minutes, not hours.
    eval "set -- $LOOP_ARGS --fleet http://$FLEET_ADDRESS --interval 1s --window 5s --pause 8s --stabilisation 15s \"\$@\""
fi
# In the background, because the shell handles a signal only after a command in the foreground has ended.
"$programs/$program" --url "http://$address" "$@" &
shown=$!
running="$running $shown"
status=0
wait $shown || status=$?
running=${running% *}
exit $status
