/* plan_model.c: an oracle for the engine that sends. */
#include "plan_model.h"

#include "faults/pending.h"
#include "plan_packet.h"
#include "plan_refusals.h"
#include "plan_train.h"

#include <string.h>

enum { ASK_PENDING = 16, ASK_PERHAPS = 1 };

static struct {
    int32_t fate[WORLD_PACKETS];           /* as a status; 0: none yet */
    int32_t before[WORLD_PACKETS];         /* this call */
    size_t next_to[WORLD_ADDRESSES], next; /* nothing of a lower index may be sent any more */

    int stopped;    /* the call, for this errno */
    int dead;       /* the socket, for this errno */
    unsigned asked; /* how often again, the train that comes next */
    bool has_to_be; /* the next train is known: */
    size_t first, count;

    uint64_t sent, bytes, trains, messages, refused, split;
} model;

/* ---- Trains ---------------------------------------------------------------------------------- */

static size_t first_of(const struct ub_plan *plan, const struct ub_train *train)
{
    return world.from + plan->from + train->first;
}

void model_given(const struct ub_plan *plan, const struct ub_train *train, bool is_first)
{
    struct walk walk = walk_of(plan, train);
    size_t number;

    require(model.stopped == 0 && model.dead == 0);
    if (is_first && model.has_to_be)
        require(first_of(plan, train) == model.first && train->count == model.count);
    else
        model.asked = 0;
    model.has_to_be = false;
    check_train(plan, train);
    while (walk_on(&walk, &number))
        require(model.fate[number] == 0);
}

/* ---- What becomes of them -------------------------------------------------------------------- */

/* Once, and behind all that went to its destination before, or anywhere. */
static void note_sent(size_t number)
{
    size_t *next_to = &model.next_to[world_destination(world.packets[number].to)];

    require(number >= *next_to);
    require(!world.in_order || number >= model.next);
    *next_to = model.next = number + 1;
    model.fate[number] = 1;
    model.sent++;
}

static void note_refused(size_t number, int error)
{
    if (packet_may_be_refused(&world.packets[number], 0))
        return; /* its own reason or this one: that is seen at the end */
    model.fate[number] = -error;
    model.refused++;
}

void model_taken(const struct ub_plan *plan, const struct ub_train *train)
{
    struct walk walk = walk_of(plan, train);
    size_t number;

    while (walk_on(&walk, &number))
        note_sent(number);
    model.bytes += train->bytes;
    model.trains += train->count > 1;
    model.messages++;
}

void model_refused(const struct ub_plan *plan, const struct ub_train *train, int error)
{
    struct walk walk = walk_of(plan, train);
    size_t number;

    while (walk_on(&walk, &number))
        note_refused(number, error);
}

static bool is_open(size_t number)
{
    return model.before[number] == 0 && model.fate[number] == 0;
}

static void refuse_without_address(int error)
{
    for (size_t i = world.from; i < world.end; i++)
        if (is_open(i) && world.packets[i].to == NULL)
            note_refused(i, error);
}

static void refuse_all(int error)
{
    model.dead = error;
    for (size_t i = 0; i < world.n; i++)
        if (is_open(i))
            note_refused(i, error);
}

/* The next train is this one, or so many of its packets. */
static void expect_next(const struct ub_plan *plan, const struct ub_train *train, uint32_t count)
{
    model.has_to_be = true;
    model.first = first_of(plan, train);
    model.count = count;
}

/* Its packets are asked one by one; or it was just too many of them. */
static void split(const struct ub_plan *plan, const struct ub_train *train, int error)
{
    model.split++;
    model.asked = 0;
    if (refusals_learn(train, error))
        expect_next(plan, train, 1);
}

/* An error that may be left from an earlier packet is not believed at once. */
static void refuse(const struct ub_plan *plan, const struct ub_train *train, int error)
{
    const unsigned again = is_always_pending(error)                    ? ASK_PENDING
                           : may_be_pending(error) && world.hears_icmp ? ASK_PERHAPS
                                                                       : 0;

    if (model.asked < again) {
        model.asked++;
        expect_next(plan, train, train->count);
    } else if (train->count > 1 && !is_of_all_in_train(error, world.hears_icmp)) {
        split(plan, train, error);
    } else {
        model_refused(plan, train, error);
    }
}

static bool is_among(int error, const int *errors)
{
    while (*errors != 0 && *errors != error)
        errors++;
    return *errors != 0;
}

void model_stopped(const struct ub_plan *plan, const struct ub_train *train, int error)
{
    static const int no_peer[] = { EDESTADDRREQ, ENOTCONN, 0 };
    static const int of_socket[] = { EBADF, ENOTSOCK, EPIPE, 0 };
    static const int busy[] = { EAGAIN, ENOBUFS, ENOMEM, EBUSY, 0 };

    if (error == 0 || error == EINTR)
        expect_next(plan, train, train->count);
    else if (is_among(error, no_peer) && train->to == NULL)
        refuse_without_address(error);
    else if (is_among(error, of_socket))
        refuse_all(error);
    else if (!is_among(error, busy))
        refuse(plan, train, error);
    else if (train->count > 1 && error != EAGAIN)
        split(plan, train, error);
    else if (error == ENOBUFS && train->bytes > world.takes_most)
        model_refused(plan, train, error);
    else
        model.stopped = error;
}

/* ---- A call ---------------------------------------------------------------------------------- */

void model_begin(void)
{
    memset(&model, 0, sizeof model);
    refusals_begin();
}

void model_call(void)
{
    model.stopped = 0;
    model.dead = 0;
    model.has_to_be = false;
    for (size_t i = 0; i < world.n; i++) {
        model.before[i] = world.packets[i].status;
        model.fate[i] = 0;
    }
}

void model_array(size_t from, size_t n)
{
    world.from = from;
    world.end = from + n;
}

/* One that nobody could send has a reason of its own, or is among those that are refused together,
 * or its turn has not come. */
static void check_unsendable(size_t number)
{
    const struct udpbatch_packet *packet = &world.packets[number];
    const int error = -packet->status;
    const bool is_with_others =
        error != 0 && (error == model.dead ||
                       (packet->to == NULL && (error == EDESTADDRREQ || error == ENOTCONN)));

    require(packet->status <= 0);
    require((error == 0 && model.stopped != 0) || is_with_others ||
            packet_may_be_refused(packet, error));
    model.refused += error != 0;
}

static void check_fate(size_t number)
{
    const int32_t status = world.packets[number].status;

    if (model.before[number] != 0) {
        require(status == model.before[number]);
    } else if (packet_may_be_refused(&world.packets[number], 0)) {
        check_unsendable(number);
    } else {
        require(status == model.fate[number]);
        require(status != 0 || model.stopped != 0);
    }
}

/* What is unsent is all that lies behind, where all goes in order. */
static void check_rest(size_t number, bool *is_rest)
{
    const struct udpbatch_packet *packet = &world.packets[number];
    const bool is_of_no_peer = packet->to == NULL && packet->status < 0;

    if (model.before[number] != 0 || !world.in_order)
        return;
    require(!*is_rest || packet->status == 0 || is_of_no_peer);
    *is_rest |= packet->status == 0;
}

static void check_counts(const struct ub_engine *engine)
{
    const struct udpbatch_sender_stats *stats = &engine->stats;
    uint64_t messages = 0, refusals = 0;

    for (int i = 0; i < UDPBATCH_TRAIN_SIZES; i++)
        messages += stats->sizes[i];
    for (int i = 0; i < UDPBATCH_MEANINGS; i++)
        refusals += stats->refusals[i];
    require(stats->packets == model.sent && stats->bytes == model.bytes);
    require(stats->trains == model.trains && messages == model.messages);
    require(stats->refused == model.refused && refusals == model.refused);
    require(stats->trains_split == model.split);
}

static void check_tally(int unsent_error)
{
    struct udpbatch_tally tally = ub_settle_tally(world.packets, world.n, unsent_error);
    size_t sent = 0, unsent = 0, first = world.n;

    for (size_t i = world.n; i-- > 0;) {
        sent += world.packets[i].status == 1;
        unsent += world.packets[i].status == 0;
        first = world.packets[i].status < 0 ? i : first;
    }
    require(tally.sent == sent && tally.unsent == unsent);
    require(tally.sent + tally.refused + tally.unsent == world.n);
    require(tally.first_refused == first);
    require(tally.first_error == (first < world.n ? -world.packets[first].status : 0));
    require(tally.unsent_error == (unsent > 0 ? model.stopped : 0));
}

bool model_call_ended(const struct ub_engine *engine)
{
    bool is_rest = false;

    require(!model.has_to_be);
    require(engine->unsent_error == model.stopped && engine->socket_error == model.dead);
    for (size_t i = 0; i < world.n; i++) {
        check_fate(i);
        check_rest(i, &is_rest);
    }
    check_counts(engine);
    check_tally(engine->unsent_error);
    return model.stopped != 0;
}
