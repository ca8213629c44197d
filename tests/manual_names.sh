#!/usr/bin/env bash
# The manual has all that the public header declares: every function is a name of exactly one page,
# every constant is in one, every member of a structure stands in a page that tells of it. With a
# build directory: a page for each of these functions is installed.
# Usage: manual_names.sh [BUILD]
set -eu
header=include/udpbatch.h
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

without_comments() {
    awk '{ text = text $0 "\n" }
        END {
            while ((from = index(text, "/*")) > 0) {
                printf "%s", substr(text, 1, from - 1)
                text = substr(text, from)
                text = substr(text, index(text, "*/") + 2)
            }
            printf "%s", text
        }' $header
}

functions() {
    without_comments | tr '\n' ' ' | grep -oE 'UDPBATCH_API [^;(]*\(' |
        grep -oE 'udpbatch_[a-z0-9_]+ *\($' | tr -d ' ('
}

constants() {
    without_comments | awk '/^#define UDPBATCH_/ { sub(/\(.*/, "", $2); print $2 }
        /^enum .*{/ { in_enum = 1; next } /^}/ { in_enum = 0 }
        in_enum { sub(/[^A-Z0-9_ ].*/, ""); print $1 }' | grep -vxE 'UDPBATCH_(H|API)'
}

# "udpbatch_piece data" and so on, a line for each member.
members() {
    without_comments | tr '\n' ' ' | grep -oE '(struct|union) udpbatch_[a-z_]+ \{[^}]*\}' |
        while read -r kind name _ body; do
            echo "${body%\}}" | tr ';' '\n' | sed -E 's/\[[^]]*\]//; s/[[:space:]]+$//' |
                grep -oE '[a-z0-9_]+$' | sed "s/^/$kind $name /"
        done
}

# names_of PAGE: those of its NAME section.
names_of() { awk '/^\.Sh / { on = $2 == "NAME" } on && $1 == ".Nm" { print $2 }' "$1"; }

count=0
for function in $(functions); do
    found=$(for page in man/*.3; do names_of "$page"; done | grep -cx "$function" || true)
    [ "$found" = 1 ] || fail "$function is a name of $found pages"
    count=$((count + 1))
done
for constant in $(constants); do
    grep -qE "^\.(It )?(Dv|Fn) .*\b$constant\b|^\.Pq (Dv|Fn) $constant\b" man/*.[37] ||
        fail "$constant is in no page"
    count=$((count + 1))
done
while read -r kind name member; do
    told=$(grep -lE "$kind $name\b" man/*.3 || true)
    [ -n "$told" ] && grep -qE "^\.(It )?Va .*\b$member\b" $told ||
        fail "no page that tells of $kind $name has $member"
    count=$((count + 1))
done < <(members)
[ $count -gt 100 ] || fail "only $count names were read in $header"

if [ -n "${1:-}" ]; then
    prefix=$(mktemp -d)
    trap 'rm -rf "$prefix"' EXIT
    DESTDIR= cmake --install "$1" --component manual --prefix "$prefix" >/dev/null
    for function in $(functions); do
        page=$(find "$prefix" -name "$function.3")
        [ -z "$page" ] || target=$(awk '/^\.so / { print $2 }' "$page")
        [ -z "$page" ] || [ -z "$target" ] || page=${page%/*/*}/$target
        [ -e "$page" ] && names_of "$page" | grep -qx "$function" ||
            fail "no page of $function is installed"
    done
fi
[ $failed = 1 ] || echo "ok: $count names of $header"
exit $failed
