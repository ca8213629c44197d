#!/usr/bin/env bash
# The shared library shows udpbatch_ names alone and needs libc alone; the static one has no name
# that could meet a program's own.
# Usage: symbols.sh SHARED STATIC
set -eu
failed=0

check() { # check SENTENCE WHAT-SPEAKS-AGAINST-IT
    if [ -z "$2" ]; then
        echo "ok: $1"
    else
        echo "FAILED: $1: $2"
        failed=1
    fi
}

foreign() { grep -vE "$1" || true; }

check "the shared library shows udpbatch_ names alone" \
    "$(nm -D --defined-only "$1" | awk '{ print $3 }' | foreign '^udpbatch_')"
check "all that the static library defines begins with udpbatch_ or ub_" \
    "$(nm -g --defined-only "$2" 2>/dev/null | awk 'NF == 3 { print $3 }' |
        foreign '^(udpbatch_|ub_|__odr_asan)')"
case "${CFLAGS:-}" in
*-fsanitize*) echo "not checked: a sanitizer brings libraries of its own" ;;
*) check "the shared library needs libc alone" \
    "$(objdump -p "$1" | awk '/NEEDED/ { print $2 }' | foreign '^libc\.')" ;;
esac
exit $failed
