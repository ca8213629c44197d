#!/usr/bin/env bash
# windows_files.sh: udpbatch.exe sends and receives files, byte for byte.
#
# UDPBATCH is the .exe; WINE what runs it, nothing on Windows itself; UDPBATCH_HERE the command of the
# system that this script runs on, if files are to go to it and back.
set -eu

. "$(dirname "$0")/verdict.sh"
: >"$work/err"
wine=(${WINE:-})
prefix=${WINEPREFIX:-$work/wine}
export WINEDEBUG=${WINEDEBUG:--all} WINEPREFIX=$prefix

# check SENTENCE COMMAND...: the sentence is true if the command succeeds.
check() {
    local sentence=$1 answer=ok
    shift
    "$@" || answer=bad
    verdict "$answer" "$sentence"
}
is() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'" >>"$work/err"; false; }; }

# Both are given a limit of time, by a process that passes a signal on once: --foreground.
exe() { timeout --foreground 30 ${wine[@]+"${wine[@]}"} "$UDPBATCH" "$@" >"$work/out"; }
here() { timeout --foreground 30 "$UDPBATCH_HERE" "$@" >"$work/out"; }

run() {
    status=0
    exe "$@" 2>"$work/err" </dev/null || status=$?
}

# receive WHO OPTION...: a receiver, exe or here, whose process is $receiver and whose address is
# $address.
receive() {
    local who=$1
    shift
    : >"$work/err"
    if [ "$who" = exe ]; then
        set -- ${wine[@]+"${wine[@]}"} "$UDPBATCH" recv "$@"
    else
        set -- "$UDPBATCH_HERE" recv "$@"
    fi
    timeout --foreground 30 "$@" >"$work/received" 2>"$work/err" &
    receiver=$!
    processes+=("$receiver")
    for _ in $(seq 1000); do
        address=$(sed -n 's/^listening on //p' "$work/err")
        [ -z "$address" ] || return 0
        sleep 0.01
    done
    verdict bad "a receiver says within 10 seconds that it listens"
    exit 1
}
ended() {
    status=0
    wait "$receiver" || status=$?
    [ "$status" -eq "${1:-0}" ]
}

# The first start of Wine makes its folder, and says so. One of our own goes with us.
if [ "${#wine[@]}" -gt 0 ] && [ ! -e "$prefix/system.reg" ]; then
    timeout 100 "${wine[@]}" wineboot --init >/dev/null 2>&1 || true
fi
stop_wine() {
    if [ "${#wine[@]}" -gt 0 ] && [ "$prefix" = "$work/wine" ]; then
        timeout --foreground 30 "${wine[@]}" wineboot --kill >/dev/null 2>&1 || true
    fi
    clean_up
}
trap stop_wine EXIT

# ---- Files --------------------------------------------------------------------------------------

# Random bytes have all that Windows takes for more than a byte in a text: newlines and Ctrl-Z.
head -c 100000 /dev/urandom >"$work/file"

# transfer FROM TO SIZE: the file, in datagrams of the size, from and to exe or here.
transfer() {
    local from=$1 to=$2 size=$3 count=$(((100000 + $3 - 1) / $3))
    rm -f "$work/copy"
    receive "$to" --bind 127.0.0.1:0 --buffer 4M --count "$count" -o "$work/copy"
    check "a file is sent in $count datagrams of $size bytes ($from to $to)" \
        "$from" send --size "$size" --rate 20kpps --to "$address" "$work/file"
    check "which counts them" grep -q "^sent $count packets, 100000 bytes" "$work/out"
    check "the receiver ends" ended
    check "and has written what was sent" cmp "$work/file" "$work/copy"
}
for size in 100 1200 1472 9000 65507; do
    transfer exe exe "$size"
done
if [ -n "${UDPBATCH_HERE:-}" ]; then
    for size in 1200 65507; do
        transfer exe here "$size"
        transfer here exe "$size"
    done
fi

receive exe --bind '*:0' --buffer 4M --count 84
check "a file goes from standard input to a receiver on all addresses" \
    exe send --to "127.0.0.1:${address##*:}" <"$work/file"
check "which ends" ended
check "and has written it to standard output" cmp "$work/file" "$work/received"

printf 'first\n\nthird\nno newline at the end' >"$work/lines"
receive exe --bind 127.0.0.1:0 --count 4 --lines -o "$work/copy"
printf '# the only one\r\n\r\n  %s   # and its comment\r\n' "$address" >"$work/targets"
check "lines are sent to the targets of a file, which has Windows' own newlines" \
    exe send --lines --targets "$work/targets" "$work/lines"
check "their receiver ends" ended
{ cat "$work/lines" && echo; } >"$work/expected"
check "an empty line is an empty datagram" cmp "$work/expected" "$work/copy"

receive exe --bind 127.0.0.1:0 --count 1 -o "$work/copy"
speak_and_wait() {
    echo "while the pipe is open"
    ! until_true test -s "$work/copy" || touch "$work/arrived"
}
check "standard input that is a pipe is sent" exe send --lines --to "$address" < <(speak_and_wait)
check "as it comes" test -e "$work/arrived"
check "and its receiver ends" ended

# ---- Numbered packets, Ctrl-C --------------------------------------------------------------------

receive exe --bind 127.0.0.1:0 --buffer 4M --count 500 -o "$work/copy" --interval 0.2
check "numbered packets are sent at a rate" \
    exe send --count 500 --rate 1kpps --stats --to "$address"
check "and counted" grep -q '^packets  *500$' "$work/out"
check "their receiver ends" ended
check "and says that none was lost" grep -q '^  500 received, 0 lost' "$work/err"

receive exe --bind 127.0.0.1:0 -o "$work/copy"
check "a datagram is sent" exe send --size 5 --to "$address" "$work/lines"
check "and written at once" until_true test -s "$work/copy"
# Wine takes the signal for Ctrl-C; on Windows itself nobody here could press it.
if [ "${#wine[@]}" -gt 0 ]; then
    kill -INT "$receiver"
    check "Ctrl-C ends a receiver, successfully" ended
    check "which says so" grep -q "^received .*, interrupted$" "$work/err"

    receive exe --bind 127.0.0.1:0 --count 1 -o "$work/copy"
    timeout --foreground 30 "${wine[@]}" "$UDPBATCH" send --rate 1pps --burst 1 --to "$address" \
        "$work/file" >"$work/out" &
    sender=$!
    processes+=("$sender")
    check "the first datagram of many arrives" ended
    kill -INT "$sender"
    receiver=$sender
    check "Ctrl-C ends a sender, whose work is not done" ended 1
    check "which says so" grep -q "^sent [0-9]* packets.*, interrupted$" "$work/out"
fi

# ---- Complaints ------------------------------------------------------------------------------------

complains_as send "a file that is not there is complained of" "No such file or directory" \
    send --to 127.0.0.1:9 "$work/nothing"
complains_as send "so is a folder" "cannot read" send --to 127.0.0.1:9 "$work"
complains_as send "a * is not taken for files that there are" "cannot read" \
    send --to 127.0.0.1:9 "$work/fil*"
complains_as send "no target" "no target" send "$work/file"
complains_as send "a target without a port" "the port is missing" send --to 127.0.0.1 "$work/file"
complains_as send "a name that nobody has" "Name or service not known" \
    send --to nobody.invalid:9 "$work/file"
complains_as send "a back end of another system" "no such back end; there are winsock" \
    send --backend sendmmsg --to 127.0.0.1:9 "$work/file"
complains_as send "an interface that is not there" "No such device" \
    send --interface nothing --to 127.0.0.1:9 "$work/file"
complains_as send "a way to send that Windows' library has not" "this system has no --tos" \
    send --ttl 3 --to 127.0.0.1:9 "$work/file"
complains_as send "an unknown option" "there is no option --nothing" send --nothing
complains_as recv "no address" "no address" recv
complains_as recv "an output that cannot be opened" "No such file or directory" \
    recv --bind 127.0.0.1:0 -o "$work/nothing/file"

receive exe --bind 127.0.0.1:0 --for 10 -o "$work/copy"
complains_as recv "a port that is taken" "Address already in use" recv --bind "$address"
kill "$receiver"
ended 143 || true

# ---- Words -----------------------------------------------------------------------------------------

run --version
check "--version tells the version" grep -q '^udpbatch [0-9][0-9.]*$' "$work/out"
run send --help
check "--help tells the options" grep -q '^  -t, --to HOST:PORT ' "$work/out"
run completion bash
check "completion is what bash understands" bash -n "$work/out"
check "and not nothing" grep -q 'complete ' "$work/out"
run probe
check "probe tries the back end" grep -q '^yes  back end winsock ' "$work/out"

echo "$checked sentences checked, $failed of them false"
[ "$failed" -eq 0 ]
