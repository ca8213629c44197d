/* sender.c: level 2, an engine that remembers, counts, keeps a pace and waits. */
#include "internal.h"

#include <limits.h>
#include <stdlib.h>

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

static const int64_t MILLISECOND_NS = 1000000;

struct udpbatch_sender {
    struct ub_engine engine;
    struct ub_pace pace;
    bool is_paced;       /* the last call left packets unsent for the rate */
    bool is_backing_off; /* a call ended for want of what only time brings; no wait came since */
    int64_t backoff_ns;  /* of the next wait by time */
    int64_t retry_ns;    /* when that time is over, for a program that waits by itself */
    int64_t waited_ns;   /* in all waits since a packet was sent, none was left, or one timed out */
    UB_ROOM(SENDER_TRAINS, SENDER_PACKETS, SENDER_ROUTES, SENDER_CONTROL) room;
};

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- Open and close ------------------------------------------------------------------------ */

static void reset_waits(struct udpbatch_sender *sender)
{
    sender->is_backing_off = false;
    sender->backoff_ns = BACKOFF_FIRST_NS;
    sender->waited_ns = 0;
}

static int sender_begin(struct udpbatch_sender *sender, udpbatch_socket fd,
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
    error = ub_pace_begin(&sender->pace, &options, ub_clock_ns());
    if (error < 0)
        return error;

    sender->engine = (struct ub_engine){
        .fd = fd,
        .backend = ub_backend_find(options.backend),
        .trains = options.trains,
        .plan = UB_ROOM_PLAN(&sender->room),
        .messages = sender->room.messages,
    };
    ub_plan_open(&sender->engine.plan, UB_SEGMENTS_MAX, options.in_order != 0);
    sender->is_paced = false;
    reset_waits(sender);
    if (sender->engine.backend == NULL)
        return -ENOENT;
    return sender->engine.backend->open != NULL
               ? sender->engine.backend->open(&sender->engine, &options)
               : 0;
}

struct udpbatch_sender *udpbatch_sender_open(udpbatch_socket fd,
                                             const struct udpbatch_sender_options *options,
                                             int *error)
{
    struct udpbatch_sender *sender = malloc(sizeof *sender);
    int result = sender != NULL ? sender_begin(sender, fd, options) : -ENOMEM;

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

/* ---- Sending ------------------------------------------------------------------------------- */

static void send_part(struct udpbatch_sender *sender, int64_t now_ns,
                      struct udpbatch_packet *packets, size_t n)
{
    struct ub_engine *engine = &sender->engine;
    uint64_t packets_before = engine->stats.packets;
    uint64_t bytes_before = engine->stats.bytes;

    ub_engine_send(engine, packets, n);
    ub_pace_spend(&sender->pace, now_ns, engine->stats.packets - packets_before,
                  engine->stats.bytes - bytes_before);
}

static void leave_for_the_rate(struct udpbatch_sender *sender)
{
    sender->engine.unsent_error = EBUSY;
    sender->engine.stats.paced++;
    sender->is_paced = true;
}

/* As much as the rate allows, and more as far as refusals left some of that over. */
static void send_paced(struct udpbatch_sender *sender, struct udpbatch_packet *packets, size_t n)
{
    struct ub_engine *engine = &sender->engine;
    int64_t now_ns = ub_clock_ns();
    size_t count;

    for (size_t from = 0; from < n && engine->unsent_error == 0; from += count) {
        count = ub_pace_allowance(&sender->pace, now_ns, &packets[from], n - from);
        if (engine->socket_error != 0) /* nothing leaves any more, and all is refused */
            count = n - from;
        if (count > 0)
            send_part(sender, now_ns, &packets[from], count);
        else
            leave_for_the_rate(sender);
    }
}

static void lengthen_backoff(struct udpbatch_sender *sender)
{
    sender->backoff_ns = shorter(2 * sender->backoff_ns, BACKOFF_LAST_NS);
}

static bool needs_time(const struct udpbatch_sender *sender)
{
    int error = sender->engine.unsent_error;
    return error != 0 && !sender->is_paced && !ub_settle_has_event(error);
}

/* A program that waits by itself has done so when it calls again. If that was in vain, the next
 * time is longer. */
static void note_backoff(struct udpbatch_sender *sender)
{
    if (sender->is_backing_off)
        lengthen_backoff(sender);
    sender->is_backing_off = true;
    sender->retry_ns = ub_clock_ns() + sender->backoff_ns;
}

struct udpbatch_tally udpbatch_sender_send(struct udpbatch_sender *sender,
                                           struct udpbatch_packet *packets, size_t n)
{
    struct ub_engine *engine = &sender->engine;
    uint64_t sent_before = engine->stats.packets;

    sender->is_paced = false;
    ub_engine_begin(engine);
    if (sender->pace.rate > 0)
        send_paced(sender, packets, n);
    else
        ub_engine_send(engine, packets, n);
    if (engine->stats.packets != sent_before || engine->unsent_error == 0)
        reset_waits(sender);
    if (needs_time(sender))
        note_backoff(sender);
    return ub_settle_tally(packets, n, engine->unsent_error);
}

/* ---- Waiting ------------------------------------------------------------------------------- */

static int64_t timeout_ns_of(int timeout_ms)
{
    return timeout_ms >= 0 ? timeout_ms * MILLISECOND_NS : INT64_MAX;
}

/* Rounded up, or there would be waits of 0; more than any timeout is none. */
static int timeout_ms_of(int64_t ns)
{
    return ns <= INT_MAX * MILLISECOND_NS ? (int)((ns + MILLISECOND_NS - 1) / MILLISECOND_NS) : -1;
}

/* For so long, or only for what is left of the timeout. */
static int pause_for(int64_t ns, int64_t left_ns)
{
    int error = ub_sleep_ns(shorter(ns, left_ns));

    if (error < 0)
        return error;
    return ns <= left_ns ? 0 : -ETIMEDOUT;
}

static int wait_for_rate(const struct udpbatch_sender *sender, int64_t left_ns)
{
    return pause_for(ub_pace_delay_ns(&sender->pace, ub_clock_ns()), left_ns);
}

static int back_off(struct udpbatch_sender *sender, int64_t left_ns)
{
    int error = pause_for(sender->backoff_ns, left_ns);

    if (error == 0) {
        lengthen_backoff(sender);
        sender->is_backing_off = false;
    }
    return error;
}

static int wait_for_room(struct udpbatch_sender *sender, int64_t left_ns)
{
    int64_t begun_ns = ub_clock_ns();
    int events = ub_socket_wait(sender->engine.fd, POLLOUT, timeout_ms_of(left_ns));

    if (events < 0)
        return events;
    if ((events & POLLOUT) != 0)
        return 0;
    /* An error alone, in an error queue that nobody reads, would end every wait at once. */
    return back_off(sender, left_ns - (ub_clock_ns() - begun_ns));
}

static int wait_by_reason(struct udpbatch_sender *sender, int64_t left_ns)
{
    if (sender->is_paced)
        return wait_for_rate(sender, left_ns);
    return needs_time(sender) ? back_off(sender, left_ns) : wait_for_room(sender, left_ns);
}

/* The timeout is that of all waits since a packet was sent, or none was left: single ones may be
 * too short to ever come to it, as they end with a back-off or a signal. */
int udpbatch_sender_wait(struct udpbatch_sender *sender, int timeout_ms)
{
    if (sender->engine.unsent_error == 0)
        return 0;
    sender->engine.stats.waits++;
    int64_t begun_ns = ub_clock_ns();
    int64_t left_ns = timeout_ns_of(timeout_ms) - sender->waited_ns;
    int error = wait_by_reason(sender, left_ns > 0 ? left_ns : 0);
    sender->waited_ns = error != -ETIMEDOUT ? sender->waited_ns + ub_clock_ns() - begun_ns : 0;
    return error;
}

uint64_t udpbatch_sender_delay_ns(const struct udpbatch_sender *sender)
{
    int64_t delay_ns = 0;

    if (sender->is_paced)
        delay_ns = ub_pace_delay_ns(&sender->pace, ub_clock_ns());
    else if (needs_time(sender))
        delay_ns = sender->retry_ns - ub_clock_ns();
    return delay_ns > 0 ? (uint64_t)delay_ns : 0;
}

/* ---- The rest ------------------------------------------------------------------------------ */

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
