/* sender.c: level 2, an engine that remembers, counts and waits. */
#include "internal.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

/* Trains per plan: as many as one sendmmsg takes, as the heap has room for them. The control
 * messages' room is for a segment size and an address or two numbers in each. */
enum {
    SENDER_TRAINS = UB_MESSAGES_MAX,
    SENDER_PACKETS = 4 * SENDER_TRAINS,
    SENDER_ROUTES = 64,
    SENDER_CONTROL = 72 * SENDER_TRAINS
};

/* How long to wait for memory or for room in a device's queue, of which no event tells. */
enum { BACKOFF_FIRST_NS = 50 * 1000, BACKOFF_LAST_NS = 10 * 1000 * 1000 };

struct udpbatch_sender {
    struct ub_engine engine;
    int64_t backoff_ns;    /* of the next wait by time */
    int64_t backed_off_ns; /* by such waits, since a packet was sent or a wait timed out */
    UB_ROOM(SENDER_TRAINS, SENDER_PACKETS, SENDER_ROUTES, SENDER_CONTROL) room;
};

static void reset_backoff(struct udpbatch_sender *sender)
{
    sender->backoff_ns = BACKOFF_FIRST_NS;
    sender->backed_off_ns = 0;
}

static int begin(struct udpbatch_sender *sender, int fd,
                 const struct udpbatch_sender_options *theirs)
{
    struct udpbatch_sender_options options = { 0 };
    int error = ub_options_take(&options, sizeof options, theirs);
    if (error == 0)
        error = ub_socket_check(fd);
    if (error < 0)
        return error;
    if ((unsigned)options.trains > UDPBATCH_TRAINS_ALWAYS || options.in_order > 1 ||
        (unsigned)options.xdp_mode > UDPBATCH_XDP_ZERO_COPY)
        return -EINVAL;

    sender->engine = (struct ub_engine){
        .fd = fd,
        .backend = ub_backend_find(options.backend),
        .trains = options.trains,
        .plan = UB_ROOM_PLAN(&sender->room),
        .messages = sender->room.messages,
    };
    ub_plan_open(&sender->engine.plan, UB_SEGMENTS_MAX, options.in_order != 0);
    reset_backoff(sender);
    if (sender->engine.backend == NULL)
        return -ENOENT;
    return sender->engine.backend->open != NULL
               ? sender->engine.backend->open(&sender->engine, &options)
               : 0;
}

struct udpbatch_sender *udpbatch_sender_open(int fd, const struct udpbatch_sender_options *options,
                                             int *error)
{
    struct udpbatch_sender *sender = malloc(sizeof *sender);
    int result = sender != NULL ? begin(sender, fd, options) : -ENOMEM;

    if (error != NULL)
        *error = -result;
    if (result == 0)
        return sender;
    free(sender);
    return NULL;
}

void udpbatch_sender_close(struct udpbatch_sender *sender)
{
    if (sender != NULL && sender->engine.backend->close != NULL)
        sender->engine.backend->close(&sender->engine);
    free(sender);
}

struct udpbatch_tally udpbatch_sender_send(struct udpbatch_sender *sender,
                                           struct udpbatch_packet *packets, size_t n)
{
    struct ub_engine *engine = &sender->engine;
    uint64_t sent_before = engine->stats.packets;

    ub_engine_begin(engine);
    ub_engine_send(engine, packets, n);
    if (engine->stats.packets != sent_before)
        reset_backoff(sender);
    return ub_settle_tally(packets, n, engine->unsent_error);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Sleeps for the back-off. The timeout is that of all back-offs since a packet was sent: a single
 * one is too short to ever reach it. */
static int back_off(struct udpbatch_sender *sender, int timeout_ms)
{
    int64_t timeout_ns = timeout_ms >= 0 ? timeout_ms * INT64_C(1000000) : INT64_MAX;
    int64_t pause_ns = least(sender->backoff_ns, timeout_ns - sender->backed_off_ns);
    struct timespec pause = { .tv_nsec = pause_ns > 0 ? (long)pause_ns : 0 };

    if (nanosleep(&pause, NULL) < 0)
        return -errno;
    sender->backed_off_ns += pause.tv_nsec;
    if (sender->backed_off_ns >= timeout_ns) {
        sender->backed_off_ns = 0;
        return -ETIMEDOUT;
    }
    sender->backoff_ns = least(2 * sender->backoff_ns, BACKOFF_LAST_NS);
    return 0;
}

int udpbatch_sender_wait(struct udpbatch_sender *sender, int timeout_ms)
{
    if (sender->engine.unsent_error == 0)
        return 0;
    sender->engine.stats.waits++;
    if (!ub_settle_has_event(sender->engine.unsent_error))
        return back_off(sender, timeout_ms);
    int events = ub_socket_wait(sender->engine.fd, POLLOUT, timeout_ms);
    if (events < 0)
        return events;
    /* An error alone, in an error queue that nobody reads, would end every wait at once. */
    return (events & POLLOUT) != 0 ? 0 : back_off(sender, timeout_ms);
}

int udpbatch_sender_flush(struct udpbatch_sender *sender, int timeout_ms)
{
    const struct ub_backend *backend = sender->engine.backend;
    return backend->flush != NULL ? backend->flush(&sender->engine, timeout_ms) : 0;
}

void udpbatch_sender_stats(const struct udpbatch_sender *sender,
                           struct udpbatch_sender_stats *stats)
{
    struct udpbatch_sender_stats mine = sender->engine.stats;
    mine.backend = sender->engine.backend->name;
    ub_stats_give(stats, &mine, sizeof mine);
}
