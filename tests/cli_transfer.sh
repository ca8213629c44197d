#!/usr/bin/env bash
# cli_transfer.sh: what udpbatch send sends, udpbatch recv receives, byte for byte.
set -eu

: "${UDPBATCH:?set it to the udpbatch command}"
work=$(mktemp -d)
receivers=()
failed=0
checked=0

clean_up() {
    for pid in "${receivers[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT

# check SENTENCE COMMAND...: the sentence is true if the command succeeds. What the command prints
# can be redirected, the verdict goes where it always goes.
exec 4>&1
check() {
    local sentence=$1
    shift
    checked=$((checked + 1))
    if "$@"; then
        echo "ok      $sentence" >&4
    else
        echo "FAILED  $sentence" >&4
        failed=$((failed + 1))
    fi
}

# receive NAME OPTION...: starts a receiver, waits until it listens; its address is in $address,
# its process in $receiver, its messages in $work/NAME.err.
receive() {
    local name=$1
    shift
    : >"$work/$name.err"
    timeout 20 "$UDPBATCH" recv --buffer 4M "$@" 2>"$work/$name.err" &
    receiver=$!
    receivers+=("$receiver")
    for _ in $(seq 500); do
        address=$(sed -n 's/^listening on //p' "$work/$name.err")
        [ -z "$address" ] || return 0
        sleep 0.01
    done
    echo "FAILED  a receiver says within 5 seconds that it listens"
    cat "$work/$name.err"
    exit 1
}

send() {
    timeout 20 "$UDPBATCH" send --quiet "$@"
}

# A member of a JSON object, with what is there to read it.
member() {
    if command -v jq >/dev/null; then
        jq -c ".$2" "$1"
    else
        grep -o "\"$2\": *[^,}]*" "$1" | sed 's/^"[^"]*": *//'
    fi
}

is() { [ "$1" = "$2" ] || { echo "        '$1' is not '$2'" >&4; false; }; }

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

backends=$("$UDPBATCH" send --backend none 2>&1 | sed 's/.*there are //; s/,//g') || true
for backend in $backends; do
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
    check "its address among it" is "$(member "$work/recv.json" address)" "\"$address\""
    check "a sender prints what was sent" is "$(member "$work/send.json" sent)" 84
    check "and what was refused" is "$(member "$work/send.json" refused)" 84
    check "and its back end" test -n "$(member "$work/send.json" backend)"
    if command -v jq >/dev/null; then
        check "and by whom and why" is "$(member "$work/send.json" 'refusals[0] | .target, .errno')" \
            '"127.255.255.255:9"
13'
    fi
}
if "$UDPBATCH" send --json --to 127.0.0.1:9 /dev/null >/dev/null 2>&1; then
    json
else
    echo "skipped --json: this udpbatch was built without it"
fi

echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ]
