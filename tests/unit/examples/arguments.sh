#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh arguments.sh <program or script>...
# Fails if a program does not answer --help on stdout with status 0, or an unknown option with status 2 and a message that
# names it and --help. A program whose name follows "plain:" has no options, and may print its usage instead.
set -eu
for program in "$@"; do
    is_plain=
    case $program in plain:*) is_plain=yes ;; esac
    program=${program#plain:}
    run=
    case $program in *.sh) run='sh' ;; esac

    help=$($run "$program" --help 2>&1) || { echo "FAILED: $program --help has status $?" >&2; exit 1; }
    case $help in *usage:*) ;; *) echo "FAILED: $program --help prints '$help'" >&2; exit 1 ;; esac

    status=0
    message=$($run "$program" --nonsense 2>&1) || status=$?
    case $is_plain$status$message in
        2*--nonsense*"see --help"* | yes2*usage:*) ;;
        *) echo "FAILED: $program --nonsense has status $status and prints '$message'" >&2; exit 1 ;;
    esac
done
