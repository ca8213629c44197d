# The program of a manual page: the first literal display under EXAMPLES, as a reader sees it.
# Usage: awk -f manual_examples.awk PAGE > PROGRAM.c; fails if the page has none.
function complain(what) {
    print FILENAME ":" FNR ": " what > "/dev/stderr"
    failed = 1
    exit 1
}

/^\.Sh / { section = $2 }
section != "EXAMPLES" || ended { next }
/^\.Bd -literal/ { on = 1; next }
/^\.Ed/ { ended = on; on = 0; next }
!on { next }
/^[.']/ { complain("a request within the program: " $0) }
{
    gsub(/\\&/, "")
    gsub(/\\e/, "\001")
    if (/\\/)
        complain("an escape other than \\e and \\&: " $0)
    gsub("\001", "\\")
    print
    has_main = has_main || /^int main\(/
}
END {
    if (!failed && !(ended && has_main)) {
        print FILENAME ": no whole program under EXAMPLES" > "/dev/stderr"
        exit 1
    }
    exit failed
}
