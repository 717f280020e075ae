#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh with_fleet.sh "<vllm_fleet> [option]..." <program> [argument]...
# Runs the program while a simulated fleet is running. The environment has the fleet's addresses, PROMETHEUS_BASE_URL
# and FLEET_URL, and options for the examples, POLL_ARGS, LOOP_ARGS and PODS_ARGS. The exit status is the program's.
set -eu
fleet=$1
shift

work=$(mktemp -d)
fleet_process=
clean_up() {
    [ -z "$fleet_process" ] || kill "$fleet_process" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

set -f
# shellcheck disable=SC2086  # options
$fleet --namespace llm --listen 127.0.0.1:0 --fake-prometheus 127.0.0.1:0 --ready-file "$work/ready" >"$work/log" 2>&1 &
fleet_process=$!
set +f
tries=1200
until grep -q '^POLL_ARGS=' "$work/ready" 2>/dev/null; do
    tries=$((tries - 1))
    if [ $tries = 0 ]; then
        cat "$work/log"
        exit 1
    fi
    sleep 0.1
done
# shellcheck disable=SC1091
. "$work/ready"
export POLL_ARGS LOOP_ARGS PODS_ARGS "PROMETHEUS_BASE_URL=http://$FAKE_PROMETHEUS_ADDRESS" "FLEET_URL=http://$FLEET_ADDRESS"
"$@"
