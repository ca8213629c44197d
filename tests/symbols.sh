#!/usr/bin/env bash
# The shared library shows the functions of the header alone, each with its version, and needs libc
# alone; the static one has no name that could meet a program's own.
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
differing() { diff <(sort <<<"$1") <(sort <<<"$2") | grep '^[<>]' || true; }

declared=$(tr '\n' ' ' <include/udpbatch.h | grep -oE 'UDPBATCH_API [^;(]*\(' | grep -oE 'udpbatch_\w+\($' |
    tr -d '(')
mapped=$(grep -oE '\<udpbatch_\w+;' src/udpbatch.map | tr -d ';')
shown=$("${NM:-nm}" -D --defined-only "$1" | awk '$2 != "A" { print $3 }') # A: the version's own name

check "the map names the functions that the header declares" "$(differing "$declared" "$mapped")"
check "the shared library shows them alone, each with its version" \
    "$(differing "$(sed 's/$/@@UDPBATCH_1/' <<<"$declared")" "$shown")"
check "programs will ask for libudpbatch.so.1" \
    "$(differing libudpbatch.so.1 "$("${OBJDUMP:-objdump}" -p "$1" | awk '/SONAME/ { print $2 }')")"
check "all that the static library defines begins with udpbatch_ or ub_" \
    "$("${NM:-nm}" -g --defined-only "$2" 2>/dev/null | awk 'NF == 3 { print $3 }' |
        foreign '^(udpbatch_|ub_|__odr_asan|__x86\.get_pc_thunk)')"
case "${CFLAGS:-}" in
*-fsanitize*) echo "not checked: a sanitizer brings libraries of its own" ;;
*) check "the shared library needs libc alone" \
    "$("${OBJDUMP:-objdump}" -p "$1" | awk '/NEEDED/ { print $2 }' |
        foreign '^(libc|ld-linux[a-z0-9_-]*)\.')" ;; # ld-linux: where the canary is libc's loader's
esac
exit $failed
