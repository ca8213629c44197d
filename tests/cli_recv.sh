#!/usr/bin/env bash
# cli_recv.sh: numbered packets, intervals and captures of udpbatch recv.
set -eu

. "$(dirname "$0")/verdict.sh"
: >"$work/err"

# check SENTENCE COMMAND...: the sentence is true if the command succeeds.
check() {
    local sentence=$1 answer=ok
    shift
    "$@" >"$work/check.out" 2>&1 || answer=bad
    verdict "$answer" "$sentence"
}
is() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'" >>"$work/err"; false; }; }
holds() { jq -e "$2" "$1" >/dev/null; }
has_line() { grep -q -- "$1" "$work/err"; }

# start OPTION...: a receiver, whose messages are in $work/err and whose output is in $work/out; its
# process is $receiver, its address $address. A limit of time is its own.
start() {
    : >"$work/err"
    "$UDPBATCH" recv --buffer 4M "$@" 2>"$work/err" >"$work/out" &
    receiver=$!
    processes+=("$receiver")
    for _ in $(seq 500); do
        address=$(sed -n 's/^listening on //p' "$work/err")
        [ -z "$address" ] || return 0
        sleep 0.01
    done
    verdict bad "a receiver says within 5 seconds that it listens"
    exit 1
}
end() {
    status=0
    wait "$receiver" || status=$?
}
send() { timeout 20 "$UDPBATCH" send --quiet --to "$address" "$@" >/dev/null; }

# Until the command succeeds, for 10 seconds at most, or until the receiver has ended.
wait_until() {
    for _ in $(seq 1000); do
        ! "$@" && kill -0 "$receiver" 2>/dev/null || return 0
        sleep 0.01
    done
}
has_bytes() { [ -e "$1" ] && [ "$(wc -c <"$1")" -eq "$2" ]; }

# complains SENTENCE STATUS TEXT ARGUMENT...: recv says one line with the text, and ends so.
complains() {
    local sentence=$1 expected=$2 text=$3 answer=bad
    shift 3
    status=0
    timeout 10 "$UDPBATCH" recv "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    [ "$status" -eq "$expected" ] && [ "$(wc -l <"$work/err")" -eq 1 ] &&
        grep -qF -- "$text" "$work/err" && answer=ok
    verdict "$answer" "$sentence"
}

has_json=no has_pcap=no
"$UDPBATCH" recv --json --bind none 2>&1 | grep -q jansson || has_json=yes
"$UDPBATCH" recv --bind 127.0.0.1:0 --pcap "$work/try" --for 0.01 2>&1 | grep -q libpcap ||
    has_pcap=yes
command -v jq >/dev/null || has_json=no

# ---- Bad arguments -----------------------------------------------------------------------------

bind=(--bind 127.0.0.1:0)
for interval in 0 -1 0.001 x 1x '' nan; do
    complains "--interval '$interval' is refused" 2 "--interval $interval: write a number" \
        "${bind[@]}" --interval "$interval"
done
if [ $has_pcap = yes ]; then
    complains "a capture and payloads are not both written" 2 "choose one" \
        "${bind[@]}" --pcap a -o b
    complains "a capture has no lines" 2 "no lines" "${bind[@]}" --pcap "$work/none" --lines
    complains "an address in use does not empty a capture" 2 "cannot listen" --bind 192.0.2.1:9 \
        --pcap "$work/none"
else
    complains "a capture takes libpcap, whatever the address" 2 "without libpcap" \
        --bind 192.0.2.1:9 --pcap "$work/none"
fi
check "nor make one" test ! -e "$work/none"
if [ $has_pcap = yes ]; then
    complains "a capture has a name" 2 "the name of the file is missing" "${bind[@]}" --pcap ''
    complains "one capture is written" 2 "one capture at a time" "${bind[@]}" \
        --pcap "$work/none" --pcap "$work/none"
    complains "a capture that cannot be written is complained of" 2 "No such file" "${bind[@]}" \
        --pcap "$work/none/capture"
    [ ! -e /dev/full ] || complains "as is one that has no room at all" 2 "No space left" \
        "${bind[@]}" --pcap /dev/full
else
    echo "not checked: captures, which this udpbatch was built without"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
fi
if [ $has_json = yes ] && [ $has_pcap = yes ]; then
    complains "--json and a capture do not share standard output" 2 "give --pcap a file" \
        "${bind[@]}" --pcap - --json
fi

# ---- Numbered packets --------------------------------------------------------------------------

# numbered TOTAL STAMP NUMBER...: headers of 32 bytes, as send --count has them.
numbered() {
    local total=$1 stamp=$2 number
    shift 2
    for number in "$@"; do
        printf '\xf5udp\0\0\0\x2a'
        printf '%016x%016x%016x' "$number" "$total" "$stamp" | sed 's/../\\x&/g' | xargs -0 printf
    done
}

numbered 10 "$(date +%s%N)" 0 1 1 4 3 5 9 >"$work/numbered"
start "${bind[@]}" --count 7 -o /dev/null
send --size 32 "$work/numbered"
end
check "numbered packets are received" is "$status" 0
check "their sender is named" grep -q "^from 127.0.0.1:[0-9]*, stream 0000002a$" "$work/err"
check "with what came, was lost, duplicated and reordered" \
    has_line "^  7 received, 4 lost (40 %), 1 duplicated, 1 reordered$"
check "and the delay" has_line "^  delay .* min, .* p50, .* p90, .* p99, .* max$"
check "in lines of less than 80 columns" eval '! grep -q ".\{80\}" "$work/err"'

printf 'f%.0s' $(seq 32) >"$work/other"
numbered 0 $((1 << 62)) 0 1 >>"$work/other"
start "${bind[@]}" --count 3 -o "$work/copy"
send --size 32 "$work/other"
end
check "other packets are not followed" has_line "^  2 received, 0 lost (0 %)"
check "packets that came before they left show two clocks" \
    has_line "^  no delays: 2 came before they left, the clocks differ$"
check "and have no delays" eval '! grep -q "^  delay" "$work/err"'
check "their payloads are written as any" cmp "$work/other" "$work/copy"

if "$UDPBATCH" send --help | grep -q -- --count; then
    start "${bind[@]}" --count 1000 -o /dev/null
    check "send --count sends numbered packets" send --count 1000 --size 200
    end
    check "all of which come once and in order" \
        has_line "^  1000 received, 0 lost (0 %), 0 duplicated, 0 reordered$"
    check "with delays, as both ends have one clock" has_line "^  delay"
fi

if [ $has_json = yes ]; then
    start "${bind[@]}" --count 7 -o /dev/null --json
    send --size 32 "$work/numbered"
    end
    check "the JSON has a sender" holds "$work/out" '.report == "result" and
        (.senders | length) == 1 and .not_followed == 0'
    check "with the same" holds "$work/out" '.senders[0] | .stream == "0000002a" and .total == 10 and
        .received == 7 and .lost == 4 and .duplicated == 1 and .reordered == 1 and .too_late == 0 and
        .came_before_they_left == 0'
    check "and the delays in order" holds "$work/out" '.senders[0].delay_ns |
        .min > 0 and .min <= .p50 and .p50 <= .p90 and .p90 <= .p99 and .p99 <= .max'
fi

# ---- Intervals, and the totals so far ----------------------------------------------------------

start "${bind[@]}" --for 0.5 --interval 0.2 -o /dev/null
end
check "intervals without a packet have a line" \
    has_line "^0\.00-0\.[0-9]* s 0 packets 0 B, 0 pps 0 bit/s, 0 dropped$"
grep -o "^[0-9.]*-[0-9.]* s" "$work/err" | tr -d 's ' >"$work/intervals"
check "there are several" test "$(wc -l <"$work/intervals")" -gt 1
check "each begins where the last one ended" \
    awk -F- '$1 != to { exit 1 } { to = $2 }' to=0.00 "$work/intervals"

start "${bind[@]}" -o "$work/copy" --interval 100
send --size 32 "$work/numbered"
wait_until has_bytes "$work/copy" 224
kill -USR1 "$receiver"
wait_until has_line "so far$"
check "SIGUSR1 prints the totals so far" has_line "^received 7 packets, 224 bytes in .*, so far$"
check "in which what was not sent yet is not lost" has_line "^  7 received, 4 lost"
kill -INT "$receiver"
end
check "and the end is as usual" has_line "^received 7 packets, 224 bytes in .*, interrupted$"
check "the last interval is shorter" has_line "^0.00-[0-9.]* s 7 packets 224 B, .*, 0 dropped$"

if [ $has_json = yes ]; then
    start "${bind[@]}" --count 14 -o "$work/copy" --json --interval 0.05
    send --size 32 "$work/numbered"
    wait_until has_bytes "$work/copy" 224
    kill -USR1 "$receiver"
    wait_until grep -q '"totals"' "$work/out"
    send --size 32 "$work/numbered"
    end
    check "with --json a stream of objects ends with the result" is \
        "$(jq -r .report "$work/out" | uniq | sort -u | tr '\n' ' ')$(jq -r .report "$work/out" |
            tail -n 1)" "interval result totals result"
    check "the intervals have all packets" is \
        "$(jq -s 'map(select(.report == "interval") | .packets) | add' "$work/out")" 14
    check "the totals those that had come" is \
        "$(jq 'select(.report == "totals") | .packets' "$work/out")" 7
    check "nothing but the address is on standard error" is "$(wc -l <"$work/err")" 1
fi

# ---- A standard error that does not take all ----------------------------------------------------

# fails_to_write WHEN: each write for which that holds, see strace(1).
fails_to_write() {
    status=0
    ASAN_OPTIONS=detect_leaks=0 timeout 20 strace -f -qq -o /dev/null \
        -e inject=write,writev:error=ENOSPC:when="$1" \
        "$UDPBATCH" recv "${bind[@]}" -o /dev/null --for 0.01 2>"$work/err" || status=$?
}

if strace -o /dev/null true 2>/dev/null; then
    fails_to_write 1
    check "a line that cannot be written, and a report that can, make the status 0" is "$status" 0
    check "and it is the line that is missing" is "$(head -c 10 "$work/err")" "received 0"
    fails_to_write 2+
    check "the other way round it is 1" is "$status" 1
    check "and the line is there" is "$(head -c 10 "$work/err") $(wc -l <"$work/err")" "listening  1"
else
    echo "not checked: a report that cannot be written: strace"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
fi

# ---- A terminal --------------------------------------------------------------------------------

# on_terminal COMMAND: its output is a terminal, from which all is in $work/typescript.
on_terminal() { timeout 20 script -qec "$1" /dev/null </dev/null >"$work/typescript"; }

# receives_on_terminal LOCALE OPTION...: what of $work/sequence the terminal gets.
receives_on_terminal() {
    local locale=$1
    shift
    : >"$work/err"
    on_terminal "LC_ALL=$locale '$UDPBATCH' recv --bind 127.0.0.1:0 --count 1 $* 2>'$work/err'" &
    receiver=$!
    wait_until has_line "^listening"
    address=$(sed -n 's/^listening on //p' "$work/err")
    send "$work/sequence"
    end
}

# A terminal by each of its names, and one of another set of characters.
terminals() {
    local name
    printf 'gr\303\274\303\237e\033[2J\033]0;title\a\tend\n' >"$work/sequence"
    for name in - /dev/stdout /dev/tty; do
        receives_on_terminal C.UTF-8 -o $name
        check "a terminal, as $name, gets the text of payloads, and no orders" \
            is "$(cat "$work/typescript")" "$(printf 'gr\303\274\303\237e?[2J?]0;title?\tend\r')"
        [ $has_pcap = yes ] || continue
        status=0
        on_terminal "'$UDPBATCH' recv --bind 127.0.0.1:0 --for 1 --pcap $name 2>'$work/err'" || status=$?
        check "nor a capture" is "$status $(wc -l <"$work/err") $(grep -c "is a terminal" "$work/err")" \
            "2 1 1"
        check "of which it gets nothing" test ! -s "$work/typescript"
    done
    receives_on_terminal C
    check "one without UTF-8 gets ASCII alone" \
        is "$(cat "$work/typescript")" "$(printf 'gr????e?[2J?]0;title?\tend\r')"
}

if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    terminals
else
    echo "not checked: what a terminal gets: script"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
fi

# ---- Captures ----------------------------------------------------------------------------------

head -c 100000 /dev/urandom >"$work/file" # 84 datagrams, the last one of 400 bytes

# Payloads and ports are random, and not to be taken for what they may look like; nor does the user's
# configuration count.
export WIRESHARK_CONFIG_DIR=$work
read_capture() { tshark -d udp.port==1-65535,data -r "$@"; }

# reads FILE PACKETS: tshark finds that many packets, and nothing wrong with them.
reads() {
    local wrong="_ws.expert || _ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0"
    local verify=(-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE)
    read_capture "$1" "${verify[@]}" -T fields -e frame.number >"$work/packets" 2>"$work/tshark" &&
        is "$(wc -l <"$work/packets")" "$2" &&
        is "$(grep -v '^Running as user' "$work/tshark")" "" &&
        is "$(read_capture "$1" "${verify[@]}" -Y "$wrong" 2>/dev/null)" ""
}
payloads_of() {
    read_capture "$1" -T fields -e udp.payload 2>/dev/null | tr -d ':\n' | cksum
}
hex_of() { od -An -v -tx1 "$@" | tr -d ' \n' | cksum; }

captures() {
    local hosts=(127.0.0.1) host
    [ ! -e /proc/net/if_inet6 ] || ! grep -q '^0\{31\}1 ' /proc/net/if_inet6 || hosts+=('[::1]')
    start --bind :0 --count $((84 * ${#hosts[@]})) --pcap "$work/capture"
    for host in "${hosts[@]}"; do
        address="$host:${address##*:}"
        send --ttl 77 --tos 0xb9 "$work/file"
    done
    end
    check "a capture is written" is "$status" 0
    check "tshark reads it without a complaint" reads "$work/capture" $((84 * ${#hosts[@]}))
    check "with the payloads" is "$(payloads_of "$work/capture")" \
        "$(hex_of "${hosts[@]/*/$work/file}")"
    check "the addresses and ports" is "$(read_capture "$work/capture" -c 1 -T fields -E separator=, \
        -e ip.src -e ip.dst -e udp.dstport -e ip.ttl -e ip.dsfield 2>/dev/null)" \
        "127.0.0.1,127.0.0.1,${address##*:},77,0xb9"
    [ ${#hosts[@]} -eq 1 ] || check "and the same of IPv6" is \
        "$(read_capture "$work/capture" -Y ipv6 -T fields -E separator=, -e ipv6.src -e ipv6.dst \
            -e udp.dstport -e ipv6.hlim -e ipv6.tclass 2>/dev/null | sort -u)" \
        "::1,::1,${address##*:},77,0x000000b9"
    check "in nanoseconds" is "$(od -An -tx4 -N4 "$work/capture" | tr -d ' ')" a1b23c4d

    start "${bind[@]}" --for 0.05 --pcap "$work/capture"
    end
    check "an empty capture is one" reads "$work/capture" 0

    mkfifo "$work/live" 2>/dev/null || true
    timeout 20 tcpdump -nn --immediate-mode -U -r "$work/live" -w "$work/seen" 2>/dev/null &
    reader=$!
    start "${bind[@]}" --pcap "$work/live"
    send "$work/file"
    wait_until has_bytes "$work/seen" $((24 + 84 * (16 + 28) + 100000))
    check "a reader of a pipe has the packets while it goes on" reads "$work/seen" 84
    kill "$reader"
    wait "$reader" || true
    send "$work/file"
    end
    check "a reader that goes away makes the status 1" is "$status" 1
    check "and is complained of" has_line "Broken pipe"
}

# fills WHAT FILE: recv writes to a disk that has no room for 84 packets, in a mount of its own, and
# leaves the file in $work/full.
fills() {
    "${own_mount[@]}" bash -euc '
        mkdir "$1/disk"
        mount -t tmpfs -o size=64k none "$1/disk"
        : >"$1/err"
        "$2" recv --bind 127.0.0.1:0 --count 84 "$3" "$1/disk/file" 2>"$1/err" &
        until grep -q listening "$1/err"; do sleep 0.01; done
        "$2" send --quiet --to "$(sed -n "s/^listening on //p" "$1/err")" "$1/file" >/dev/null
        status=0
        wait $! || status=$?
        cp "$1/disk/file" "$1/full"
        umount "$1/disk"
        rmdir "$1/disk"
        exit $status' - "$work" "$UDPBATCH" "$1"
}
own_mount=(unshare -m)
[ "$(id -u)" = 0 ] || own_mount=(unshare -Urm)
reported() { sed -n "s/^received \([0-9]*\) packets, \([0-9]*\) bytes.*/\\$1/p" "$work/err"; }

full_disks() {
    local what
    for what in -o $([ $has_pcap = no ] || echo --pcap); do
        status=0
        fills "$what" || status=$?
        check "on a full disk recv $what ends with status 1" is "$status" 1
        check "and one complaint" is "$(grep -c "No space left" "$work/err")" 1
        check "having written something" test "$(reported 1)" -gt 0
        if [ "$what" = -o ]; then
            check "exactly what it reports" is "$(wc -c <"$work/full")" "$(reported 2)"
            check "of what was sent" cmp -n "$(reported 2)" "$work/file" "$work/full"
        elif command -v tshark >/dev/null; then
            check "exactly what it reports" reads "$work/full" "$(reported 1)"
        fi
    done
}

if [ $has_pcap = yes ] && command -v tshark >/dev/null && command -v tcpdump >/dev/null; then
    captures
elif [ $has_pcap = yes ]; then
    echo "not checked: what captures hold: tshark and tcpdump"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
fi
if "${own_mount[@]}" true 2>/dev/null; then
    full_disks
else
    echo "not checked: a full disk: a mount of one's own"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
fi

echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ]
