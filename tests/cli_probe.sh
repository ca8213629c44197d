#!/usr/bin/env bash
# cli_probe.sh: udpbatch probe tells what it tried, why not, and the command that changes it.
set -eu

. "$(dirname "$0")/verdict.sh"

# What is asked for in jq's words is taken from the answers, in one line each.
if ! "$UDPBATCH" probe --json >/dev/null 2>&1; then
    echo "cannot run here: this udpbatch is built without jansson"
    exit 77
fi

# check SENTENCE COMMAND...: the sentence is true if the command succeeds.
check() {
    local sentence=$1
    shift
    if "$@" >/dev/null 2>>"$work/err"; then
        verdict ok "$sentence"
    else
        verdict bad "$sentence"
    fi
}

# cannot REASON: some of it cannot be checked here, which is a failure with CI set.
cannot() {
    echo "not checked: $1"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
}

# run ARGUMENT...: sets $status, leaves the output in $work/out and $work/err. Words in $before
# precede the command.
before=()
run() {
    status=0
    timeout 20 "${before[@]}" "$UDPBATCH" probe "$@" >"$work/out" 2>"$work/err" </dev/null ||
        status=$?
}

# complains SENTENCE TEXT ARGUMENT...: status 2, and one line on stderr with the text in it.
complains() {
    complains_as probe "$@"
}

# asks SENTENCE ARGUMENT...: status 0, answers as JSON, and nothing on stderr.
asks() {
    local sentence=$1
    shift
    run --json "$@"
    if [ "$status" -eq 0 ] && [ ! -s "$work/err" ] && jq -e .complete "$work/out" >/dev/null; then
        verdict ok "$sentence"
    else
        verdict bad "$sentence"
    fi
}

# tell NAME MEMBER: of the last run's answers.
tell() { jq -r --arg name "$1" ".answers[] | select(.name == \$name) | .$2" "$work/out"; }

# is NAME STATE [TEXT]: that answer has that state, and the text in its reason or remedy.
is() {
    [ "$(tell "$1" state)" = "$2" ] &&
        { tell "$1" reason && tell "$1" remedy; } | grep -qF -- "${3-}" || {
        jq -c --arg name "$1" '.answers[] | select(.name == $name)' "$work/out" >>"$work/err"
        return 1
    }
}

fits() { [ -s "$2" ] && ! grep -v '^    [a-z]' "$2" | grep -q ".\\{$(($1 + 1))\\}"; }

# ---- Help and bad input -------------------------------------------------------------------------

run --help
check "--help helps" test "$status" -eq 0
check "in lines of 80 columns" fits 80 "$work/out"
for option in "--to HOST" "--interface INTERFACE" --json; do
    check "and names $option" grep -qF -- "$option" "$work/out"
done
complains "an operand is refused" "not an option" host
complains "an unknown option is named" "--juggle" --juggle
complains "--to needs a host" "the host is missing" --to ''
complains "--to :9 needs one, too" "the host is missing" --to :9
complains "a name that nobody has is refused" "nobody.invalid: " --to nobody.invalid
for port in 0 65536 -1 x ''; do
    complains "port '$port' is refused" "1 to 65535" --to "127.0.0.1:$port"
done
complains "a bracket has to be closed" "in brackets" --to '[::1'
complains "a name can be too long" "--to 000" --to "$(printf '%02000d' 0)"
for interface in none0 '' a.name.that.is.too.long $'a\nb'; do
    complains "the interface '$interface' is none" "no such network interface" \
        --interface "$interface"
done

# ---- This machine -------------------------------------------------------------------------------

asks "it asks the machine"
check "in one line" test "$(wc -l <"$work/out")" -eq 1
check "of a version" jq -e '.version | test("^[0-9.]+$")' "$work/out"
check "about no host and no device" jq -e '.to == null and .device == null' "$work/out"
check "with names that differ" \
    jq -e '[.answers[].name] | length > 10 and length == (unique | length)' "$work/out"
check "a state each" jq -e 'all(.answers[].state; IN("yes", "no", "unknown"))' "$work/out"
check "and a reason" jq -e 'all(.answers[]; (.reason | length) > 0)' "$work/out"
check "an answer is unknown for xdp, which needs a device, alone" \
    jq -e '[.answers[] | select(.state == "unknown").name] - ["backend_xdp"] == []' "$work/out"
for name in sendmmsg recvmmsg send_buffer receive_buffer backend_portable; do
    check "$name is there" is "$name" yes
done
check "zero copy is told of, if it is taken" eval '! is zerocopy no "does not tell"'
check "buffers have a size" jq -e '[.answers[].figures.bytes // empty] | min > 0' "$work/out"
for name in $(jq -r '.answers[].name' "$work/out"); do
    check "the manual tells of $name" grep -q "^\.It Cm .*\<$name\>" man/udpbatch.1
done
for host in 127.0.0.1 127.0.0.1:9 localhost; do
    asks "there is a route to $host" --to "$host"
    check "to its discard port" jq -e '.to == "127.0.0.1:9"' "$work/out"
    check "from this host" is route yes "from 127.0.0.1"
    check "by loopback" jq -e '.device == "lo"' "$work/out"
    check "with an MTU" jq -e '.answers[] | select(.name == "mtu").figures.mtu > 1000' "$work/out"
done
if [ -e /proc/net/if_inet6 ] && grep -q '^0*1 ' /proc/net/if_inet6; then
    for host in ::1 '[::1]' '[::1]:9'; do
        asks "there is a route to $host" --to "$host"
        check "from this host" is route yes "from ::1"
    done
    asks "a link-local address without its device is explained" --to fe80::1
    check "by how to write it" is route no "fe80::1%"
fi
asks "a device can be named" --interface lo
check "which is up" is link yes "lo is up"
check "and no way past the stack" is xdp_zero_copy no
for name in $(jq -r '.answers[].name' "$work/out"); do
    check "the manual tells of $name" grep -q "^\.It Cm .*\<$name\>" man/udpbatch.1
done

# ---- For people ---------------------------------------------------------------------------------

run --to 127.0.0.1
check "the table has lines of 80 columns" fits 80 "$work/out"
check "commands too" test "$(wc -L <"$work/out")" -le 80
check "it names what it asks for" grep -q '^yes  *sendmmsg  ' "$work/out"
run
check "it says what it did not ask" grep -q -- "--to HOST" "$work/out"
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    for columns in 40 80; do
        script -qec "stty cols $columns; '$UDPBATCH' probe --to 127.0.0.1" /dev/null </dev/null |
            tr -d '\r' >"$work/out"
        check "on a terminal, its lines have $columns columns" fits "$columns" "$work/out"
        check "and use them" test "$(wc -L <"$work/out")" -gt $((columns - 15))
    done
else
    cannot "terminals: script"
fi
if [ -e /dev/full ]; then
    for option in '' --json; do
        status=0
        "$UDPBATCH" probe $option >/dev/full 2>"$work/err" || status=$?
        check "answers that cannot be written make the status 1" test "$status" -eq 1
        check "in one line" test "$(wc -l <"$work/err")" -eq 1
    done
fi

# ---- Limits and switches -------------------------------------------------------------------------

before=(env UDPBATCH_GSO=off)
asks "UDPBATCH_GSO=off is seen"
check "and how to undo it" is trains no "unset UDPBATCH_GSO"
# Whoever runs the tests may have left some open.
closed='exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-'
before=(bash -euc "$closed"'; ulimit -n 8; exec "$@"' -)
asks "eight descriptors are enough" --interface lo
before=(bash -euc "$closed"'; ulimit -n 4; exec "$@"' -)
run --json
check "without descriptors the status is 1" test "$status" -eq 1
check "it says so" is sendmmsg unknown "cannot open sockets on loopback: "
check "and why" grep -qE "on loopback: (Too many open files|No file descriptors available)" "$work/out"
check "and that something is missing" jq -e '.complete == false' "$work/out"
before=()

# ---- Refused by the system -----------------------------------------------------------------------

# The leak check of a sanitizer is a tracer itself.
traced() { before=(env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null "$@"); }

# release TEXT: uname(2) tells this one. It is the third of the texts of 65 bytes.
release() {
    traced -e trace=uname -e "inject=uname:poke_exit=@arg1=$(printf '%0260d' 0)$(
        printf '%s' "$1" | od -An -tx1 | tr -d ' \n')00"
}

check_refusals() {
    for call in sendmmsg recvmmsg; do # 32 bit has one for each kind of time
        traced -e "inject=$call,?${call}_time64:error=ENOSYS"
        asks "a kernel without $call is an answer"
        check "which says why" is "$call" no "this kernel does not have it"
    done
    traced -e inject=io_uring_setup:error=EPERM
    asks "io_uring may be forbidden"
    check "by a filter, or by its switch" is io_uring no
    check "and what is of it is not there" is io_uring_sendmsg no "there is no ring"
    traced -e inject=io_uring_setup:error=ENOSYS
    asks "or not there"
    check "which is told" is io_uring no "this kernel does not have it"
    traced -e inject=setsockopt:error=ENOPROTOOPT
    asks "options may be unknown" --to 127.0.0.1
    for name in udp_segment udp_gro txtime zerocopy; do
        check "$name is one" is "$name" no "does not know the option"
    done
    traced -e inject=setsockopt:retval=0
    asks "options may be taken without effect"
    for name in udp_segment udp_gro zerocopy; do
        check "as $name is seen to be" is "$name" no
    done
    traced -e inject=sendto,?send,sendmsg,sendmmsg:error=EPERM
    asks "nothing may be sent"
    for name in sendmmsg udp_segment trains zerocopy; do
        check "so there is no $name" is "$name" no
    done
    check "and back ends say so" is backend_portable no "does not send over loopback: Operation"
}

check_kernels() {
    local kernel
    for kernel in 7.0.0 7.1.4; do
        release "$kernel"
        asks "kernel $kernel is asked"
        check "it is known to damage trains" is trains no "kernel $kernel is known to damage"
    done
    release 7.1.5
    asks "kernel 7.1.5 is asked"
    check "it is not" is trains yes "kernel 7.1.5 is not known"
    release 6.6.44
    asks "kernel 6.6.44 is asked"
    check "it refuses a shorter last packet" is trains yes "a shorter last one goes by itself"
}

if ! strace -o /dev/null true 2>/dev/null; then
    cannot "what is refused: strace"
else
    check_refusals
    # A kernel without trains shows nothing of what would become of them.
    before=()
    run --json
    if is trains yes; then
        check_kernels
    fi
fi
before=()

# ---- A network of its own ------------------------------------------------------------------------

own_network=(unshare -n)
[ "$(id -u)" = 0 ] || own_network=(unshare -Urn)

# in_network COMMANDS: probe runs behind them, in a network where lo and "near" are down.
in_network() {
    before=("${own_network[@]}" bash -euc "ip link add near type veth peer name far
        $1
        exec \"\$@\"" -)
}

# remedies NAME SENTENCE COMMANDS ARGUMENT...: the answer is no or unknown behind the commands, and
# yes behind the command that it names.
remedies() {
    local name=$1 sentence=$2 commands=$3 remedy
    shift 3
    in_network "$commands"
    asks "$sentence is an answer" "$@"
    check "which is not yes" test "$(tell "$name" state)" != yes
    remedy=$(tell "$name" remedy)
    in_network "$commands
        $remedy"
    asks "the command is taken: $remedy" "$@"
    check "and makes it yes" is "$name" yes
}

check_network() {
    in_network ''
    asks "it asks where loopback is down" --to 127.0.0.1
    check "of which it tells" is udp_segment unknown "loopback"
    check "there is no route" is route no "unreachable"
    remedies sendmmsg "that loopback is down" ''
    remedies route "no route to loopback" '' --to 127.0.0.1
    remedies link "a device that is down" 'ip link set far up' --interface near
    remedies trains "a switch in the environment" 'ip link set lo up; export UDPBATCH_GSO=off'

    in_network 'ip link set near up'
    asks "no carrier is an answer" --interface near
    check "told as such" is link no "no carrier"
    in_network 'ip link set lo up; ip link set near up; ip link set far up
        ip address add 192.0.2.1/24 dev near; ip link set near mtu 1234'
    asks "a route has its device" --to 192.0.2.2
    check "and source" is route yes "192.0.2.2 by near from 192.0.2.1"
    check "as figures, too" jq -e '.answers[] | select(.name == "route").figures |
        .device == "near" and .source == "192.0.2.1"' "$work/out"
    check "and MTU" jq -e '.answers[] | select(.name == "mtu").figures |
        .mtu == 1234 and .payload == 1206' "$work/out"
    check "zero copy is not tried there" is xdp_zero_copy unknown "--interface near"
    check "queues are counted" jq -e '.answers[] | select(.name == "queues").figures.queues == 1' \
        "$work/out"
    asks "it is where the device is named" --interface near
    check "for veth has none" is xdp_zero_copy no
    asks "a route can be asked for by a device" --to 192.0.2.2 --interface lo
    check "whichever" jq -e '.device == "lo"' "$work/out"
    check "with its MTU" jq -e '.answers[] | select(.name == "mtu").figures.mtu > 1234' "$work/out"
    in_network 'ip link set lo up'
    asks "that device may be down" --to 192.0.2.2 --interface near
    check "and have no route" is route no "by near"
    check "for which no route is missing" is route no "null"
    in_network 'ip link set lo up'
    asks "no route is an answer" --to 198.51.100.1
    check "with a command" is route no "ip route add 198.51.100.1 via"
    check "and no device" jq -e '.device == null' "$work/out"

    in_network 'ip link set lo up; nft add table inet one
        nft add chain inet one two "{ type filter hook input priority 0; }"
        nft add rule inet one two drop'
    asks "a packet filter may be in the way"
    for name in sendmmsg recvmmsg udp_segment udp_gro backend_portable; do
        check "of asking for $name" is "$name" unknown "packet filter"
    done

    in_network "ip link add '\$(halt)' type veth"
    asks "a device may be named as a command" --interface '$(halt)'
    check "which is in none" is link no "null"
    in_network $'ip link add $\'e\e[1m\' type veth'
    run --interface $'e\e[1m'
    check "an escape sequence in a name is not printed" test "$status" -eq 0 -a \
        "$(grep -c $'\e' "$work/out")" = 0
}

# Few kernels have all queueing disciplines. That of tbf keeps no times.
slow="tbf rate 1gbit burst 64kb latency 1ms"

check_departure() {
    in_network "tc qdisc add dev near root $slow"
    asks "a queueing discipline is seen" --interface near
    check "as it keeps no departure times" is departure no "near has tbf"
    in_network "tc qdisc add dev far root $slow"
    asks "another device has its own" --interface near
    check "which is not this one's" is departure no "near has no queue"
    in_network "ip link add wide numtxqueues 2 type veth peer name deep
        tc qdisc add dev wide root handle 1: mq; tc qdisc add dev wide parent 1:1 $slow
        tc qdisc add dev wide ingress 2>/dev/null || :"
    asks "so is one below another" --interface wide
    check "by its name" is departure no "tbf"
    check "and the first is told" jq -e '.answers[] |
        select(.name == "departure").figures.qdisc == "mq"' "$work/out"
}

check_fq() {
    remedies departure "no queue for departure times" '' --interface near
    in_network "ip link add wide numtxqueues 2 type veth peer name deep
        tc qdisc add dev wide root handle 1: mq; tc qdisc add dev wide parent 1:1 fq"
    asks "fq below another is seen" --interface wide
    check "as it keeps departure times" is departure yes "fq of wide"
}

check_xdp() {
    in_network 'ip link set lo up; ip link set near up; ip link set far up'
    asks "xdp is tried on the device" --interface near
    check "and opens" is backend_xdp yes "copy mode"
    before+=(setpriv --bounding-set=-net_raw)
    asks "a privilege may be missing" --interface near
    check "for AF_XDP" is af_xdp no "setcap cap_net_raw+ep"
    check "and so for xdp" is backend_xdp no "CAP_NET_RAW"
    check "with one command" test "$(tell af_xdp remedy)" = "$(tell backend_xdp remedy)"
    in_network 'ip link set lo up; ip link set near up; ip link set far up; ulimit -l 16'
    before+=(setpriv --bounding-set=-ipc_lock)
    asks "memory may be limited" --interface near
    check "which is told" is locked_memory no "ulimit -l unlimited"
    check "and so is xdp's" is backend_xdp no "ulimit -l unlimited"
    in_network 'ip link set lo up'
    asks "a device may be down" --interface near
    check "and be brought up" is backend_xdp no "ip link set near up"
}

if ! "${own_network[@]}" setpriv --bounding-set=-net_raw nft list ruleset 2>/dev/null >&2 ||
    ! command -v ip >/dev/null; then
    cannot "networks of one's own: unshare, ip, nft and setpriv"
else
    check_network
    in_network "tc qdisc add dev near root $slow"
    if "${before[@]}" true 2>/dev/null; then
        check_departure
    else
        cannot "queueing disciplines: tc"
    fi
    in_network 'tc qdisc add dev near root fq'
    if "${before[@]}" true 2>/dev/null; then
        check_fq
    else
        echo "not checked: fq, which this kernel does not have"
    fi
    before=()
    run --json
    if [ -n "$(tell backend_xdp state)" ]; then
        check_xdp
    else
        echo "not checked: xdp, which this udpbatch was built without"
    fi
fi

echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ]
