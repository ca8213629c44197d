/* sendto.c: one sendto per packet. */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>

#include "address.h"

struct sendto_loop {
    int fd;
    const struct udpbatch_packet *packets;
    size_t n;
};

static void *open_loop(const struct engine *engine, int fd, const struct udpbatch_packet *packets,
                       size_t n)
{
    struct sendto_loop *self = malloc(sizeof *self);
    (void)engine;
    if (self != NULL)
        *self = (struct sendto_loop){ fd, packets, n };
    return self;
}

static ssize_t send_one(int fd, const struct udpbatch_packet *packet)
{
    return sendto(fd, packet->data, packet->len, 0, &packet->to->sa, address_len(packet->to));
}

static struct outcome send_loop(void *me)
{
    const struct sendto_loop *self = me;
    struct outcome outcome = { 0 };

    for (size_t i = 0; i < self->n; i++) {
        ssize_t taken;
        while ((taken = send_one(self->fd, &self->packets[i])) < 0 && errno == EAGAIN &&
               engine_wait(self->fd))
            continue;
        if (taken >= 0)
            outcome.sent++;
        else
            outcome_count_error(&outcome, errno);
    }
    return outcome;
}

const struct engine engine_sendto = {
    .name = "sendto-loop",
    .what = "one sendto per packet",
    .open = open_loop,
    .send = send_loop,
    .close = free,
};
