/* recvmmsg.c: what the receiving side of Solana's streamer does: recvmmsg into 64 buffers side by
 * side, headers built for each call, and the address of each datagram kept beside it. */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

enum { MESSAGES = 64, PACKET_DATA_SIZE = 1232 };

struct streamer {
    int fd;
    size_t room; /* bytes for each datagram */
    unsigned char *data;
    union udpbatch_addr from[MESSAGES];
};

static void close_streamer(void *me)
{
    struct streamer *self = me;
    free(self->data);
    free(self);
}

static void *open_streamer(const struct engine *engine, int fd,
                           const struct udpbatch_packet *packets, size_t n)
{
    struct streamer *self = malloc(sizeof *self);
    (void)engine;
    if (self == NULL)
        return NULL;
    *self = (struct streamer){ .fd = fd, .room = PACKET_DATA_SIZE };
    for (size_t i = 0; i < n; i++)
        if (packets[i].len > self->room)
            self->room = packets[i].len;
    self->data = calloc(MESSAGES, self->room);
    if (self->data != NULL)
        return self;
    close_streamer(self);
    return NULL;
}

/* What one call is given. */
struct call {
    struct mmsghdr headers[MESSAGES];
    struct sockaddr_storage addresses[MESSAGES];
    struct iovec rooms[MESSAGES];
};

static void build(const struct streamer *self, struct call *call, size_t n)
{
    memset(call->headers, 0, sizeof call->headers);
    memset(call->addresses, 0, sizeof call->addresses);
    for (size_t i = 0; i < n; i++) {
        call->rooms[i] = (struct iovec){ self->data + i * self->room, self->room };
        call->headers[i].msg_hdr = (struct msghdr){ .msg_name = &call->addresses[i],
                                                    .msg_namelen = sizeof call->addresses[i],
                                                    .msg_iov = &call->rooms[i],
                                                    .msg_iovlen = 1 };
    }
}

static struct udpbatch_received give_out(struct streamer *self, const struct call *call, int i)
{
    union udpbatch_addr *from = &self->from[i];
    memcpy(from, &call->addresses[i], sizeof *from);
    return (struct udpbatch_received){
        .data = call->rooms[i].iov_base,
        .len = call->headers[i].msg_len,
        .truncated = (call->headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0,
        .from = from,
    };
}

static int receive_streamer(void *me, struct udpbatch_received *packets, size_t n)
{
    struct streamer *self = me;
    struct timespec patience = { .tv_sec = 1 };
    struct call call;

    n = n < MESSAGES ? n : MESSAGES;
    build(self, &call, n);
    int count = recvmmsg(self->fd, call.headers, (unsigned)n, MSG_WAITFORONE, &patience);
    for (int i = 0; i < count; i++)
        packets[i] = give_out(self, &call, i);
    return count >= 0 ? count : -errno;
}

const struct engine engine_recvmmsg = {
    .name = ENGINE_RECVMMSG,
    .what = "recvmmsg into 64 buffers, headers built per call",
    .open = open_streamer,
    .receive = receive_streamer,
    .close = close_streamer,
};
