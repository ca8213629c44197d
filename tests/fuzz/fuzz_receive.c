/* fuzz_receive.c: a receiver, to which the kernel says whatever the input has: of every message its
 * length, its source, its flags and its control messages.
 *
 * What is given out lies in what came, whole and once; where the control messages are well-formed,
 * it is cut just as they say. */
#include "receive_kernel.h"

#include <stdlib.h>
#include <string.h>

enum { GIVEN_MOST = 64, ERRORS_MOST = 8, STEPS = 64 };

/* The kernel's counter has 32 bits, of which a step back is half; it comes with each message and by
 * the statistics. */
static const uint64_t DROPPED_MOST = (uint64_t)(BATCH_MOST + 1) * INT32_MAX;

/* ---- What is given out ----------------------------------------------------------------------- */

/* The message that the packet is of: the same as the one before, or the next one. */
static struct came *message_of(const struct udpbatch_received *packet)
{
    const unsigned char *at = packet->data;
    const struct came *current = &kernel.came[kernel.current];

    require(kernel.count > 0);
    if (at < current->room || at > current->room + current->size)
        kernel.current++;
    require(kernel.current < kernel.count);
    return &kernel.came[kernel.current];
}

/* It is just the packet that begins there. */
static void check_cut(const struct udpbatch_received *packet, const struct came *came, size_t at)
{
    const size_t left = came->len - at;
    const size_t whole = left < came->segment ? left : came->segment;
    const bool is_last = left <= came->segment;

    require(at == came->packets * came->segment);
    require(packet->len == (whole < kernel.packet_size ? whole : kernel.packet_size));
    require(packet->truncated == (whole > packet->len || (is_last && came->truncated)));
}

static void check_packet(const struct udpbatch_received *packet, uint32_t asked)
{
    struct came *came = message_of(packet);
    const unsigned char *bytes = packet->data;

    require(came->is_datagram && bytes >= came->room + came->given);
    const size_t at = (size_t)(bytes - came->room);
    require(at <= came->len && packet->len <= came->len - at);
    require(packet->len <= kernel.packet_size && packet->truncated <= 1);
    require(packet->len == 0 || (bytes[0] == 'c' && bytes[packet->len - 1] == 'c'));
    require(packet->from->sa.sa_family == AF_INET || packet->from->sa.sa_family == AF_INET6);
    require((packet->meta != NULL) == (asked != 0));
    require(asked == 0 || (packet->meta->flags & ~(asked | UDPBATCH_META_LOCAL)) == 0);
    if (came->is_told)
        check_cut(packet, came, at);
    came->given = at + packet->len;
    came->packets++;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

struct run {
    struct udpbatch_receiver *receiver;
    uint32_t asked; /* of meta */
    uint64_t packets, bytes, truncated, dropped;
};

static void receive(struct run *run)
{
    const size_t n = take_below(&input, GIVEN_MOST + 1);
    const uint64_t calls = kernel.calls;
    struct udpbatch_received *packets = malloc(n > 0 ? n * sizeof *packets : 1);

    require(packets != NULL);
    const int count = udpbatch_receiver_receive(run->receiver, packets, n);
    require(count < 0 ? count == -EPIPE || count == -kernel.error : (size_t)count <= n);
    require(count != 0 || n == 0);
    require(kernel.calls - calls <= BATCH_MOST + 1);
    for (int i = 0; i < count; i++) {
        check_packet(&packets[i], run->asked);
        run->packets++;
        run->bytes += packets[i].len;
        run->truncated += packets[i].truncated;
    }
    free(packets);
}

static void check_error(const struct udpbatch_network_error *error)
{
    const sa_family_t family = error->by.sa.sa_family;
    require(family == AF_UNSPEC || family == AF_INET || family == AF_INET6);
    require(family == AF_UNSPEC || error->by.in4.sin_port == 0);
    require(error->mtu == 0 || error->error == EMSGSIZE);
}

static void read_errors(struct run *run)
{
    const size_t n = take_below(&input, ERRORS_MOST + 1);
    struct udpbatch_network_error *errors = malloc(n > 0 ? n * sizeof *errors : 1);

    require(errors != NULL);
    kernel.has_no_queue = false;
    kernel.asked_then = 0;
    const int count = udpbatch_receiver_network_errors(run->receiver, errors, n);
    require(count < 0 ? count == -kernel.error || count == -EOPNOTSUPP : (size_t)count <= n);
    require(kernel.asked_then == 0);
    for (int i = 0; i < count; i++)
        check_error(&errors[i]);
    free(errors);
}

static void check_stats(struct run *run)
{
    struct udpbatch_receiver_stats stats = { .size = sizeof stats };

    udpbatch_receiver_stats(run->receiver, &stats);
    require(stats.packets == run->packets && stats.bytes == run->bytes);
    require(stats.truncated == run->truncated && stats.system_calls == kernel.calls);
    require(stats.dropped >= run->dropped && stats.dropped - run->dropped <= DROPPED_MOST);
    run->dropped = stats.dropped;
}

static bool begin(struct run *run)
{
    static const uint32_t sizes[] = { 0, 1, 2, 100, 1500, UB_PAYLOAD_MAX };
    struct udpbatch_receiver_options options = { .size = sizeof options };

    options.backend = take_bool(&input) ? "portable" : NULL;
    options.batch = 1 + take_below(&input, BATCH_MOST);
    options.packet_size = sizes[take_below(&input, sizeof sizes / sizeof sizes[0])];
    options.trains = (enum udpbatch_trains)take_below(&input, UDPBATCH_TRAINS_ALWAYS + 1);
    options.meta = (uint32_t)take_below(&input, 32) << 16;
    options.network_errors = take_bool(&input);
    memset(&kernel, 0, sizeof kernel);
    kernel.packet_size = options.packet_size != 0 ? options.packet_size : UB_PAYLOAD_MAX;
    run->asked = options.meta;
    run->receiver = udpbatch_receiver_open(FD, &options, NULL);
    return run->receiver != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = { .receiver = NULL };

    input = (struct fuzz_input){ data, size };
    if (!begin(&run))
        return 0;
    for (unsigned step = 0; step < STEPS && input.left > 0; step++) {
        if (take_below(&input, 4) > 0)
            receive(&run);
        else
            read_errors(&run);
        check_stats(&run);
    }
    udpbatch_receiver_close(run.receiver);
    return 0;
}
