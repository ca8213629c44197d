#!/usr/bin/env bash
# No function asks which system it is compiled for: a file does, by what platform.h says; and which
# system this is, is asked in few places. A line that is a brace alone begins a function's body, and
# ends it (.clang-format).
# Usage: conditions.sh [FOLDER]; what lies in it is looked at in place of this tree.
set -eu
cd "${1:-.}"

find_conditions() {
    find src cli bench examples -name '*.[ch]' ! -name platform.h -exec awk '
        FNR == 1 { inside = 0 }
        /^{$/ { inside = 1 }
        /^}/ { inside = 0 }
        inside && /^[ \t]*#[ \t]*(if|el|endif)/ { print FILENAME ":" FNR ": " $0 }' {} + | sort
}

failed=0
functions=$(find src cli bench examples -name '*.[ch]' -exec cat {} + | grep -c '^{$')
while IFS= read -r line; do
    if [ -n "$line" ]; then
        echo "FAILED  in a function: $line"
        failed=1
    fi
done <<<"$(find_conditions)"
[ $failed = 1 ] || echo "ok      none of $functions functions asks for the system"

# The public header names it too, and a file of cli/system/ is one system's.
names='_WIN32|__linux__|__APPLE__|__FreeBSD__|__NetBSD__|__OpenBSD__'
names="$names|__GLIBC__|__BIONIC__|__MINGW32__|__CYGWIN__|__unix__|_WIN64"
elsewhere=$(grep -rnE "^ *#.*($names)" src cli --include='*.[ch]' |
    grep -vE '^(src/platform\.h|cli/cli\.h|cli/system\.h|cli/system/[a-z_]*\.c):' || true)
if [ -n "$elsewhere" ]; then
    echo "FAILED  the system is asked for in platform.h, system.h and cli.h alone: $elsewhere"
    failed=1
else
    echo "ok      the system is asked for in platform.h, system.h and cli.h alone"
fi
exit $failed
