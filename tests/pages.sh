#!/usr/bin/env bash
# The manual pages are mdoc without a warning, and their lists of options are those of the command.
# Usage: pages.sh [PRINT_OPTIONS], the program of man/print_options.c.
set -eu
if ! command -v mandoc >/dev/null; then
    echo "mandoc is not installed"
    [ -n "${CI:-}" ] && exit 1 || exit 77
fi
mandoc -Tlint -Wwarning man/*.[1-9]
echo "ok: $(ls man/*.[1-9] | wc -l) pages without a warning"

[ $# -gt 0 ] || exit 0
page=$(mktemp)
trap 'rm -f "$page"' EXIT
cp man/udpbatch.1 "$page"
scripts/manual "$1" "$page"
if ! diff man/udpbatch.1 "$page"; then
    echo "the lists of options in man/udpbatch.1 are not those of the command: run scripts/manual"
    exit 1
fi
echo "ok: the lists of options are those of the command"
