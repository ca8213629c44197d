/* queue.c: tc(8). The queue holds all that sockets may give it, and drops nothing. */
#define _GNU_SOURCE
#include "queue.h"

#include "../two_hosts.h"

#define SLOW "replace dev near root tbf rate 100mbit burst 10kb limit 10mb"
#define NONE "del dev near root"

bool queue_be_slow(bool slow)
{
    static bool is_slow;

    if (slow == is_slow)
        return true;
    if (!run_at(NEAR, "tc qdisc %s", slow ? SLOW : NONE))
        return false;
    is_slow = slow;
    return true;
}
