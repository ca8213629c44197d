/* send.c: level 1, and the loop that both levels share. */
#include "internal.h"

/* ---- The loop ------------------------------------------------------------------------------ */

/* Errors that ICMP brings reach a socket only if it is connected or asked for them (ip(7),
 * IP_RECVERR). Asked once per call, and only when such an error is met. */
static bool hears_icmp(struct ub_engine *engine)
{
    if (engine->hears_icmp < 0)
        engine->hears_icmp = ub_socket_hears_icmp(engine->fd);
    return engine->hears_icmp != 0;
}

/* Whether the error may be left from an earlier packet, which an ICMP message was about. */
static bool may_be_pending(struct ub_engine *engine, int error)
{
    enum ub_pending pending = ub_settle_pending(error);
    return pending == UB_PENDING || (pending == UB_MAY_BE_PENDING && hears_icmp(engine));
}

/* What to do about the error at which the back end stopped. A pending error was consumed by being
 * met: the train that met it is asked once more before it is blamed for it. */
static enum ub_verdict judge(struct ub_engine *engine, struct ub_train *train)
{
    enum ub_verdict verdict = ub_settle_error(train->error);

    if (verdict == UB_NO_PEER && train->to != NULL)
        return UB_REFUSE;
    if (train->error == ENOBUFS && ub_socket_never_takes(engine->fd, train->bytes))
        return UB_REFUSE;
    if (verdict == UB_REFUSE && !train->asked && may_be_pending(engine, train->error)) {
        train->asked = true;
        return UB_ASK_AGAIN;
    }
    return verdict;
}

/* Gives a train's packets the status that its error says. */
static void settle(struct ub_engine *engine, const struct ub_train *train,
                   struct udpbatch_packet *packets)
{
    ub_settle_train(train, packets);
    if (train->error != 0) {
        engine->stats.refused += train->count;
    } else {
        engine->stats.packets += train->count;
        engine->stats.bytes += train->bytes;
    }
}

/* Submits trains[next .. ), settles those that were dealt with, returns where they end. */
static size_t submit(struct ub_engine *engine, struct udpbatch_packet *packets, size_t next)
{
    struct ub_train *trains = engine->plan.trains;
    size_t end = next + engine->backend->submit(engine, next);

    for (; next < end; next++)
        settle(engine, &trains[next], packets);
    return end;
}

/* Sends the plan. UB_DONE if it came to its end, otherwise why not, and *error. */
static enum ub_verdict send_plan(struct ub_engine *engine, struct udpbatch_packet *packets,
                                 int *error)
{
    const struct ub_plan *plan = &engine->plan;
    size_t next = 0;

    if (engine->backend->prepare != NULL)
        engine->backend->prepare(engine);
    while (next < plan->count) {
        next = submit(engine, packets, next);
        struct ub_train *train = &plan->trains[next];
        if (next == plan->count || train->error == 0)
            continue;
        enum ub_verdict verdict = judge(engine, train);
        if (verdict == UB_ASK_AGAIN) {
            train->error = 0;
        } else if (verdict == UB_REFUSE) {
            settle(engine, &plan->trains[next++], packets);
        } else {
            *error = train->error;
            return verdict;
        }
    }
    return UB_DONE;
}

void ub_engine_begin(struct ub_engine *engine)
{
    engine->unsent_error = 0;
    engine->socket_error = 0;
    engine->hears_icmp = -1;
}

void ub_engine_send(struct ub_engine *engine, struct udpbatch_packet *packets, size_t n)
{
    size_t from = 0;
    while (from < n && engine->unsent_error == 0 && engine->socket_error == 0) {
        size_t end = ub_plan_make(&engine->plan, packets, from, n);
        int error = 0;
        engine->stats.refused += engine->plan.refused;
        switch (send_plan(engine, packets, &error)) {
        case UB_STOP:
            engine->unsent_error = error;
            break;
        case UB_DEAD:
            engine->socket_error = error;
            break;
        case UB_NO_PEER: /* and those that have an address are planned anew */
            engine->stats.refused += ub_settle_rest(packets, n, error, true);
            break;
        default:
            from = end;
        }
    }
    if (engine->socket_error != 0)
        engine->stats.refused += ub_settle_rest(packets, n, engine->socket_error, false);
}

/* ---- Level 1 ------------------------------------------------------------------------------- */

/* Trains per plan, and so messages per system call: a system call is a fifth of the cost of a
 * packet that has one for itself, and shared by 64 no longer to be measured (bench/compare). */
enum { LEVEL1_TRAINS = 64 };

/* An engine and its memory, for the stack. */
struct level1 {
    struct ub_engine engine;
    struct ub_train trains[LEVEL1_TRAINS];
    struct udpbatch_piece pieces[LEVEL1_TRAINS];
    ub_message messages[LEVEL1_TRAINS];
};

static struct ub_engine *level1_begin(struct level1 *level1, int fd)
{
    level1->engine = (struct ub_engine){
        .fd = fd,
        .backend = ub_backend_find(NULL),
        .plan = { .trains = level1->trains, .pieces = level1->pieces, .capacity = LEVEL1_TRAINS },
        .messages = level1->messages,
    };
    ub_engine_begin(&level1->engine);
    return &level1->engine;
}

struct udpbatch_tally udpbatch_send(int fd, struct udpbatch_packet *packets, size_t n)
{
    struct level1 level1;
    struct ub_engine *engine = level1_begin(&level1, fd);

    ub_engine_send(engine, packets, n);
    return ub_settle_tally(packets, n, engine->unsent_error);
}

/* Adds what became of a part that begins at index `at` of the whole. */
static void add_tally(struct udpbatch_tally *whole, const struct udpbatch_tally *part, size_t at)
{
    if (whole->refused == 0 && part->refused > 0) {
        whole->first_refused = at + part->first_refused;
        whole->first_error = part->first_error;
    }
    whole->sent += part->sent;
    whole->refused += part->refused;
    whole->unsent += part->unsent;
}

struct udpbatch_tally udpbatch_multi_target_send(int fd, const void *payload, uint32_t len,
                                                 const union udpbatch_addr *targets, size_t n,
                                                 int32_t *status)
{
    struct level1 level1;
    struct ub_engine *engine = level1_begin(&level1, fd);
    struct udpbatch_packet packets[LEVEL1_TRAINS];
    struct udpbatch_tally tally = { .first_refused = n };

    for (size_t at = 0, count; at < n; at += count) {
        count = n - at < LEVEL1_TRAINS ? n - at : LEVEL1_TRAINS;
        for (size_t i = 0; i < count; i++)
            packets[i] = (struct udpbatch_packet){ .data = payload,
                                                   .len = len,
                                                   .status = status != NULL ? status[at + i] : 0,
                                                   .to = &targets[at + i] };
        ub_engine_send(engine, packets, count);
        for (size_t i = 0; status != NULL && i < count; i++)
            status[at + i] = packets[i].status;
        struct udpbatch_tally part = ub_settle_tally(packets, count, engine->unsent_error);
        add_tally(&tally, &part, at);
    }
    tally.unsent_error = tally.unsent > 0 ? engine->unsent_error : 0;
    return tally;
}
