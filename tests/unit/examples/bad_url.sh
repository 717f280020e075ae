#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh bad_url.sh <status> <command>...
# Fails if a command that is given a URL without a host does not end with this status and say what is wrong with the URL.
set -eu
expected=$1
shift

status=0
message=$("$@" 2>&1) || status=$?
case $status$message in
    "$expected"*"must have a valid host name"*) ;;
    *) echo "FAILED: $* has status $status and prints '$message'" >&2; exit 1 ;;
esac
