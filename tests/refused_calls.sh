#!/usr/bin/env bash
# Kernels that do not know what newer ones do, and sandboxes that forbid it: what is sent arrives, and
# the tests of the library do not notice but where they are about what is refused.
# Usage: refused_calls.sh REFUSE FOLDER_OF_TESTS [COMMAND]
set -eu
refuse=$1
tests=$2
command=${3:-}
work=$(mktemp -d)
receiver=
trap '[ -z "$receiver" ] || kill "$receiver" 2>/dev/null || true; rm -rf "$work"' EXIT
failed=0

if ! "$refuse" sendmmsg=ENOSYS -- >"$work/said"; then
    cat "$work/said"
    [ -n "${CI:-}" ] && exit 1 || exit 77
fi

verdict() { # verdict SENTENCE COMMAND...: the sentence is true if the command succeeds.
    local sentence=$1
    shift
    if "$@"; then
        echo "ok      $sentence"
    else
        echo "FAILED  $sentence"
        grep -vE '^\[ (RUN|      OK) ' "$work/said" | sed 's/^/        /' || true
        failed=1
    fi
}

# refusing CALL[:LEVEL:OPTION]=ERROR ...: what follows is tried with these refused.
refusing() {
    refused=("$@")
    is_checked=true
    "$refuse" "$@" -- >"$work/said" && return 0
    is_checked=false
    echo "not checked: $*: $(sed 's/^cannot run here: //' "$work/said")"
}

passes_but_for() { # passes_but_for PROGRAM TEST...
    local program=$1
    shift
    BEYOND_EMULATOR="${BEYOND_EMULATOR:-} $*" timeout 60 "$refuse" "${refused[@]}" -- \
        "$tests/$program" >"$work/said" 2>&1 && grep -q '^\[  PASSED  \]' "$work/said"
}

# passes PROGRAM TEST...: without these tests, which are about what is refused. They are left out:
# a test that fails leaves memory behind, and what the others leave a sanitizer is to find.
passes() {
    ! $is_checked || verdict "$1 passes without ${refused[*]}" passes_but_for "$@"
}

wait_for_address() {
    for _ in $(seq 500); do
        address=$(sed -n 's/^listening on //p' "$work/said")
        [ -z "$address" ] || return 0
        sleep 0.01
    done
    return 1
}

send_and_receive() {
    : >"$work/said"
    timeout 20 "$refuse" "${refused[@]}" -- "$command" recv --bind 127.0.0.1:0 --buffer 4M \
        --count 84 -o "$work/copy" 2>>"$work/said" >/dev/null &
    receiver=$!
    wait_for_address &&
        timeout 20 "$refuse" "${refused[@]}" -- "$command" send --quiet --to "$address" \
            "$work/file" >>"$work/said" 2>&1 &&
        wait $receiver && receiver= && cmp "$work/file" "$work/copy" >>"$work/said" 2>&1
}

transfers() {
    ! $is_checked || [ -z "$command" ] ||
        verdict "a file arrives without ${refused[*]}" send_and_receive
}

head -c 100000 /dev/urandom >"$work/file" # 84 datagrams

# A sendmsg of musl takes much of the stack.
stack=
case $(basename "${CC:-cc}") in *musl*) stack=level_1_takes_no_more_stack_than_is_said ;; esac

# Some tests are about how few calls it takes.
for error in ENOSYS EPERM; do
    refusing sendmmsg=$error recvmmsg=$error recvmmsg_time64=$error
    passes test_loopback a_closed_descriptor_costs_one_call the_statistics_add_up $stack
    passes test_receiver what_is_there_costs_as_few_calls_as_it_can \
        an_empty_nonblocking_socket_costs_one_call
    transfers
done
for error in ENOPROTOOPT EPERM; do
    refusing setsockopt:SOL_UDP:UDP_GRO=$error setsockopt:SOL_SOCKET:SO_RXQ_OVFL=$error
    passes test_receiver a_receiver_asks_the_kernel_to_count_drops
    transfers
    refusing getsockopt:SOL_UDP:UDP_SEGMENT=$error setsockopt:SOL_UDP:UDP_SEGMENT=$error
    passes test_loopback
    transfers
done
refusing getsockopt=EPERM # so nobody knows what kind of socket it is
passes test_loopback a_sender_wants_a_udp_socket
transfers
exit $failed
