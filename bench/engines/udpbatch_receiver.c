/* udpbatch_receiver.c: the library's receiver, with trains and without. */
#include "engine.h"

#include <errno.h>

static void *open_receiver(const struct engine *engine, int fd,
                           const struct udpbatch_packet *packets, size_t n)
{
    const struct udpbatch_receiver_options options = { .size = sizeof options,
                                                       .backend = engine->backend,
                                                       .trains = engine->trains };
    int error = 0;
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(fd, &options, &error);

    (void)packets;
    (void)n;
    if (receiver == NULL)
        errno = error;
    return receiver;
}

static int receive(void *me, struct udpbatch_received *packets, size_t n)
{
    return udpbatch_receiver_receive(me, packets, n);
}

static void close_receiver(void *me)
{
    udpbatch_receiver_close(me);
}

static const char *backend_in_use(void *me)
{
    struct udpbatch_receiver_stats stats = { .size = sizeof stats };
    udpbatch_receiver_stats(me, &stats);
    return stats.backend;
}

const struct engine engine_receiver = {
    .name = "udpbatch-receiver",
    .what = "the library's receiver, its own choice",
    .open = open_receiver,
    .receive = receive,
    .close = close_receiver,
    .uses = backend_in_use,
};

const struct engine engine_receiver_plain = {
    .name = "udpbatch-receiver-plain",
    .what = "the same without trains",
    .trains = UDPBATCH_TRAINS_OFF,
    .open = open_receiver,
    .receive = receive,
    .close = close_receiver,
    .uses = backend_in_use,
};
