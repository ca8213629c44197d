/* engine_sendto.c: one sendto per packet. */
#include "engine.h"

#include <stdlib.h>

struct sendto_loop {
    int fd;
    const struct udpbatch_packet *packets;
    size_t n;
};

static void *open_loop(int fd, const struct udpbatch_packet *packets, size_t n)
{
    struct sendto_loop *self = malloc(sizeof *self);
    if (self != NULL)
        *self = (struct sendto_loop){ fd, packets, n };
    return self;
}

static size_t send_loop(void *me)
{
    struct sendto_loop *self = me;
    size_t sent = 0;
    for (size_t i = 0; i < self->n; i++) {
        const struct udpbatch_packet *packet = &self->packets[i];
        sent += sendto(self->fd, packet->data, packet->len, 0, &packet->to->sa,
                       sizeof packet->to->in4) >= 0;
    }
    return sent;
}

const struct engine engine_sendto = {
    .name = "sendto-loop",
    .what = "one sendto per packet",
    .open = open_loop,
    .send = send_loop,
    .close = free,
};
