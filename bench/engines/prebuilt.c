/* prebuilt.c: sendmmsg over headers that are built once: the floor of the socket path. */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>

#include "messages.h"

struct prebuilt {
    int fd;
    size_t n;
    struct messages messages;
};

static void *open_prebuilt(const struct engine *engine, int fd,
                           const struct udpbatch_packet *packets, size_t n)
{
    struct prebuilt *self = malloc(sizeof *self);
    (void)engine;
    if (self == NULL)
        return NULL;
    *self = (struct prebuilt){ .fd = fd, .n = n };
    if (!messages_allocate(&self->messages, n)) {
        free(self);
        return NULL;
    }
    messages_build(&self->messages, packets, n);
    return self;
}

static void close_prebuilt(void *me)
{
    struct prebuilt *self = me;
    messages_free(&self->messages);
    free(self);
}

static struct outcome send_prebuilt(void *me)
{
    struct prebuilt *self = me;
    struct outcome outcome = { 0 };

    for (size_t next = 0; next < self->n;) {
        unsigned rest = (unsigned)(self->n - next);
        int taken = sendmmsg(self->fd, self->messages.headers + next, rest, 0);
        if (taken >= 0) {
            outcome.sent += (size_t)taken;
            next += (size_t)taken;
        } else if (errno != EAGAIN || !engine_wait(self->fd)) {
            outcome_count_error(&outcome, errno);
            next++;
        }
    }
    return outcome;
}

const struct engine engine_prebuilt = {
    .name = "prebuilt",
    .what = "sendmmsg, headers built once: the socket's floor",
    .open = open_prebuilt,
    .send = send_prebuilt,
    .close = close_prebuilt,
};
