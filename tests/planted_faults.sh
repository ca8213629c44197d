#!/usr/bin/env bash
# Plants the classic faults of a sender of many packets in copies of the library, one in each, and sees
# the tests catch them: a test that cannot fail proves nothing.
# Usage: planted_faults.sh FOLDER
# FOLDER/to_plant/TEST has what a test is linked of, but for the library (CMakeLists.txt). As many
# copies are tried at once as there are processors.
set -eu
work=$1/planted_faults
linked_of=$1/to_plant
processors=$(nproc)
running=0 jobs=0
export UDPBATCH_SEED=1 CMOCKA_TEST_ABORT=1
unset CI        # that a test cannot run here is told by the test itself
ulimit -c 0     # most that are caught abort
ulimit -S -l 0  # who may lock only so much memory has other tests that need it meanwhile
rm -rf "$work"
mkdir -p "$work/objects" "$work/said"
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

# ---- Jobs -----------------------------------------------------------------------------------------

# beside COMMAND ...: runs it beside others; what it says is shown at the end.
beside() {
    if [ "$running" -ge "$processors" ]; then
        wait -n || true
        running=$((running - 1))
    fi
    running=$((running + 1))
    jobs=$((jobs + 1))
    say_if_it_fails "$@" >"$work/said/$(printf %04d $jobs)" 2>&1 &
}

say_if_it_fails() {
    "$@" || echo "FAILED: $*"
}

wait_for_all() {
    wait
    running=0
}

# ---- The library, and tests of it -----------------------------------------------------------------

compile() { # compile SOURCE OBJECT
    # shellcheck disable=SC2086 # a list of words
    "${CC:-cc}" ${CFLAGS:-} -std=c11 -w -O1 -Iinclude -Isrc -Isrc/backend -c "$1" -o "$2"
}

arguments_of() { # arguments_of TEST
    case "$1" in
    faults) echo --backend sendmmsg --every 3 --seed 1 ;;
    soak) echo --seconds 2 --seed 1 ;;
    fuzz_*) echo "$PWD/tests/fuzz/corpus/${1#fuzz_}" ;;
    esac
}

# run_with FOLDER TEST [OBJECT]: sets $status to the test's with this object in the place of the
# library's own.
run_with() {
    local arguments
    read -ra arguments <<<"$(arguments_of "$2")"
    # shellcheck disable=SC2086 # a list of words
    "${CC:-cc}" ${CFLAGS:-} "@$linked_of/$2" ${3:+"$3"} "$work/library.a" -lcmocka -lpthread \
        -o "$1/$2" || return 1
    status=0
    (timeout 60 "$1/$2" "${arguments[@]}" || exit $?) >"$1/output" 2>&1 || status=$?
}

# ---- Faults ---------------------------------------------------------------------------------------

# holds TEST: it finds nothing where there is nothing.
holds() {
    local folder=$work/$1 status
    mkdir "$folder"
    run_with "$folder" "$1" || return 1
    case $status in
    0) echo "ok: $1 finds nothing without a fault" ;;
    77) echo "not checked: $1: $(tail -n 1 "$folder/output")" ;;
    *) echo "FAILED: $1 fails without a fault, see $folder/output" ;;
    esac
}

# catches FOLDER TEST FAULT
catches() {
    local status
    if [ ! -e "$linked_of/$2" ]; then
        echo "not checked: $2 is not built here; it would catch: $3"
        return
    fi
    run_with "$1" "$2" "$1/planted.o" || return 1
    case $status in
    0) echo "FAILED: $2 does not catch: $3" ;;
    77) echo "not checked: $2 cannot run here; it would catch: $3" ;;
    *) echo "ok: $2 catches: $3" ;;
    esac
}

# plant NUMBER FAULT TESTS FILE SED-SCRIPT
plant() {
    local folder=$work/$1 test
    mkdir "$folder"
    sed "$5" "src/$4" >"$folder/planted.c" || return 1
    if cmp -s "src/$4" "$folder/planted.c"; then
        echo "FAILED: nothing to plant in $4 for: $2"
        return
    fi
    compile "$folder/planted.c" "$folder/planted.o" || return 1
    for test in $3; do
        catches "$folder" "$test" "$2" || return 1
    done
    rm -rf "$folder"
}

caught() { # caught FAULT TESTS FILE SED-SCRIPT
    beside plant "$((jobs + 1))" "$@"
}

# ---- All of it ------------------------------------------------------------------------------------

for source in src/*.c src/backend/*.c; do
    beside compile "$source" "$work/objects/$(basename "$source" .c).o"
done
wait_for_all
ar rcs "$work/library.a" "$work"/objects/*.o
for test in "$linked_of"/*; do
    beside holds "$(basename "$test")"
done
. tests/planted_faults_list.sh
wait_for_all
cat "$work"/said/*
! grep -q ^FAILED "$work"/said/*
