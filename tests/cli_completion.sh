#!/usr/bin/env bash
# cli_completion.sh: bash and zsh complete the words of udpbatch, as the tables of options have them.
#
# Both are real: each reads a line from here with a key in it that puts in all that it would offer,
# and runs it. Their udpbatch is a function that tells its arguments.
set -eu

. "$(dirname "$0")/verdict.sh"

mkdir "$work/files"
touch "$work/files/file1" "$work/files/fi le2" "$work/files/other"
mkdir "$work/files/folder"
PATH=$(dirname "$UDPBATCH"):$PATH
export work LC_ALL=C

# What is the same in both shells.
readonly told='udpbatch() {
    printf "%s\n" "$@" >"$work/told"
}
cd "$work/files"
'

# ---- bash ---------------------------------------------------------------------------------------

cat >"$work/bashrc" <<END
eval "\$(command udpbatch completion bash)"
$told
END

# Without a terminal, bash edits its lines too. It is not to keep them, nor to heed the user's keys.
bash_reads() {
    printf 'udpbatch %s\nexit\n' "$1" | HISTFILE='' INPUTRC=/dev/null TERM=vt100 \
        timeout 20 bash --noprofile --rcfile "$work/bashrc" -i >/dev/null 2>"$work/err"
}

# ---- zsh ----------------------------------------------------------------------------------------

mkdir "$work/zsh" "$work/functions"
cat >"$work/zsh/.zshrc" <<END
fpath=($work/functions \$fpath)
autoload -Uz compinit
compinit -u -D
zle -C all-matches complete-word _generic
bindkey '^Xa' all-matches
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
[ -e "$work/functions/_udpbatch" ] || source <(command udpbatch completion zsh)
$told
END

# It edits lines of a terminal only.
zsh_reads() {
    ZDOTDIR=$work/zsh TERM=vt100 timeout 60 zsh -fc '
        zmodload zsh/zpty
        zpty shell zsh -d -i
        zpty -w shell "$1
exit"
        while zpty -r shell chunk; do :; done' - "udpbatch $1" >"$work/err" 2>&1
}

# ---- What is offered ----------------------------------------------------------------------------

# What is printed to be read again.
options_of() { udpbatch "$1" --help | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'; }
subcommands() { udpbatch --help | sed -n 's/^  \([a-z]*\) .*/\1/p'; }
backends_of() { udpbatch "$@" --backend '' 2>&1 | sed 's/.*there are //; s/,//g'; }
readonly sending=$(backends_of send) receiving=$(backends_of recv)

# runs LINE: leaves the arguments that the line has in the end in $work/told, sorted. In the line,
# ALL stands for the key that puts in all that is offered, TAB for the usual one.
runs() {
    local line=${1//ALL/$all}
    : >"$work/told"
    status=0
    "${shell}_reads" "${line//TAB/$'\t'}" || status=$?
    sort -o "$work/told" "$work/told"
}

# becomes LINE WORD...: these are the arguments of the line when it is run, in any order.
becomes() {
    local line=$1
    shift
    runs "$line"
    if [ $# -gt 0 ] && printf '%s\n' "$@" | sort | diff "$work/told" - >>"$work/err"; then
        verdict ok "$shell: udpbatch $line"
    else
        verdict bad "$shell: udpbatch $line"
    fi
}

# names LINE WORD: it is among the arguments.
names() {
    runs "$1"
    grep -qx -- "$2" "$work/told" && answer=ok || answer=bad
    verdict "$answer" "$shell: udpbatch $1, with $2"
}

what_both_complete() {
    local subcommand
    becomes "seTAB" send
    becomes "recv --bufTAB 9" recv --buffer 9
    for subcommand in $(subcommands); do
        becomes "$subcommand --ALL" "$subcommand" $(options_of "$subcommand")
    done
    becomes "help ALL" help $(subcommands)
    becomes "help send ALL" help send
    becomes "completion ALL" completion bash zsh
    becomes "nothing ALL" nothing

    becomes "send --xdp-mode ALL" send --xdp-mode auto copy zero-copy
    becomes "send --xdp-mode=coTAB" send --xdp-mode=copy
    becomes "send --backend ALL" send --backend $sending
    becomes "recv --backend ALL" recv --backend $receiving
    becomes "recv --backend=portTAB" recv --backend=portable
    names "send --interface ALL" lo

    becomes "send fiALL" send file1 "fi le2"
    becomes "send --targets fiALL" send --targets file1 "fi le2"
    becomes "send -T fiALL" send -T file1 "fi le2"
    becomes "recv --output=foTABx" recv --output=folder/x
    becomes "send --to 127.0.0.1:9 fiALL" send --to 127.0.0.1:9 file1 "fi le2"
    becomes "send --to fiALL" send --to fi
    becomes "send --to=fiALL" send --to=fi
    becomes "send --to=127.0.0.1:ALL" send --to=127.0.0.1:
    becomes "send --quiet fiALL" send --quiet file1 "fi le2"
    becomes "send --quiet=fiALL" send --quiet=fi
    becomes "send --nothing --ratTAB 9" send --nothing --rate 9
}

shell=bash all=$'\e*'
what_both_complete
becomes "ALL" $(subcommands) help --help --version
becomes "recv ALL" recv $(options_of recv)
becomes "send --xdp-mode \"coTAB" send --xdp-mode copy
becomes $'recv --buf9\x02TAB ' recv --buffer 9 # with the cursor before the 9
if [ -e /usr/share/bash-completion/bash_completion ]; then
    sed -i '1i . /usr/share/bash-completion/bash_completion' "$work/bashrc"
    becomes "send --xdp-mode=coTAB" send --xdp-mode=copy
fi
sed -i '1i COMP_WORDBREAKS=${COMP_WORDBREAKS//=}' "$work/bashrc"
becomes "send --xdp-mode=coTAB" send --xdp-mode=copy

if command -v zsh >/dev/null; then
    shell=zsh all=$'\x18a'
    what_both_complete
    becomes "ALL" $(subcommands) help
    becomes "-ALL" -h --help --version
    becomes "send file1 fiALL" send file1 fi
    becomes "recv -lofoTABx" recv -lofolder/x
    becomes "send -qT fiALL" send -qT file1 "fi le2"
    udpbatch completion zsh >"$work/functions/_udpbatch"
    becomes "send --xdp-mode ALL" send --xdp-mode auto copy zero-copy
else
    echo "not checked: zsh is not installed"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
fi

# ---- The subcommand -----------------------------------------------------------------------------

# complains SENTENCE TEXT ARGUMENT...: status 2, and one line on stderr with the text in it.
complains() {
    local sentence=$1 text=$2
    shift 2
    status=0
    udpbatch completion "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -eq 2 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ] &&
        grep -qF -- "$text" "$work/err" && answer=ok || answer=bad
    verdict "$answer" "$sentence"
}

complains "a shell has to be given" "bash or zsh"
complains "with a name" "bash or zsh" ''
complains "another shell is refused" "fish: " fish
complains "and a second one" "one shell" bash zsh
complains "and an option that is not there" "--shell" --shell
udpbatch completion --help | grep -qF 'source <(udpbatch completion bash)' && answer=ok || answer=bad
verdict "$answer" "--help says how to load it"

echo "$checked checked, $failed failed"
[ "$failed" -eq 0 ]
