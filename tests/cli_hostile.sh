#!/usr/bin/env bash
# cli_hostile.sh: udpbatch recv under a flood of what anybody could send: it ends as it is told, what it
# reports is what came, what it says is text, and its memory has a bound.
#
# UDPBATCH_FLOOD_SECONDS goes on for so long; UDPBATCH_SEED repeats a flood.
# Usage: cli_hostile.sh FLOOD
set -eu

if [ "${2:-}" != inside ]; then
    skip() {
        echo "cannot run here: $1"
        [ -n "${CI:-}" ] && exit 1 || exit 77
    }
    own_space=(unshare -mn)
    [ "$(id -u)" = 0 ] || own_space=(unshare -Urmn)
    "${own_space[@]}" ip link set lo up 2>/dev/null || skip "no network of one's own"
    "${own_space[@]}" "$1" spoofed 9 0 0 >/dev/null || skip "no raw socket"
    exec "${own_space[@]}" bash "$0" "$1" inside
fi

. "$(dirname "$0")/verdict.sh"
: >"$work/err"
ip link set lo up
flood=$1
port=9000
each=10000 # datagrams per flood

# What is known of 1024 senders takes 40 MB, the batch at hand less than 20; a sanitizer has as much
# again for itself, and keeps what was freed.
memory_most_kb=65536
! grep -q __asan_init "$UDPBATCH" || memory_most_kb=$((4 * memory_most_kb))

seed=${UDPBATCH_SEED:-$(date +%s)}
echo "the seed is $seed (UDPBATCH_SEED repeats it)"

check() {
    local sentence=$1 answer=ok
    shift
    "$@" >"$work/check.out" 2>&1 || answer=bad
    verdict "$answer" "$sentence"
}
is() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'" >>"$work/err"; false; }; }
at_most() { [ "$1" -le "$2" ] || { echo "'$1' is more than '$2'" >>"$work/err"; false; }; }

# ---- A receiver, and a flood ---------------------------------------------------------------------

# The socket's line of the kernel's table, which has what is in its queue.
socket_line() { cat /proc/net/udp* | awk -v port="$(printf ':%04X' $port)" '$2 ~ port "$"'; }
is_there() { [ -n "$(socket_line)" ]; }
has_queue_empty() { [[ "$(socket_line)" == *" "????????:00000000" "* ]]; }
has_ended() { ! kill -0 "$receiver" 2>/dev/null; }

# start OPTION...: a receiver, whose process is $receiver.
start() {
    : >"$work/err"
    "$UDPBATCH" recv --bind 127.0.0.1:$port --buffer 4M "$@" 2>"$work/err" >"$work/out" &
    receiver=$!
    processes+=("$receiver")
    until_true is_there || { verdict bad "a receiver listens within 10 seconds" && exit 1; }
}
end() {
    status=0
    wait "$receiver" || status=$?
}
interrupt() {
    kill -INT "$receiver" 2>/dev/null || true
    end
}

# What is sent: "trains" of 64 datagrams at most, or "spoofed" ones. A drop may be a train: there are so
# few that the buffer has room for them, as a rule.
kind=spoofed
declare -A sends=([spoofed]=$each [trains]=$((each / 100))) most_of_drop=([spoofed]=1 [trains]=64)

# How many were sent is in $poured, how many of these were whole in $whole, and their bytes in $bytes.
pour() {
    read -r poured whole bytes < <("$flood" $kind $port "${sends[$kind]}" "$seed")
    seed=$((seed + 1))
    sent=$((sent + poured))
}
sent=0 received=0

# The most memory that the receiver has had, in $peak, and that any has had, in $highest.
look_at_memory() {
    peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$receiver/status")
    [ "$peak" -le $highest ] || highest=$peak
}
highest=0
told() { grep -q "so far$" "$work/err" || grep -q '"totals"' "$work/out"; }

# Waits until all is taken, has the totals told, which takes memory too, and ends the receiver.
drain() {
    until_true has_queue_empty
    kill -USR1 "$receiver"
    until_true told
    look_at_memory
    interrupt
}

packets_of() { sed -n 's/^received \([0-9]*\) packets.*interrupted$/\1/p' "$work/err"; }
bytes_of() { sed -n 's/^received .*, \([0-9]*\) bytes.*interrupted$/\1/p' "$work/err"; }
dropped_of() { sed -n 's/.* truncated, \(at least \)\{0,1\}\([0-9]*\) dropped$/\2/p' "$work/err" | tail -n 1; }

# is_text FILE: lines, and nothing that a terminal takes for more.
is_text() { ! LC_ALL=C grep -q '[^ -~]' "$1"; }

# What came of WHAT is told: PACKETS DROPPED BYTES.
adds_up() {
    received=$((received + $2))
    check "$1: it ends as it is told" is "$status" 0
    check "$1: all that was whole is received, or dropped by the kernel" \
        eval "at_most $2 $whole && at_most $whole $(($2 + most_of_drop[$kind] * $3))"
    [ "$3" -gt 0 ] || check "$1: no byte is missing" is "$4" "$bytes"
    check "$1: what it says is text" is_text "$work/err"
    check "$1: its memory has a bound" at_most "$peak" $memory_most_kb
}

# floods WHAT OPTION...
floods() {
    local what=$1
    shift
    start "$@"
    pour
    drain
    adds_up "$what" "$(packets_of)" "$(dropped_of)" "$(bytes_of)"
}

# ---- What it is told to do -----------------------------------------------------------------------

to_files() {
    floods "to a file" -o "$work/file"
    check "which has what is reported" is "$(wc -c <"$work/file")" "$(bytes_of)"
    floods "in lines" -o "$work/file" --lines
    check "which have what is reported" is "$(wc -c <"$work/file")" \
        $(($(bytes_of) + $(packets_of)))
    floods "one by one" -o /dev/null --no-trains --backend portable --stats
    floods "in intervals" -o /dev/null --interval 0.01
    rm "$work/file"
}

to_capture() {
    floods "to a capture" --pcap "$work/file"
    # A header, and of each packet one of its own, of IPv4 and of UDP.
    check "which has what is reported" is "$(wc -c <"$work/file")" \
        $((24 + $(packets_of) * (16 + 20 + 8) + $(bytes_of)))
    floods "of all addresses to a capture" --bind :$port --pcap "$work/file"
    check "which has it of IPv4 all the same" is "$(wc -c <"$work/file")" \
        $((24 + $(packets_of) * (16 + 20 + 8) + $(bytes_of)))
    rm "$work/file"
}

# Each of the figures is one, and they fit each other.
json_fits='
    def is_count: . >= 0 and . == floor;
    (.senders | length) <= 1024 and (.not_followed | is_count) and
    ([.senders[].received, .not_followed] | add) <= .packets and
    all(.senders[]; ([.received, .lost, .duplicated, .reordered, .too_late,
        .came_before_they_left] | all(is_count)) and .received >= .duplicated + .too_late and
        (.delay_ns | . == null or (.min <= .p50 and .p50 <= .p90 and .p90 <= .p99 and .p99 <= .max)))'

to_json() { # to_json WHAT OPTION...
    local what=$1
    shift
    start -o /dev/null --json --interval 0.1 "$@"
    pour
    drain
    # shellcheck disable=SC2046 # three words
    adds_up "$what" $(tail -n 1 "$work/out" | jq -r '"\(.packets) \(.dropped) \(.bytes)"')
    check "whose figures fit each other, of 1024 senders at most" eval 'tail -n 1 "$work/out" | jq -e "$json_fits"'
    check "and is text" is_text "$work/out"
}

# To an address of IPv4 and one of IPv6, by one socket.
of_trains() {
    kind=trains
    floods "trains" --bind :$port -o "$work/file"
    check "all of which were sent" is "$whole" "$poured"
    check "which have what is reported" is "$(wc -c <"$work/file")" "$(bytes_of)"
    if grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then
        check "and came from IPv6, too" grep -q '^from \[::1\]' "$work/err"
    else
        cannot "trains by IPv6: ::1"
    fi
    floods "trains one by one" --bind :$port -o /dev/null --no-trains --backend portable
    [ $has_pcap = no ] || floods "trains to a capture" --bind :$port --pcap "$work/file"
    [ $has_json = no ] || to_json "trains as JSON" --bind :$port
    rm "$work/file"
    kind=spoofed
}

# Nobody reads: it waits, and takes no more.
to_nobody() {
    mkfifo "$work/pipe"
    sleep 1000 <"$work/pipe" &
    processes+=($!)
    local reader=$!
    start -o "$work/pipe"
    pour
    look_at_memory
    interrupt
    check "who is not read waits, and ends as it is told" is "$status" 1
    check "its memory has a bound" at_most "$peak" $memory_most_kb
    kill "$reader"
    wait "$reader" 2>/dev/null || true

    head -c 1000 "$work/pipe" >/dev/null &
    start -o "$work/pipe"
    pour
    until_true has_ended
    end
    check "a reader that goes away ends it" is "$status" 1
    check "with a complaint" grep -q "Broken pipe" "$work/err"
    rm "$work/pipe"
}

to_full_disk() {
    mkdir "$work/disk"
    mount -t tmpfs -o size=64k none "$work/disk"
    start -o "$work/disk/file"
    pour
    until_true has_ended
    end
    check "a full disk ends it" is "$status" 1
    check "with a complaint" grep -q "No space left" "$work/err"
    check "and the file has what is reported" is "$(wc -c <"$work/disk/file")" \
        "$(sed -n 's/^received .*, \([0-9]*\) bytes.*/\1/p' "$work/err")"
    umount "$work/disk"
    rmdir "$work/disk"
}

counted() {
    start -o "$work/file" --count 1000
    pour
    until_true has_ended
    end
    check "so many are taken and no more" grep -q "^received 1000 packets" "$work/err"
    check "and it ends" is "$status" 0
    rm "$work/file"
}

cannot() { # cannot REASON: a failure with CI set.
    echo "not checked: $1"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
}
# can TEXT OPTION...: whether recv does that, or says that it was built without TEXT.
can() {
    local text=$1
    shift
    ! "$UDPBATCH" recv --bind 127.0.0.1:0 --for 0.01 "$@" 2>&1 >/dev/null | grep -q "$text"
}
has_json=no has_pcap=no
if ! can jansson --json -o /dev/null; then
    cannot "JSON: this udpbatch is built without jansson"
elif ! command -v jq >/dev/null; then
    cannot "JSON: jq"
else
    has_json=yes
fi
if can libpcap --pcap "$work/try"; then
    has_pcap=yes
else
    cannot "captures: this udpbatch is built without libpcap"
fi

all() {
    to_files
    [ $has_pcap = no ] || to_capture
    [ $has_json = no ] || to_json "as JSON"
    of_trains
    to_nobody
    to_full_disk
    counted
}

begun=$(date +%s)
all
while [ $(($(date +%s) - begun)) -lt "${UDPBATCH_FLOOD_SECONDS:-0}" ]; do
    all >"$work/round" || true
    grep -v "^ok" "$work/round" || true
done

echo "$sent datagrams were sent, $received of them received and accounted for; $highest kB at most"
echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ]
