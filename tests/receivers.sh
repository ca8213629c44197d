# What the scripts share that send to receivers; to be sourced. Bash.

. "$(dirname "${BASH_SOURCE[0]}")/verdict.sh"

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
    processes+=("$receiver")
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
