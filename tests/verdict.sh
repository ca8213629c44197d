# What the scripts that test the command share; to be sourced. Bash.
#
# A folder $work that goes with the script, as do the processes in $processes; and counts of sentences
# $checked and $failed.

: "${UDPBATCH:?set it to the udpbatch command}"
work=$(mktemp -d)
processes=()
clean_up() {
    for pid in "${processes[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
failed=0
checked=0
status=0

# verdict ok|bad SENTENCE: with the last command's $status and its messages in $work/err if it is bad.
verdict() {
    checked=$((checked + 1))
    if [ "$1" = ok ]; then
        echo "ok      $2"
    else
        echo "FAILED  $2"
        echo "        status $status, stderr:"
        sed 's/^/        /' "$work/err"
        failed=$((failed + 1))
    fi
}

# complains_as SUBCOMMAND SENTENCE TEXT ARGUMENT...: `run`, which the script has, ends with status 2, and
# one line of the subcommand's on stderr with the text in it.
complains_as() {
    local subcommand=$1 sentence=$2 text=$3
    shift 3
    run "$@"
    if [ "$status" -eq 2 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ] &&
        grep -qF -- "$text" "$work/err" && grep -q "^udpbatch $subcommand: " "$work/err"; then
        verdict ok "$sentence"
    else
        verdict bad "$sentence"
    fi
}

# until_true COMMAND...: looks again and again, for 10 seconds.
until_true() {
    for _ in $(seq 1000); do
        ! "$@" || return 0
        sleep 0.01
    done
    return 1
}
