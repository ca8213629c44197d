/* sender.c: level 2, an engine that remembers, counts, keeps a pace and waits. */
#include "internal.h"

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

struct udpbatch_sender {
    struct ub_engine engine;
    struct ub_pace pace;
    bool is_paced;         /* the last call left packets unsent for the rate */
    bool is_backing_off;   /* a call ended for want of what only time brings; no wait came since */
    int64_t backoff_ns;    /* of the next wait by time */
    int64_t backed_off_ns; /* by such waits, since a packet was sent or a wait timed out */
    int64_t retry_ns;      /* when that time is over, for a program that waits by itself */
    UB_ROOM(SENDER_TRAINS, SENDER_PACKETS, SENDER_ROUTES, SENDER_CONTROL) room;
};

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- Open and close ------------------------------------------------------------------------ */

static void reset_backoff(struct udpbatch_sender *sender)
{
    sender->is_backing_off = false;
    sender->backoff_ns = BACKOFF_FIRST_NS;
    sender->backed_off_ns = 0;
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
    reset_backoff(sender);
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
    if (engine->stats.packets != sent_before)
        reset_backoff(sender);
    if (needs_time(sender))
        note_backoff(sender);
    return ub_settle_tally(packets, n, engine->unsent_error);
}

/* ---- Waiting ------------------------------------------------------------------------------- */

static int64_t timeout_ns_of(int timeout_ms)
{
    return timeout_ms >= 0 ? timeout_ms * INT64_C(1000000) : INT64_MAX;
}

static int wait_for_rate(const struct udpbatch_sender *sender, int timeout_ms)
{
    int64_t timeout_ns = timeout_ns_of(timeout_ms);
    int64_t delay_ns = ub_pace_delay_ns(&sender->pace, ub_clock_ns());
    int error = ub_sleep_ns(shorter(delay_ns, timeout_ns));

    if (error < 0)
        return error;
    return delay_ns <= timeout_ns ? 0 : -ETIMEDOUT;
}

/* Sleeps for the back-off. The timeout is that of all back-offs since a packet was sent: a single
 * one is too short to ever reach it. */
static int back_off(struct udpbatch_sender *sender, int timeout_ms)
{
    int64_t timeout_ns = timeout_ns_of(timeout_ms);
    int64_t pause_ns = shorter(sender->backoff_ns, timeout_ns - sender->backed_off_ns);
    int64_t begun_ns = ub_clock_ns();
    int error = ub_sleep_ns(pause_ns);

    if (error == -EINTR) /* which may come so often that no pause is ever a whole one */
        sender->backed_off_ns += shorter(ub_clock_ns() - begun_ns, pause_ns);
    if (error < 0)
        return error;
    sender->backed_off_ns += pause_ns > 0 ? pause_ns : 0;
    if (sender->backed_off_ns >= timeout_ns) {
        sender->backed_off_ns = 0;
        return -ETIMEDOUT;
    }
    lengthen_backoff(sender);
    sender->is_backing_off = false;
    return 0;
}

int udpbatch_sender_wait(struct udpbatch_sender *sender, int timeout_ms)
{
    if (sender->engine.unsent_error == 0)
        return 0;
    sender->engine.stats.waits++;
    if (sender->is_paced)
        return wait_for_rate(sender, timeout_ms);
    if (needs_time(sender))
        return back_off(sender, timeout_ms);
    int events = ub_socket_wait(sender->engine.fd, POLLOUT, timeout_ms);
    if (events < 0)
        return events;
    /* An error alone, in an error queue that nobody reads, would end every wait at once. */
    return (events & POLLOUT) != 0 ? 0 : back_off(sender, timeout_ms);
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
