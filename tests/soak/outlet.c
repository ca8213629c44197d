/* outlet.c: a socket of any kind with its handles. */
#define _GNU_SOURCE
#include "outlet.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum { LOCKED_PATIENCE_US = 5000000, PAUSE_US = 10000, FLUSH_MS = 5000 };

/* ---- Open ------------------------------------------------------------------------------------ */

/* In calm there is no reason for it. */
static bool cannot(const struct outlet *outlet, const char *what, int error)
{
    if (is_calm)
        fault("%s: cannot %s: %s", ways[outlet->worker->way].name, what, strerror(error));
    return false;
}

static bool bind_somewhere(struct outlet *outlet)
{
    struct dice *dice = &outlet->worker->dice;
    union udpbatch_addr own = on_cable(outlet->family, roll_one_in(dice, 2) ? 1 : 3, 0);

    if (roll_one_in(dice, 3))
        return true;
    if (roll_one_in(dice, 2))
        own = address(outlet->family, outlet->family == AF_INET ? "0.0.0.0" : "::", 0);
    if (bind(outlet->fd, &own.sa, sizeof own) < 0)
        return cannot(outlet, "bind", errno);
    return true;
}

static bool connect_somewhere(struct outlet *outlet)
{
    struct dice *dice = &outlet->worker->dice;
    union udpbatch_addr to;

    outlet->peer = any_spot(dice);
    to = address_of_spot(outlet->family, outlet->peer);
    outlet->has_peer = roll_one_in(dice, 3);
    if (outlet->has_peer && connect(outlet->fd, &to.sa, sizeof to) < 0)
        return cannot(outlet, "connect", errno);
    return true;
}

/* A small send buffer and an error queue do not go together: udpbatch(7). */
static bool open_errors(struct outlet *outlet)
{
    struct dice *dice = &outlet->worker->dice;
    struct udpbatch_receiver_options options = {
        .size = sizeof options, .batch = 1, .packet_size = 64, .network_errors = 1
    };
    int error = 0, size = 4096 << roll(dice, 5);

    if (roll_one_in(dice, 2)) {
        setsockopt(outlet->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        return true;
    }
    if (roll_one_in(dice, 2))
        return true;
    outlet->receiver = udpbatch_receiver_open(outlet->fd, &options, &error);
    return outlet->receiver != NULL || cannot(outlet, "open a receiver", error);
}

static struct udpbatch_sender_options any_options(struct worker *worker)
{
    struct dice *dice = &worker->dice;
    struct udpbatch_sender_options options = { .size = sizeof options,
                                               .backend = ways[worker->way].backend };
    options.trains = roll_one_in(dice, 3) ? UDPBATCH_TRAINS_OFF : UDPBATCH_TRAINS_AUTO;
    options.in_order = roll_one_in(dice, 3);
    options.xdp_interface = roll_one_in(dice, 4) ? "near2" : "near";
    if (roll_one_in(dice, 3)) {
        options.rate = 5000 + roll(dice, 50000);
        options.burst = roll_one_in(dice, 2) ? 1 + roll(dice, 200) : 0;
    }
    return options;
}

/* Memory of what was closed before is counted as locked until a worker of the kernel's has had its
 * turn: the library waits for it, but a busy machine may take longer. */
static bool open_sender(struct outlet *outlet)
{
    struct udpbatch_sender_options options = any_options(outlet->worker);
    int error = ENOBUFS;

    if (options.backend == NULL)
        return true;
    for (unsigned us = 0; error == ENOBUFS && us < LOCKED_PATIENCE_US; us += PAUSE_US) {
        pause_us(us > 0 ? PAUSE_US : 0);
        outlet->sender = udpbatch_sender_open(outlet->fd, &options, &error);
    }
    return outlet->sender != NULL || cannot(outlet, "open a sender", error);
}

bool outlet_open(struct outlet *outlet, struct worker *worker)
{
    struct dice *dice = &worker->dice;
    int family = has_in6() && roll_one_in(dice, 3) ? AF_INET6 : AF_INET;
    int type = SOCK_DGRAM | SOCK_CLOEXEC | (roll_one_in(dice, 2) ? SOCK_NONBLOCK : 0);

    *outlet = (struct outlet){ .worker = worker, .family = family };
    outlet->fd = socket(family, type, 0);
    if (outlet->fd < 0)
        return cannot(outlet, "make a socket", errno);
    return bind_somewhere(outlet) && connect_somewhere(outlet) && open_errors(outlet) &&
           open_sender(outlet);
}

/* ---- Close ----------------------------------------------------------------------------------- */

/* What the sender counts is what the statuses say. */
static void compare_counts(const struct outlet *outlet)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    uint64_t by_socket = 0;

    udpbatch_sender_stats(outlet->sender, &stats);
    if (stats.packets != outlet->sent || stats.refused != outlet->refused ||
        stats.bytes != outlet->bytes)
        fault("%s: counts %" PRIu64 " sent, %" PRIu64 " refused and %" PRIu64
              " bytes in place of %" PRIu64 ", %" PRIu64 " and %" PRIu64,
              stats.backend, stats.packets, stats.refused, stats.bytes, outlet->sent,
              outlet->refused, outlet->bytes);
    for (size_t i = 0; i < UDPBATCH_DETOURS; i++)
        by_socket += stats.detours[i];
    if (by_socket + stats.xdp_packets != (strcmp(stats.backend, "xdp") == 0 ? stats.packets : 0))
        fault("%s: its detours do not add up", stats.backend);
}

void outlet_close(struct outlet *outlet)
{
    if (outlet->sender != NULL) {
        int error = udpbatch_sender_flush(outlet->sender, FLUSH_MS);
        if (error < 0)
            cannot(outlet, "flush", -error);
        compare_counts(outlet);
    }
    udpbatch_sender_close(outlet->sender);
    udpbatch_receiver_close(outlet->receiver);
    if (outlet->fd >= 0)
        close(outlet->fd);
}
