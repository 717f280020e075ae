#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh table_fits.sh <prometheus_poll> <option>...
# Fails if a line of the table is wider than COLUMNS, or if a narrow table lacks a column that a wide one has.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fail <message>: shows the table, too.
fail() {
    echo "FAILED: $1" >&2
    cat "$work/table" >&2
    exit 1
}

for columns in 60 61 80 200; do
    COLUMNS=$columns "$@" --once >"$work/table"
    if ! awk -v columns=$columns 'length > columns { exit 1 }' "$work/table"; then fail "wider than $columns columns"; fi
    for title in VARIANT ACCELERATOR COST REQUESTS/MIN "TOKENS IN" "TOKENS OUT" "TTFT s" "ITL s" REPLICA "KV CACHE" QUEUE; do
        if ! grep -q "$title" "$work/table"; then fail "no $title with $columns columns"; fi
    done
    if [ "$(grep -c 'hit rate' "$work/table")" != 1 ]; then fail "the hit rate is not shown once"; fi
done
