/* receivers.c: receivers of all kinds at far, which give every datagram to the ledger. */
#define _GNU_SOURCE
#include "ledger.h"

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 256, POLL_MS = 20, FENCE_PATIENCE_MS = 10000, REOPEN_IN = 400 };
enum { FRAME_ROOM = 4096 }; /* what a frame of 1500 bytes takes of a buffer, and more */

uint16_t receiver_ports[RECEIVERS];
atomic_ullong receiver_opens, late_arrivals, fences_seen;
atomic_bool receiving_is_over;
unsigned window;

static const struct udpbatch_receiver_options KINDS[RECEIVERS] = {
    { .trains = UDPBATCH_TRAINS_OFF, .meta = UDPBATCH_META_CAME_TO },
    { .trains = UDPBATCH_TRAINS_AUTO,
      .meta = UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_BY | UDPBATCH_META_CAME_WITH_TOS |
              UDPBATCH_META_CAME_WITH_TTL | UDPBATCH_META_CAME_AT },
    { .trains = UDPBATCH_TRAINS_OFF, .backend = "portable", .packet_size = 4096 },
    { .trains = UDPBATCH_TRAINS_AUTO, .batch = 16 },
};

static struct {
    struct port port;
    struct udpbatch_receiver *receiver;
    uint64_t received; /* by its handle */
} receivers[RECEIVERS];

/* ---- Open and close -------------------------------------------------------------------------- */

static void open_receiver(unsigned i)
{
    struct udpbatch_receiver_options options = KINDS[i];
    int error = 0;

    options.size = sizeof options;
    receivers[i].receiver = udpbatch_receiver_open(receivers[i].port.fd, &options, &error);
    if (receivers[i].receiver == NULL)
        fail_msg("no receiver: %s", strerror(error));
    receivers[i].received = 0;
    atomic_fetch_add(&receiver_opens, 1);
}

/* Its counts are those of what was given out. */
static void close_receiver(unsigned i)
{
    struct udpbatch_receiver_stats stats = { .size = sizeof stats };

    udpbatch_receiver_stats(receivers[i].receiver, &stats);
    if (stats.packets != receivers[i].received)
        fault("a receiver gave out %llu datagrams and counts %llu",
              (unsigned long long)receivers[i].received, (unsigned long long)stats.packets);
    if (stats.truncated != 0)
        fault("a receiver truncated %llu datagrams", (unsigned long long)stats.truncated);
    if (is_calm && stats.dropped != 0)
        fault("the buffer of a receiver dropped %llu datagrams", (unsigned long long)stats.dropped);
    udpbatch_receiver_close(receivers[i].receiver);
}

/* How many frames fit into the socket's buffer, of which a reader gives back the last quarter late
 * (udp_rmem_release). */
static void note_room(int fd)
{
    int size = 0;
    socklen_t len = sizeof size;

    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len);
    unsigned room = (unsigned)size / FRAME_ROOM / 4 * 3;
    if (room < window)
        window = room;
}

/* At the same ports in each phase, where what comes late is seen. */
void receivers_open(void)
{
    union udpbatch_addr any =
        address(has_in6() ? AF_INET6 : AF_INET, has_in6() ? "::" : "0.0.0.0", 0);

    window = WINDOW;
    for (unsigned i = 0; i < RECEIVERS; i++) {
        any.in4.sin_port = htons(receiver_ports[i]);
        receivers[i].port = port_at(FAR, &any);
        note_room(receivers[i].port.fd);
        make_nonblocking(receivers[i].port.fd);
        receiver_ports[i] = ntohs(receivers[i].port.addr.in4.sin_port);
        open_receiver(i);
    }
}

void receivers_close(void)
{
    for (unsigned i = 0; i < RECEIVERS; i++) {
        close_receiver(i);
        port_close(&receivers[i].port);
    }
}

/* ---- Receiving ------------------------------------------------------------------------------- */

static const char FENCE[] = "fence";

static uint16_t address_of(const struct udpbatch_meta *meta)
{
    union udpbatch_addr local = address_plain(&meta->local);
    return local.sa.sa_family == AF_INET ? ntohl(local.in4.sin_addr.s_addr) & 0xff
                                         : local.in6.sin6_addr.s6_addr[15];
}

static void take(const struct udpbatch_received *packet, unsigned receiver)
{
    bool is_told = packet->meta != NULL && (packet->meta->flags & UDPBATCH_META_CAME_TO) != 0;
    struct spot at = { (uint16_t)receiver, is_told ? address_of(packet->meta) : 0 };

    if (is_told != (receiver < META_RECEIVERS))
        fault("receiver %u does %stell where a datagram came to", receiver, is_told ? "" : "not ");
    if (packet->len == sizeof FENCE && memcmp(packet->data, FENCE, sizeof FENCE) == 0)
        atomic_fetch_add(&fences_seen, 1);
    else if (packet->len > 1) /* what tries whether a cable is ready is one byte */
        ledger_arrive(packet->data, packet->len, at);
}

/* Returns whether there may be more. */
static bool receive_some(unsigned i)
{
    struct udpbatch_received packets[AT_ONCE];
    int count = udpbatch_receiver_receive(receivers[i].receiver, packets, AT_ONCE);

    if (count < 0 && count != -EAGAIN)
        fault("a receiver's call failed: %s", strerror(-count));
    for (int at = 0; at < count; at++)
        take(&packets[at], i);
    receivers[i].received += count > 0 ? (uint64_t)count : 0;
    return count > 0;
}

/* On the same socket, and while more arrives. */
static void reopen_at_times(struct dice *dice, unsigned i)
{
    if (!roll_one_in(dice, REOPEN_IN))
        return;
    close_receiver(i);
    open_receiver(i);
}

void *receive_until_over(void *argument)
{
    struct pollfd polls[RECEIVERS];

    for (unsigned i = 0; i < RECEIVERS; i++)
        polls[i] = (struct pollfd){ .fd = receivers[i].port.fd, .events = POLLIN };
    while (!atomic_load(&receiving_is_over)) {
        poll(polls, RECEIVERS, POLL_MS);
        for (unsigned i = 0; i < RECEIVERS; i++) {
            while (receive_some(i))
                continue;
            reopen_at_times(argument, i);
        }
    }
    return NULL;
}

/* ---- Fences ---------------------------------------------------------------------------------- */

/* One to each receiver by each cable. Returns how many. */
static unsigned send_fences(void)
{
    unsigned count = 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    for (unsigned i = 0; i < RECEIVERS; i++) {
        union udpbatch_addr to[] = { on_cable(AF_INET, 2, receiver_ports[i]),
                                     on_second_cable(AF_INET, 2, receiver_ports[i]) };
        for (size_t cable = 0; cable < COUNT_OF(to); cable++)
            count += sendto(fd, FENCE, sizeof FENCE, 0, &to[cable].sa, sizeof to[cable].in4) > 0;
    }
    close(fd);
    return count;
}

/* Each processor has a queue of its own, in which what is sent on it stays in order. */
static unsigned send_fences_from(const cpu_set_t *all, int processor)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)processor, &one);
    if (!CPU_ISSET((size_t)processor, all) || sched_setaffinity(0, sizeof one, &one) < 0)
        return 0;
    return send_fences();
}

bool fence_all(void)
{
    cpu_set_t all;
    unsigned long long expected = atomic_load(&fences_seen);
    int64_t begun = now_ms();

    sched_getaffinity(0, sizeof all, &all);
    for (int i = 0; i < CPU_SETSIZE; i++)
        expected += send_fences_from(&all, i);
    sched_setaffinity(0, sizeof all, &all);
    while (atomic_load(&fences_seen) < expected && now_ms() - begun < FENCE_PATIENCE_MS)
        pause_us(1000);
    return atomic_load(&fences_seen) >= expected;
}
