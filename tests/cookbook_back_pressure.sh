#!/usr/bin/env bash
# examples/back_pressure.c where a slow queue makes its socket full, which loopback alone never is:
# all arrives, and it has waited for the socket as well as for its rate.
# Usage: cookbook_back_pressure.sh EXAMPLE
set -eu

skip() {
    echo "$1"
    [ -n "${CI:-}" ] && exit 1 || exit 77
}

if [ "${2:-}" != inside ]; then
    own_network=(unshare -n)
    [ "$(id -u)" = 0 ] || own_network=(unshare -Urn)
    "${own_network[@]}" true 2>/dev/null || skip "no network of our own"
    exec "${own_network[@]}" bash "$0" "$1" inside
fi
ip link set lo up || skip "ip cannot set loopback up"
tc qdisc add dev lo root tbf rate 1mbit burst 10kb limit 10mb || skip "tc cannot make a tbf queue"
said=$("$1" 2>&1)
echo "$said"
[[ "$said" =~ ([0-9]+)" waits for time, "([0-9]+)" for room" ]]
[ "${BASH_REMATCH[1]}" -gt 0 ] && [ "${BASH_REMATCH[2]}" -gt 0 ] && echo ok
