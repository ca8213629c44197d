#!/usr/bin/env bash
# cli_send.sh: numbered packets, rates, captures, and what udpbatch send tells while it goes on.
set -eu
[ -n "${BEYOND_EMULATOR:-}" ] || unset UDPBATCH_GSO # whatever it is outside

. "$(dirname "$0")/receivers.sh"

head -c 100000 /dev/urandom >"$work/file" # 84 datagrams, the last one of 400 bytes

# number FILE OFFSET BYTES: the number in network byte order that is there.
number() {
    local hex
    hex=$(od -An -v -t x1 -j "$2" -N "$3" "$1" | tr -d ' \n')
    echo $((16#$hex))
}

# figure NAME WHAT: of the two lines of a report, as in "12 packets," or "3 unsent".
figure() { sed -n "s/.*[^0-9]\([0-9][0-9]*\) $2.*/\1/p" "$work/$1"; }

between() { [ "$2" -ge "$1" ] && [ "$2" -le "$3" ] || { echo "        $2" >&4; false; }; }
fails() { local status=0; "${@:2}" || status=$?; is "$status" "$1"; }

has() { [ "$(grep -c "$1" "$2")" -ge "$3" ]; }

# start NAME OPTION...: a sender in the background, its process in $sender, which can be signalled.
start() {
    "$UDPBATCH" send --quiet "${@:2}" >"$work/$1" 2>"$work/$1.err" &
    sender=$!
    processes+=("$sender")
}

with_json=no
if "$UDPBATCH" send --json --to 127.0.0.1:9 /dev/null >/dev/null 2>&1 && command -v jq >/dev/null
then
    with_json=yes
else
    echo "not checked: JSON, which this udpbatch was built without, or there is no jq"
fi
with_captures=no
if ! "$UDPBATCH" send --pcap none --to 127.0.0.1:9 2>&1 | grep -q "without libpcap"; then
    with_captures=yes
else
    echo "not checked: captures, which this udpbatch was built without"
fi

# ---- Numbered packets --------------------------------------------------------------------------

# headers NAME SIZE FIRST LAST TOTAL: of the payloads in a file, each of so many bytes.
headers() {
    local file=$work/$1 size=$2 at=0 i
    for i in $(seq "$3" "$4"); do
        is "$(number "$file" "$at" 4)" $((0xf5756470)) || return 1
        is "$(number "$file" $((at + 4)) 4)" "$(number "$file" 4 4)" || return 1
        is "$(number "$file" $((at + 8)) 8)" "$i" || return 1
        is "$(number "$file" $((at + 16)) 8)" "$5" || return 1
        at=$((at + size))
    done
}

receive numbered --bind 127.0.0.1:0 --count 20 -o "$work/numbered"
first=$address first_receiver=$receiver
receive numbered2 --bind 127.0.0.1:0 --count 20 -o "$work/numbered2"
check "--count 20 sends 20 packets to each target" \
    send --count 20 --size 40 --to "$first" --to "$address" >"$work/sent"
check "and reports them" is "$(figure sent packets,)" 40
check "with --size bytes each" is "$(figure sent bytes)" 1600
check "one target gets all" wait "$first_receiver"
check "the other one, too" wait "$receiver"
check "with a header in which they are numbered" headers numbered 40 0 19 20
check "for each target the same" headers numbered2 40 0 19 20
check "the rest is the same in all" is \
    "$(od -An -t u1 -j 32 -N 8 "$work/numbered")" "$(od -An -t u1 -j 792 -N 8 "$work/numbered")"

receive again --bind 127.0.0.1:0 --count 1 -o "$work/again"
check "without --size" send --count 1 --to "$address" >"$work/sent"
check "packets have 1200 bytes" is "$(figure sent bytes)" 1200
check "and arrive" wait "$receiver"
check "each run has a stream of its own" \
    [ "$(number "$work/again" 4 4)" -ne "$(number "$work/numbered" 4 4)" ]

receive long --bind 127.0.0.1:0 --count 2 -o "$work/long"
check "--size 65507 is possible" send --count 2 --size 65507 --to "$address" >/dev/null
check "and arrives" wait "$receiver"
check "numbered" headers long 65507 0 1 2

# The bucket holds one packet, so that one late wait can bring two packets together, but not more.
receive paced --bind 127.0.0.1:0 --count 5 -o "$work/paced"
check "packets of a slow rate" send --count 5 --size 32 --rate 10pps --to "$address" >/dev/null
check "arrive" wait "$receiver"
took_ms=$((($(number "$work/paced" 152 8) - $(number "$work/paced" 24 8)) / 1000000))
check "and have the times at which they left ($took_ms ms)" [ "$took_ms" -ge 250 ]
age=$(($(date +%s) - $(number "$work/paced" 152 8) / 1000000000))
check "by the clock of the day" between 0 "$age" 100

# ---- Until a time ------------------------------------------------------------------------------

receive until --bind 127.0.0.1:0 --for 20 -o "$work/until"
check "--for ends with success" send --for 0.3 --size 32 --rate 1kpps --to "$address" >"$work/sent"
kill -TERM "$receiver" && wait "$receiver" || true
sent=$(figure sent packets,)
check "of the packets for which the time was too short none is unsent" is "$(figure sent unsent)" 0
took_ms=$(sed -n 's/.* in 0\.\([0-9]*\) s.*/\1/p' "$work/sent")
check "as many have left in $took_ms ms as the rate allows, and the bucket holds" \
    between 1 "$sent" $((10#${took_ms:-0} + 5))
check "no number is missing" is "$(wc -c <"$work/until")" $((32 * sent))
check "and nobody was told how many there would be" headers until 32 0 $((sent - 1)) 0
check "the time was the one asked for" grep -q " in 0\.[3-9]" "$work/sent"

check "--for ends a rate that lets nothing more leave" \
    send --for 0.2 --rate 0.01pps --to "$address" >"$work/sent"
check "after one packet" is "$(figure sent packets,)" 1
receive both --bind 127.0.0.1:0 --count 3 -o "$work/both"
check "--count may end it before" send --count 3 --for 60 --to "$address" >"$work/sent"
check "when all are sent" is "$(figure sent packets,)" 3
check "and have arrived" wait "$receiver"
check "which nobody was told before" headers both 1200 0 2 0
check "or --for, when they are not" \
    send --count 1000 --for 0.2 --rate 100pps --to "$address" >"$work/sent"
check "which is no failure" is "$(figure sent unsent)" 0

# In a network where a queue lets 8 kbit/s through, and the socket soon has no room.
blocked() {
    "${own_network[@]}" bash -euc '
        ip link add near type veth peer name far
        ip link set near up
        ip link set far up
        ip address add 192.0.2.1/24 dev near
        ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev near
        tc qdisc add dev near root tbf rate 8kbit burst 2k limit 100m
        exec "$@"' - "$@"
}
own_network=(unshare -n)
[ "$(id -u)" = 0 ] || own_network=(unshare -Urn)
if blocked true 2>/dev/null; then
    check "--for ends a socket that has no room" \
        blocked timeout 20 "$UDPBATCH" send -q --for 0.3 --stats --to 192.0.2.2:9 >"$work/sent"
    check "in which there was none" grep -q "^waits  *[1-9]" "$work/sent"
    check "though it was not the rate" grep -q "^paced  *0" "$work/sent"
else
    echo "not checked: a socket without room: a network of one's own, and tc"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
fi

# ---- Rate and burst ----------------------------------------------------------------------------

check "a rate in bits" send --count 2 --size 1200 --rate 19200bit --to "$address" >"$work/sent"
check "has eight of them in a byte" grep -q " in 0\.[5-9]\| in [1-9]" "$work/sent"
check "packets of --burst 1" \
    send --count 100 --rate 20kpps --burst 1 --stats --to "$address" >"$work/sent"
check "leave one by one" grep -q "^trains  *0" "$work/sent"
check "bytes of --burst, too" \
    send --count 100 --rate 200Mbit --burst 1K --stats --to "$address" >"$work/sent"
check "if a packet has more" grep -q "^trains  *0" "$work/sent"
check "which the rate was what they waited for" grep -q "^paced  *[1-9]" "$work/sent"

# ---- What was left over ------------------------------------------------------------------------

# adds_up NAME ALL: sent, refused and unsent.
adds_up() { is $(($(figure "$1" packets,) + $(figure "$1" refused) + $(figure "$1" unsent))) "$2"; }

# ended NAME ALL OPTION...: a sender to two targets, one of which refuses all, that Ctrl-C ends when
# the first packet has arrived.
ended() {
    receive "$1-receiver" --bind 127.0.0.1:0 --count 1 -o /dev/null
    start "$1" --to "$address" --to 127.255.255.255:9 --rate 1pps "${@:3}"
    check "a packet of $1 arrives" wait "$receiver"
    kill -INT "$sender"
    check "Ctrl-C makes the status 1" fails 1 wait "$sender"
    check "and tells the totals" grep -q "interrupted$" "$work/$1"
    check "in which none is missing" adds_up "$1" "$2"
}
ended a-file 168 "$work/file"
ended many-numbered-packets 20000 --count 10000
printf '1\n2\n3\n4\n' >"$work/four"
ended lines 8 --lines "$work/four"

start timed --to 127.0.0.1:9 --for 60 --rate 100pps --interval 0.01
check "a sender begins" until_true has " packets " "$work/timed" 1
kill -TERM "$sender"
check "--for that is interrupted makes the status 1" fails 1 wait "$sender"

# ---- Refusals ----------------------------------------------------------------------------------

for i in $(seq 300); do echo "127.0.0.$((i % 100)):$((1000 + i))"; done >"$work/refusing"
check "from an address of another host, to 300 targets and one of them twice" fails 1 \
    send --from 192.0.2.77 --targets "$work/refusing" --to 127.0.0.1:1001 "$work/file" >"$work/sent"
check "each of them has a line" is "$(grep -c ' refused [0-9]*: ' "$work/sent")" 300
check "with its count" grep -q "^127.0.0.2:1002 refused 84: " "$work/sent"
check "which is twice that for the one" grep -q "^127.0.0.1:1001 refused 168: " "$work/sent"

seq 1000000 | awk '{ print "127." int($1 / 65536) "." int($1 / 256) % 256 "." $1 % 256 ":9" }' \
    >"$work/million"
check "a list of a million targets can be sent to" \
    send --targets "$work/million" /dev/null >/dev/null
if (ulimit -v 30000 && "$UDPBATCH" --version) >/dev/null 2>&1; then
    check "or is too many for the memory" fails 2 \
        bash -c 'ulimit -v 30000; "$@"' - "$UDPBATCH" send --targets "$work/million" /dev/null \
        2>"$work/complaint"
    check "which a line says" is "$(grep -cE "million:[0-9]*: .*: (Cannot allocate|Out of) memory$" \
        "$work/complaint")/$(wc -l <"$work/complaint")" 1/1
else
    echo "not checked: a list that the memory has no room for, as the program needs much"
fi

# ---- Intervals ---------------------------------------------------------------------------------

mkfifo "$work/pipe"
start idle --to "$address" --interval 0.2 "$work/pipe"
exec 3>"$work/pipe"
check "intervals are told while it goes on, also those without packets" \
    until_true has " s 0 packets 0 B, 0 pps 0 bit/s, 0 refused$" "$work/idle" 2
exec 3>&-
check "and the sender ends with its source" wait "$sender"
narrow() { ! grep -q '.\{80\}' "$1"; }
check "a line of them has less than 80 columns" narrow "$work/idle"

check "with --interval" send --for 0.3 --rate 5kpps --interval 0.2 --to "$address" >"$work/sent"
check "what was sent is told in parts" has " packets " "$work/sent" 1
check "which add up" is "$(sed -n 's/.* s \([0-9]*\) packets .*/\1/p' "$work/sent" |
    awk '{ sum += $1 } END { print sum }')" "$(figure sent packets,)"
check "and follow each other from 0" awk '
    / packets / { split($1, times, "-"); if (times[1] != last + 0) exit 1; last = times[2] }
    END { exit last < 0.2 }' "$work/sent"

if command -v script >/dev/null; then
    timeout 20 script -qec "stty cols 100; '$UDPBATCH' send --for 1 --rate 100pps --interval 0.2 \
        --to $address" /dev/null | tr '\r' '\n' >"$work/terminal"
    check "on a terminal there are a bar" grep -q '% \[' "$work/terminal"
    check "and the intervals" has " packets " "$work/terminal" 1
    unmixed() { ! grep " packets " "$1" | grep -v '^[0-9.]*-[0-9.]* s '; }
    check "which do not mix" unmixed "$work/terminal"
fi

# ---- SIGUSR1 -----------------------------------------------------------------------------------

# asked NAME OPTION...: a sender of lines, which is asked for the totals when one has arrived, and
# then goes on.
asked() {
    receive "$1-receiver" --bind 127.0.0.1:0 --count 1 -o /dev/null
    start "$1" --lines --to "$address" "${@:2}" "$work/pipe"
    exec 3>"$work/pipe"
    echo one >&3
    check "a line arrives" wait "$receiver"
    kill -USR1 "$sender"
}
asked totals
check "SIGUSR1 prints the totals so far on standard error" \
    until_true has "^sent 1 packets, 3 bytes .*, so far$" "$work/totals.err" 1
printf 'two\nthree\n' >&3
exec 3>&-
check "and the sender goes on to its end" wait "$sender"
check "with the result on standard output" \
    grep -q "^sent 3 packets, 11 bytes in .* packets/s$" "$work/totals"
check "and nothing else" is "$(wc -l <"$work/totals")" 2

# ---- JSON --------------------------------------------------------------------------------------

# all FILTER FILE: holds for the array of all objects in the file.
all() { jq -se "$1" "$2" >/dev/null; }

json() {
    asked stream --json --interval 0.02
    check "with --json SIGUSR1 prints an object on standard output" \
        until_true has '"report": "totals"' "$work/stream" 1
    check "and an interval is one" until_true has '"report": "interval"' "$work/stream" 3
    exec 3>&-
    check "until the sender ends" wait "$sender"
    check "and nothing is on standard error" is "$(cat "$work/stream.err")" ""
    check "the totals are those so far" all \
        'map(select(.report == "totals")) | length == 1 and .[0].sent == 1' "$work/stream"
    check "the last object is the result, the only one" all \
        '.[-1].report == "result" and (map(select(.report == "result")) | length == 1)' \
        "$work/stream"
    check "totals and result have the same members" all \
        '(map(select(.report == "totals"))[0] | keys) == (.[-1] | keys)' "$work/stream"
    check "the intervals add up to it" all '. as $all | map(select(.report == "interval")) |
        (map(.sent) | add) == $all[-1].sent and
        (map(.bytes) | add) == $all[-1].bytes' "$work/stream"
    check "and follow each other" all 'map(select(.report == "interval")) |
        .[0].from == 0 and ([.[:-1][].to] == [.[1:][].from])' "$work/stream"
    check "with these members" is \
        "$(jq -c 'select(.report == "interval") | keys_unsorted' "$work/stream" | sort -u)" \
        "$(jq -nc '["report", "version", "backend", "from", "to", "sent", "bytes", "refused",
            "packets_per_second", "bits_per_second", "waits", "system_calls"]')"
    check "rates are per second" all 'map(select(.report == "interval" and .sent > 0))[0] |
        (.packets_per_second * (.to - .from) - .sent | fabs) < 0.001 and
        (.bits_per_second * (.to - .from) - 8 * .bytes | fabs) < 0.001' "$work/stream"
    check "numbered packets have no other object" all '.[0].sent == 7 and .[0].targets == 1' \
        <(send --json --count 7 --to "$address")
}
[ "$with_json" = no ] || json

# ---- Captures ----------------------------------------------------------------------------------

# As it was captured: raw IP, without a link header. Some packets are not to be sent.
#
# hex BYTES...: writes them.
hex() { printf "$(printf '%s' "$@" | sed 's/../\\x&/g')"; }
# record FLAGS PROTOCOL LENGTH PAYLOAD [HOST]: an IPv4 packet from 192.0.2.1:9 to port 9 of 192.0.2.2,
# or another host in hex, with four bytes of payload; LENGTH is what its UDP header says.
record() {
    hex 00000000 00000000 00000020 00000020
    hex 4500 0020 0000 "$1" 40 "$2" 0000 c0000201 "${5:-c0000202}" 0009 0009 "$3" 0000
    printf '%s' "$4"
}
begin_capture() { hex a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065; }
# To two hosts by turns, one payload each.
make_turns() {
    begin_capture
    record 0000 11 000c one1 c0000202
    record 0000 11 000c two2 c0000203
    record 0000 11 000c thr3 c0000202
    record 0000 11 000c fou4 c0000203
}
make_capture() {
    begin_capture
    record 0000 11 000c good
    record 2000 11 000c part # more fragments follow
    record 0000 01 000c ping # ICMP
    record 0000 11 ffff long # than the packet
    record 0000 11 000c more
}

captures() {
    make_capture >"$work/capture"
    receive payloads --bind 127.0.0.1:0 --count 2 --lines -o "$work/payloads"
    check "the payloads of a capture are sent to the targets" \
        send --pcap "$work/capture" --to "$address" >"$work/sent" 2>"$work/warning"
    check "and arrive" wait "$receiver"
    check "as they were captured" is "$(tr '\n' ' ' <"$work/payloads")" "good more "
    check "what was skipped is told" \
        grep -q "^skipped of the capture: 1 other, 1 fragments, 1 damaged$" "$work/sent"
    check "with a line that warns of what was lost" is "$(cat "$work/warning")" \
        "udpbatch send: warning: skipped of $work/capture: 1 fragments, 1 damaged"

    receive mapped --bind 127.0.0.1:0 --count 2 --lines -o "$work/payloads"
    check "or to where their own addresses are mapped" \
        send --pcap "$work/capture" --map 192.0.2.2=127.0.0.1:1 --map ":9=127.0.0.1:2" \
        --map "*=$address" >"$work/sent" 2>&1
    check "by the first one that fits" eval '! kill -0 "$receiver" || kill "$receiver"'
    wait "$receiver" || true
    receive mapped --bind 127.0.0.1:0 --count 2 --lines -o "$work/payloads"
    check "which may be the last" send --pcap "$work/capture" --map 192.0.2.3=127.0.0.1:1 \
        --map "192.0.2.2:9=$address" >"$work/sent" 2>&1
    check "and arrive there" wait "$receiver"
    check "from standard input, too" send --pcap - --map "*=127.0.0.1" <"$work/capture" \
        >"$work/sent" 2>&1
    check "two" is "$(figure sent packets,)" 2

    make_turns >"$work/turns"
    receive turns --bind 0.0.0.0:0 --count 4 --lines -o "$work/payloads"
    check "to several addresses, too" send --pcap "$work/turns" \
        --map "192.0.2.2=127.0.0.1:${address##*:}" --map "192.0.2.3=127.0.0.2:${address##*:}" \
        >/dev/null
    check "they arrive" wait "$receiver"
    check "in the capture's order" is "$(tr '\n' ' ' <"$work/payloads")" "one1 two2 thr3 fou4 "

    check "what no rule fits is skipped" \
        send --pcap "$work/capture" --map 192.0.2.3=127.0.0.1 >"$work/sent" 2>"$work/warning"
    check "which is told" grep -q "1 damaged, 2 unmapped$" "$work/sent"
    check "and warned of" grep -q "2 unmapped$" "$work/warning"
    check "addresses of their own may refuse" fails 1 \
        send --pcap "$work/capture" --map '*=127.255.255.255' >"$work/sent" 2>&1
    check "which are named" grep -q "^127.255.255.255:9 refused 2: Permission denied" "$work/sent"
    check "and none is unsent" is "$(figure sent unsent)" 0
    [ "$with_json" = yes ] || return 0
    check "the object tells what was skipped" all '.[0].skipped ==
        { other: 1, fragments: 1, truncated: 0, damaged: 1, unmapped: 2 } and .[0].targets == null' \
        <(send --json --pcap "$work/capture" --map 192.0.2.3=127.0.0.1 2>/dev/null)
}
[ "$with_captures" = no ] || captures

# ---- What is wrong -----------------------------------------------------------------------------

# complains TEXT OPTION...: one line on stderr with the text in it, nothing on stdout, status 2.
complains() {
    local text=$1 status=0
    shift
    send --to 127.0.0.1:9 "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    is "$status" 2 && is "$(wc -l <"$work/err")" 1 && [ ! -s "$work/out" ] &&
        grep -qF -- "$text" "$work/err" || { sed 's/^/        /' "$work/err" >&4; false; }
}
refuses() { check "refused: ${*:2}" complains "$@"; }

for count in 0 -1 1.5 many 9223372036854775808 99999999999999999999 ''; do
    refuses "above 0" --count "$count"
done
refuses "too large" --count 9223372036854775807 --to 127.0.0.1:10
for seconds in 0 -1 soon nan inf 1e9 1000000001 ''; do
    refuses "above 0" --for "$seconds"
done
for seconds in 0 0.009 -1 nan 1000000001 ''; do
    refuses "from 0.01" --interval "$seconds"
done
for burst in 0 -1 nan 0x10 4G 64X ''; do
    refuses "64K" --rate 1kpps --burst "$burst"
done
refuses "--burst needs --rate" --burst 64
refuses "--size must be 32 or more" --count 1 --size 31
refuses "--size must be 32 or more" --for 1 --size 1
refuses "give either a file, or --count" --count 1 "$work/file"
refuses "give either a file, or --count" --for 1 -
refuses "give either --lines, or --count" --count 1 --lines
refuses "--speed is for --pcap" --speed 1
refuses "--map is for --pcap" --map '*=127.0.0.1'
if [ "$with_captures" = yes ]; then
    refuses "give either --pcap, or --count" --pcap "$work/file" --count 1
    refuses "give either --pcap, or --count" --pcap "$work/file" --for 1
    refuses "give either --pcap or a file" --pcap "$work/file" "$work/file"
    refuses "give either --pcap or --lines" --pcap "$work/file" --lines
    refuses "or --size" --pcap "$work/file" --size 100
    refuses "give either --speed or --rate" --pcap "$work/file" --speed 1 --rate 1kpps
    refuses "give either --map, or --to" --pcap "$work/file" --map '*=127.0.0.1'
    refuses "one capture" --pcap "$work/file" --pcap "$work/file"
    refuses "the name of the file is missing" --pcap ''
    refuses "$work/none" --pcap "$work/none"
    refuses "$work/file" --pcap "$work/file"
    for factor in 0 -1 nan 0.0001 1e3 1000001 ''; do
        refuses "such as 2.0" --pcap "$work/file" --speed "$factor"
    done
fi

# ---- A small stack -----------------------------------------------------------------------------

if [ -n "${BEYOND_EMULATOR:-}" ] || [[ ${CFLAGS:-} == *-fsanitize* ]]; then
    echo "not checked: a stack of 64 KiB, which an emulator or sanitizer takes for itself"
else
    printf '#!/bin/sh\nulimit -S -s 64\nexec "%s" "$@"\n' "$UDPBATCH" >"$work/narrow"
    chmod +x "$work/narrow"
    UDPBATCH=$work/narrow
    receive narrow --bind 127.0.0.1:0 --count 500 --stats -o "$work/through"
    check "a stack of 64 KiB is enough to send" \
        send --count 500 --rate 10kpps --to "$address" >"$work/sent"
    check "and to receive" wait "$receiver"
    check "and for probe" "$UDPBATCH" probe >"$work/probed"
fi

echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ]
