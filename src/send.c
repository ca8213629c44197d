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

/* An error that no send earns by itself is never the train's own, though others send on the socket
 * and bring ever more of them; but nor may it be asked for ever. One that it may have earned is
 * asked for once. */
enum { PENDING_AGAIN = 16, PERHAPS_AGAIN = 1 };

/* The error may be left from an earlier packet, which an ICMP message was about. */
static unsigned times_to_ask_again(struct ub_engine *engine, int error)
{
    switch (ub_settle_pending(error)) {
    case UB_PENDING:
        return PENDING_AGAIN;
    case UB_MAY_BE_PENDING:
        return hears_icmp(engine) ? PERHAPS_AGAIN : 0;
    default:
        return 0;
    }
}

/* What a refusal is to a train. A pending error was consumed by being met: the train that met it is
 * asked again before it is blamed for it. Of several packets, each is asked for its own error,
 * unless it is certain that it will be this one. */
static enum ub_verdict judge_refusal(struct ub_engine *engine, struct ub_train *train)
{
    unsigned again = times_to_ask_again(engine, train->error);
    bool is_certain = again == 0;

    if (train->asked < again) {
        train->asked++;
        return UB_ASK_AGAIN;
    }
    if (train->count > 1 && !(is_certain && ub_settle_is_of_address(train->error)))
        return UB_SPLIT;
    return UB_REFUSE;
}

/* A queue without room for a train may have some for a packet. */
static enum ub_verdict judge_pressure(struct ub_engine *engine, const struct ub_train *train)
{
    if (train->count > 1 && !ub_settle_has_event(train->error))
        return UB_SPLIT;
    if (train->error == ENOBUFS && ub_socket_never_takes(engine->fd, train->bytes))
        return UB_REFUSE;
    return UB_STOP;
}

/* What to do about the error at which the back end stopped. */
static enum ub_verdict judge(struct ub_engine *engine, struct ub_train *train)
{
    enum ub_verdict verdict = ub_settle_error(train->error);

    if (verdict == UB_NO_PEER && train->to != NULL)
        verdict = UB_REFUSE;
    if (verdict == UB_REFUSE)
        return judge_refusal(engine, train);
    return verdict == UB_STOP ? judge_pressure(engine, train) : verdict;
}

static void count_refused(struct ub_engine *engine, uint64_t packets, int error)
{
    engine->stats.refused += packets;
    engine->stats.refusals[udpbatch_error_meaning(error)] += packets;
}

/* Which of UDPBATCH_TRAIN_SIZES: each is for up to twice as many as the one before. */
static unsigned size_of(uint32_t count)
{
    unsigned size = 0;
    while (UINT32_C(1) << size < count)
        size++;
    return size;
}

static void count_sent(struct ub_engine *engine, const struct ub_train *train)
{
    engine->stats.packets += train->count;
    engine->stats.bytes += train->bytes;
    engine->stats.trains += train->count > 1;
    engine->stats.sizes[size_of(train->count)]++;
}

/* Gives a train's packets the status that its error says. */
static void settle(struct ub_engine *engine, const struct ub_train *train,
                   struct udpbatch_packet *packets)
{
    ub_settle_train(&engine->plan, train, packets);
    if (train->error != 0)
        count_refused(engine, train->count, train->error);
    else
        count_sent(engine, train);
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

/* Sends the plan. UB_DONE if it came to its end, otherwise why not, and the train it stopped at. */
static enum ub_verdict send_plan(struct ub_engine *engine, struct udpbatch_packet *packets,
                                 const struct ub_train **stopped)
{
    const struct ub_plan *plan = &engine->plan;
    size_t next = 0;

    if (engine->backend->prepare != NULL)
        engine->backend->prepare(engine, next);
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
            *stopped = train;
            return verdict;
        }
    }
    return UB_DONE;
}

/* Finds out what the plan has to know. */
static void answer(struct ub_engine *engine, unsigned asks)
{
    struct ub_facts *facts = &engine->plan.facts;

    if ((asks & UB_ASKS_GSO) != 0)
        ub_gso_ask(&engine->plan.gso, engine->fd, engine->trains);
    if ((asks & UB_ASKS_PEER) != 0)
        facts->peer_is_in4 = ub_socket_peer_is_in4(engine->fd);
    if ((asks & UB_ASKS_TXTIME) != 0)
        facts->has_txtime = ub_socket_has_txtime(engine->fd);
    if ((asks & UB_ASKS_NO_FRAGMENTS) != 0)
        facts->forbids_fragments = ub_socket_forbids_fragments(engine->fd);
    if ((asks & UB_ASKS_OWN) != 0)
        facts->own = ub_socket_own_in4(engine->fd);
    facts->known |= asks;
}

/* Returns where the plan ends. */
static size_t make_plan(struct ub_engine *engine, struct udpbatch_packet *packets, size_t from,
                        size_t n)
{
    struct ub_plan *plan = &engine->plan;

    do {
        size_t end = ub_plan_make(plan, packets, from, n);
        for (int meaning = 0; plan->refused > 0 && meaning < UDPBATCH_MEANINGS; meaning++)
            engine->stats.refusals[meaning] += plan->refusals[meaning];
        engine->stats.refused += plan->refused;
        if (plan->asks == UB_ASKS_NOTHING)
            return end;
        answer(engine, plan->asks);
    } while (true);
}

/* What was asked of the socket may have changed, but for whether it can have trains. */
void ub_engine_begin(struct ub_engine *engine)
{
    engine->unsent_error = 0;
    engine->socket_error = 0;
    engine->hears_icmp = -1;
    if (engine->mmsg == UB_YES)
        engine->mmsg = UB_UNKNOWN; /* a filter may have come */
    engine->plan.facts.known &= UB_ASKS_GSO;
    ub_gso_remember(&engine->plan.gso);
}

/* Makes a new plan, of the packets of a refused train, each by itself, and sends that; nothing of a
 * refused train has left. */
static enum ub_verdict send_split(struct ub_engine *engine, struct udpbatch_packet *packets,
                                  const struct ub_train **train)
{
    engine->stats.trains_split++;
    if (!ub_gso_learn(&engine->plan.gso, *train))
        return UB_DONE;
    ub_plan_split(&engine->plan, packets, *train);
    return send_plan(engine, packets, train);
}

/* Takes down why a plan was not sent to its end. */
static void note_end(struct ub_engine *engine, struct udpbatch_packet *packets, size_t n,
                     enum ub_verdict verdict, int error)
{
    if (verdict == UB_STOP)
        engine->unsent_error = error;
    else if (verdict == UB_DEAD)
        engine->socket_error = error;
    else if (verdict == UB_NO_PEER) /* and those that have an address go on */
        count_refused(engine, ub_settle_rest(packets, n, error, true), error);
}

void ub_engine_send(struct ub_engine *engine, struct udpbatch_packet *packets, size_t n)
{
    size_t from = 0;
    while (from < n && engine->unsent_error == 0 && engine->socket_error == 0) {
        const struct ub_train *train = NULL;
        size_t end = make_plan(engine, packets, from, n);
        enum ub_verdict verdict = send_plan(engine, packets, &train);
        if (verdict == UB_DONE) {
            from = end;
            continue;
        }
        if (verdict == UB_SPLIT)
            verdict = send_split(engine, packets, &train);
        note_end(engine, packets, n, verdict, train->error);
    } /* what was planned and has no fate is planned anew */
    if (engine->socket_error != 0)
        count_refused(engine, ub_settle_rest(packets, n, engine->socket_error, false),
                      engine->socket_error);
}

/* ---- Level 1 ------------------------------------------------------------------------------- */

/* Trains per plan, and so messages per system call: a system call is a fifth of the cost of a
 * packet that has one for itself, and shared by 64 no longer to be measured. So it is with trains
 * of 64; a host that refuses more is not remembered beyond the call, so more are not tried. */
enum {
    LEVEL1_TRAINS = 64,
    LEVEL1_PACKETS = 2 * LEVEL1_TRAINS,
    LEVEL1_ROUTES = 4,
    LEVEL1_CONTROL = LEVEL1_TRAINS * UB_SEGMENT_ROOM /* as much as trains without meta need */
};

/* An engine and its memory, for the stack. */
struct level1 {
    struct ub_engine engine;
    UB_ROOM(LEVEL1_TRAINS, LEVEL1_PACKETS, LEVEL1_ROUTES, LEVEL1_CONTROL) room;
};

static struct ub_engine *level1_begin(struct level1 *level1, udpbatch_socket fd, bool in_order)
{
    level1->engine = (struct ub_engine){
        .fd = fd,
        .backend = ub_backend_find(NULL),
        .plan = UB_ROOM_PLAN(&level1->room),
        .messages = level1->room.messages,
    };
    ub_plan_open(&level1->engine.plan, UB_SEGMENTS_OLD, in_order);
    ub_engine_begin(&level1->engine);
    return &level1->engine;
}

struct udpbatch_tally udpbatch_send(udpbatch_socket fd, struct udpbatch_packet *packets, size_t n)
{
    struct level1 level1;
    struct ub_engine *engine = level1_begin(&level1, fd, false);

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

struct udpbatch_tally udpbatch_multi_target_send(udpbatch_socket fd, const void *payload,
                                                 uint32_t len, const union udpbatch_addr *targets,
                                                 size_t n, int32_t *status)
{
    struct level1 level1;
    struct ub_engine *engine = level1_begin(&level1, fd, true);
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
