#!/usr/bin/env bash
# cli_errors.sh: every bad input gets one line that says what is wrong, and the right status.
set -eu

. "$(dirname "$0")/verdict.sh"

# run ARGUMENT...: sets $status, leaves the output in $work/out and $work/err. Words in $before
# precede the command.
before=()
run() {
    status=0
    timeout 10 "${before[@]}" "$UDPBATCH" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# complains SENTENCE STATUS TEXT ARGUMENT...: one line on stderr with the text in it, and the status.
complains() {
    local sentence=$1 expected=$2 text=$3 lines
    shift 3
    run "$@"
    lines=$(wc -l <"$work/err")
    if [ "$status" -eq "$expected" ] && [ "$lines" -eq 1 ] && grep -qF -- "$text" "$work/err" &&
        grep -q '^udpbatch' "$work/err"; then
        verdict ok "$sentence"
    else
        verdict bad "$sentence"
    fi
}

# helps SENTENCE TEXT ARGUMENT...: the text on stdout in lines of at most 80 columns, status 0.
helps() {
    local sentence=$1 text=$2
    shift 2
    run "$@"
    if [ "$status" -eq 0 ] && grep -qF -- "$text" "$work/out" && [ ! -s "$work/err" ] &&
        ! grep -q '.\{81\}' "$work/out"; then
        verdict ok "$sentence"
    else
        verdict bad "$sentence"
    fi
}

to=(--to 127.0.0.1:9)
bind=(--bind 127.0.0.1:0)

helps "--help lists the subcommands" "recv" --help
helps "help is --help" "send" help
helps "--version tells the version" "udpbatch " --version
helps "send --help lists its options" "--targets FILE" send --help
helps "recv --help lists its options" "--bind ADDR:PORT" recv --help
helps "help recv is recv --help" "--bind ADDR:PORT" help recv

complains "no subcommand is an error" 2 "--help"
complains "an unknown subcommand is named" 2 "juggle" juggle
complains "an unknown option before the subcommand is named" 2 "--juggle" --juggle
complains "an unknown option is named" 2 "--juggle" send "${to[@]}" --juggle
complains "an unknown letter is named" 2 "-z" send "${to[@]}" -z
complains "a missing argument is named" 2 "--size BYTES" send "${to[@]}" --size
complains "an argument too many is named" 2 "--quiet" send "${to[@]}" --quiet=yes
complains "a newline in an argument does not make two lines" 2 "jug?gle" send $'--jug\ngle'

complains "sending needs a target" 2 "--to HOST:PORT" send
complains "a target needs a port" 2 "HOST:PORT" send --to 127.0.0.1
complains "a target needs a host" 2 "HOST:PORT" send --to :9
complains "a target in brackets needs a port too" 2 "HOST:PORT" send --to '[::1]'
complains "port 0 is no target" 2 "1 to 65535" send --to 127.0.0.1:0
complains "a port ends at 65535" 2 "1 to 65535" send --to 127.0.0.1:65536
complains "a port is a number" 2 "1 to 65535" send --to 127.0.0.1:nine
complains "a port has no sign" 2 "1 to 65535" send --to 127.0.0.1:+9
complains "IPv6 needs brackets" 2 "[::1]" send --to ::1:9
complains "brackets need IPv6" 2 "[localhost]:9" send --to '[localhost]:9'
complains "an empty host in brackets is none" 2 "HOST:PORT" send --to '[]:9'

for size in 0 65508 -1 1.5 12k ten ''; do
    complains "--size '$size' is refused" 2 "1 to 65507" send "${to[@]}" --size "$size"
done
for rate in 0bit 0 -5kpps 10 10mph 1e3bit inf nan kpps 0x10bit ''; do
    complains "--rate '$rate' is refused" 2 "200Mbit" send "${to[@]}" --rate "$rate"
done
complains "a rate of nothing but noughts for long is refused" 2 "200Mbit" \
    send "${to[@]}" --rate "0.$(printf '0%.0s' {1..310})1bit"
for tos in 256 0x100 0x 0xbg ef -1 1.5 18446744073709551616 ''; do
    complains "--tos '$tos' is refused" 2 "from 0 to 255" send "${to[@]}" --tos "$tos"
done
for ttl in 0 256 -1 1.5 0x40 many ''; do
    complains "--ttl '$ttl' is refused" 2 "from 1 to 255" send "${to[@]}" --ttl "$ttl"
done
for from in localhost 127.0.0.1:9 127.1 '[::1]' ::1%lo -1 ''; do
    complains "--from '$from' is refused" 2 "an address of this host" send "${to[@]}" --from "$from"
done
for interface in none0 a.name.that.is.too.long 1 ''; do
    complains "--interface '$interface' is refused" 2 "--interface $interface: No such device" \
        send "${to[@]}" --interface "$interface"
done
for switch in no-trains stats; do
    complains "send --$switch takes no argument" 2 "takes no argument" \
        send "${to[@]}" "--$switch=yes"
    complains "recv --$switch takes no argument" 2 "takes no argument" \
        recv "${bind[@]}" "--$switch=yes"
done
complains "an unknown back end is answered with the names" 2 "portable" \
    send "${to[@]}" --backend juggler
complains "recv does the same" 2 "portable" recv "${bind[@]}" --backend juggler
complains "--size and --lines do not go together" 2 "--lines" send "${to[@]}" --size 9 --lines

complains "a file that is not there is named" 2 "$work/none: No such file" \
    send "${to[@]}" "$work/none"
complains "a directory is no file" 2 "Is a directory" send "${to[@]}" "$work"
complains "a second file is one too many" 2 "one file" send "${to[@]}" /dev/null /dev/null
complains "a list of targets that is not there is named" 2 "$work/none: No such file" \
    send --targets "$work/none"
printf '# none\n\n' >"$work/none.list"
complains "a list without targets is an error" 2 "$work/none.list" send --targets "$work/none.list"
printf '127.0.0.1:9\n# comment\n127.0.0.1:99999\n' >"$work/bad.list"
complains "a bad line of targets is named" 2 "$work/bad.list:3: " send --targets "$work/bad.list"
complains "a list given twice is an error" 2 "once" \
    send --targets "$work/none.list" --targets "$work/none.list"

complains "receiving needs an address" 2 "--bind ADDR:PORT" recv
complains "a local port ends at 65535" 2 "0 to 65535" recv --bind :65536
complains "an address of another machine cannot be listened on" 2 "cannot listen" \
    recv --bind 192.0.2.77:0
complains "recv takes no operand" 2 "file" recv "${bind[@]}" file
for count in 0 -1 1.5 many ''; do
    complains "--count '$count' is refused" 2 "above 0" recv "${bind[@]}" --count "$count"
done
for seconds in 0 -1 soon 1e99 ''; do
    complains "--for '$seconds' is refused" 2 "above 0" recv "${bind[@]}" --for "$seconds"
done
for size in 0 4X 4T huge 1G ''; do
    complains "--buffer '$size' is refused" 2 "such as 4M" recv "${bind[@]}" --buffer "$size"
done
complains "an output in no directory is named" 2 "$work/none/file" \
    recv "${bind[@]}" -o "$work/none/file"
complains "--json cannot share stdout with the payloads, or is not there" 2 "--json" \
    recv "${bind[@]}" --json

printf '127.0.0.1:9\0x\n' >"$work/nul"
complains "a NUL in a list of targets is named" 2 "$work/nul:1: " send --targets "$work/nul" /dev/null
{ printf '127.0.0.1:9\0' && head -c 4083 /dev/zero | tr '\0' x && echo 127.0.0.1:10; } >"$work/nul"
complains "and hides no target behind a long line" 2 "$work/nul:1: " send --targets "$work/nul" /dev/null

# ---- Past the network stack --------------------------------------------------------------------

for option in "--queue 0" "--xdp-mode auto"; do
    complains "$option is not for the best back end" 2 "${option% *} is for --backend xdp" \
        send "${to[@]}" $option
    complains "nor for another one" 2 "${option% *} is for --backend xdp" \
        send "${to[@]}" --backend portable $option
done
for queue in -1 1.5 0x1 4294967296 first ''; do
    complains "--queue '$queue' is refused" 2 "the first is 0" send "${to[@]}" --queue "$queue"
done
for mode in none Copy zerocopy ''; do
    complains "--xdp-mode '$mode' is refused" 2 "auto, copy or zero-copy" \
        send "${to[@]}" --xdp-mode "$mode"
done

xdp=(send "${to[@]}" --backend xdp)

# In a network of its own, where the interface is up that has no queue but the first.
at_device='ip link add near type veth peer name far
    ip link set near up
    ip link set far up
    exec "$@"'
own_network=(unshare -n)
[ "$(id -u)" = 0 ] || own_network=(unshare -Urn)
own_device=("${own_network[@]}" bash -euc "$at_device" -)

check_devices() {
    complains "an interface has to be given" 2 "needs --interface INTERFACE" "${xdp[@]}"
    complains "with a name" 2 "needs --interface INTERFACE" "${xdp[@]}" --interface ''
    complains "an unknown interface is none to send by" 2 "no such network interface" \
        "${xdp[@]}" --interface none0
    complains "whatever its name" 2 "a.name.that.is.too.long, queue 0: there is no such" \
        "${xdp[@]}" --interface a.name.that.is.too.long
    complains "loopback is no Ethernet device" 2 "an Ethernet device" "${xdp[@]}" --interface lo
    complains "recv does not receive by what only sends" 2 "it only sends" \
        recv "${bind[@]}" --backend xdp
    run recv "${bind[@]}" --backend juggler
    ! grep -q xdp "$work/err" && answer=ok || answer=bad
    verdict "$answer" "and does not offer it"
}

check_queues() {
    local near=("${xdp[@]}" --interface near)

    before=("${own_device[@]}")
    complains "a queue that is not there is named" 2 "near, queue 7: the interface has no such" \
        "${near[@]}" --queue 7
    complains "a driver may refuse a mode" 2 "refuses this mode; choose copy" \
        "${near[@]}" --xdp-mode zero-copy
    before+=(bash -euc 'ip link set near down; exec "$@"' -)
    complains "an interface has to be up" 2 "the interface is down" "${near[@]}"
    before=("${own_device[@]}" bash -euc 'ulimit -l 16; exec "$@"' - setpriv
        --bounding-set=-ipc_lock)
    complains "the limit of locked memory is told" 2 "ulimit -l" "${near[@]}"
    before=("${own_device[@]}" setpriv --bounding-set=-net_raw)
    complains "and the privilege" 2 "CAP_NET_RAW" "${near[@]}"
    # Until the first sender holds the queue, others have it; and what they had locked in memory is
    # given back some time after they have ended.
    before=("${own_device[@]}" bash -euc '
        sleep 20 | "$@" --quiet >/dev/null &
        for _ in $(seq 40); do
            status=0
            complaint=$("$@" --quiet 2>&1 >/dev/null </dev/null) || status=$?
            [ "$status" -eq 0 ] || [[ $complaint = *ulimit* ]] || break
        done
        echo "$complaint" >&2
        kill $(jobs -p)
        exit $status' -)
    complains "two senders have no queue in common" 2 "another program has this queue" \
        "${near[@]}" --xdp-mode copy
    before=()
}

if ! "$UDPBATCH" send --backend none 2>&1 | grep -q xdp; then
    echo "not checked: xdp, which this udpbatch was built without"
elif [ -n "${BEYOND_EMULATOR:-}" ]; then # of another machine (emulation.cmake)
    echo "not checked: the interface of xdp, as the emulator has no AF_XDP"
elif check_devices && ! "${own_device[@]}" setpriv --bounding-set=-net_raw true 2>/dev/null; then
    echo "not checked: the interface of xdp: a network of one's own, and setpriv"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
else
    check_queues
fi

# ---- What fails later --------------------------------------------------------------------------

{ echo "short" && head -c 65508 /dev/zero | tr '\0' x && echo; } >"$work/long"
complains "a line that is too long is named" 1 "line 2 " send -l "${to[@]}" "$work/long"
if grep -q "^sent 1 packets, 5 bytes" "$work/out"; then
    verdict ok "and what precedes it was sent"
else
    verdict bad "and what precedes it was sent"
fi

if [ -e /dev/full ]; then
    status=0
    timeout 10 "$UDPBATCH" --help >/dev/full 2>"$work/err" || status=$?
    [ "$status" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && answer=ok || answer=bad
    verdict "$answer" "a help that cannot be written makes the status 1"

    status=0
    timeout 10 "$UDPBATCH" send "${to[@]}" /dev/null >/dev/full 2>"$work/err" || status=$?
    [ "$status" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && answer=ok || answer=bad
    verdict "$answer" "a result that cannot be written makes the status 1"

    timeout 10 "$UDPBATCH" recv "${bind[@]}" >/dev/full 2>"$work/err" &
    receiver=$!
    for _ in $(seq 500); do
        address=$(sed -n 's/^listening on //p' "$work/err")
        [ -z "$address" ] || break
        sleep 0.01
    done
    echo "payload" | timeout 10 "$UDPBATCH" send -q --to "$address" >/dev/null
    status=0
    wait "$receiver" || status=$?
    [ "$status" -eq 1 ] && grep -q "^received 0 packets" "$work/err" &&
        grep -q "No space left" "$work/err" && answer=ok || answer=bad
    verdict "$answer" "a payload that cannot be written is not reported as written"

    : >"$work/err"
    status=0
    timeout 10 "$UDPBATCH" recv "${bind[@]}" -o /dev/null --for 0.01 -q 2>/dev/full || status=$?
    [ "$status" -eq 1 ] && answer=ok || answer=bad
    verdict "$answer" "what recv reports on a full standard error makes the status 1"
fi

status=0
timeout 10 "$UDPBATCH" send "${to[@]}" <&- >"$work/out" 2>"$work/err" || status=$?
[ "$status" -eq 2 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && answer=ok || answer=bad
verdict "$answer" "a closed standard input cannot be sent"

echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ]
