#!/usr/bin/env bash
# The manual pages are mdoc without a warning.
set -eu
if ! command -v mandoc >/dev/null; then
    echo "mandoc is not installed"
    [ -n "${CI:-}" ] && exit 1 || exit 77
fi
mandoc -Tlint -Wwarning man/*.[1-9]
echo "ok: $(ls man/*.[1-9] | wc -l) pages without a warning"
