#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh check_options.sh <program>...
# Checks that each program and script answers --help with status 0, and an unknown option with its name and status 2.
set -u

status=0
# check <option> <status> <text in the output> <command>...
check() {
    option=$1
    wanted=$2
    text=$3
    shift 3
    output=$("$@" "$option" 2>&1)
    got=$?
    case $output in *"$text"*) found=yes ;; *) found= ;; esac
    if [ $got != "$wanted" ] || [ -z "$found" ]; then
        printf '%s %s: status %s, wanted %s and "%s" in:\n%s\n' "$*" "$option" "$got" "$wanted" "$text" "$output" >&2
        status=1
    fi
}
for program in "$@"; do
    case $program in
        *.sh) set -- sh "$program" ;;
        *) set -- "$program" ;;
    esac
    check --help 0 usage: "$@"
    check --no-such-option 2 "'--no-such-option'" "$@"
done
exit $status
