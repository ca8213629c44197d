#!/usr/bin/env bash
# A program outside the tree (tests/adopt) takes the library in each way that there is: it builds, runs,
# and nothing else of its project is changed.
set -u
UDPBATCH=none # no script that tests the command
# shellcheck source=tests/verdict.sh
. tests/verdict.sh
CC=${CC:-cc}
CFLAGS=${CFLAGS:-}
export CC CFLAGS
export CMAKE_GENERATOR=Ninja CMAKE_EXPORT_COMPILE_COMMANDS=ON
unset CMAKE_PREFIX_PATH PKG_CONFIG_PATH
program=$work/program # a folder for each way
prefix=$work/elsewhere

# judge SENTENCE CONDITION...: with the first of its messages if it does not hold.
judge() {
    local sentence=$1
    shift
    "$@" >"$work/messages" 2>&1
    status=$?
    head -n 20 "$work/messages" >"$work/err"
    if [ "$status" -eq 0 ]; then verdict ok "$sentence"; else verdict bad "$sentence"; fi
}

# begin_project FOLDER: a copy of tests/adopt/FOLDER, with the program.
begin_project() {
    rm -rf "$program"
    mkdir "$program"
    cp "tests/adopt/$1/CMakeLists.txt" tests/adopt/state.cmake tests/adopt/main.c "$program"
}

configure() { cmake -S "$program" -B "$program/build" "$@"; }
build_and_run() {
    cmake --build "$program/build" && "$program/build/adopter"
}
cmake_project() { configure "$@" && build_and_run; }

says_its_version() { [ "$("$1" 2>&1)" = "3 sent by udpbatch $version" ]; }
asks_for_the_shared_one() { objdump -p "$1" | grep -q 'NEEDED *libudpbatch\.so\.1$'; }
is_complete() { says_its_version "$1" && ! asks_for_the_shared_one "$1"; }
is_shared() { says_its_version "$1" && asks_for_the_shared_one "$1"; }

version=$(sed -n 's/^#define UDPBATCH_VERSION "\(.*\)"$/\1/p' include/udpbatch.h)
tree=$work/udpbatch
mkdir "$tree"
tar c --exclude=./build --exclude=./.git . | tar x -C "$tree"

# ---- Installed, and then moved ----

install_library() {
    cmake -S "$tree" -B "$work/build" -DCMAKE_INSTALL_PREFIX="$work/prefix" -DCMAKE_INSTALL_LIBDIR=lib \
        -DUDPBATCH_CLI=OFF -DUDPBATCH_TESTS=OFF &&
        cmake --build "$work/build" --target install && mv "$work/prefix" "$prefix"
}
judge "the library installs" install_library

# found KIND [OPTION...]: as udpbatch::KIND.
found() {
    local kind=$1
    shift
    begin_project find_package
    cmake_project -DCMAKE_PREFIX_PATH="$prefix" -DVERSION_ASKED=0.1 -DKIND="$kind" "$@"
}
found_is() { # found_is is_shared|is_complete KIND [OPTION...]
    local is=$1
    shift
    found "$@" && "$is" "$program/build/adopter"
}
is_refused() { # is_refused REASON OPTION...
    local reason=$1
    shift
    ! found udpbatch "$@" && grep -q "$reason" "$work/messages"
}
judge "by find_package, shared" found_is is_shared shared
judge "by find_package, static" found_is is_complete static
judge "by find_package, what the project prefers: static" found_is is_complete udpbatch
judge "by find_package, what the project prefers: shared" \
    found_is is_shared udpbatch -DBUILD_SHARED_LIBS=ON
judge "find_package takes components" found_is is_shared shared '-DCOMPONENTS_ASKED=COMPONENTS;shared'
judge "find_package refuses a component that there is not" \
    is_refused 'no component dynamic' '-DCOMPONENTS_ASKED=COMPONENTS;dynamic'
judge "find_package refuses a later version" is_refused "version: $version" -DVERSION_ASKED=0.99

# by_pkg_config [--static]: prints the flags.
by_pkg_config() { PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs "$@" udpbatch; }
# shellcheck disable=SC2046,SC2086 # flags are words
by_pkg_config_shared() {
    $CC $CFLAGS tests/adopt/main.c $(by_pkg_config) -o "$work/adopter" &&
        LD_LIBRARY_PATH=$prefix/lib is_shared "$work/adopter"
}
# shellcheck disable=SC2046,SC2086
by_pkg_config_static() {
    $CC $CFLAGS tests/adopt/main.c -Wl,-Bstatic $(by_pkg_config --static) -Wl,-Bdynamic \
        -o "$work/adopter" && is_complete "$work/adopter"
}
judge "by pkg-config, shared" by_pkg_config_shared
judge "by pkg-config, static" by_pkg_config_static

# ---- As a part of the project ----

changed() { # what the library has changed of the project, but for names of its own
    diff "$program/build/before.txt" "$program/build/after.txt" |
        grep '^[<>]' | grep -viE '^> (udpbatch|fetchcontent|__cmake)_'
}
is_untouched() { [ -s "$program/build/after.txt" ] && ! changed; }
flags_are_its_own() { # those of the program's only source
    local command
    command=$(jq -r '.[] | select(.file | endswith("/main.c")).command' \
        "$program/build/compile_commands.json")
    [ -n "$command" ] && ! grep -E -- ' -(W|D|std=|f[PV]|f[pv]i)' <<<"$command"
}
has_one_test() { ctest --test-dir "$program/build" -N | grep -q '^Total Tests: 1$'; }
installs_the_program_alone() {
    cmake --install "$program/build" --prefix "$program/installed" &&
        [ "$(cd "$program/installed" && find . -type f)" = ./bin/adopter ]
}
builds_no_more_than_it_links() {
    [ "$(find "$program/build" -name 'libudpbatch.*' ! -type l | wc -l)" -eq 1 ]
}
judge_project() { # judge_project WAY
    judge "$1: no variable, option, flag or target of the project is touched" is_untouched
    judge "$1: nothing comes to the flags of the project's sources" flags_are_its_own
    judge "$1: the project's tests are its own" has_one_test
    judge "$1: the project installs what is its own" installs_the_program_alone
    judge "$1: what is not linked with is not built" builds_no_more_than_it_links
}

as_subdirectory() { # as_subdirectory KIND [OPTION...]
    local kind=$1
    shift
    begin_project subdirectory
    ln -s "$tree" "$program/udpbatch"
    cmake_project -DKIND="$kind" "$@"
}
subdirectory_static() { as_subdirectory udpbatch && is_complete "$program/build/adopter"; }
subdirectory_shared() {
    as_subdirectory udpbatch -DBUILD_SHARED_LIBS=ON && is_shared "$program/build/adopter"
}
subdirectory_strict() {
    as_subdirectory static -DCMAKE_UNITY_BUILD=ON -DCMAKE_C_STANDARD=17 -DCMAKE_C_EXTENSIONS=ON \
        "-DCMAKE_C_FLAGS=$CFLAGS -Wall -Wextra -Werror" && is_complete "$program/build/adopter"
}
judge "by add_subdirectory, static" subdirectory_static
judge_project "by add_subdirectory"
judge "by add_subdirectory, shared" subdirectory_shared
judge "by add_subdirectory, into a project with other ways to compile" subdirectory_strict

by_fetch_content() {
    begin_project fetch_content
    tar cz -C "$work" -f "$work/udpbatch.tar.gz" udpbatch
    cmake_project -DKIND=udpbatch -DUDPBATCH_URL="file://$work/udpbatch.tar.gz" &&
        is_complete "$program/build/adopter"
}
judge "by FetchContent" by_fetch_content
judge_project "by FetchContent"

# ---- Without a build system ----

# shellcheck disable=SC2086
from_sources() (
    cd "$tree" && $CC $CFLAGS -c src/*.c src/backend/*.c &&
        $CC $CFLAGS -Iinclude tests/adopt/main.c ./*.o -o "$work/adopter" &&
        is_complete "$work/adopter"
)
judge "by cc -c src/*.c src/backend/*.c" from_sources

single=$work/single
judge "the sources become a single file" scripts/amalgamate "$single"
# shellcheck disable=SC2086
from_single_file() {
    $CC $CFLAGS -I"$single" tests/adopt/main.c "$single/udpbatch.c" -o "$work/adopter" &&
        is_complete "$work/adopter"
}
judge "by the single file" from_single_file

strictly() ( # strictly COMPILER: the single file, by itself
    cd "$single" && "$1" -std=c11 -Wall -Wextra -Wpedantic -Werror -c udpbatch.c
)
for compiler in gcc clang x86_64-w64-mingw32-gcc; do
    if command -v "$compiler" >/dev/null; then
        judge "the single file compiles without a warning by $compiler" strictly "$compiler"
    else
        echo "not checked: the single file by $compiler, which is not here"
    fi
done

# passes TEST [SOURCE...]: a test of the library's own, with the single file in its place.
# shellcheck disable=SC2086
passes() {
    local name=$1
    shift
    $CC $CFLAGS -Isrc -I"$single" "tests/$name.c" "$@" "$single/udpbatch.c" -lcmocka -pthread \
        -o "$work/$name" && "$work/$name"
}
judge "the single file passes the library's tests of loopback" passes test_loopback tests/support.c
judge "the single file passes the library's tests of receiving" \
    passes test_receiver tests/receiving.c tests/support.c

# ---- For Windows, by mingw-w64 ----

mingw=(-DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER=x86_64-w64-mingw32-gcc)
wine=${WINE:-$(command -v wine64 || command -v wine || command -v /usr/lib/wine/wine64)}
export WINEPREFIX=$work/wine WINEDEBUG=-all

install_for_windows() {
    cmake -S "$tree" -B "$work/windows" "${mingw[@]}" -DCMAKE_INSTALL_PREFIX="$prefix/windows" \
        -DUDPBATCH_CLI=OFF -DUDPBATCH_TESTS=OFF && cmake --build "$work/windows" --target install
}
found_for_windows() { # found_for_windows KIND
    begin_project find_package
    configure "${mingw[@]}" -DCMAKE_PREFIX_PATH="$prefix/windows" -DVERSION_ASKED=0.1 -DKIND="$1" &&
        cmake --build "$program/build"
}
needs_the_dll() {
    x86_64-w64-mingw32-objdump -p "$program/build/adopter.exe" | grep -q 'Name: libudpbatch-1.dll'
}
found_shared_for_windows() { found_for_windows shared && needs_the_dll; }
found_static_for_windows() { found_for_windows static && ! needs_the_dll; }
runs_under_wine() {
    cp "$prefix/windows/bin/libudpbatch-1.dll" "$program/build"
    [ "$(timeout 100 "$wine" "$program/build/adopter.exe" | tr -d '\r')" = "3 sent by udpbatch $version" ]
}

# An environment's compiler and its flags are not for Windows.
judge_for_windows() {
    CC='' CFLAGS='' judge "$@"
}
if command -v x86_64-w64-mingw32-gcc >/dev/null; then
    judge_for_windows "the library for Windows installs" install_for_windows
    for kind in static shared; do
        judge_for_windows "by find_package for Windows, $kind" "found_${kind}_for_windows"
        if [ -n "$wine" ]; then
            judge "and it runs under Wine" runs_under_wine
        else
            echo "not checked: whether it runs, for want of Wine"
        fi
    done
    [ -z "$wine" ] || timeout 30 "$wine" wineboot --kill >/dev/null 2>&1
else
    echo "not checked: adopting it for Windows, for want of mingw-w64"
fi

echo "$checked sentences, $failed failed"
[ "$failed" -eq 0 ]
