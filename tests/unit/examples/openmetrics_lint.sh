#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh openmetrics_lint.sh <openmetrics_lint>
# Fails unless the program tells pages that conform from others, by its status and its words.
set -eu
lint=$1
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"

# expect <status> <output> <argument>...
expect() {
    expected=$1 words=$2
    shift 2
    status=0
    output=$("$lint" "$@" 2>&1) || status=$?
    if [ "$status" != "$expected" ] || [ "$output" != "$words" ]; then
        echo "FAILED: openmetrics_lint $*: status $status instead of $expected, output '$output'" >&2
        exit 1
    fi
}

printf '# TYPE a counter\na_total 1\n# EOF\n' >good
printf '# TYPE a counter\na_total -1\n# EOF\n' >bad
printf 'a{x="1",} 1\r\n\n# TYPE a gauge\n# EOF' >sloppy
printf '# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n' >prometheus
printf '# TYPE h histogram\nh {count:1,sum:2,bucket:[+Inf:1]} st@5\n# EOF\n' >composite
printf 'h {count:1,sum:2,new:1,bucket:[+Inf:1]}\n# EOF\n' >later
printf 'a 1\n' >unfinished

expect 0 "" good
cp good same
expect 0 "" good - <same
expect 1 "bad:2:9: the value must not be negative" good bad
expect 1 "-:2:9: the value must not be negative" - <bad
expect 1 "sloppy:1:12: expected a line feed without a carriage return" sloppy
expect 0 "" --tolerant sloppy good bad
expect 1 "prometheus:5:1: expected # EOF; the page was cut off" prometheus
expect 1 "prometheus:5:1: expected # EOF; the page was cut off" --tolerant prometheus
expect 0 "" --prometheus prometheus
expect 2 "openmetrics_lint: cannot read none" none
expect 2 "openmetrics_lint: cannot read ." .
expect 2 "openmetrics_lint: a FILE is required; see --help"
expect 0 "" --v2 composite
expect 1 "later:1:3: expected the fields of the family's type, in their order" --v2 later
expect 0 "" --v2 --tolerant later
expect 1 "unfinished:2:1: expected # EOF; the page was cut off" --v2 --tolerant unfinished
