/* original.c: what the sendmmsg module of Solana's streamer does: headers built for each
 * call, and at an error on to the packet that failed, which is counted and skipped, whatever the
 * error. */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>

#include "messages.h"

struct original {
    int fd;
    const struct udpbatch_packet *packets;
    size_t n;
};

static void *open_original(const struct engine *engine, int fd,
                           const struct udpbatch_packet *packets, size_t n)
{
    struct original *self = malloc(sizeof *self);
    (void)engine;
    if (self != NULL)
        *self = (struct original){ fd, packets, n };
    return self;
}

static struct outcome send_messages(int fd, struct mmsghdr *headers, size_t n)
{
    struct outcome outcome = { 0 };

    for (size_t next = 0; next < n;) {
        int taken = sendmmsg(fd, headers + next, (unsigned)(n - next), 0);
        if (taken >= 0) {
            outcome.sent += (size_t)taken;
            next += (size_t)taken;
        } else {
            outcome_count_error(&outcome, errno);
            next++;
        }
    }
    return outcome;
}

static struct outcome send_original(void *me)
{
    const struct original *self = me;
    struct outcome outcome = { 0 };
    struct messages messages;

    if (!messages_allocate(&messages, self->n))
        return outcome;
    messages_build(&messages, self->packets, self->n);
    outcome = send_messages(self->fd, messages.headers, self->n);
    messages_free(&messages);
    return outcome;
}

const struct engine engine_original = {
    .name = ENGINE_ORIGINAL,
    .what = "sendmmsg, headers built per call, failures skipped",
    .open = open_original,
    .send = send_original,
    .close = free,
};
