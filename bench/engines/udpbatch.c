/* udpbatch.c: the library: both calls of level 1, and level 2 with a back end. */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "interrupt.h"

struct batch {
    int fd;
    struct udpbatch_sender *sender; /* level 2; else NULL */
    struct udpbatch_packet *packets;
    union udpbatch_addr *targets; /* of the packets, in their order */
    int32_t *status;
    size_t n;
};

static void close_batch(void *me)
{
    struct batch *self = me;
    if (self->sender != NULL)
        udpbatch_sender_flush(self->sender, TICK_MS); /* what was counted as sent is to leave */
    udpbatch_sender_close(self->sender);
    free(self->packets);
    free(self->targets);
    free(self->status);
    free(self);
}

static struct batch *open_batch(int fd, const struct udpbatch_packet *packets, size_t n)
{
    struct batch *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    *self = (struct batch){ .fd = fd, .n = n };
    self->packets = calloc(n, sizeof *self->packets);
    self->targets = calloc(n, sizeof *self->targets);
    self->status = calloc(n, sizeof *self->status);
    if (self->packets == NULL || self->targets == NULL || self->status == NULL) {
        close_batch(self);
        return NULL;
    }
    memcpy(self->packets, packets, n * sizeof *packets);
    for (size_t i = 0; i < n; i++)
        self->targets[i] = *packets[i].to;
    return self;
}

static struct outcome outcome_of(const struct udpbatch_tally *tally)
{
    return (struct outcome){ .sent = tally->sent,
                             .refused = tally->refused,
                             .first_error = tally->first_error };
}

/* A packet's status is part of what a caller writes for each send. */
static void renew(struct batch *self)
{
    for (size_t i = 0; i < self->n; i++)
        self->packets[i].status = 0;
}

/* ---- Level 1 ------------------------------------------------------------------------------- */

static void *open_level1(const struct engine *engine, int fd, const struct udpbatch_packet *packets,
                         size_t n)
{
    (void)engine;
    return open_batch(fd, packets, n);
}

static struct outcome send_level1(void *me)
{
    struct batch *self = me;
    struct udpbatch_tally tally;

    renew(self);
    while ((tally = udpbatch_send(self->fd, self->packets, self->n)).unsent > 0 &&
           engine_wait(self->fd))
        continue;
    return outcome_of(&tally);
}

static struct outcome send_multi_target(void *me)
{
    struct batch *self = me;
    const struct udpbatch_packet *payload = self->packets;
    struct udpbatch_tally tally;

    memset(self->status, 0, self->n * sizeof *self->status);
    while ((tally = udpbatch_multi_target_send(self->fd, payload->data, payload->len, self->targets,
                                               self->n, self->status))
                   .unsent > 0 &&
           engine_wait(self->fd))
        continue;
    return outcome_of(&tally);
}

const struct engine engine_udpbatch_send = {
    .name = "udpbatch_send",
    .what = "level 1 of the library",
    .open = open_level1,
    .send = send_level1,
    .close = close_batch,
};

const struct engine engine_multi_target_send = {
    .name = "udpbatch_multi_target_send",
    .what = "level 1 of the library, one payload to all targets",
    .one_payload = true,
    .open = open_level1,
    .send = send_multi_target,
    .close = close_batch,
};

/* ---- Level 2 ------------------------------------------------------------------------------- */

/* Past the network stack packets leave by one device: the one that the kernel would take. */
static bool choose_device(const struct engine *engine, const union udpbatch_addr *to,
                          struct device *device)
{
    if (!engine_is_past_the_stack(engine))
        return true;
    device_of_route(device, to);
    if (device->name[0] == '\0')
        errno = ENETUNREACH;
    return device->name[0] != '\0';
}

static struct udpbatch_sender *open_sender(const struct engine *engine, int fd,
                                           const union udpbatch_addr *to)
{
    struct device device = { 0 };
    const struct udpbatch_sender_options options = { .size = sizeof options,
                                                     .backend = engine->backend,
                                                     .trains = engine->trains,
                                                     .xdp_interface = device.name };
    int error = 0;

    if (!choose_device(engine, to, &device))
        return NULL;
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, &options, &error);
    if (sender == NULL)
        errno = error;
    return sender;
}

static void *open_level2(const struct engine *engine, int fd, const struct udpbatch_packet *packets,
                         size_t n)
{
    struct batch *self = open_batch(fd, packets, n);

    if (self == NULL)
        return NULL;
    self->sender = open_sender(engine, fd, packets->to);
    if (self->sender == NULL) {
        int error = errno;
        close_batch(self);
        errno = error;
        return NULL;
    }
    return self;
}

static struct outcome send_level2(void *me)
{
    struct batch *self = me;
    struct udpbatch_tally tally;

    renew(self);
    while ((tally = udpbatch_sender_send(self->sender, self->packets, self->n)).unsent > 0 &&
           !interrupted())
        udpbatch_sender_wait(self->sender, TICK_MS);
    return outcome_of(&tally);
}

static const char *backend_in_use(void *me)
{
    const struct batch *self = me;
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    udpbatch_sender_stats(self->sender, &stats);
    switch (stats.xdp_mode) {
    case UDPBATCH_XDP_COPY:
        return "xdp, copy mode";
    case UDPBATCH_XDP_ZERO_COPY:
        return "xdp, zero-copy mode";
    default:
        return stats.backend;
    }
}

const struct engine engine_udpbatch = {
    .name = "udpbatch",
    .what = "level 2 of the library, its own choice",
    .open = open_level2,
    .send = send_level2,
    .close = close_batch,
    .uses = backend_in_use,
};

const struct engine engine_udpbatch_plain = {
    .name = "udpbatch-plain",
    .what = "the same without trains",
    .trains = UDPBATCH_TRAINS_OFF,
    .open = open_level2,
    .send = send_level2,
    .close = close_batch,
    .uses = backend_in_use,
};
