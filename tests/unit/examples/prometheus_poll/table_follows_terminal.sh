#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh table_follows_terminal.sh <prometheus_poll> <option>...
# Fails if the table does not fit a terminal of 200 columns that shrinks to 60 while the table is shown. The terminal is
# that of script(1); without it the test passes and says so.
set -eu
if [ "${1:-}" != --in-terminal ]; then
    if ! command -v script >/dev/null; then
        echo "SKIPPED: script is not installed"
        exit
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    export work
    # Its status is that of the shell in the terminal.
    script --quiet --return --flush --command "sh '$0' --in-terminal $*" "$work/screen" </dev/null >/dev/null
    exit
fi
shift

# await <number>: until so many tables were drawn, each of which ends with the hit rate; for at most 30 seconds.
await() {
    tries=300
    until [ "$(grep -c 'hit rate' "$work/screen")" -ge "$1" ]; do
        tries=$((tries - 1))
        [ $tries != 0 ] || { echo "table $1 was not drawn" >&2; exit 1; }
        sleep 0.1
    done
}

stty cols 200
"$@" --interval 1h &
poll=$!
trap 'kill $poll' EXIT
await 1
stty cols 60
await 2
# The last table, without the escape sequences of bold text.
escape=$(printf '\033')
awk -v RS="$escape\\\\[2J" 'END { printf "%s", $0 }' "$work/screen" | sed "s/$escape\\[[0-9;]*[mH]//g" | tr -d '\r' |
    awk 'length > 60 { exit 1 } /QUEUE/ { whole = 1 } END { exit !whole }'
