/* receiver.c: many datagrams per call into memory of its own. */
#include "internal.h"

#include <stdlib.h>

enum { DEFAULT_BATCH = 64, CACHE_LINE = 64, MOST_SETTINGS = 3 };

/* A socket option that close sets back. */
struct setting {
    int level;
    int option;
    int before;
};

struct udpbatch_receiver {
    udpbatch_socket fd;
    long process; /* that opened it */
    const struct ub_backend *backend;
    uint32_t batch;
    uint32_t packet_size;
    uint32_t dropped; /* the kernel's counter as last seen */
    struct udpbatch_receiver_stats stats;
    struct setting settings[MOST_SETTINGS];
    size_t setting_count;

    struct ub_slot *slots;
    ub_message *messages;
    unsigned char *data;

    /* What the kernel gave last, and how far it is given out: slots[next .. filled), of the first
     * of them the bytes from `given` on. */
    size_t filled, next, given;
};

/* ---- Opening ------------------------------------------------------------------------------ */

/* Buffers a power of two apart would share few sets of the cache: so they are one line more. */
static size_t stride(size_t size)
{
    return (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE + CACHE_LINE;
}

static int make_room(struct udpbatch_receiver *receiver, size_t size, uint32_t asked)
{
    receiver->slots = calloc(receiver->batch, sizeof *receiver->slots);
    receiver->messages = calloc(receiver->batch, sizeof *receiver->messages);
    receiver->data = calloc(receiver->batch, stride(size));
    if (receiver->slots == NULL || receiver->messages == NULL || receiver->data == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < receiver->batch; i++) {
        receiver->slots[i].room = receiver->data + i * stride(size);
        receiver->slots[i].size = size;
        receiver->slots[i].asked = asked;
    }
    return 0;
}

/* Sets an option for as long as the receiver is open. What cannot be read was off: older kernels
 * have UDP_GRO and do not tell it. */
static bool set_while_open(struct udpbatch_receiver *receiver, int level, int option, int value)
{
    int before = ub_socket_option(receiver->fd, level, option, 0);

    if (before == value)
        return true;
    if (ub_socket_set(receiver->fd, level, option, value) < 0)
        return false;
    receiver->settings[receiver->setting_count++] = (struct setting){ level, option, before };
    return true;
}

/* In a process that was forked off the socket is still its parent's, who may be receiving. */
static void settings_restore(struct udpbatch_receiver *receiver)
{
    if (receiver->process != ub_process())
        return;
    for (size_t i = 0; i < receiver->setting_count; i++) {
        const struct setting *s = &receiver->settings[i];
        ub_socket_set(receiver->fd, s->level, s->option, s->before);
    }
}

/* An IPv6 socket has both queues' options, the first for datagrams to mapped addresses. */
static int hear_network_errors(struct udpbatch_receiver *receiver)
{
    bool hears_in4 = set_while_open(receiver, IPPROTO_IP, UB_IP_RECVERR, 1);
    bool hears_in6 = set_while_open(receiver, IPPROTO_IPV6, UB_IPV6_RECVERR, 1);
    return hears_in4 || hears_in6 ? 0 : -EOPNOTSUPP;
}

static bool is_in_range(const struct udpbatch_receiver_options *options)
{
    return options->batch <= UB_MESSAGES_MAX && options->packet_size <= UB_PAYLOAD_MAX &&
           (unsigned)options->trains <= UDPBATCH_TRAINS_ALWAYS &&
           (options->meta & ~UB_META_CAME) == 0 && options->network_errors <= 1 &&
           options->reserved == 0;
}

static int set_up(struct udpbatch_receiver *receiver,
                  const struct udpbatch_receiver_options *options)
{
    bool wants_trains = options->trains == UDPBATCH_TRAINS_ALWAYS ||
                        (options->trains == UDPBATCH_TRAINS_AUTO && UB_UDP_GRO_BY_ITSELF);
    bool has_trains =
        set_while_open(receiver, UB_SOL_UDP, UB_UDP_GRO, wants_trains ? UB_UDP_GRO_ON : 0) &&
        wants_trains;
    int error = ub_meta_enable(receiver->fd, options->meta);

    if (error == 0 && options->network_errors != 0)
        error = hear_network_errors(receiver);
    if (error < 0)
        return error;
    ub_socket_set(receiver->fd, SOL_SOCKET, UB_RXQ_OVFL, 1);
    ub_socket_dropped(receiver->fd, &receiver->dropped);
    receiver->batch = options->batch != 0 ? options->batch : DEFAULT_BATCH;
    receiver->packet_size = options->packet_size != 0 ? options->packet_size : UB_PAYLOAD_MAX;
    return make_room(receiver, has_trains ? UB_PAYLOAD_MAX : receiver->packet_size, options->meta);
}

static int receiver_begin(struct udpbatch_receiver *receiver, udpbatch_socket fd,
                          const struct udpbatch_receiver_options *theirs)
{
    struct udpbatch_receiver_options options = { 0 };
    int error = ub_options_take(&options, sizeof options, theirs);
    if (error == 0)
        error = ub_socket_check(fd);
    if (error < 0)
        return error;
    if (!is_in_range(&options))
        return -EINVAL;

    receiver->fd = fd;
    receiver->process = ub_process();
    receiver->backend = ub_backend_find(options.backend);
    if (receiver->backend == NULL || receiver->backend->receive == NULL)
        return -ENOENT;
    return set_up(receiver, &options);
}

struct udpbatch_receiver *udpbatch_receiver_open(udpbatch_socket fd,
                                                 const struct udpbatch_receiver_options *options,
                                                 int *error)
{
    struct udpbatch_receiver *receiver = calloc(1, sizeof *receiver);
    int result = receiver != NULL ? receiver_begin(receiver, fd, options) : -ENOMEM;

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
    settings_restore(receiver);
    free(receiver->slots);
    free(receiver->messages);
    free(receiver->data);
    free(receiver);
}

/* ---- Receiving ---------------------------------------------------------------------------- */

/* The kernel's counter has 32 bits and comes by two ways, of which one may be behind. */
static void count_dropped(struct udpbatch_receiver *receiver, uint32_t dropped)
{
    uint32_t more = dropped - receiver->dropped;
    if (more > INT32_MAX)
        return;
    receiver->dropped = dropped;
    receiver->stats.dropped += more;
}

static void count_message(struct udpbatch_receiver *receiver, const struct ub_slot *slot)
{
    receiver->stats.trains += slot->segment < slot->len;
    if (slot->has_dropped)
        count_dropped(receiver, slot->dropped);
}

static bool is_datagram(const struct ub_slot *slot)
{
    return slot->from.sa.sa_family != AF_UNSPEC;
}

static bool has_left(const struct udpbatch_receiver *receiver)
{
    return receiver->next < receiver->filled;
}

/* Fills the slots, of which nothing is left; at most n, as there may be a packet in each. A socket
 * that is shut down for reading gives messages that are no datagrams, without end. */
static int fill(struct udpbatch_receiver *receiver, size_t n)
{
    size_t most = n < receiver->batch ? n : receiver->batch;
    int count = receiver->backend->receive(receiver->fd, receiver->slots, most, receiver->messages,
                                           &receiver->stats.system_calls);
    if (count < 0)
        return count;
    receiver->next = 0;
    receiver->filled = 0;
    while (receiver->filled < (size_t)count && is_datagram(&receiver->slots[receiver->filled]))
        count_message(receiver, &receiver->slots[receiver->filled++]);
    return receiver->filled > 0 ? 0 : -EPIPE;
}

/* The packet of a slot that begins at a byte of it. */
static struct udpbatch_received packet_at(const struct ub_slot *slot, size_t at, uint32_t most)
{
    size_t left = slot->len - at;
    bool is_last = left <= slot->segment;
    uint32_t len = is_last ? (uint32_t)left : slot->segment;
    bool truncated = len > most || (is_last && slot->truncated);

    return (struct udpbatch_received){ .data = slot->room + at,
                                       .len = len < most ? len : most,
                                       .truncated = truncated,
                                       .from = &slot->from,
                                       .meta = slot->asked != 0 ? &slot->meta : NULL };
}

/* Gives out what is left of the next slot, at most n packets. An empty datagram is one, too. */
static size_t give_out(struct udpbatch_receiver *receiver, struct udpbatch_received *packets,
                       size_t n)
{
    const struct ub_slot *slot = &receiver->slots[receiver->next];
    size_t at = receiver->given;
    size_t count = 0;

    do {
        packets[count] = packet_at(slot, at, receiver->packet_size);
        receiver->stats.bytes += packets[count].len;
        receiver->stats.truncated += packets[count].truncated;
        at += slot->segment;
        count++;
    } while (at < slot->len && count < n);
    receiver->stats.packets += count;
    receiver->next += at >= slot->len;
    receiver->given = at < slot->len ? at : 0;
    return count;
}

int udpbatch_receiver_receive(struct udpbatch_receiver *receiver, struct udpbatch_received *packets,
                              size_t n)
{
    size_t count = 0;
    int error = n > 0 && !has_left(receiver) ? fill(receiver, n) : 0;
    if (error < 0)
        return error;
    while (count < n && has_left(receiver))
        count += give_out(receiver, packets + count, n - count);
    return (int)count;
}

int udpbatch_receiver_wait(struct udpbatch_receiver *receiver, int timeout_ms)
{
    int events = has_left(receiver) ? POLLIN : ub_socket_wait(receiver->fd, POLLIN, timeout_ms);
    return events < 0 ? events : 0;
}

static uint64_t packets_in(const struct ub_slot *slot, size_t from)
{
    return slot->len > from ? (slot->len - from + slot->segment - 1) / slot->segment : 1;
}

static uint64_t packets_left(const struct udpbatch_receiver *receiver)
{
    uint64_t count = 0;

    for (size_t i = receiver->next; i < receiver->filled; i++)
        count += packets_in(&receiver->slots[i], i == receiver->next ? receiver->given : 0);
    return count;
}

int udpbatch_receiver_network_errors(struct udpbatch_receiver *receiver,
                                     struct udpbatch_network_error *errors, size_t n)
{
    return ub_network_errors(receiver->fd, errors, n);
}

void udpbatch_receiver_stats(struct udpbatch_receiver *receiver,
                             struct udpbatch_receiver_stats *stats)
{
    uint32_t dropped;
    if (ub_socket_dropped(receiver->fd, &dropped))
        count_dropped(receiver, dropped);
    receiver->stats.backend = receiver->backend->name;
    receiver->stats.held = packets_left(receiver);
    ub_stats_give(stats, &receiver->stats, sizeof receiver->stats);
}
