/* verify_receiver.c: whether an engine that receives gives out each payload: whole, once and in
 * order. */
#include "verify_receiver.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "interrupt.h"

/* How long a packet may be on its way, and one too many after all others. */
enum { PATIENCE_MS = 300, LATE_MS = 2 };

/* Not what rounds ask for, so that what is held back for the next call is met too. */
enum { AT_ONCE = 61 };

struct check {
    const struct feeder *feeder;
    size_t wanted, taken;
    size_t damaged, displaced, misnamed; /* of these; the last: told to come from elsewhere */
    int error;
};

static bool is_payload(const struct udpbatch_packet *packet,
                       const struct udpbatch_received *received)
{
    return !received->truncated && received->len == packet->len &&
           memcmp(received->data, packet->data, packet->len) == 0;
}

static bool is_any_payload(const struct feeder *feeder, const struct udpbatch_received *received)
{
    for (size_t i = 0; i < feeder->n; i++)
        if (is_payload(&feeder->packets[i], received))
            return true;
    return false;
}

static void examine(struct check *check, const struct udpbatch_received *received)
{
    const struct feeder *feeder = check->feeder;

    if (!is_payload(&feeder->packets[check->taken % feeder->n], received)) {
        if (is_any_payload(feeder, received))
            check->displaced++;
        else
            check->damaged++;
    }
    check->misnamed += received->from->in4.sin_port != feeder->port;
    check->taken++;
}

/* Returns false if there are no more. One that never ends is stopped. */
static bool take_some(struct check *check, const struct engine *engine, void *self)
{
    struct udpbatch_received packets[AT_ONCE];
    int count = engine->receive(self, packets, AT_ONCE);

    if (count < 0 && count != -EAGAIN && count != -EINTR)
        check->error = -count;
    for (int i = 0; i < count; i++)
        examine(check, &packets[i]);
    return count > 0 && check->taken <= 2 * check->wanted;
}

static bool wait_for_more(const struct check *check, int fd)
{
    struct pollfd arrival = { .fd = fd, .events = POLLIN };
    int patience_ms = check->taken < check->wanted ? PATIENCE_MS : LATE_MS;
    return check->error == 0 && check->taken <= check->wanted && !interrupted() &&
           poll(&arrival, 1, patience_ms) > 0;
}

static bool explain(const struct check *check, char fault[RESULT_TEXT])
{
    if (check->error != 0)
        snprintf(fault, RESULT_TEXT, "it failed: %s", strerror(check->error));
    else if (check->damaged > 0)
        snprintf(fault, RESULT_TEXT, "%zu of %zu packets came out damaged", check->damaged,
                 check->wanted);
    else if (check->taken < check->wanted)
        snprintf(fault, RESULT_TEXT, "%zu of %zu packets did not come out",
                 check->wanted - check->taken, check->wanted);
    else if (check->taken > check->wanted)
        snprintf(fault, RESULT_TEXT, "more packets came out than the %zu that were put in",
                 check->wanted);
    else if (check->displaced > 0)
        snprintf(fault, RESULT_TEXT, "%zu of %zu packets came out in another order",
                 check->displaced, check->wanted);
    else if (check->misnamed > 0)
        snprintf(fault, RESULT_TEXT, "%zu of %zu packets came out with a wrong address",
                 check->misnamed, check->wanted);
    else
        return true;
    return false;
}

bool verify_receiver(const struct engine *engine, void *self, int fd, struct feeder *feeder,
                     char fault[RESULT_TEXT])
{
    struct check check = { .feeder = feeder, .wanted = feeder->n * feeder->bursts };
    struct reason reason;

    if (!feeder_fill(feeder, &reason)) {
        snprintf(fault, RESULT_TEXT, "%.*s", RESULT_TEXT - 1, reason.text);
        return false;
    }
    do {
        while (take_some(&check, engine, self))
            continue;
    } while (wait_for_more(&check, fd));
    return explain(&check, fault);
}
