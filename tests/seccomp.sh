#!/usr/bin/env bash
# The seccomp profile of docs/seccomp.json lets a sender and a receiver work on each back end. What is
# the library's in it is enough for the library, and nothing of that could be left out.
# Usage: seccomp.sh FOLDER_OF_TESTS FOLDER_OF_EXAMPLES COMMAND
# shellcheck disable=SC2317 # functions that verdict calls
# shellcheck disable=SC2046,SC2086,SC2183,SC2206 # words, and as many as there are
# shellcheck disable=SC2209 # kill is a word
set -eu
tests=$1
examples=$2
command=$3
allow=$tests/allow
profile=docs/seccomp.json

cannot_run() {
    echo "cannot run here: $1"
    [ -n "${CI:-}" ] && exit 1 || exit 77
}

# In a network of its own, for frames past the stack.
if [ -z "${IN_OWN_NETWORK:-}" ]; then
    own=(unshare -n)
    [ "$(id -u)" = 0 ] || own=(unshare -Urn)
    "${own[@]}" ip link show >/dev/null 2>&1 || cannot_run "no network of one's own: unshare, ip"
    IN_OWN_NETWORK=1 exec "${own[@]}" bash "$0" "$@"
fi
command -v jq >/dev/null || cannot_run "no jq"
"$allow" kill 0 -- || cannot_run "no filter of system calls"

work=$(mktemp -d)
processes=()
clean_up() {
    for pid in "${processes[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
failed=0

verdict() { # verdict SENTENCE COMMAND...: the sentence is true if the command succeeds.
    local sentence=$1
    shift
    if "$@" 2>>"$work/said"; then
        echo "ok      $sentence"
    else
        echo "FAILED  $sentence"
        sed 's/^/        /' "$work/said"
        failed=1
    fi
}

# ---- The profile ----------------------------------------------------------------------------------

names_of() { # names_of WHOSE: of the entries whose comment begins so
    jq -r --arg whose "$1" '.syscalls[] | select(.comment | startswith($whose)).names[]' "$profile"
}

# numbers_of NAME...: of those that this system has. There are those that are sums.
numbers_of() {
    local name number
    printf '@ %s __NR_%s\n' $(printf '%s %s ' $(for name in "$@"; do echo "$name $name"; done)) |
        ${CC:-cc} ${CFLAGS:-} -E -P -include sys/syscall.h -x c - | sed -n 's/^@ //p' |
        while read -r name number; do
            case $number in *__NR_*) ;; *) echo "$name $((number))" ;; esac
        done
}

declare -A number # by the name
while read -r name value; do
    number[$name]=$value
done < <(numbers_of $(names_of ''))

# Some are of 32 bits, some of 64: the headers have both.
knows_each() {
    local name folder
    folder=$(printf '#include <asm/unistd.h>\n' | cc -E -x c - | sed -n 's,^# 1 "\(/.*\)/unistd.h".*,\1,p')
    for name in $(names_of ''); do
        [ "$name" = send ] || # which ARM has
            grep -rqw "__NR_$name" "${folder%%$'\n'*}" /usr/include/asm-generic || {
            echo "no system call: $name" >"$work/said"
            return 1
        }
    done
}
refuses_the_rest() {
    jq -e '.defaultAction == "SCMP_ACT_ERRNO" and .defaultErrnoRet == 1 and
        all(.syscalls[]; .action == "SCMP_ACT_ALLOW" and (keys - ["action", "comment", "names"]) == [])
        and ([.syscalls[].names[]] | length == (unique | length))' "$profile" >/dev/null
}
line_of_page() {
    (cd docs && eval "$(grep -o "^jq -r .*SystemCallFilter.*" seccomp.md)") >"$work/line" 2>"$work/said"
    [ "$(sed 's/^SystemCallFilter=//' "$work/line" | tr ' ' '\n')" = "$(names_of '' | LC_ALL=C sort)" ]
}
[ "$(uname -m)" != x86_64 ] || verdict "each name is a system call" knows_each
verdict "each is there once, and all else is refused" refuses_the_rest
verdict "the page makes the line for systemd of it" line_of_page

# ---- What is run under it -------------------------------------------------------------------------

action=kill

# confined [NUMBER...]: sets $filter, to precede a command that may call these as well.
confined() { filter=("$allow" "$action" "${number[@]}" "$@" --); }

wait_for_address() {
    for _ in $(seq 500); do
        address=$(sed -n 's/^listening on //p' "$work/received")
        [ -z "$address" ] || return 0
        kill -0 "$receiver" 2>/dev/null || return 1
        sleep 0.01
    done
    return 1
}

# transfer BACKEND-OF-RECEIVER ADDRESS OPTION...: a file arrives. Words in $far precede the receiver.
far=()
transfer() {
    local back_end=$1 bind=$2
    shift 2
    confined
    : >"$work/received"
    "${far[@]}" timeout 10 "${filter[@]}" "$command" recv --backend "$back_end" --bind "$bind" \
        --buffer 4M --count 84 -o "$work/copy" 2>"$work/received" >/dev/null &
    receiver=$!
    processes+=("$receiver")
    if wait_for_address && timeout 10 "${filter[@]}" "$command" send --quiet --to "$address" "$@" \
        "$work/file" >"$work/said" 2>&1; then
        wait "$receiver" && cmp "$work/file" "$work/copy" >>"$work/said" 2>&1
        return
    fi
    kill "$receiver" 2>/dev/null || true
    wait "$receiver" 2>/dev/null || true
    return 1
}

by_sendmmsg() { transfer sendmmsg 127.0.0.1:0 --backend sendmmsg; }
by_portable() {
    local bind=127.0.0.1:0
    ! grep -qs '^00000000000000000000000000000001 ' /proc/net/if_inet6 || bind='[::1]:0'
    transfer portable "$bind" --backend portable
}
by_rate() { transfer portable 127.0.0.1:0 --backend portable --rate 2kpps; }
by_xdp() {
    far=(nsenter "--net=/proc/$neighbour/ns/net")
    transfer portable 10.99.0.2:0 --backend xdp --interface near || { far=(); return 1; }
    far=()
}

# What the tests and examples call themselves.
their_own="alarm connect dup2 epoll_create1 epoll_ctl epoll_pwait epoll_wait sched_getaffinity
    sched_setaffinity setitimer shutdown timerfd_create timerfd_settime timerfd_settime64"
mapfile -t extra < <(numbers_of $their_own | cut -d' ' -f2)

program() { # program FILE [ARGUMENT...]
    confined "${extra[@]}"
    timeout 30 "${filter[@]}" "$@" >"$work/said" 2>&1
}

capture() { # a capture is read by a thread of its own
    confined
    timeout 10 "${filter[@]}" "$command" send --quiet --pcap "$work/capture" --to 127.0.0.1:9 \
        >"$work/said" 2>&1 || grep -q refused "$work/said"
}

# ---- The runs of this system ----------------------------------------------------------------------

has_backend() { "$command" probe | grep -q "back end $1"; }
make_neighbour() {
    unshare -n sleep 600 &
    neighbour=$!
    processes+=("$neighbour")
    for _ in $(seq 500); do
        [ "$(readlink /proc/self/ns/net)" = "$(readlink "/proc/$neighbour/ns/net")" ] || break
        sleep 0.01
    done
    ip link add near address 02:00:00:00:00:01 type veth peer name far \
        address 02:00:00:00:00:02 netns "$neighbour"
    ip address add 10.99.0.1/24 dev near
    ip link set near up
    nsenter "--net=/proc/$neighbour/ns/net" sh -euc 'ip address add 10.99.0.2/24 dev far
        ip link set far up'
    ip neighbour replace 10.99.0.2 lladdr 02:00:00:00:00:02 dev near nud permanent
    nsenter "--net=/proc/$neighbour/ns/net" ip neighbour replace 10.99.0.1 \
        lladdr 02:00:00:00:00:01 dev far nud permanent
    for _ in $(seq 500); do
        ! ip link show dev near | grep -q LOWER_UP || return 0
        sleep 0.01
    done
}

ip link set lo up
head -c 100000 /dev/urandom >"$work/file" # 84 datagrams
runs=()
! has_backend sendmmsg || runs+=(by_sendmmsg)
runs+=(by_portable by_rate)
if has_backend xdp; then
    make_neighbour
    runs+=(by_xdp)
fi
if "$command" recv --bind 127.0.0.1:0 --quiet --for 0.01 --pcap "$work/capture" >"$work/said" 2>&1; then
    runs+=(capture)
fi
for name in batch batch_cpp echo market_data quic statsd_relay threads back_pressure; do
    [ ! -x "$examples/example_$name" ] || runs+=("program $examples/example_$name")
done
runs+=("program $tests/test_loopback" "program $tests/test_receiver")

for action in errno kill; do
    for run in "${runs[@]}"; do
        verdict "with all else $([ $action = kill ] && echo deadly || echo refused): ${run##*/}" $run
    done
done

# ---- What is the library's ------------------------------------------------------------------------

# What the program itself calls behind the filter: memory, how it ends and says why. Past the stack it
# needs more of the C library's (docs/seccomp.md).
its_own="brk exit_group mmap mmap2 munmap write"
its_own_past="$its_own fcntl fcntl64 fstat fstat64 newfstatat open openat read statx"
left_out=
by_sigsys=$((128 + $(kill -l SYS)))

# library_calls WHOSE OWN BACKEND [INTERFACE ADDRESS]: with the names of these entries alone.
library_calls() {
    local name filter=("$tests/library_calls" "$action")
    for name in $(names_of 'the library: a socket') $(names_of 'the library: the same') \
        $(names_of 'the library: clocks') $1 $2; do
        [ "$name" = "$left_out" ] || filter+=(${number[$name]:-})
    done
    shift 2
    timeout 30 "${filter[@]}" -- "$@" >"$work/said" 2>&1
}
alone_sendmmsg() { library_calls '' "$its_own" sendmmsg; }
alone_portable() { library_calls '' "$its_own" portable; }
alone_xdp() {
    library_calls "$(names_of 'the library: a sender')" "$its_own_past" xdp near 10.99.0.2
}

plain=(alone_portable)
! has_backend sendmmsg || plain+=(alone_sendmmsg)
past=()
! has_backend xdp || past=(alone_xdp)
for action in errno kill; do
    for run in "${plain[@]}" "${past[@]}"; do
        verdict "the library's names alone, $action: $run" "$run"
    done
done

# What the library calls by another name here, or not at all.
other_names=
own_names=
case "$(basename "${CC:-cc}") ${CFLAGS:-}" in
*musl*)
    other_names=clock_nanosleep
    own_names=nanosleep
    ;;
esac
if [ -n "${number[mmap2]:-}" ]; then # of 32 bits, where glibc has sockets by one call
    other_names="$other_names bind getpeername getsockname getsockopt recvmmsg recvmsg sendmsg"
    other_names="$other_names sendto setsockopt socket"
    own_names="$own_names recvmmsg_time64 socketcall"
fi
has_backend sendmmsg || other_names="$other_names sendmmsg recvmmsg"

# is_needed NAME RUN...: without it one of these ends by SIGSYS, and not for another reason.
is_needed() {
    local run status
    left_out=$1
    shift
    : >"$work/why"
    for run in "$@"; do
        status=0
        "$run" || status=$?
        [ $status != $by_sigsys ] || break
        echo "without it, $run ends with $status: $(cat "$work/said")" >>"$work/why"
    done
    left_out=
    mv "$work/why" "$work/said"
    [ $status = $by_sigsys ]
}
each_is_needed() { # each_is_needed NAMES RUN...
    local name names=$1
    shift
    [ $# -gt 0 ] || return 0
    for name in $names; do
        case " $other_names " in *" $name "*) continue ;; esac
        [ -z "${number[$name]:-}" ] || verdict "$name is needed by ${*#alone_}" is_needed "$name" "$@"
    done
}
action=kill
each_is_needed "$(names_of 'the library: a socket') $own_names" "${plain[@]}"
each_is_needed "$(names_of 'the library: a sender')" "${past[@]}"
exit $failed
