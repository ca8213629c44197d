#!/usr/bin/env bash
# cli_transfer.sh: what udpbatch send sends, udpbatch recv receives, byte for byte.
set -eu
unset UDPBATCH_GSO # whatever it is outside

. "$(dirname "$0")/receivers.sh"

# ---- A file to two receivers of two families -------------------------------------------------

head -c 100000 /dev/urandom >"$work/file" # 84 datagrams, the last one of 400 bytes
families=(127.0.0.1)
if [ -e /proc/net/if_inet6 ] && grep -q '^0\{31\}1 ' /proc/net/if_inet6; then
    families+=('[::1]')
fi
targets=()
pids=()
for host in "${families[@]}"; do
    receive "file$host" --bind "$host:0" --count 84 -o "$work/copy$host"
    targets+=(--to "$address")
    pids+=("$receiver")
done
check "a file is sent to ${#families[@]} receivers" \
    send "${targets[@]}" "$work/file" >"$work/sent"
for i in "${!families[@]}"; do
    check "the receiver on ${families[i]} ends after --count packets" wait "${pids[i]}"
    check "and has written what was sent" cmp "$work/file" "$work/copy${families[i]}"
done
check "the sender counts datagrams, and none refused or unsent" \
    grep -q " 0 refused, 0 unsent" "$work/sent"
check "the receiver counts packets" grep -q "^received 84 packets, 100000 bytes" \
    "$work/file127.0.0.1.err"

# ---- Lines, standard input, a list of targets -------------------------------------------------

printf 'first\n\nthird\nno newline at the end' >"$work/lines"
receive lines --bind 127.0.0.1:0 --count 4 --lines -o "$work/lines.copy"
printf '# the only one\n\n  %s   # and its comment\n' "$address" >"$work/targets"
check "lines are sent from standard input to the targets of a file" \
    send --lines --targets "$work/targets" - <"$work/lines" >/dev/null
check "their receiver ends" wait "$receiver"
{ cat "$work/lines" && echo; } >"$work/lines.expected"
check "an empty line is an empty datagram, and the newlines come back" \
    cmp "$work/lines.expected" "$work/lines.copy"

mkfifo "$work/pipe"
receive live --bind 127.0.0.1:0 --count 1 -o /dev/null
send --lines --to "$address" "$work/pipe" >/dev/null &
sender=$!
exec 3>"$work/pipe"
echo "while the pipe is open" >&3
check "a line from a pipe arrives before the pipe is closed" wait "$receiver"
exec 3>&-
check "and the sender ends when it is closed" wait "$sender"

receive empty --bind 127.0.0.1:0 --for 0.3 -o "$work/empty.copy"
check "an empty file is sent as no datagram, successfully" send --to "$address" /dev/null \
    >/dev/null
check "--for ends a receiver" wait "$receiver"
check "which has written nothing" is "$(wc -c <"$work/empty.copy")" 0

receive bytes --bind :0 --count 300 -o "$work/bytes.copy"
head -c 300 "$work/file" >"$work/bytes"
check "--size 1 sends a datagram per byte, to a receiver on all addresses" \
    send --size 1 --to "127.0.0.1:${address##*:}" "$work/bytes" >/dev/null
check "which gets as many" wait "$receiver"
check "and all of them" cmp "$work/bytes" "$work/bytes.copy"

# backends COMMAND OPTION...: those that it offers.
backends() { "$UDPBATCH" "$@" --backend none 2>&1 | sed 's/.*there are //; s/,//g' || true; }
for backend in $(backends recv); do
    receive "$backend" --bind 127.0.0.1:0 --count 84 -o "$work/copy" --backend "$backend"
    check "the back end $backend sends a file" \
        send --backend "$backend" --to "$address" "$work/file" >/dev/null
    check "and receives it" wait "$receiver"
    check "unchanged" cmp "$work/file" "$work/copy"
done

truncate -s 12M "$work/shrinking"
receive shrinking --bind 127.0.0.1:0 --count 1 -o /dev/null
send --size 60000 --rate 20pps --to "$address" "$work/shrinking" >/dev/null 2>"$work/complaint" &
sender=$!
check "a datagram of a file arrives" wait "$receiver"
truncate -s 0 "$work/shrinking"
status=0
wait "$sender" || status=$?
check "a file that becomes shorter makes the status 1" is "$status" 1
check "and is complained of" grep -q "became shorter" "$work/complaint"

# ---- Trains ------------------------------------------------------------------------------------

# figure FILE NAME: of the rows that --stats prints.
figure() {
    sed -n "s/^$2  *\([0-9][0-9]*\)$/\1/p" "$1"
}

# The library sends no trains on kernels that have none, and on those known to damage them.
case $(uname -sr) in
"Linux "[0-3].* | "Linux 4."?[!0-9]* | "Linux 4.1"[0-7][!0-9]*) trains_here=no ;;
"Linux 7.0"[!0-9]* | "Linux 7.1."[0-4] | "Linux 7.1."[0-4][!0-9]*) trains_here=no ;;
Linux*) trains_here=yes ;;
*) trains_here=no ;;
esac
[ "$trains_here" = yes ] || echo "not checked: trains, as there are none on this system"

has_trains() { [ "$trains_here" = no ] || [ "$1" -gt 0 ]; }
has_row() { [ "$trains_here" = no ] || grep -q "$1" "$2"; }

# The rows below the two lines of the report.
rows_fit() { [ "$(wc -l <"$1")" -gt 8 ] && ! tail -n +3 "$1" | grep -q '.\{40\}'; }

# transfer HOST SEND-OPTION RECV-OPTION: the file, to one receiver, and the statistics of both.
transfer() {
    local host=$1 sent_by=$2 received_by=$3
    receive trains --bind "$host:0" --count 84 -o "$work/copy" --stats $received_by
    check "a file is sent to $host with --stats $sent_by" \
        send --stats $sent_by --to "$address" "$work/file" >"$work/stats"
    check "it is received with --stats $received_by" wait "$receiver"
    check "and arrives unchanged" cmp "$work/file" "$work/copy"
    check "--stats counts the packets sent" is "$(figure "$work/stats" packets)" 84
    check "and their bytes" is "$(figure "$work/stats" bytes)" 100000
    check "and those received" is "$(figure "$work/trains.err" packets)" 84
    check "and their bytes" is "$(figure "$work/trains.err" bytes)" 100000
}

for host in "${families[@]}"; do
    transfer "$host" "" ""
    check "in trains" has_trains "$(figure "$work/stats" trains)"
    check "of which a row says the size" has_row '^  33-64  *[1-9][0-9]* #' "$work/stats"
    check "which are received as such" has_trains "$(figure "$work/trains.err" trains)"
    check "the statistics fit into 40 columns" rows_fit "$work/stats"

    transfer "$host" --no-trains ""
    check "without trains" is "$(figure "$work/stats" trains)" 0
    check "but 84 packets by themselves" grep -q '^  1  *84 ##########$' "$work/stats"
    check "and received without" is "$(figure "$work/trains.err" trains)" 0

    transfer "$host" "" --no-trains
    check "in trains" has_trains "$(figure "$work/stats" trains)"
    check "which are received without" is "$(figure "$work/trains.err" trains)" 0

    export UDPBATCH_GSO=off
    transfer "$host" "" ""
    unset UDPBATCH_GSO
    check "without trains, as UDPBATCH_GSO=off says" is "$(figure "$work/stats" trains)" 0
done

receive part --bind 127.0.0.1:0 --count 50 -o "$work/copy" --stats
check "a receiver that ends within a train" send --to "$address" "$work/file" >/dev/null
check "ends successfully" wait "$receiver"
check "has written what it was asked for" is "$(wc -c <"$work/copy")" 60000
check "reports that" grep -q "^received 50 packets, 60000 bytes" "$work/part.err"
check "and has the same in its statistics" is "$(figure "$work/part.err" packets)" 50

# ---- What each datagram is sent with -----------------------------------------------------------

# filtered FILTER COMMAND...: in a network of its own, from which no datagram to port 9 gets out but
# those that the filter knows. The others are refused.
filtered() {
    "${own_network[@]}" bash -euc '
        ip link set lo up
        ip link add near type veth peer name far
        ip link set near up
        ip link set far up
        ip address add 192.0.2.1/24 dev near
        ip address add 192.0.2.2/24 dev far
        ip address add 2001:db8::1/128 dev lo || true
        nft add table inet test
        nft "add chain inet test out { type filter hook output priority 0; }"
        nft add rule inet test out $1 accept
        nft add rule inet test out udp dport 9 drop
        shift
        exec "$@"' - "$@"
}

own_network=(unshare -n)
[ "$(id -u)" = 0 ] || own_network=(unshare -Urn)

# leaves FILTER TARGET OPTION...: the datagrams leave with what the filter wants, because of the
# options.
leaves() {
    local filter=$1 target=$2
    shift 2
    local command=(timeout 20 "$UDPBATCH" send --quiet --to "$target")
    check "datagrams to $target leave with '$filter' by $*" \
        filtered "$filter" "${command[@]}" "$@" "$work/file" >/dev/null
    check "and not without" refused filtered "$filter" "${command[@]}" "$work/file" >/dev/null
}
refused() {
    local status=0
    "$@" || status=$?
    is "$status" 1
}

if filtered "udp dport 9" true 2>/dev/null; then
    leaves "@nh,8,8 0xb9" 127.0.0.1:9 --tos 0xb9
    leaves "@nh,8,8 18" 127.0.0.1:9 --tos 18
    leaves "ip ttl 7" 127.0.0.1:9 --ttl 7
    leaves "ip saddr 127.0.0.7" 127.0.0.1:9 --from 127.0.0.7
    leaves "oifname far" 192.0.2.9:9 --interface far
    leaves "ip ttl 7 ip saddr 127.0.0.7 @nh,8,8 1" 127.0.0.1:9 --ttl 7 --from 127.0.0.7 --tos 1
    if [ ${#families[@]} -gt 1 ]; then
        leaves "@nh,4,8 0xb9" '[::1]:9' --tos 0xB9
        leaves "ip6 hoplimit 255" '[::1]:9' --ttl 255
        leaves "ip6 saddr 2001:db8::1" '[::1]:9' --from 2001:db8::1
    fi
else
    echo "not checked: what datagrams are sent with: a network of one's own, and nft"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
fi

status=0
send --from 192.0.2.77 --to 127.0.0.1:9 "$work/file" >"$work/refused" || status=$?
check "an address of another host makes the status 1" is "$status" 1
check "and a line with the count and the reason" grep -q "^127.0.0.1:9 refused 84: " "$work/refused"

# ---- Past the network stack --------------------------------------------------------------------

# across SEND-OPTION...: the file, from one network to another, by xdp; what the sender reports is in
# $work/xdp. Slowly enough that it is many calls, of which the first ones ask the way.
across() {
    "${own_network[@]}" bash -euc '
        work=$1 UDPBATCH=$2
        shift 2
        unshare -n sleep 30 &
        far=$!
        trap "kill $far" EXIT
        until [ "$(readlink "/proc/$far/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
            sleep 0.01
        done
        ip link add near type veth peer name far netns "$far"
        ip link set near up
        ip address add 192.0.2.1/24 dev near
        nsenter -t "$far" -n ip link set far up
        nsenter -t "$far" -n ip address add 192.0.2.2/24 dev far
        # Until the carrier is known to be there, what is sent is lost.
        until ip link show near | grep -q "state UP" &&
            nsenter -t "$far" -n ip link show far | grep -q "state UP"; do
            sleep 0.01
        done
        nsenter -t "$far" -n timeout 20 "$UDPBATCH" recv --bind 192.0.2.2:9 --count 84 \
            -o "$work/copy" 2>"$work/xdp.err" &
        receiver=$!
        until grep -q listening "$work/xdp.err"; do sleep 0.01; done
        timeout 20 "$UDPBATCH" send --quiet --to 192.0.2.2:9 --rate 4Mbit --backend xdp \
            --interface near "$@" "$work/file" >"$work/xdp"
        wait "$receiver"' - "$work" "$UDPBATCH" "$@"
}
above() { [ "$1" -gt "$2" ]; }
words_fit() { ! tail -n +3 "$1" | grep -q '.\{40\}'; }

by_xdp() {
    check "a file is sent by xdp" across --no-trains --stats
    check "and arrives unchanged" cmp "$work/file" "$work/copy"
    past=$(figure "$work/xdp" "past the stack") by=$(figure "$work/xdp" "by the socket")
    check "most of it past the stack" above "$past" 42
    check "the rest by the socket" is $((past + by)) "$(figure "$work/xdp" packets)"
    check "for reasons that are told" is "$by" \
        "$(sed '1,/^by the socket/d' "$work/xdp" | awk '{ sum += $2 } END { print sum }')"
    check "none of which is that the socket was not bound" is "$(figure "$work/xdp" "  socket")" ""
    check "nor that an interface was asked for" is "$(figure "$work/xdp" "  meta")" ""
    check "the queue is told" is "$(figure "$work/xdp" "xdp queue")" 0
    check "and the mode" grep -q "^xdp mode  *copy$" "$work/xdp"
    check "in 40 columns" words_fit "$work/xdp"
    check "with --xdp-mode copy and --queue 0 it is sent, too" \
        across --xdp-mode copy --queue 0 --size 1200 --stats
    check "and arrives unchanged" cmp "$work/file" "$work/copy"
}

xdp_json() {
    check "with --json it is sent, too" across --json --no-trains
    check "and tells mode and queue" is "$(member "$work/xdp" 'xdp | .mode, .queue')" '"copy"
0'
    check "and how many took which way" jq -e '.xdp.past_the_stack > 42 and
        .xdp.past_the_stack + .xdp.by_the_socket == .sent' "$work/xdp" >/dev/null
    check "and why" jq -e '([.xdp.detours[]] | add) == .xdp.by_the_socket' "$work/xdp" >/dev/null
    check "for each reason that there is" is "$(member "$work/xdp" 'xdp.detours | keys_unsorted')" \
        '["train","device","group","route","neighbour","size","meta","socket","order","ring","link"]'
}

if ! [[ " $(backends send) " = *" xdp "* ]]; then
    echo "not checked: xdp, which this udpbatch was built without"
elif [ -n "${BEYOND_EMULATOR:-}" ]; then # of another machine (emulation.cmake)
    echo "not checked: what xdp sends, as the emulator has no AF_XDP"
elif "${own_network[@]}" unshare -n true 2>/dev/null && command -v nsenter >/dev/null; then
    by_xdp
    if command -v jq >/dev/null && "$UDPBATCH" send --json "${targets[@]}" /dev/null >/dev/null 2>&1
    then
        xdp_json
    fi
else
    echo "not checked: what xdp sends: two networks of one's own"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
fi
send --stats --to 127.0.0.1:9 "$work/file" >"$work/stats"
check "without xdp there is nothing to tell of it" eval '! grep -q "xdp\|stack" "$work/stats"'

# ---- Rate -------------------------------------------------------------------------------------

receive rate --bind 127.0.0.1:0 --count 100 -o /dev/null
begun=$(date +%s%N)
check "--rate 200pps sends 100 datagrams" \
    send --rate 200pps --size 100 --to "$address" - < <(head -c 10000 "$work/file") >/dev/null
took_ms=$((($(date +%s%N) - begun) / 1000000))
check "which takes half a second ($took_ms ms), and not much less" [ "$took_ms" -ge 450 ]
check "and all arrive" wait "$receiver"

# ---- Refusals, and the end by a signal ---------------------------------------------------------

receive refused --bind 127.0.0.1:0 --count 84 -o /dev/null
status=0
send --to 127.255.255.255:9 --to "$address" "$work/file" >"$work/refused" || status=$?
check "a refused target makes the status 1" is "$status" 1
check "it has a line with the count and the reason" \
    grep -q "^127.255.255.255:9 refused 84: Permission denied" "$work/refused"
check "and the other target gets all" wait "$receiver"

receive stopped --bind 127.0.0.1:0 -o "$work/stopped.copy"
send --lines --to "$address" <"$work/lines" >/dev/null
until [ -s "$work/stopped.copy" ] || ! kill -0 "$receiver" 2>/dev/null; do sleep 0.01; done
# The signal goes to timeout, which passes it on and tells its own status then: none to check.
kill -TERM "$receiver"
wait "$receiver" || true
check "a receiver that SIGTERM ends reports what came" \
    grep -q "^received [1-4] packets" "$work/stopped.err"

# ---- Progress ----------------------------------------------------------------------------------

# On a terminal of 40 columns, the lines that a carriage return begins: the bar and its update.
bar_lines() {
    timeout 20 script -qec "stty cols 40; '$UDPBATCH' send --rate 2Mbit --to $address '$work/file'" \
        /dev/null | tr '\r' '\n' | grep '^ *[0-9]*% '
}
fits() { [ -s "$1" ] && ! grep -q '.\{40\}' "$1"; }
if command -v script >/dev/null; then
    receive bar --bind 127.0.0.1:0 --count 84 -o /dev/null
    bar_lines >"$work/bar" || true
    check "a terminal of 40 columns gets progress that fits into it" fits "$work/bar"
    check "with a bar" grep -q '\[#*\.*\]' "$work/bar"
fi
send --to "$address" --rate 2Mbit "$work/file" >/dev/null 2>"$work/quiet"
check "--quiet says nothing on stderr" is "$(cat "$work/quiet")" ""

# ---- JSON --------------------------------------------------------------------------------------

json() {
    receive json --bind 127.0.0.1:0 --count 84 -o /dev/null --json >"$work/recv.json"
    send --json --to 127.255.255.255:9 --to "$address" "$work/file" >"$work/send.json" || true
    check "with --json a receiver ends as well" wait "$receiver"
    check "and prints an object with what came" is "$(member "$work/recv.json" packets)" 84
    check "and in how many trains" has_trains "$(member "$work/recv.json" trains)"
    check "its address among it" is "$(member "$work/recv.json" address)" "\"$address\""
    check "a sender prints what was sent" is "$(member "$work/send.json" sent)" 84
    check "and what was refused" is "$(member "$work/send.json" refused)" 84
    check "and trains" has_trains "$(member "$work/send.json" trains)"
    check "and waits" is "$(member "$work/send.json" waits)" 0
    check "and its back end" test -n "$(member "$work/send.json" backend)"
    if command -v jq >/dev/null; then
        check "and by whom and why" is "$(member "$work/send.json" 'refusals[0] | .target, .errno')" \
            '"127.255.255.255:9"
13'
        check "and whose trouble that is" is "$(member "$work/send.json" refusals_by_kind)" \
            '{"busy":0,"packet":0,"target":84,"socket":0}'
        check "and trains by their size" \
            jq -e '.trains == ([.train_sizes[] | select(.to > 1) | .trains] | add)' \
            "$work/send.json" >/dev/null
        check "in sizes that leave none out" is \
            "$(jq -c '[.train_sizes[] | .from, .to]' "$work/send.json")" \
            '[1,1,2,2,3,4,5,8,9,16,17,32,33,64,65,128]'
    fi
}
if "$UDPBATCH" send --json --to 127.0.0.1:9 /dev/null >/dev/null 2>&1; then
    json
else
    echo "skipped --json: this udpbatch was built without it"
fi

echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ]
