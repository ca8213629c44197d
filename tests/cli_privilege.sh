#!/usr/bin/env bash
# cli_privilege.sh: before a byte is read that others wrote, the command has no capabilities, but those
# that xdp takes while a list of targets is read; and what it does when all is open takes none.
set -eu

. "$(dirname "$0")/verdict.sh"

check() { # check SENTENCE COMMAND...: the sentence is true if the command succeeds.
    local sentence=$1
    shift
    if "$@" >>"$work/err" 2>&1; then verdict ok "$sentence"; else verdict bad "$sentence"; fi
}

cannot() { # cannot REASON: a failure with CI set.
    echo "not checked: $1"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
}

finish() {
    echo "$checked checked, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

somebody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
nobodys=$work/nobodys # everybody may enter, and nobody's are the files
command=$UDPBATCH
before=()

# ---- What is looked at ---------------------------------------------------------------------------

# begin NAME ARGUMENT...: starts the command, its process is $process. Words in $before precede it,
# which become the command by exec(2). A leak is not looked for where a process may not be traced.
begin() {
    local name=$1
    shift
    ASAN_OPTIONS=detect_leaks=0 "${before[@]}" "$command" "$@" >"$work/$name.out" \
        2>"$work/$name.err" </dev/null &
    process=$!
    processes+=("$process")
}

run() { # run ARGUMENT...: to its end; sets $status.
    status=0
    "${before[@]}" timeout 20 "$command" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

of_status() { sed -n "s/^$1:[ \t]*//p" "/proc/${2:-$process}/status"; }
is_none() { [ -n "$1" ] && [ -z "${1//0/}" ]; }
can_gain_none() { [ "$(of_status NoNewPrivs)" = 1 ]; }
has_none() {
    local set
    for set in CapPrm CapEff CapInh CapAmb; do
        is_none "$(of_status $set)" || { echo "$set $(of_status $set)"; return 1; }
    done
}
# CAP_NET_RAW, CAP_NET_ADMIN and CAP_IPC_LOCK.
is_of_xdp_alone() {
    local permitted=$((16#$(of_status CapPrm)))
    [ $((permitted & 1 << 13)) -ne 0 ] && [ $((permitted & ~(1 << 12 | 1 << 13 | 1 << 14))) -eq 0 ] &&
        is_none "$(of_status CapInh)" && is_none "$(of_status CapAmb)"
}
is_bound() { is_none "$(of_status CapBnd)"; }

end() { # end: of the process, which succeeds.
    status=0
    wait "$process" || status=$?
    [ "$status" -eq 0 ]
}

listens() { # its address is in $address
    address=$(sed -n 's/^listening on //p' "$work/$1.err")
    [ -n "$address" ]
}
waits_for() { # waits_for NAME: it has the pipe open, of which nothing can be read yet.
    [ -n "$(find "/proc/$process/fd" -lname "$work/$1" 2>/dev/null)" ]
}

# ---- With any privilege, or none -----------------------------------------------------------------

check_recv() { # check_recv WHO
    begin recv recv --bind 127.0.0.1:0 --count 1 -o "$work/copy"
    check "a receiver of $1 begins" until_true listens recv
    check "and has no capability" has_none
    check "nor can it gain one" can_gain_none
    [ "$1" != root ] || check "by programs that root starts, too" is_bound
    local receiver=$process
    printf 'hello' >"$work/hello"
    run send --quiet --to "$address" "$work/hello"
    check "it is sent to" test "$status" -eq 0
    process=$receiver
    check "and receives" end
    check "what was sent" cmp "$work/hello" "$work/copy"
}

# A capture of which no byte has come yet.
check_send() { # check_send WHO
    rm -f "$work/pipe"
    mkfifo -m 666 "$work/pipe"
    begin send send --quiet --pcap "$work/pipe" --to 127.0.0.1:9
    check "a sender of $1 opens its capture" until_true waits_for pipe
    check "and has no capability before it reads" until_true has_none
    : >"$work/pipe" # which ends
    end || :
    check "the capture was waited for" grep -q "cannot read $work/pipe: " "$work/send.err"
    check "and nothing was begun" test "$status" -eq 2
    rm -f "$work/pipe"
    mkfifo -m 666 "$work/pipe"
    begin send send --quiet --to 127.0.0.1:9 "$work/pipe"
    check "a sender of $1 opens its file" until_true waits_for pipe
    check "and has no capability before it reads" until_true has_none
    check "nor can it gain one" can_gain_none
    printf 'hello' >"$work/pipe"
    check "it sends" end
}

# A list of targets that has a writer, and no line yet.
check_targets() { # check_targets WHO
    rm -f "$work/list"
    mkfifo -m 666 "$work/list"
    begin targets send --quiet --targets "$work/list" "$work/hello"
    exec 7<>"$work/list"
    check "a sender of $1 opens its list of targets" until_true waits_for list
    check "and has no capability before it reads it" until_true has_none
    check "nor can it gain one" can_gain_none
    echo "127.0.0.1:9" >&7
    exec 7>&-
    check "it sends to them" end
}

figure() { jq ".answers[] | select(.name == \"privilege\").figures.$1" "$work/out"; }
state() { jq -r '.answers[] | select(.name == "privilege").state' "$work/out"; }
count_bits() {
    local bits=$((16#$1)) count=0
    for (( ; bits != 0; bits &= bits - 1)); do count=$((count + 1)); done
    echo $count
}

check_probe() { # check_probe WHO
    local has
    has=$(count_bits "$("${before[@]}" sed -n 's/^CapPrm:[ \t]*//p' /proc/self/status)")
    run probe --json
    if [ "$status" -ne 0 ] && grep -q jansson "$work/err"; then
        return
    fi
    check "probe can ask as $1" test "$status" -eq 0
    check "it says how many there are" test "$(figure capabilities)" = "$has"
    check "and that all are given up" test "$(state)" = yes
}

check_all() {
    check_recv "$1"
    check_send "$1"
    check_targets "$1"
    check_probe "$1"
}

chmod 755 "$work"
"$UDPBATCH" probe >"$work/out" 2>&1
if grep -q 'built without libcap-ng' "$work/out"; then
    check "probe says that nothing is given up" grep -q '^no *privilege' "$work/out"
    cannot "what capabilities there are: this udpbatch is built without libcap-ng"
    finish
fi

if [ "$(id -u)" != 0 ]; then
    check_all somebody
    cannot "what root has: run this as root"
    finish
fi
check_all root

# ---- A file of somebody else's -------------------------------------------------------------------

mkdir -m 777 "$nobodys"
"${somebody[@]}" sh -c "umask 077; printf hello >$nobodys/hello; : >$nobodys/copy"
begin recv recv --bind 127.0.0.1:0 --count 1 -o "$nobodys/copy"
check "root receives into a file of another user" until_true listens recv
receiver=$process
run send --quiet --to "$address" "$nobodys/hello"
check "and sends one" test "$status" -eq 0
process=$receiver
check "to its end" end
check "and it is whole" grep -qx hello "$nobodys/copy"

# ---- An ordinary user ----------------------------------------------------------------------------

# Whatever the folder is that it was built in, somebody can run the copy.
cp "$UDPBATCH" "$nobodys/udpbatch"
chmod 755 "$nobodys/udpbatch"
before=("${somebody[@]}")
if ! "${somebody[@]}" "$nobodys/udpbatch" --version >/dev/null 2>&1; then
    cannot "an ordinary user: the command does not run by a copy of it"
    finish
fi
command=$nobodys/udpbatch
rm -f "$work/copy"
chmod 777 "$work"
check_all somebody

# ---- What cannot be given up ---------------------------------------------------------------------

command=$UDPBATCH
refused() { # refused SENTENCE TEXT INJECTION: nothing is begun, and one line says why
    before=(env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e "inject=$3")
    for subcommand in "recv --bind 127.0.0.1:0 --quiet --for 1" "send --to 127.0.0.1:9 $work/hello"; do
        # shellcheck disable=SC2086 # words
        run $subcommand
        check "$1: ${subcommand%% *} does not begin" test "$status" -eq 2
        check "and says why in a line" test "$(grep -c "$2" "$work/err")$(wc -l <"$work/err")" = 11
    done
    run probe --json
    check "and probe says so" test "$(state)" = no
}
# Who has no capability has nothing to give up: sandboxes may refuse prctl(2).
unforgone() {
    before=("${somebody[@]}" env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null
        -e inject=prctl:error=EPERM)
    command=$nobodys/udpbatch
    run send --quiet --to 127.0.0.1:9 "$nobodys/hello"
    check "without capabilities, and where new ones may not be forgone, send begins" \
        test "$status" -eq 0
    run recv --bind 127.0.0.1:0 --quiet --for 0.01
    check "and so does recv" test "$status" -eq 0
    command=$UDPBATCH
}
if strace -o /dev/null true 2>/dev/null; then
    unforgone
    refused "capabilities may not go" "cannot give up capabilities" capset:error=EPERM
    refused "they may stay in silence" "capabilities do not go" capset:retval=0
    refused "new ones may not be forgone" "cannot give up new privileges" prctl:error=EPERM
else
    cannot "what is refused: strace"
fi
before=()

# ---- Past the network stack ----------------------------------------------------------------------

in_network() { nsenter --net="/proc/$network/ns/net" "$@"; }
is_up() { in_network ip link show dev near | grep -q LOWER_UP; }
know_neighbours() {
    in_network sh -euc 'ip neighbour replace 10.99.0.2 lladdr 02:00:00:00:00:02 dev near nud permanent
        ip neighbour replace 10.99.0.3 lladdr 02:00:00:00:00:03 dev near nud permanent'
}
make_network() {
    unshare -n sleep 600 &
    network=$!
    processes+=("$network")
    until_true test "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$network/ns/net")"
    in_network sh -euc 'ip link set lo up
        ip link add near address 02:00:00:00:00:01 type veth peer name far
        ip link set near up; ip link set far up
        ip address add 10.99.0.1/24 dev near'
    until_true is_up
}

has_sent_two() { grep -q ' s 2 packets ' "$work/xdp.out"; }

# The list of targets comes before what takes the capability, and says which way to send.
check_list_of_xdp() { # check_list_of_xdp WHO
    rm -f "$work/list"
    mkfifo -m 666 "$work/list"
    begin list send --quiet --backend xdp --interface near --targets "$work/list" "$work/hello"
    exec 7<>"$work/list"
    check "$1 reads its list of targets" until_true waits_for list
    check "with no capability but those to open the sender" until_true is_of_xdp_alone
    check "nor can another be gained" can_gain_none
    echo "10.99.0.2:9" >&7
    exec 7>&-
    check "and it sends" end
}

# The device goes down and up, which takes routes and neighbours with it, and another way is found.
check_xdp() { # check_xdp WHO
    rm -f "$work/lines"
    mkfifo -m 666 "$work/lines"
    know_neighbours
    in_network ip route replace 10.98.0.0/16 via 10.99.0.2
    before=(nsenter --net="/proc/$network/ns/net" "${as[@]}")
    check_list_of_xdp "$1"
    begin xdp send --lines --quiet --stats --interval 0.01 --backend xdp --interface near \
        --to 10.99.0.2:9 --to 10.98.0.1:9 "$work/lines"
    exec 7<>"$work/lines"
    check "$1 sends past the network stack" until_true waits_for lines
    check "without a capability before it reads" until_true has_none
    check "nor can one be gained" can_gain_none
    echo one >&7
    check "its packets leave" until_true has_sent_two
    in_network ip link set near down
    in_network ip link set near up
    until_true is_up
    know_neighbours
    in_network ip route replace 10.98.0.0/16 via 10.99.0.3
    echo two >&7
    exec 7>&-
    check "and it ends well" end
    check "having sent past the stack by the new way, too" grep -qx 'past the stack  *4' "$work/xdp.out"
}

if ! has_backend=$("$UDPBATCH" probe | grep 'back end xdp') || [ -z "$has_backend" ]; then
    echo "not on this system: this udpbatch is built without the back end xdp"
    finish
fi
if ! make_network 2>>"$work/err"; then
    cannot "networks of one's own: unshare and ip"
    finish
fi
if ! in_network "$UDPBATCH" probe --interface near | grep -q '^yes *back end xdp'; then
    cannot "past the network stack: the back end xdp does not open"
    finish
fi
as=()
check_xdp root
if ! setcap cap_net_raw+ep "$nobodys/udpbatch" 2>/dev/null; then
    cannot "capabilities of a file: setcap, or the file system of $work"
    finish
fi
command=$nobodys/udpbatch
as=("${somebody[@]}")
export ASAN_OPTIONS=detect_leaks=0 # which nobody may trace
check_xdp "a file with CAP_NET_RAW"
before=("${as[@]}")
run probe --json
check "probe knows the one capability of its file" test "$(figure capabilities)$(figure net_raw)" = 1true
finish
