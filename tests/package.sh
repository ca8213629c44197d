#!/usr/bin/env bash
# The Debian packages are built, and lintian has nothing to say against them. What they hold serves,
# from a folder where they are unpacked: programs are built by pkg-config and by CMake, and run; so
# does the command; the pages and the completions are there.
set -eu
cd "$(dirname "$0")/.."
for program in apt-get mandoc cmake; do
    if ! command -v $program >/dev/null; then
        echo "$program is not installed"
        [ -n "${CI:-}" ] && exit 1 || exit 77
    fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
built=$work/built root=$work/root
failed=0

# check SENTENCE COMMAND...: the sentence is true if the command succeeds.
check() {
    local sentence=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        echo "ok: $sentence"
    else
        echo "FAILED: $sentence"
        tail -n 40 "$work/said" | sed 's/^/    /'
        failed=1
    fi
}

# ---- What is asked for ---------------------------------------------------------------------------

# refuses TEXT ARGUMENT...: one line with the text in it, and status 2.
refuses() {
    local text=$1 status=0
    shift
    scripts/package "$@" >"$work/out" 2>"$work/err" || status=$?
    cat "$work/out" "$work/err"
    [ $status = 2 ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" = 1 ] &&
        grep -qF -- "$text" "$work/err"
}

has_help() { scripts/package --help | grep '^scripts/package '; }

touch "$work/file"
check "--help says how it is called" has_help
check "an unknown option is refused" refuses "--source" --source
check "two folders are refused" refuses "one folder" "$work/a" "$work/b"
check "a folder without a name is refused" refuses "no name" ""
check "a folder in the source tree is refused" refuses "in the source tree" src
check "the source tree itself is refused" refuses "in the source tree" .
check "a folder that cannot be made is refused" refuses "cannot write" "$work/file/folder"
check "a file is no folder" refuses "cannot write" "$work/file"

# ---- What is built -------------------------------------------------------------------------------

check "the packages are built, and lintian has nothing to say" scripts/package "$built"
[ -e "$(echo "$built"/udpbatch_*.deb)" ] || exit 1

readonly packages="libudpbatch1 libudpbatch-dev udpbatch"
version=$(sed -n 's/^#define UDPBATCH_VERSION "\(.*\)"/\1/p' include/udpbatch.h)
for package in $packages; do
    dpkg-deb -x "$built/${package}_"*.deb "$root"
done
libraries=$(dirname "$root"/usr/lib/*/libudpbatch.so.1)
export LD_LIBRARY_PATH=$libraries PKG_CONFIG_LIBDIR=$libraries/pkgconfig PATH=$root/usr/bin:$PATH

field() { dpkg-deb -f "$built/$1_"*.deb "$2"; }

versions_agree() {
    local package
    for package in $packages; do
        echo "$package: $(field "$package" Version)"
        [ "$(field "$package" Version)" = "$version" ] || return 1
    done
    udpbatch --version && udpbatch --version | grep -qw "$version"
    pkg-config --modversion udpbatch && [ "$(pkg-config --modversion udpbatch)" = "$version" ]
}

library_alone() {
    dpkg-deb -c "$built"/libudpbatch1_*.deb | awk '!/\/$/ { print $6 }' >"$work/files"
    cat "$work/files"
    ! grep -vE '/libudpbatch\.so\.1[0-9.]*$|/usr/share/doc/libudpbatch1/' "$work/files"
}

depends_on() { # depends_on PACKAGE EXPRESSION: and on nothing else
    field "$1" Depends
    field "$1" Depends | grep -qxE "$2"
}

# CMake leaves out what it finds no library for.
command_is_whole() {
    local library
    field udpbatch Depends
    for library in libjansson libpcap libuv libcap-ng; do
        field udpbatch Depends | grep -q "$library" || return 1
    done
}

check "all of them have the header's version, $version" versions_agree
check "libudpbatch1 has the library and nothing else" library_alone
check "it needs libc alone" depends_on libudpbatch1 'libc6[^,|]*'
check "libudpbatch-dev needs the same libudpbatch1" \
    depends_on libudpbatch-dev "libudpbatch1 \\(= $version\\)"
check "the command has all that a library is needed for" command_is_whole

# ---- What it is good for -------------------------------------------------------------------------

by_cmake() {
    mkdir "$work/program"
    awk -f tests/manual_examples.awk man/udpbatch_send.3 >"$work/program/program.c"
    cat >"$work/program/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.20)
project(program LANGUAGES C)
find_package(udpbatch REQUIRED)
foreach(kind shared static)
  add_executable(${kind} program.c)
  target_link_libraries(${kind} PRIVATE udpbatch::${kind})
endforeach()
END
    cmake -S "$work/program" -B "$work/program/build" -DCMAKE_PREFIX_PATH="$root/usr" &&
        cmake --build "$work/program/build" &&
        "$work/program/build/shared" && "$work/program/build/static"
}

# What a program asks the loader for is what libudpbatch1 is named after.
asks_for() { # asks_for PROGRAM SONAME SYMBOL-VERSION
    objdump -p "$1" >"$work/headers"
    cat "$work/headers"
    grep -q "NEEDED *$2\$" "$work/headers" && grep -q " $3\$" "$work/headers"
}

check "the manual's examples are built by pkg-config, and run" debian/tests/manual
check "a program is built by CMake, shared and static, and runs" by_cmake
check "it asks for libudpbatch.so.1 and for UDPBATCH_1" \
    asks_for "$work/program/build/shared" 'libudpbatch\.so\.1' UDPBATCH_1
check "the command sends and receives" debian/tests/command

# ---- What there is to read -----------------------------------------------------------------------

page() { zcat "$root/usr/share/man/man${1##*.}/$1.gz"; } # page NAME.SECTION

page_is_clean() {
    page "$1" >"$work/$1"
    mandoc -Tlint -Wwarning "$work/$1"
}

pages_are_clean() {
    local name
    for name in udpbatch.1 udpbatch.7 $(basename -a man/*.3); do
        echo "$name"
        page_is_clean "$name" || return 1
    done
}

# As it is, and not compressed: engines read it. Who has the library alone has it beside its page.
profile_is_there() {
    local name
    for name in udpbatch doc/libudpbatch-dev/docs; do
        cmp docs/seccomp.json "$root/usr/share/$name/seccomp.json" || return 1
    done
    [ -s "$root/usr/share/doc/udpbatch/seccomp.md" ] && [ -s "$root/usr/share/doc/libudpbatch-dev/docs/seccomp.md" ]
}

# What libudpbatch1 promises to programs.
functions() { sed -n 's/^ \(udpbatch_[a-z0-9_]*\)@.*/\1/p' debian/libudpbatch1.symbols; }

functions_have_pages() {
    local name
    for name in $(functions); do
        echo "$name"
        page "$name.3" | grep -qE "^\.Nm $name( ,)?$" || return 1
    done
}

bash_completes() {
    bash --norc -c '. "$0" && complete -p udpbatch' \
        "$root/usr/share/bash-completion/completions/udpbatch"
}

zsh_completes() { grep '^#compdef udpbatch' "$root/usr/share/zsh/vendor-completions/_udpbatch"; }

check "the pages are there, without a warning" pages_are_clean
check "every function has a page under its name" functions_have_pages
check "the seccomp profile is there, and its page" profile_is_there
check "bash has the completion" bash_completes
check "zsh has the completion" zsh_completes
exit $failed
