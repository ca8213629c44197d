#!/usr/bin/env bash
# The header alone compiles without a warning as C and C++ of every age, by every compiler that is here.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wundef -Werror"
checked=0
failed=0

cat >"$work/first.h" <<'END'
#include <udpbatch.h>
#include <udpbatch.h>
END
# What is in a macro is not compiled until it is used, and in C++ a function may hide a structure.
cat >"$work/use.h" <<'END'
static inline uint32_t use(void)
{
    struct udpbatch_sender_stats stats;
    stats.xdp_queue = UDPBATCH_PIECES(2u) + UDPBATCH_META_LOCAL + UDPBATCH_META_CAME_AT;
    return stats.xdp_queue;
}
END

# shellcheck disable=SC2086 # a list of words
compiles() { # compiles COMPILER LANGUAGE STANDARD
    echo '#include "first.h"
#include "use.h"
int main(void) { return use() == 0; }' |
        "$1" -x "$2" -std="$3" $warnings -Iinclude -I"$work" -fsyntax-only - 2>"$work/err"
}

check() { # check COMPILER LANGUAGE STANDARD...
    local compiler=$1 language=$2 standard
    shift 2
    if ! command -v "$compiler" >/dev/null; then
        echo "not checked: $compiler is not here"
        return
    fi
    for standard in "$@"; do
        checked=$((checked + 1))
        if compiles "$compiler" "$language" "$standard"; then
            echo "ok      $standard by $compiler"
        else
            echo "FAILED  $standard by $compiler"
            head -n 20 "$work/err"
            failed=$((failed + 1))
        fi
    done
}

for compiler in gcc clang x86_64-w64-mingw32-gcc; do
    check $compiler c c99 c11 c17 c2x
done
for compiler in g++ clang++ x86_64-w64-mingw32-g++; do
    check $compiler c++ c++11 c++14 c++17 c++20
done
echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ] && [ "$checked" -gt 0 ]
