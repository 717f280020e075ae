#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh replay.sh <README> <this folder> <where the program was built> <vllm_fleet> <plugin of another version>
# Runs every command of the README's console block again, and compares what it prints with what the README shows: word
# for word, but for numbers, the compiler's name, and the folder.
set -eu
readme=$1 documents=$2 build=$3 fleet=$4 plugin=$5

work=$(mktemp -d)
fleet_process=
clean_up() {
    [ -z "$fleet_process" ] || kill "$fleet_process"
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

cd "$work"
cp "$documents"/*.json .
cp "$plugin" old.so
ln -s "$build" build

"$fleet" --models 1 --namespace llm --listen 127.0.0.1:0 --fake-prometheus 127.0.0.1:0 --ready-file ready >fleet.log 2>&1 &
fleet_process=$!
tries=300
until grep -q '^POLL_ARGS=' ready 2>/dev/null; do
    tries=$((tries - 1))
    if [ $tries = 0 ]; then
        cat fleet.log
        exit 1
    fi
    sleep 0.1
done
address=$(sed -n 's/^FAKE_PROMETHEUS_ADDRESS=//p' ready)

awk '/^```/ { is_shown = /^```console/; next } is_shown' "$readme" >shown
sed -n 's/^\$ //p' shown >commands
while read -r command; do
    echo "\$ $command"
    sh -c "$(echo "$command" | sed "s/127.0.0.1:9090/$address/")" </dev/null 2>&1 || true
done <commands >printed

for text in shown printed; do
    sed -E "s#$work#/tmp/autoscaler#g; s/(GCC|Clang) C/compiler C/g; s/[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?/N/g" $text >$text.masked
done
if [ "$(wc -l <commands)" -lt 6 ] || ! diff -u shown.masked printed.masked; then
    echo "The README shows something else than comes out:"
    cat printed
    exit 1
fi
