#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh replay.sh <README> <this folder> <where the program was built> <plugin of another version>
# Runs every command of the README's console block with the Prometheus at PROMETHEUS_BASE_URL, and compares the output
# with the one in the README: word for word, except numbers, the compiler's name and the folder.
set -eu
readme=$1 documents=$2 build=$3 plugin=$4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
cd "$work"
cp "$documents"/*.json .
cp "$plugin" old.so
ln -s "$build" build

prometheus=$PROMETHEUS_BASE_URL
unset PROMETHEUS_BASE_URL
awk '/^```/ { is_shown = /^```console/; next } is_shown' "$readme" >shown
sed -n 's/^\$ //p' shown >commands
while read -r command; do
    echo "\$ $command"
    sh -c "$(echo "$command" | sed "s#http://127.0.0.1:9090#$prometheus#")" </dev/null 2>&1 || true
done <commands >printed

for text in shown printed; do
    sed -E "s#$work#/tmp/autoscaler#g; s/(GCC|Clang) C/compiler C/g; s/[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?/N/g" $text >$text.masked
done
if [ "$(wc -l <commands)" -lt 6 ] || ! diff -u shown.masked printed.masked; then
    echo "The README's output differs from the real one:"
    cat printed
    exit 1
fi
