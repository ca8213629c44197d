#!/usr/bin/env bash
# docs/cookbook.md says what is so: its code is that of the examples, its commands have the options
# that it names, its links lead somewhere, and every example is told of and has under 60 lines.
set -eu
page=docs/cookbook.md
failures=0

fail() {
    echo "FAIL: $*"
    failures=$((failures + 1))
}

# Lines of the page's blocks in a language, each after the last example that was linked before it:
# examples/NAME.c TAB block number TAB line.
blocks() {
    awk -v language="$1" '
        match($0, /examples\/[a-z_]+\.c/) { example = substr($0, RSTART, RLENGTH) }
        /^```/ { inside = !inside && $0 == "```" language; number += inside; next }
        inside { print example "\t" number "\t" $0 }' "$page"
}

# Lines that follow each other in a block do so in the example.
check_excerpts() {
    local numbers number example code
    numbers=$(blocks c | cut -f2 | uniq)
    [ -n "$numbers" ] || fail "$page has no code"
    for number in $numbers; do
        example=$(blocks c | awk -F'\t' -v n="$number" '$2 == n { print $1; exit }')
        code=$(blocks c | awk -F'\t' -v n="$number" '$2 == n' | cut -f3-)
        [[ $'\n'$(cat "$example")$'\n' == *$'\n'"$code"$'\n'* ]] ||
            fail "block $number is not in $example: ${code%%$'\n'*}"
    done
    echo "$(wc -w <<<"$numbers") excerpts compared"
}

# Options that are on the page and not in --help.
unknown_options() {
    local subcommand option line
    blocks sh | cut -f3- | grep -o 'udpbatch [a-z]\+ [^|&#]*' | while read -r _ subcommand line; do
        for option in $(grep -o -- '--[a-z-]\+' <<<"$line"); do
            "$UDPBATCH" "$subcommand" --help | grep -q -- "$option\b" || echo "$subcommand $option"
        done
    done | sort -u
}

check_options() {
    local unknown
    unknown=$(unknown_options)
    [ -z "$unknown" ] || fail "no such options: $unknown"
}

check_links() {
    local target
    for target in $(grep -o '](\.[^)#]*' "$page" | cut -c3- | sort -u); do
        [ -e "docs/$target" ] || fail "$page: no $target"
    done
}

check_examples() {
    local example
    for example in examples/*.c; do
        grep -q "](../$example)" "$page" || fail "$page does not tell of $example"
        [ "$(wc -l <"$example")" -lt 60 ] || fail "$example has 60 lines or more"
    done
}

check_excerpts
check_options
check_links
check_examples
[ "$failures" = 0 ] && echo ok
