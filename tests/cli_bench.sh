#!/usr/bin/env bash
# cli_bench.sh: udpbatch bench says what is wrong with what it is asked for, and measures the rest.
set -eu

. "$(dirname "$0")/verdict.sh"

# check SENTENCE COMMAND...: the sentence is true if the command succeeds.
check() {
    local sentence=$1
    shift
    if "$@" >/dev/null; then
        verdict ok "$sentence"
    else
        verdict bad "$sentence"
    fi
}

is() { [ "$1" = "$2" ] || { echo "        '$1' is not '$2'" >>"$work/err"; false; }; }

# cannot REASON: some of it cannot be checked here, which is a failure with CI set.
cannot() {
    echo "not checked: $1"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
}

# What is run has this in its environment, so that what it leaves behind can be found.
mark="CLI_BENCH_MARK=$work"

# run ARGUMENT...: sets $status, leaves the output in $work/out and $work/err. Words in $before
# precede the command.
before=()
run() {
    status=0
    timeout 30 env "$mark" "${before[@]}" "$command" bench "$@" >"$work/out" 2>"$work/err" \
        </dev/null || status=$?
}
command=$UDPBATCH

# complains SENTENCE TEXT ARGUMENT...: status 2, and one line on stderr with the text in it.
complains() {
    complains_as bench "$@"
}

# measures SENTENCE ARGUMENT...: status 0, and nothing on stderr.
measures() {
    local sentence=$1
    shift
    run "$@"
    if [ "$status" -eq 0 ] && [ -s "$work/out" ] && [ ! -s "$work/err" ]; then
        verdict ok "$sentence"
    else
        verdict bad "$sentence"
    fi
}

# As little as can be.
little=(--rounds 1 --seconds 0.002 --engine "original,udpbatch")

# ---- Help ---------------------------------------------------------------------------------------

fits() { [ -s "$2" ] && ! grep -q ".\\{$(($1 + 1))\\}" "$2"; }

measures "--help helps" --help
check "in lines of 80 columns" fits 80 "$work/out"
check "and names --plot" grep -qF -- "--plot FILE" "$work/out"
measures "--list lists" --list
check "in lines of 80 columns" fits 80 "$work/out"
for name in W1 W2 W3 W4 W5 W6 W7 W8 original prebuilt sendto-loop udpbatch udpbatch-plain \
    recvmmsg udpbatch-receiver udpbatch-receiver-plain; do
    check "and names $name" grep -q "^ *$name\>" "$work/out"
done

# ---- Bad input ----------------------------------------------------------------------------------

complains "an unknown engine is named" "no engine juggler" --engine juggler
complains "and so is one among others" "no engine juggler" --engine original,juggler
complains "an engine can be named once" "original once" --engine original,udpbatch,original
complains "and in one of two lists" "original once" --engine original -e original
for engines in '' ',' 'original,' ',original' 'original,,udpbatch' ' original'; do
    complains "--engine '$engines' is refused" "no engine" --engine "$engines"
done
complains "a newline in an argument does not make two lines" "?" --engine $'orig\ninal'
for workload in W0 W9 Wx juggle; do
    complains "the unknown workload $workload is named" "no workload $workload" -w "W1,$workload"
done
for workload in '' ',' 'W1,' :1 W1: W1:1:2:3; do
    complains "--workload '$workload' is refused" "write a workload as" --workload "$workload"
done
for workload in W1:0 W1:1025 W1:x W1:-1 W7:101 W1:0..5; do
    complains "--workload $workload is out of its range" "takes a number from" -w "$workload"
done
complains "a base belongs to W7" "one parameter" --workload W1:1:W2
complains "and is W1 or W2" "W1 or W2" --workload W7:10:W3
for workload in W1:5..5 W1:9..2; do
    complains "--workload $workload is no range" "no range" --workload "$workload"
done
complains "a workload can be named once" "W6 once" --workload W6,W2 --workload W6
for rounds in 0 -1 1001 1.5 x ''; do
    complains "--rounds '$rounds' is refused" "1 to 1000" --rounds "$rounds"
done
for seconds in 0 -1 1e9x inf soon ''; do
    complains "--seconds '$seconds' is refused" "above 0" --seconds "$seconds"
done
for size in 7 65508 -1 1k ''; do
    complains "--size '$size' is refused" "8 to 65507" --size "$size"
done
complains "--offload is on or off" "on or off" --offload maybe
complains "--offload off is for --netns" "--netns" --offload off
complains "--netns and --to do not go together" "--to" --netns --to 127.0.0.1:9
for to in 127.0.0.1 127.0.0.1:0 127.0.0.1:65536 ::1:9 :9 ''; do
    complains "--to '$to' is refused" "udpbatch bench: --to " --to "$to"
done
complains "W7 has no bad addresses for IPv6" "IPv4" "${little[@]}" --to '[::1]:9' --workload W7
complains "an operand is refused" "operand" operand
complains "an unknown option is named" "--juggle" --juggle
complains "a missing argument is named" "--rounds N" --rounds
for workload in W1 W2 W4 W6 W7 W8 W1:1..4; do
    complains "--receive does not take $workload" "is for one receiver" --receive -w "$workload"
done
complains "nor one among others" "W2" --receive --workload W3,W2
complains "nor an engine that sends" "original does not receive" --receive -e recvmmsg,original
complains "whatever is told first" "original does not receive" --engine original --receive
complains "one that receives does not send" "recvmmsg does not send" --engine recvmmsg
complains "--receive draws nothing" "--plot" --receive --plot "$work/received.svg"
check "at all" [ ! -e "$work/received.svg" ]
complains "--receive does not send to an address" "--to" --receive --to 127.0.0.1:9
complains "a picture is no gif" ".svg or .png" --plot "$work/picture.gif"
complains "a picture has an ending" ".svg or .png" --plot svg
complains "a picture in no directory is named" "cannot be written: No such" --plot "$work/none/x.svg"
mkdir "$work/directory.svg"
complains "a directory is no picture" "Is a directory" --plot "$work/directory.svg"
mkdir "$work/empty"
before=(env "PATH=$work/empty")
complains "without gnuplot there is no picture" "gnuplot-nox" --plot "$work/picture.svg"
before=()
check "and no file" [ ! -e "$work/picture.svg" ]

# A copy that others than the owner of the build can run.
cp "$UDPBATCH" "$work/udpbatch"
chmod 755 "$work"
nobody=()
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi
if [ "$(id -u)" != 0 ] || [ ${#nobody[@]} -gt 0 ]; then
    before=("${nobody[@]}") command=$work/udpbatch
    complains "--netns without privilege says how to get it" "unshare -Ur" --netns
    measures "loopback needs no privilege" "${little[@]}" --workload W2,W7
    before=() command=$UDPBATCH
else
    cannot "what happens without privilege (setpriv)"
fi

# ---- What is measured ---------------------------------------------------------------------------

measures "two workloads are measured" "${little[@]}" --workload W6,W2
check "as a table each" grep -q '^W2: ' "$work/out"
check "with a row for each engine" is "$(grep -c '^udpbatch  *[1-9]' "$work/out")" 2
measures "--quiet measures too" "${little[@]}" --quiet --workload W1
run --rounds 1 --seconds 0.002 --workload W2 --engine udpbatch_multi_target_send
check "an engine that cannot send a workload makes the status 1" is "$status" 1
check "and says why" grep -q '^udpbatch_multi_target_send  *no figures: ' "$work/out"
measures "receiving is measured" --receive --rounds 1 --seconds 0.002
check "at W3, and says so" grep -q '^W3, received: ' "$work/out"
check "with a row for each engine" \
    is "$(grep -cE '^(recvmmsg|udpbatch-receiver)(-[a-z]+)?  *[1-9]' "$work/out")" \
    "$("$UDPBATCH" bench --list | grep -cE '^ *(recvmmsg|udpbatch-receiver)')"
measures "a range is a curve" "${little[@]}" --workload W3:1..4
check "with a column for each point" grep -q '^engine  *1  *2  *4$' "$work/out"

# json FILTER: what jq makes of the last output is true.
json() { jq -e "$spread $1" "$work/out"; }
spread='def spread: keys == ["max", "median", "min"] and all(.[]; type == "number") and
    .min > 0 and .min <= .median and .median <= .max;
    def figures: .fault == null and .lost == 0 and .packets > 0 and (.packets_per_second | spread);'

check_shape() {
    local two=(--workload "W6,W2" --engine "original,udpbatch" --rounds 2 --seconds 0.02)
    measures "--json measures" "${two[@]}" --json
    check "and prints one line" is "$(wc -l <"$work/out")" 1
    check "with the workloads that were asked for" json '[.workloads[].workload] == ["W6", "W2"]'
    check "each with the engines that were asked for" \
        json 'all(.workloads[]; [.engines[].engine] == ["original", "udpbatch"])'
    for member in packets_per_second cpu_ns_per_packet ratio_to_original; do
        check "each with minimum, median and maximum of $member" \
            json "all(.workloads[].engines[].$member; spread)"
    done
    check "and with the system calls per packet" json '
        [.workloads[].engines[].syscalls_per_packet] | all(.[]; . == null or . > 0 and . <= 2)'
    check "and the time of a call" \
        json 'all(.workloads[].engines[].call_ns; .p50 > 0 and .p50 <= .p99)'
    check "and nothing refused, lost or wrong" \
        json 'all(.workloads[].engines[]; figures and .refused == 0)'
    check "which is sending" json '.direction == "send"'
    check "and none is left out that was not asked for" json '.left_out == []'
    check "the original is as fast as itself" \
        json 'all(.workloads[].engines[0].ratio_to_original; .min == 1 and .max == 1)'
    check "both rounds are done" json '[.rounds, .workloads[].rounds] == [2, 2, 2]'
    check "what a call sends is told" \
        json '.workloads[0] | .packets_per_call == 2048 and .payloads == 32 and .targets == 64 and
            .bad_packets == 0 and .payload_bytes == {"min": 1228, "max": 1228}'
    check "kernel, CPU and version are told" json '(.kernel | test("^Linux ")) and has("cpu") and
        .cpus > 0 and (.version | test("^[0-9]+[.][0-9]+[.][0-9]+$"))'
    check "and where to" json '.where | .kind == "loopback" and .device == "lo" and .mtu > 0 and
        .segmentation_offload_switched_off == false and (.offloads | type == "object")'
    check "and that it came to its end" json '.interrupted == false and .seconds_per_round == 0.02'
    check "there is nothing that is not in the manual" json '
        (keys - ["contiguous", "cpu", "cpus", "direction", "interrupted", "kernel", "left_out",
            "optimised", "rounds", "seconds_per_round", "version", "where", "workloads"] == []) and
        all(.workloads[]; keys == ["bad_packets", "engines", "packets_per_call", "payload_bytes",
            "payloads", "rounds", "targets", "what", "workload"]) and
        all(.workloads[].engines[]; keys == ["call_ns", "cpu_ns_per_packet", "engine", "fault",
            "lost", "packets", "packets_per_second", "ratio_to_original", "refused",
            "syscalls_per_packet", "uses"])'
}

check_workloads() {
    measures "every workload works on loopback" "${little[@]}" --json \
        --workload W1,W2,W3,W4,W5,W6,W7,W8,W7:100:W2
    check "and has figures" \
        json '(.workloads | length == 9) and all(.workloads[].engines[]; figures)'
    check "bad packets are refused and the others sent" json '.workloads[6] | .bad_packets == 6 and
        all(.engines[]; .refused * 64 == .packets * 6)'
    check "all if all are bad" json 'all(.workloads[8].engines[]; .refused == .packets)'
    measures "every engine works on loopback" --rounds 1 --seconds 0.002 --json --workload W1:9
    check "and has figures" json '.workloads[0].engines | length > 6 and all(.[]; figures)'
    measures "an unusual size is measured" "${little[@]}" --json --size 8 --workload W2:9,W3
    check "of every payload" json 'all(.workloads[].payload_bytes; .min == 8 and .max == 8)'
    measures "and the largest" "${little[@]}" --json --size 65507 --workload W3:3
    check "of every payload" json 'all(.workloads[].payload_bytes; .min == 65507 and .max == 65507)'
    measures "payloads can be contiguous" "${little[@]}" --json --contiguous --workload W2
    check "which is told" json '.contiguous and all(.workloads[].engines[]; figures)'
    measures "a range is measured beside a workload" "${little[@]}" --json --workload W1,W1:1..6
    check "as the points of a curve" json '[.workloads[1:][] | [.workload, .curve, .parameter]] ==
        [["W1:1", "W1", 1], ["W1:2", "W1", 2], ["W1:4", "W1", 4], ["W1:6", "W1", 6]]'
    check "which the workload is none of" json '.workloads[0] | has("curve") | not'
    run --rounds 1 --seconds 0.002 --json --workload W2 --engine udpbatch_multi_target_send
    check "what has no figures is null" json '.workloads[0].engines[0] | (.fault | length > 0) and
        ([to_entries[] | select(.key != "engine" and .key != "fault") | .value] | unique == [null])'
}

check_receiving() {
    measures "--receive is measured" --receive --rounds 2 --seconds 0.002 --json --workload W3,W5:8
    check "and told" json '.direction == "receive" and .where.kind == "loopback"'
    check "with figures" json 'all(.workloads[].engines[]; figures and .refused == 0)'
    check "the baseline is as fast as itself" json 'all(.workloads[].engines[0];
        .engine == "recvmmsg" and (.ratio_to_recvmmsg | .min == 1 and .max == 1))'
    check "the others have a ratio to it" \
        json 'all(.workloads[].engines[].ratio_to_recvmmsg; spread)'
    check "there is nothing that is not in the manual" json '
        all(.workloads[].engines[]; keys == ["call_ns", "cpu_ns_per_packet", "engine", "fault",
            "lost", "packets", "packets_per_second", "ratio_to_recvmmsg", "refused",
            "syscalls_per_packet", "uses"])'
    run --receive --rounds 1 --seconds 0.002 --json --workload W3:4096
    check "what may not fit the socket makes the status 1" is "$status" 1
    check "and is told" json 'all(.workloads[].engines[]; .fault | test("may not hold a burst"))'
}

check_addresses() {
    local to
    for to in 127.0.0.1:9 '[::1]:9'; do
        if [ "$to" = '[::1]:9' ] && ! grep -qs '^0\{31\}1 ' /proc/net/if_inet6; then
            continue
        fi
        measures "--to $to is measured" "${little[@]}" --json --to "$to" --workload W1:9,W2
        check "at an address" json '.where | .kind == "address" and .device == "lo"'
        check "with figures, but for what nobody knows" \
            json 'all(.workloads[].engines[]; .lost == null and (.lost = 0 | figures))'
    done
}

# check_netns WHO: as the user that $before makes.
check_netns() {
    measures "--netns works $1" "${little[@]}" --json --netns --workload W1,W2,W7,W8
    check "between two namespaces" json '.where | .kind == "netns" and .device == "near" and
        .mtu == 1500 and .segmentation_offload_switched_off == false'
    check "with figures" json 'all(.workloads[0:3][].engines[]; figures)'
    check "under pressure too" json '.workloads[3].engines[1] | figures'
    measures "--receive works with it $1" --netns --receive --rounds 1 --seconds 0.002 --json
    check "between two namespaces" json '.direction == "receive" and .where.kind == "netns"'
    check "with figures" json 'all(.workloads[].engines[]; figures)'
    measures "--offload off works $1" "${little[@]}" --json --netns --offload off --workload W6
    check "and is told" json '.where | .segmentation_offload_switched_off and
        .offloads["tx-udp-segmentation"] == false'
    check "with figures" json 'all(.workloads[].engines[]; figures)'
    measures "a large payload makes a large MTU $1" "${little[@]}" --json --netns --size 8000 \
        --workload W3:9
    check "of its size" json '.where.mtu == 8028 and all(.workloads[].engines[]; figures)'
}

check_all_netns() {
    if [ "$(id -u)" = 0 ]; then
        check_netns "as root"
    fi
    before=("${nobody[@]}" unshare -Ur) command=$work/udpbatch
    if "${before[@]}" true 2>/dev/null; then
        check_netns "under unshare -Ur"
    elif [ "$(id -u)" = 0 ]; then
        echo "not checked: --netns under unshare -Ur, as user namespaces are not to be had here"
    else
        cannot "--netns"
    fi
    before=() command=$UDPBATCH
}

# ---- Past the network stack ----------------------------------------------------------------------

# In a network of its own, whose device leads to 192.0.2.2, where nobody is.
at_device=(unshare -n bash -euc '
    ip link set lo up
    ip link add near address 02:00:00:00:00:01 type veth peer name far
    ip link set near up
    ip link set far up
    ip address add 192.0.2.1/24 dev near
    ip neighbour replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev near nud permanent
    until ip link show near | grep -q "state UP"; do sleep 0.01; done
    exec "$@"' -)

check_xdp_on_loopback() {
    complains "who sends past the stack needs a device" "an Ethernet device" -e udpbatch-xdp
    measures "on loopback the others are measured" --rounds 1 --seconds 0.002 --workload W1:9,W2
    check "and the table tells who is left out" \
        is "$(grep '^left out' "$work/out" | cut -d, -f1)" \
        "left out  udpbatch-xdp: this needs an Ethernet device"
    check "once" is "$(grep -c 'udpbatch-xdp' "$work/out")" 1
    measures "--json does so, too" --rounds 1 --seconds 0.002 --workload W1:9 --json
    check "with the reason" json '[.left_out[].engine] == ["udpbatch-xdp"] and
        (.left_out[0] | keys == ["engine", "reason"] and (.reason | test("an Ethernet device")))'
    run --list
    check "it does not receive" eval '! grep -q "udpbatch-receiver-xdp" "$work/out"'
}

check_xdp_with_netns() {
    local both=(--netns --rounds 2 --seconds 0.005 --engine "original,udpbatch-xdp")
    measures "with --netns they send past the stack" "${both[@]}" --json --workload W1,W7
    check "which has figures" json '.workloads[0].engines[1] | .engine == "udpbatch-xdp" and figures'
    check "and tells the mode" json '.workloads[0].engines[1].uses == "xdp, copy mode"'
    check "but not where a packet filter refuses" json '.workloads[1].engines[1].fault |
        test("^it passes by the packet filter, which had to refuse [0-9]+ of these packets$")'
    check "nor is anything wrong with the others there" json '.workloads[1].engines[0] | figures'
    measures "it takes part without being named" --netns --rounds 1 --seconds 0.002 --json -w W1:9
    check "and nobody is left out" json '.left_out == [] and
        ([.workloads[0].engines[].engine] | index("udpbatch-xdp") != null)'
}

check_xdp_with_to() {
    local to=(--to 192.0.2.2:9 --rounds 1 --seconds 0.002 --workload W1:9 --json)
    before=("${at_device[@]}")
    measures "with --to no device of the user's is taken" "${to[@]}"
    check "unless that is asked for" json '.left_out[0].reason | test("name it to have it")'
    measures "then it is" "${to[@]}" --engine "original,udpbatch-xdp"
    check "and has figures" json '.workloads[0].engines[1] | .fault == null and .packets > 0'
    before=()
}

check_xdp() {
    check_xdp_on_loopback
    if [ "$(id -u)" != 0 ]; then
        echo "not checked: sending past the stack, which is left to root"
    elif "$UDPBATCH" bench --netns --rounds 1 --seconds 0.002 -w W1:1 -e udpbatch-xdp >/dev/null 2>&1
    then
        check_xdp_with_netns
        check_xdp_with_to
    else
        cannot "sending past the stack"
    fi
}

if ! command -v jq >/dev/null; then
    cannot "--json (jq)"
elif ! "$UDPBATCH" bench --json --list >/dev/null 2>&1; then
    cannot "--json (this udpbatch was built without it)"
else
    check_shape
    check_workloads
    check_receiving
    check_addresses
    check_all_netns
    if "$UDPBATCH" bench --list | grep -q udpbatch-xdp; then
        check_xdp
    else
        echo "not checked: sending past the stack, which this udpbatch was built without"
    fi
fi

# ---- Pictures -----------------------------------------------------------------------------------

is_svg() { grep -q '<svg' "$1" && grep -q '</svg>' "$1"; }
is_png() { is "$(od -An -tx1 -N8 "$1")" ' 89 50 4e 47 0d 0a 1a 0a'; }

check_plot() {
    local drawn=("${little[@]}" --quiet --workload "W2,W3:1..4,W1:1..4") name="it's a \"plot\" \\n"
    measures "--plot draws" "${drawn[@]}" --plot "$work/picture.svg"
    check "an svg" is_svg "$work/picture.svg"
    check "and prints the table" grep -q '^W2: ' "$work/out"
    measures "--plot draws whatever the name of the file" "${drawn[@]}" --plot "$work/$name.png"
    check "a png" is_png "$work/$name.png"
    cp "$work/picture.svg" "$work/kept.svg"
    complains "bad arguments draw nothing" "1 to 1000" --plot "$work/picture.svg" --rounds 0
    check "and leave a picture as it was" cmp "$work/kept.svg" "$work/picture.svg"
    complains "and none where there was none" "1 to 1000" --plot "$work/new.svg" --rounds 0
    check "at all" [ ! -e "$work/new.svg" ]
    measures "a picture replaces another one" "${drawn[@]}" --contiguous --plot "$work/picture.svg"
    check "which is whole" is_svg "$work/picture.svg"
    check "and another" eval '! cmp -s "$work/kept.svg" "$work/picture.svg"'
}
if command -v gnuplot >/dev/null; then
    check_plot
else
    cannot "--plot (gnuplot)"
fi

# ---- Ctrl-C -------------------------------------------------------------------------------------

# start NAME ARGUMENT...: in the background; its process is in $pid, its output in $work/NAME.out.
start() {
    local name=$1
    shift
    env "$mark" "$UDPBATCH" bench "$@" >"$work/$name.out" 2>"$work/$name.err" </dev/null &
    pid=$!
}

# Waits, at most 20 seconds, until the command succeeds.
wait_until() {
    for _ in $(seq 2000); do
        "$@" && return 0
        sleep 0.01
    done
    echo "        never: $*" >>"$work/err"
    return 1
}

# Hundredths of a second of processor time, in a field behind the name in parentheses.
has_worked() {
    local fields
    read -r -a fields < <(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || true
    [ "$((${fields[11]:-0} + ${fields[12]:-0}))" -ge 30 ]
}

# interrupt SENTENCE NAME PID: it ends by itself, with status 1, in a few seconds.
interrupt() {
    local begun=$SECONDS
    kill -INT "$3"
    status=0
    wait "$3" || status=$?
    cp "$work/$2.err" "$work/err"
    [ "$status" -eq 1 ] && [ $((SECONDS - begun)) -le 5 ] && answer=ok || answer=bad
    verdict "$answer" "$1"
}

many=(--workload "W2,W6" --engine "original,udpbatch" --rounds 1000 --seconds 0.05)
start table "${many[@]}"
table=$pid
start json "${many[@]}" --json
json=$pid
start received --receive --engine recvmmsg --rounds 1000 --seconds 0.05
received=$pid
start long --workload W1 --engine original --rounds 2 --seconds 1000
long=$pid
check "a round of a thousand seconds begins" wait_until has_worked "$long"
interrupt "Ctrl-C ends it" long "$long"
check "and says so" grep -q 'interrupted' "$work/long.out"
check "and shows no workload of which no round is done" eval '! grep -q "^W1: " "$work/long.out"'
check "a long run tells how far it is" wait_until grep -q '^ *[0-9]*% W2 ' "$work/table.err"
interrupt "Ctrl-C ends it" table "$table"
check "and what is done is printed" grep -q '^udpbatch  *[1-9]' "$work/table.out"
check "but not what is not" eval '! grep -q "^W6: " "$work/table.out"'
check "and that it was interrupted" grep -q 'interrupted' "$work/table.out"
check "so does one with --json" wait_until grep -q '^ *[0-9]*% W2 ' "$work/json.err"
interrupt "Ctrl-C ends it" json "$json"
check "so does one of receiving" wait_until grep -q '^ *[0-9]*% W3 ' "$work/received.err"
interrupt "Ctrl-C ends it" received "$received"
check "and what is done is printed" grep -q '^recvmmsg  *[1-9]' "$work/received.out"
if command -v jq >/dev/null && [ -s "$work/json.out" ]; then
    cp "$work/json.out" "$work/out"
    check "and what is done is an object" json '.interrupted and .rounds == 1000 and
        (.workloads | length == 1) and (.workloads[0].rounds | . > 0 and . < 1000) and
        all(.workloads[0].engines[]; figures)'
fi

# ---- What is printed, and where ------------------------------------------------------------------

if [ -e /dev/full ]; then
    status=0
    timeout 10 "$UDPBATCH" bench "${little[@]}" -w W1 >/dev/full 2>"$work/err" || status=$?
    [ "$status" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && answer=ok || answer=bad
    verdict "$answer" "a table that cannot be written makes the status 1"
fi
status=0
timeout 10 "$UDPBATCH" bench "${little[@]}" -w W1 <&- >&- 2>"$work/err" || status=$?
[ "$status" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && answer=ok || answer=bad
verdict "$answer" "so does one without a standard output"
status=0
timeout 10 "$UDPBATCH" bench "${little[@]}" -w W1 <&- >"$work/out" 2>&- || status=$?
check "standard input and error are not needed" is "$status" 0
check "and are not measured" grep -q '^udpbatch  *[1-9]' "$work/out"

# On a terminal of 40 columns, the lines that a carriage return begins: the bar and its updates.
on_terminal="'$UDPBATCH' bench -w W1 -e original,udpbatch_multi_target_send"
on_terminal="$on_terminal --rounds 12 --seconds 0.02"
if command -v script >/dev/null; then
    timeout 20 script -qec "stty cols 40; $on_terminal" /dev/null </dev/null >"$work/typescript"
    tr '\r' '\n' <"$work/typescript" | grep '^ *[0-9]*% ' >"$work/bar" || true
    check "a terminal of 40 columns gets progress that fits into it" fits 39 "$work/bar"
    check "with a bar" grep -q '\[#*\.*\]' "$work/bar"
else
    cannot "progress on a terminal (script)"
fi

check "no process is left behind" is "$(grep -ls "$mark" /proc/[0-9]*/environ)" ""

echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ]
