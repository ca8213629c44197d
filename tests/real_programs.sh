#!/usr/bin/env bash
# real_programs.sh: what udpbatch sends is taken by programs that others wrote, and what it writes is
# read by them: a resolver's questions, captured by tcpdump, replayed and received; socat; iperf3's
# own server; tshark.
#
# Everything happens in a network namespace of its own, which ends with the script.
set -eu

if [ -z "${UDPBATCH_OWN_NETWORK:-}" ]; then
    missing=
    for program in unshare ip tcpdump tshark dnsmasq getent socat iperf3 jq od; do
        command -v "$program" >/dev/null || missing+=" $program"
    done
    [ "$(id -u)" = 0 ] || missing+=" root's privileges"
    "$UDPBATCH" send --to 127.0.0.1:9 --pcap /dev/null 2>&1 | grep -q "built without" &&
        missing+=" libpcap in this udpbatch"
    if [ -n "$missing" ]; then
        echo "not here:$missing"
        [ -n "${CI:-}" ] && exit 1 || exit 77
    fi
    exec env UDPBATCH_OWN_NETWORK=1 unshare -nm bash "$0"
fi

. "$(dirname "$0")/verdict.sh"
mount --make-rprivate /
ip link set lo up
: >"$work/err"

# until_true COMMAND...: repeats it until it succeeds, for at most twenty seconds.
until_true() {
    local last=$((SECONDS + 20))
    until "$@" 2>/dev/null; do
        [ $SECONDS -lt $last ] || { echo "never true: $*" >&2; return 1; }
        sleep 0.01
    done
}

# is_bound PORT: whether a UDP socket has the port.
is_bound() {
    grep -q "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") " /proc/net/udp /proc/net/udp6
}

# is_empty PORT: whether it has nothing left to read.
is_empty() {
    ! grep "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") " /proc/net/udp /proc/net/udp6 |
        grep -qv ' [0-9A-F]*:00000000 00:'
}

# agree SENTENCE FILE FILE: they are the same, and not empty.
agree() {
    if [ -s "$2" ] && cmp "$2" "$3" >"$work/err" 2>&1; then
        verdict ok "$1"
    else
        verdict bad "$1"
    fi
}

# ends SENTENCE PID: it ends by itself, with status 0.
ends() {
    status=0
    wait "$2" || status=$?
    [ "$status" = 0 ] && verdict ok "$1" || verdict bad "$1"
}

# capture FILE FILTER: tcpdump in the background, as $tcpdump.
capture() {
    rm -f "$work/tcpdump" # of the one before
    tcpdump -i lo -Z root -U -w "$1" "$2" 2>"$work/tcpdump" &
    tcpdump=$!
    processes+=("$tcpdump")
    until_true grep -q 'listening on' "$work/tcpdump"
}

# end_capture FILE PACKETS: when it has as many.
end_capture() {
    rm -f "$work/tcpdump" # of the one before
    until_true has_packets "$1" "$2"
    kill -INT "$tcpdump"
    wait "$tcpdump"
}

has_packets() {
    [ "$(tshark -r "$1" 2>/dev/null | wc -l)" -ge "$2" ]
}

# payloads FILE FILTER: each in hexadecimal digits, in a line.
payloads() {
    tshark -r "$1" -Y "$2" -T fields -e udp.payload 2>"$work/err"
}

# is_clean SENTENCE CAPTURE PACKETS: tshark reads so many, and has nothing to say against any, sums
# included. It is not to guess what payloads mean.
is_clean() {
    tshark -r "$2" -d udp.port==1-65535,data -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -T fields -e udp.checksum.status -e ip.checksum.status -e _ws.expert.severity \
        -e _ws.malformed >"$work/judged" 2>"$work/err" || echo "tshark failed" >>"$work/err"
    # What it says as root of itself is not about the capture.
    sed -i '/^Running as user/d' "$work/err"
    # 1 is good; an IPv6 header has no sum.
    if [ ! -s "$work/err" ] && [ "$(wc -l <"$work/judged")" -eq "$3" ] &&
        ! grep -qvP '^1\t1?\t\t$' "$work/judged"; then
        verdict ok "$1"
    else
        sed -n 1,5p "$work/judged" >>"$work/err"
        verdict bad "$1"
    fi
}

# ---- A resolver's questions --------------------------------------------------------------------

echo "nameserver 127.0.0.1" >"$work/resolv.conf"
echo "hosts: dns" >"$work/nsswitch.conf"
mount --bind "$work/resolv.conf" "$(readlink -f /etc/resolv.conf)"
mount --bind "$work/nsswitch.conf" /etc/nsswitch.conf
dnsmasq --keep-in-foreground --user=root --no-resolv --no-hosts --no-poll --conf-file=/dev/null \
    --pid-file= --listen-address=127.0.0.1 --bind-interfaces --address=/example.test/192.0.2.1 \
    --address=/example.test/2001:db8::1 2>"$work/dnsmasq" &
processes+=($!)
until_true is_bound 53

capture "$work/dns.pcap" 'udp port 53'
for ((i = 0; i < 50; i++)); do
    getent ahosts "host$i.with.a.name.of.some.length.example.test" >"$work/answer"
done
end_capture "$work/dns.pcap" 200
payloads "$work/dns.pcap" udp >"$work/dns.all"
payloads "$work/dns.pcap" 'udp.dstport == 53' >"$work/dns.questions"

# receive_copy ARGUMENT...: a receiver that writes a capture, as $receiver at $address.
receive_copy() {
    rm -f "$work/listening"
    "$UDPBATCH" recv --bind 127.0.0.1:0 --buffer 4M "$@" 2>"$work/listening" &
    receiver=$!
    processes+=("$receiver")
    until_true grep -q '^listening on' "$work/listening"
    address=$(sed -n 's/^listening on //p' "$work/listening")
}

receive_copy --count "$(wc -l <"$work/dns.all")" --pcap "$work/copy.pcap"
"$UDPBATCH" send --quiet --pcap "$work/dns.pcap" --to "$address" >"$work/sent" 2>"$work/err"
ends "a resolver's talk is replayed to a receiver" "$receiver"
payloads "$work/copy.pcap" udp >"$work/copy.all"
agree "and comes as it was, payload by payload" "$work/dns.all" "$work/copy.all"
is_clean "tshark reads the receiver's capture without a complaint" "$work/copy.pcap" \
    "$(wc -l <"$work/dns.all")"

receive_copy --count "$(wc -l <"$work/dns.questions")" --pcap "$work/copy.pcap"
"$UDPBATCH" send --quiet --pcap "$work/dns.pcap" --map "127.0.0.1:53=$address" >"$work/sent" \
    2>"$work/err"
ends "its questions alone are replayed by a map" "$receiver"
payloads "$work/copy.pcap" udp >"$work/copy.questions"
agree "and come as they were" "$work/dns.questions" "$work/copy.questions"

capture "$work/again.pcap" 'udp dst port 53'
"$UDPBATCH" send --quiet --pcap "$work/dns.pcap" --map "127.0.0.1:53=127.0.0.1:53" --no-trains \
    >"$work/sent" 2>"$work/err"
end_capture "$work/again.pcap" "$(wc -l <"$work/dns.questions")"
payloads "$work/again.pcap" udp >"$work/again"
agree "a server is asked them again" "$work/dns.questions" "$work/again"

# ---- socat ---------------------------------------------------------------------------------------

head -c 100000 /dev/urandom >"$work/file"
socat -u UDP4-RECV:4001,bind=127.0.0.1,rcvbuf=4000000 "CREATE:$work/by_socat" &
processes+=($!)
until_true is_bound 4001
"$UDPBATCH" send --quiet --to 127.0.0.1:4001 --size 1000 "$work/file" >"$work/sent" 2>"$work/err"
has_size() {
    [ "$(stat -c %s "$1")" -ge "$2" ]
}
until_true has_size "$work/by_socat" 100000
agree "socat receives a file" "$work/file" "$work/by_socat"

receive_copy --count 100 --output "$work/from_socat"
socat -u -b 1000 "OPEN:$work/file" "UDP4-SENDTO:$address"
ends "what socat sends is received" "$receiver"
agree "and is the file" "$work/file" "$work/from_socat"

# ---- iperf3 --------------------------------------------------------------------------------------

# The states of iperf3's control connection, by its source (iperf_api.h).
readonly TEST_START=1 TEST_RUNNING=2 TEST_END=4 PARAM_EXCHANGE=9 CREATE_STREAMS=10 \
    EXCHANGE_RESULTS=13 DISPLAY_RESULTS=14 IPERF_DONE=16

is_listening() {
    grep -q "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") [0-9A-F:]* 0A" /proc/net/tcp /proc/net/tcp6
}

serve() { # serve PORT FILE
    iperf3 -s -1 -J -p "$1" >"$2" 2>&1 &
    server=$!
    processes+=("$server")
    until_true is_listening "$1"
}

state_is() { # state_is STATE: the next that the server tells
    [ "$(timeout 10 head -c 1 <&3 | od -An -tu1 | tr -d ' ')" = "$1" ]
}

say() { # say STATE
    printf "\\x$(printf %x "$1")" >&3
}

say_object() { # say_object JSON: behind its length
    printf "\\x00\\x00\\x$(printf '%02x\\x%02x' $((${#1} >> 8)) $((${#1} & 255)))%s" "$1" >&3
}

hear_object() {
    local bytes
    bytes=$(timeout 10 head -c 4 <&3 | od -An -tu1 | awk '{ print $3 * 256 + $4 }')
    timeout 10 head -c "$bytes" <&3 >/dev/null
}

# converse: all that an iperf3 client says to its server, but for the packets, which are replayed.
converse() {
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf '%s\0' "udpbatch0123456789abcdefghijklmnopqr" >&3 # the cookie: 36 characters
    state_is $PARAM_EXCHANGE || return 1
    say_object '{"udp":true,"omit":0,"time":0,"num":60000,"blockcount":0,"parallel":1,"len":1000,"client_version":"3"}'
    state_is $CREATE_STREAMS || return 1
    cat "$work/iperf3.pcap" >&4
    state_is $TEST_START && state_is $TEST_RUNNING || return 1
    until_true is_empty "$1" || return 1
    say $TEST_END
    state_is $EXCHANGE_RESULTS || return 1
    say_object '{"cpu_util_total":0,"cpu_util_user":0,"cpu_util_system":0,"sender_has_retransmits":-1,"streams":[{"id":1,"bytes":60000,"retransmits":-1,"jitter":0,"errors":0,"packets":60,"start_time":0,"end_time":1}]}'
    hear_object
    state_is $DISPLAY_RESULTS || return 1
    say $IPERF_DONE
    exec 3>&-
}

# The server's port is the client's first; its own packets are 60 of 1000 bytes.
serve 5201 "$work/first.json"
capture "$work/iperf3.pcap" 'udp port 5201'
iperf3 -u -c 127.0.0.1 -p 5201 -n 60000 -l 1000 -b 0 >"$work/client" 2>&1
wait "$server"
end_capture "$work/iperf3.pcap" 62 # and the two by which both meet

# By a pipe that stays open: the server answers the first packet, and a sender that has ended by then
# would be a closed port.
mkfifo "$work/feed"
"$UDPBATCH" send --quiet --pcap "$work/feed" --map 127.0.0.1:5201=127.0.0.1:5202 >"$work/sent" \
    2>"$work/err" &
sender=$!
processes+=("$sender")
exec 4>"$work/feed"
serve 5202 "$work/second.json"
if converse 5202; then
    wait "$server" || true
    received=$(jq '.end.streams[0].udp | "\(.packets) \(.lost_packets) \(.out_of_order)"' \
        "$work/second.json")
    [ "$received" = '"60 0 0"' ] && judged=ok || judged=bad
    cp "$work/second.json" "$work/err"
else
    judged=bad
fi
exec 4>&-
wait "$sender" || judged=bad
verdict $judged "iperf3's server takes what is replayed for its client's packets, and misses none"

echo "$checked checked, $failed failed"
[ "$failed" = 0 ]
