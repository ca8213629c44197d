/* receiver.c: many datagrams per call into memory of its own. */
#include "internal.h"

#include <poll.h>
#include <stdlib.h>

enum { DEFAULT_BATCH = 64, CACHE_LINE = 64 };

struct udpbatch_receiver {
    int fd;
    const struct ub_backend *backend;
    uint32_t batch;
    uint32_t dropped; /* the kernel's counter as last seen */
    struct udpbatch_receiver_stats stats;
    struct ub_slot *slots;
    ub_message *messages;
    unsigned char *data;
};

/* Buffers a power of two apart would share few sets of the cache: so they are one line more. */
static size_t stride(size_t packet_size)
{
    return (packet_size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE + CACHE_LINE;
}

static int make_room(struct udpbatch_receiver *receiver, uint32_t packet_size)
{
    receiver->slots = calloc(receiver->batch, sizeof *receiver->slots);
    receiver->messages = calloc(receiver->batch, sizeof *receiver->messages);
    receiver->data = calloc(receiver->batch, stride(packet_size));
    if (receiver->slots == NULL || receiver->messages == NULL || receiver->data == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < receiver->batch; i++) {
        receiver->slots[i].room =
            (struct iovec){ receiver->data + i * stride(packet_size), packet_size };
    }
    return 0;
}

static int begin(struct udpbatch_receiver *receiver, int fd,
                 const struct udpbatch_receiver_options *theirs)
{
    struct udpbatch_receiver_options options = { 0 };
    int error = ub_options_take(&options, sizeof options, theirs);
    if (error == 0)
        error = ub_socket_check(fd);
    if (error < 0)
        return error;
    if (options.batch > UB_MESSAGES_MAX || options.packet_size > UB_PAYLOAD_MAX)
        return -EINVAL;

    receiver->fd = fd;
    receiver->backend = ub_backend_find(options.backend);
    if (receiver->backend == NULL)
        return -ENOENT;
    setsockopt(fd, SOL_SOCKET, UB_RXQ_OVFL, &(int){ 1 }, sizeof(int));
    ub_socket_dropped(fd, &receiver->dropped);
    receiver->batch = options.batch != 0 ? options.batch : DEFAULT_BATCH;
    return make_room(receiver, options.packet_size != 0 ? options.packet_size : UB_PAYLOAD_MAX);
}

struct udpbatch_receiver *udpbatch_receiver_open(int fd,
                                                 const struct udpbatch_receiver_options *options,
                                                 int *error)
{
    struct udpbatch_receiver *receiver = calloc(1, sizeof *receiver);
    int result = receiver != NULL ? begin(receiver, fd, options) : -ENOMEM;

    if (error != NULL)
        *error = -result;
    if (result == 0)
        return receiver;
    udpbatch_receiver_close(receiver);
    return NULL;
}

void udpbatch_receiver_close(struct udpbatch_receiver *receiver)
{
    if (receiver == NULL)
        return;
    free(receiver->slots);
    free(receiver->messages);
    free(receiver->data);
    free(receiver);
}

/* The kernel's counter has 32 bits and comes by two ways, of which one may be behind. */
static void count_dropped(struct udpbatch_receiver *receiver, uint32_t dropped)
{
    uint32_t more = dropped - receiver->dropped;
    if (more > INT32_MAX)
        return;
    receiver->dropped = dropped;
    receiver->stats.dropped += more;
}

static struct udpbatch_received give_out(struct udpbatch_receiver *receiver, struct ub_slot *slot)
{
    receiver->stats.packets++;
    receiver->stats.bytes += slot->len;
    receiver->stats.truncated += slot->truncated;
    if (slot->has_dropped)
        count_dropped(receiver, slot->dropped);
    return (struct udpbatch_received){ .data = slot->room.iov_base,
                                       .len = (uint32_t)slot->len,
                                       .truncated = slot->truncated,
                                       .from = &slot->from };
}

int udpbatch_receiver_receive(struct udpbatch_receiver *receiver, struct udpbatch_received *packets,
                              size_t n)
{
    n = n < receiver->batch ? n : receiver->batch;
    if (n == 0)
        return 0;
    int count = receiver->backend->receive(receiver->fd, receiver->slots, n, receiver->messages,
                                           &receiver->stats.system_calls);
    for (int i = 0; i < count; i++)
        packets[i] = give_out(receiver, &receiver->slots[i]);
    return count;
}

int udpbatch_receiver_wait(struct udpbatch_receiver *receiver, int timeout_ms)
{
    int events = ub_socket_wait(receiver->fd, POLLIN, timeout_ms);
    return events < 0 ? events : 0;
}

void udpbatch_receiver_stats(struct udpbatch_receiver *receiver,
                             struct udpbatch_receiver_stats *stats)
{
    uint32_t dropped;
    if (ub_socket_dropped(receiver->fd, &dropped))
        count_dropped(receiver, dropped);
    receiver->stats.backend = receiver->backend->name;
    ub_stats_give(stats, &receiver->stats, sizeof receiver->stats);
}
