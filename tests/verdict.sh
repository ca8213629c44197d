# What cli_errors.sh and cli_bench.sh share; to be sourced. Bash.
#
# A folder $work that goes with the script, and counts of sentences $checked and $failed.

: "${UDPBATCH:?set it to the udpbatch command}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
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
