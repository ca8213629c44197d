/* worker.c: sends by one way, through handles of all kinds that it opens and closes. */
#define _GNU_SOURCE
#include "load.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { ERRORS_AT_ONCE = 16, WAIT_MS = 50, FLUSH_MS = 5000 };
enum { LOCKED_PATIENCE_US = 5000000, PAUSE_US = 10000 };

/* A socket and its handles, and what was done with them. */
struct outlet {
    struct worker *worker;
    int fd, family;
    bool has_peer;
    struct spot peer;
    struct udpbatch_sender *sender;     /* NULL: level 1 */
    struct udpbatch_receiver *receiver; /* of network errors; or NULL */
    uint64_t sent, refused, bytes;
};

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

static bool outlet_open(struct outlet *outlet, struct worker *worker)
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

static void outlet_close(struct outlet *outlet)
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

/* ---- Send ------------------------------------------------------------------------------------ */

static void compare_tally(const struct outlet *outlet, const struct load *load,
                          const struct udpbatch_tally *tally)
{
    size_t sent = 0, refused = 0;

    for (size_t i = 0; i < load->count; i++) {
        sent += load->packets[i].status == 1;
        refused += load->packets[i].status < 0;
    }
    if (tally->sent != sent || tally->refused != refused ||
        tally->sent + tally->refused + tally->unsent != load->count)
        fault("%s: a tally is not that of the statuses", ways[outlet->worker->way].name);
}

static struct udpbatch_tally send_to_targets(const struct outlet *outlet, struct load *load)
{
    int32_t status[CALL_MOST];
    struct udpbatch_tally tally;

    for (size_t i = 0; i < load->count; i++)
        status[i] = load->packets[i].status;
    tally = udpbatch_multi_target_send(outlet->fd, load->packets[0].data, load->packets[0].len,
                                       load->targets, load->count, status);
    for (size_t i = 0; i < load->count; i++)
        load->packets[i].status = status[i];
    return tally;
}

static struct udpbatch_tally send_once(struct outlet *outlet, struct load *load)
{
    if (outlet->sender != NULL)
        return udpbatch_sender_send(outlet->sender, load->packets, load->count);
    return load->is_shared ? send_to_targets(outlet, load)
                           : udpbatch_send(outlet->fd, load->packets, load->count);
}

static void wait_for_more(struct outlet *outlet, int unsent_error)
{
    struct pollfd wait = { .fd = outlet->fd, .events = POLLOUT };

    if (outlet->sender != NULL)
        udpbatch_sender_wait(outlet->sender, WAIT_MS);
    else if (unsent_error == EAGAIN)
        poll(&wait, 1, WAIT_MS);
    else
        pause_us(1000);
}

static void read_errors(struct outlet *outlet)
{
    struct udpbatch_network_error errors[ERRORS_AT_ONCE];
    int count;

    if (outlet->receiver == NULL)
        return;
    while ((count = udpbatch_receiver_network_errors(outlet->receiver, errors, ERRORS_AT_ONCE)) > 0)
        atomic_fetch_add(&ways[outlet->worker->way].network_errors, (unsigned)count);
}

static void settle(struct outlet *outlet, const struct load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        int32_t status = load->packets[i].status;
        uint32_t bytes = load_bytes(&load->packets[i]);
        ledger_settle(outlet->worker->way, load->first + (uint32_t)i, frames_of(bytes), status,
                      load->is_nowhere[i]);
        outlet->sent += status == 1;
        outlet->refused += status < 0;
        outlet->bytes += status == 1 ? bytes : 0;
        if (is_calm && status < 0 && !load->is_nowhere[i])
            fault("%s: a packet was refused in calm: %s", ways[outlet->worker->way].name,
                  strerror(-status));
    }
}

static void send_load(struct outlet *outlet, struct load *load)
{
    struct udpbatch_tally tally = { .unsent = load->count };
    bool goes_on = ledger_wait_for_room(load->frames);

    while (goes_on) {
        tally = send_once(outlet, load);
        compare_tally(outlet, load, &tally);
        read_errors(outlet);
        if (tally.unsent > 0)
            wait_for_more(outlet, tally.unsent_error);
        goes_on = tally.unsent > 0 && !atomic_load(&is_over);
    }
    settle(outlet, load);
    if (tally.sent == 0) /* refusals cost nothing, and would use up the numbers */
        pause_us(2000);
}

static void use(struct outlet *outlet)
{
    static struct load loads[WAYS_MOST];
    struct worker *worker = outlet->worker;
    struct load *load = &loads[worker->way];

    for (unsigned calls = 1 + roll(&worker->dice, 20); calls > 0 && !atomic_load(&is_over); calls--)
        if (load_make(load, worker->way, outlet->family, outlet->has_peer ? &outlet->peer : NULL,
                      &worker->dice))
            send_load(outlet, load);
        else
            pause_us(1000);
}

/* Each processor has a queue of its own, in which what is sent on it stays in order. */
static void stay_on_one_processor(unsigned which)
{
    cpu_set_t all, one;
    int processor = 0;

    if (sched_getaffinity(0, sizeof all, &all) < 0)
        return;
    for (unsigned left = which % (unsigned)CPU_COUNT(&all) + 1; left > 0; processor++)
        left -= CPU_ISSET((size_t)processor, &all) != 0;
    CPU_ZERO(&one);
    CPU_SET((size_t)processor - 1, &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0)
        fault("a worker cannot stay on one processor");
}

void *work(void *argument)
{
    struct worker *worker = argument;
    struct outlet outlet;

    if (is_calm)
        stay_on_one_processor(worker->way);
    while (!atomic_load(&is_over)) {
        if (outlet_open(&outlet, worker)) {
            atomic_fetch_add(&ways[worker->way].opens, 1);
            use(&outlet);
        } else {
            atomic_fetch_add(&ways[worker->way].failed_opens, 1);
            pause_us(1000);
        }
        outlet_close(&outlet);
    }
    return NULL;
}
