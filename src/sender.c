/* sender.c: level 2, an engine that remembers, counts and waits. */
#include "internal.h"

#include <poll.h>
#include <stdalign.h>
#include <stdlib.h>
#include <time.h>

/* Trains per plan: as many as one sendmmsg takes. */
enum { SENDER_TRAINS = UB_MESSAGES_MAX };

/* How long to wait for memory or for room in a device's queue, of which no event tells. */
enum { BACKOFF_FIRST_NS = 50 * 1000, BACKOFF_LAST_NS = 10 * 1000 * 1000 };

struct udpbatch_sender {
    struct ub_engine engine;
    long backoff_ns; /* of the next wait by time */
    struct ub_train trains[SENDER_TRAINS];
    struct udpbatch_piece pieces[SENDER_TRAINS];
    alignas(max_align_t) unsigned char scratch[SENDER_TRAINS * UB_SCRATCH];
};

static int begin(struct udpbatch_sender *sender, int fd,
                 const struct udpbatch_sender_options *theirs)
{
    struct udpbatch_sender_options options = { 0 };
    int error = ub_options_take(&options, sizeof options, theirs);
    if (error == 0)
        error = ub_socket_check(fd);
    if (error < 0)
        return error;

    sender->engine = (struct ub_engine){
        .fd = fd,
        .backend = ub_backend_find(options.backend),
        .plan = { .trains = sender->trains, .pieces = sender->pieces, .capacity = SENDER_TRAINS },
        .scratch = sender->scratch,
    };
    sender->backoff_ns = BACKOFF_FIRST_NS;
    return sender->engine.backend != NULL ? 0 : -ENOENT;
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
        sender->backoff_ns = BACKOFF_FIRST_NS;
    return ub_settle_tally(packets, n, engine->unsent_error);
}

/* Sleeps for the back-off, but no longer than the timeout. */
static int back_off(struct udpbatch_sender *sender, int timeout_ms)
{
    bool too_long = timeout_ms >= 0 && timeout_ms < sender->backoff_ns / 1000000 + 1;
    struct timespec pause = { .tv_nsec = too_long ? timeout_ms * 1000000L : sender->backoff_ns };

    if (nanosleep(&pause, NULL) < 0)
        return -errno;
    if (too_long)
        return -ETIMEDOUT;
    sender->backoff_ns *= 2;
    if (sender->backoff_ns > BACKOFF_LAST_NS)
        sender->backoff_ns = BACKOFF_LAST_NS;
    return 0;
}

int udpbatch_sender_wait(struct udpbatch_sender *sender, int timeout_ms)
{
    if (sender->engine.unsent_error == 0)
        return 0;
    sender->engine.stats.waits++;
    if (sender->engine.unsent_error != EAGAIN && sender->engine.unsent_error != EWOULDBLOCK)
        return back_off(sender, timeout_ms);
    int events = ub_socket_wait(sender->engine.fd, POLLOUT, timeout_ms);
    if (events < 0)
        return events;
    /* An error alone, in an error queue that nobody reads, would end every wait at once. */
    return (events & POLLOUT) != 0 ? 0 : back_off(sender, timeout_ms);
}

void udpbatch_sender_stats(const struct udpbatch_sender *sender,
                           struct udpbatch_sender_stats *stats)
{
    struct udpbatch_sender_stats mine = sender->engine.stats;
    mine.backend = sender->engine.backend->name;
    ub_stats_give(stats, &mine, sizeof mine);
}
