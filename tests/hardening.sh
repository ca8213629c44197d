#!/usr/bin/env bash
# The shared library and the command of a release for Linux are hardened, as far as this compiler and
# this libc can: where jumps may lead is said on x86 and aarch64. Each check has to object to a program
# that is built without: else it would prove nothing. Nothing is said of Windows' and Apple's files,
# which are as their compilers make them. None is run: by hand, with CC and OBJDUMP set, files for
# another processor can be looked at, but for what the libraries in them bring along.
# Usage: hardening.sh LIBRARY COMMAND
set -eu
[ $# = 2 ] || {
    echo "usage: hardening.sh LIBRARY COMMAND" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

verdict() { # verdict SENTENCE WHAT-SPEAKS-AGAINST-IT
    if [ -z "$2" ]; then
        echo "ok      $1"
    else
        echo "FAILED  $1: $2"
        failed=1
    fi
}

# ---- What speaks against a file; nothing if all is well -------------------------------------------

headers() { readelf -hldW "$1"; }
calls() { readelf -sW --dyn-syms "$1" | awk '$7 == "UND" { sub(/@.*/, "", $8); print $8 }' | sort -u; }

place() { headers "$1" | grep -qE 'Type: +DYN' || echo "it is of a fixed one"; }
relro() { headers "$1" | grep -q GNU_RELRO || echo "no GNU_RELRO"; }
binding() { headers "$1" | grep -qE '\(FLAGS(_1)?\).*\<(BIND_)?NOW\>' || echo "no BIND_NOW"; }
stack() { headers "$1" | grep GNU_STACK | grep -qvE ' RWE ' || echo "no GNU_STACK without E"; }
segments() { headers "$1" | grep -E '^ *LOAD .* RWE ' || true; }
relocations() { headers "$1" | grep -w TEXTREL || true; }
path() { headers "$1" | grep -E '\((RPATH|RUNPATH)\)' || true; }
canaries() { calls "$1" | grep -qx '__stack_chk_fail\(_local\)\?' || echo "no __stack_chk_fail"; }

# The compiler takes the plain form of other calls, where it sees that they write no more than fits.
fortified() {
    calls "$1" | grep -xE 'printf|v?fprintf|dprintf' || true
    calls "$1" | grep -q '_chk$' || echo "no fortified call"
}

# Functions that can be called from elsewhere, and do not begin by saying so.
entries() {
    local names
    names=$(readelf -sW --dyn-syms "$1" | awk '
        $4 == "FUNC" && $7 != "UND" && $8 ~ /^(udpbatch_|main$)/ {
            sub(/@.*/, "", $8)
            print $8
        }' | sort -u)
    "${OBJDUMP:-objdump}" -d --no-show-raw-insn "$1" | awk -v names="$names" '
        BEGIN {
            for (n = split(names, list, "\n"); n > 0; n--)
                wanted[list[n]]
        }
        name != "" && !/[ \t](endbr(64|32)|bti|paciasp)/ { print name }
        { name = "" }
        /^[0-9a-f]+ <.*>:$/ && (substr($2, 2, length($2) - 3) in wanted) {
            name = substr($2, 2, length($2) - 3)
        }'
}

declare -A sentence=(
    [place]="can be loaded to any place"
    [relro]="has what it is linked by read only, once it runs"
    [binding]="is linked as a whole before it runs"
    [stack]="runs nothing on the stack"
    [segments]="has nothing in memory that can be written and run"
    [relocations]="has code that is the same wherever it is loaded"
    [path]="is linked with what the system has"
    [canaries]="sees when the stack is written past"
    [fortified]="has calls that see when an array is written past"
    [entries]="has functions that say where jumps may lead"
)

# ---- Each check is seen to fail -------------------------------------------------------------------

cat >"$work/program.c" <<'END'
#include <stdio.h>
#ifdef WRITABLE_CODE
__asm__(".pushsection .both, \"awx\"\n.byte 0\n.popsection");
#endif
static const char *text = "%s";
const char **udpbatch_text(void) { return &text; }
int main(int argc, char **argv)
{
    char line[64];
    snprintf(line, sizeof line, *udpbatch_text(), argv[argc - 1]);
    return printf(*udpbatch_text(), line);
}
END

build() { # build OPTION...
    "${CC:-cc}" -O2 -w "$work/program.c" -o "$work/program" "$@" 2>"$work/log"
}

objects_to() { # objects_to CHECK OPTION...
    local check=$1
    shift
    if ! build "$@"; then
        verdict "a program is built with $*" "$(tail -n 1 "$work/log")"
    elif [ -z "$($check "$work/program")" ]; then
        verdict "that a file ${sentence[$check]} is checked" "nothing is said of one built with $*"
    fi
}

objects_to place -no-pie -fno-pie
objects_to relro -Wl,-z,norelro
objects_to binding -Wl,-z,lazy
objects_to stack -Wl,-z,execstack
objects_to segments -DWRITABLE_CODE
objects_to path -Wl,-rpath,/somewhere
objects_to canaries -fno-stack-protector
objects_to fortified -U_FORTIFY_SOURCE
machine=$(headers "$2" | sed -n 's/^ *Machine: *//p')
echo "of ELF for $machine:"
[ "$machine" != "Advanced Micro Devices X86-64" ] ||
    objects_to relocations -shared -fno-pic -mcmodel=large -Wl,-z,notext
checks="place relro binding stack segments relocations path"

# What not every compiler and libc can.
if_possible() { # if_possible CHECK OPTION...
    local check=$1
    shift
    if build "$@" && [ -z "$($check "$work/program")" ]; then
        checks="$checks $check"
    else
        echo "not checked: a file ${sentence[$check]}: $* does nothing here"
    fi
}

if_possible canaries -fstack-protector-all
if_possible fortified -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
case $machine in
*AArch64*) jumps=-mbranch-protection all=standard ;;
*) jumps=-fcf-protection all=full ;;
esac
if_possible entries $jumps=$all
case " $checks " in
*" entries "*) objects_to entries $jumps=none ;;
esac

# ---- The library and the command ------------------------------------------------------------------

for file in "$1" "$2"; do
    for check in $checks; do
        verdict "${file##*/} ${sentence[$check]}" "$($check "$file" | tr '\n' ' ')"
    done
done
exit $failed
