#!/usr/bin/env bash
# Plants the classic faults of a sendmmsg loop in a copy of the library, one at a time, and sees
# the scripted kernel catch each: a test that cannot fail proves nothing.
# Usage: planted_faults.sh SCRATCH_FOLDER
set -eu
work=$1/planted_faults
failed=0
rm -rf "$work"
mkdir -p "$work"

caught() { # caught FAULT FILE SED-SCRIPT
    rm -rf "$work/src"
    cp -r src "$work/src"
    sed -i "$3" "$work/src/$2"
    if cmp -s "src/$2" "$work/src/$2"; then
        echo "FAILED: nothing to plant in $2 for: $1"
        failed=1
        return
    fi
    "${CC:-cc}" -std=c11 -w -Iinclude -I"$work/src" tests/test_scripted.c tests/scripted_kernel.c \
        tests/support.c \
        "$work"/src/*.c "$work"/src/backend/*.c -Wl,--wrap=sendmmsg,--wrap=sendmsg -lcmocka \
        -o "$work/test"
    if (timeout 60 "$work/test" || exit 1) >"$work/output" 2>&1; then
        echo "FAILED: not caught: $1"
        failed=1
    else
        echo "ok: caught: $1"
    fi
}

caught "to advance twice after a partial count" send.c \
    's/^\( *\)return end;/\1return end > first \&\& end < engine->plan.count ? end + 1 : end;/
     s/^\( *\)size_t end = next + engine->backend->submit/\1size_t first = next;\n&/'
caught "to skip one more than failed" send.c \
    's/settle(engine, &plan->trains\[next++\], packets);/{ &; next += next < plan->count; }/'
caught "to blame the wrong packet" settle.c \
    's/= train->first; i < train->first + train->count/= train->first + 1; i < train->first + 1 + train->count/'
caught "to blame an innocent packet for a pending error" send.c 's/!train->asked &&/false \&\&/'
caught "to lose a packet to EINTR" settle.c 's/if (error == EINTR)/if (0)/'
caught "to refuse packets for back pressure" settle.c 's/return UB_STOP;/return UB_REFUSE;/'
caught "to ask a dead socket for every packet" settle.c 's/return UB_DEAD;/return UB_REFUSE;/'
exit $failed
