/* feeder.c: whole bursts of a workload, put into the socket of one receiver. */
#include "feeder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "interrupt.h"

/* So many packets at a time, if they fit: few enough to be in the socket of a receiver that is
 * somewhat late, and enough for their time not to be that of reading the clock. */
enum { PACKETS_AT_A_TIME = 1024 };

/* The kernel gives twice what it says to give, and counts all that it adds to a datagram against
 * that (socket(7)). */
enum { BUFFER_SHARE = 2 };

static bool choose_bursts(struct feeder *feeder, const struct receivers *receivers,
                          const struct workload *workload, struct reason *reason)
{
    size_t held = BUFFER_SHARE * receivers_hold(receivers, workload->most_bytes);
    size_t most = held < PACKETS_AT_A_TIME ? held : PACKETS_AT_A_TIME;

    if (held < feeder->n)
        return reason_give(reason,
                           "the receive buffer of %zu KiB may not hold a burst of %zu packets",
                           BUFFER_SHARE * receivers->buffer / 1024, feeder->n);
    feeder->bursts = most > feeder->n ? most / feeder->n : 1;
    return true;
}

/* A socket gets its port by the first datagram, or by being bound to any. */
static bool bind_any(struct feeder *feeder)
{
    union udpbatch_addr own = { .in4 = { .sin_family = AF_INET } };
    socklen_t len = sizeof own;

    if (bind(feeder->fd, &own.sa, sizeof own.in4) < 0 || getsockname(feeder->fd, &own.sa, &len) < 0)
        return false;
    feeder->port = own.in4.sin_port;
    return true;
}

static bool open_sender(struct feeder *feeder, const struct workload *workload,
                        struct reason *reason)
{
    if (bind_any(feeder))
        feeder->sender =
            engine_udpbatch.open(&engine_udpbatch, feeder->fd, workload->packets, workload->n);
    return feeder->sender != NULL ||
           reason_give(reason, "cannot send to the receiver: %s", strerror(errno));
}

bool feeder_open(struct feeder *feeder, const struct place *place,
                 const struct receivers *receivers, const struct workload_spec *spec,
                 const struct workload *workload, struct reason *reason)
{
    *feeder = (struct feeder){ .to = receivers->targets[0],
                               .packets = workload->packets,
                               .n = workload->n };
    feeder->fd = place_socket(place, spec, reason);
    if (feeder->fd < 0)
        return false;
    if (choose_bursts(feeder, receivers, workload, reason) && open_sender(feeder, workload, reason))
        return true;
    feeder_close(feeder);
    return false;
}

void feeder_close(struct feeder *feeder)
{
    if (feeder->sender != NULL)
        engine_udpbatch.close(feeder->sender);
    if (feeder->fd >= 0)
        close(feeder->fd);
    feeder->sender = NULL;
    feeder->fd = -1;
}

static bool feed_burst(struct feeder *feeder, struct reason *reason)
{
    struct outcome outcome = engine_udpbatch.send(feeder->sender);
    return outcome.refused == 0 ||
           reason_give(reason, "%zu of %zu packets cannot be sent to it: %s", outcome.refused,
                       feeder->n, strerror(outcome.first_error));
}

bool feeder_fill(struct feeder *feeder, struct reason *reason)
{
    for (size_t i = 0; i < feeder->bursts && !interrupted(); i++)
        if (!feed_burst(feeder, reason))
            return false;
    return true;
}
