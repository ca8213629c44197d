/* engine_udpbatch.c: the library: level 1, both calls, and level 2. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

struct batch {
    int fd;
    struct udpbatch_sender *sender; /* level 2 */
    struct udpbatch_packet *packets;
    union udpbatch_addr *targets; /* of the packets, in their order */
    size_t n;
};

static void close_batch(void *me)
{
    struct batch *self = me;
    udpbatch_sender_close(self->sender);
    free(self->packets);
    free(self->targets);
    free(self);
}

static void *open_batch(int fd, const struct udpbatch_packet *packets, size_t n)
{
    struct batch *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    *self = (struct batch){ .fd = fd, .n = n };
    self->packets = calloc(n, sizeof *self->packets);
    self->targets = calloc(n, sizeof *self->targets);
    self->sender = udpbatch_sender_open(fd, NULL, NULL);
    if (self->packets == NULL || self->targets == NULL || self->sender == NULL) {
        close_batch(self);
        return NULL;
    }
    memcpy(self->packets, packets, n * sizeof *packets);
    for (size_t i = 0; i < n; i++)
        self->targets[i] = *packets[i].to;
    return self;
}

/* A packet's status is part of what a caller writes for each send. */
static struct udpbatch_packet *renew(struct batch *self)
{
    for (size_t i = 0; i < self->n; i++)
        self->packets[i].status = 0;
    return self->packets;
}

static size_t send_level1(void *me)
{
    struct batch *self = me;
    return udpbatch_send(self->fd, renew(self), self->n).sent;
}

static size_t send_level2(void *me)
{
    struct batch *self = me;
    return udpbatch_sender_send(self->sender, renew(self), self->n).sent;
}

static size_t send_multi_target(void *me)
{
    struct batch *self = me;
    const struct udpbatch_packet *payload = self->packets;
    return udpbatch_multi_target_send(self->fd, payload->data, payload->len, self->targets, self->n,
                                      NULL)
        .sent;
}

const struct engine engine_level1 = {
    .name = "udpbatch_send",
    .what = "level 1",
    .open = open_batch,
    .send = send_level1,
    .close = close_batch,
};

const struct engine engine_multi_target = {
    .name = "udpbatch_multi_target_send",
    .what = "level 1, the first payload to all targets",
    .open = open_batch,
    .send = send_multi_target,
    .close = close_batch,
};

const struct engine engine_level2 = {
    .name = "udpbatch_sender_send",
    .what = "level 2",
    .open = open_batch,
    .send = send_level2,
    .close = close_batch,
};
