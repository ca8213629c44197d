/* plan_model.c: an oracle for the engine that sends. */
#include "plan_model.h"

#include "faults/pending.h"
#include "plan_packet.h"

#include <string.h>

enum { HOSTS = 64, ASK_PENDING = 16, ASK_PERHAPS = 1 };

/* A host that trains were refused to gets none of longer packets for a second. */
struct refusal {
    unsigned char host[16];
    uint32_t segment_most;
    int64_t until_ns;
};

static struct {
    int32_t fate[WORLD_PACKETS];           /* as a status; 0: none yet */
    int32_t before[WORLD_PACKETS];         /* this call */
    size_t from, n;                        /* the array at hand */
    size_t next_to[WORLD_ADDRESSES], next; /* nothing of a lower index may be sent any more */

    int stopped;    /* the call, for this errno */
    int dead;       /* the socket, for this errno */
    unsigned asked; /* how often again, the train that comes next */
    bool has_to_be; /* the next train is known: */
    size_t first, count;

    struct refusal refusals[HOSTS];
    size_t refusal_count;
    int64_t short_until_ns; /* no train of more than 64 */

    uint64_t sent, bytes, trains, messages, refused, split;
} model;

/* ---- Trains ---------------------------------------------------------------------------------- */

/* Their packets, as numbers of the world's; one after the other. */
struct walk {
    const struct ub_plan *plan;
    const struct ub_train *train;
    size_t offset;
    uint32_t left;
};

static struct walk walk_of(const struct ub_plan *plan, const struct ub_train *train)
{
    return (struct walk){ plan, train, train->first, train->count };
}

static bool walk_on(struct walk *walk, size_t *packet)
{
    if (walk->left == 0)
        return false;
    require(walk->plan->from + walk->offset < model.n);
    *packet = model.from + walk->plan->from + walk->offset;
    if (--walk->left > 0) {
        size_t next = ub_train_next(walk->plan, walk->train, walk->offset);
        require(next > walk->offset);
        walk->offset = next;
    }
    return true;
}

static size_t first_of(const struct ub_plan *plan, const struct ub_train *train)
{
    return model.from + plan->from + train->first;
}

static bool is_same_address(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    return a == b || (a != NULL && b != NULL && memcmp(a, b, sizeof *a) == 0);
}

/* Nothing, or in each member that counts. */
static bool asks_the_same(const struct udpbatch_meta *a, const struct udpbatch_meta *b)
{
    const struct udpbatch_meta none = { 0 };
    a = a != NULL ? a : &none;
    b = b != NULL ? b : &none;
    const uint32_t asked = a->flags & 0x3f;
    return asked == (b->flags & 0x3f) && ((asked & UDPBATCH_META_TOS) == 0 || a->tos == b->tos) &&
           ((asked & UDPBATCH_META_TTL) == 0 || a->ttl == b->ttl) &&
           ((asked & UDPBATCH_META_INTERFACE) == 0 || a->interface_index == b->interface_index) &&
           ((asked & UDPBATCH_META_DEPARTURE) == 0 || a->time_ns == b->time_ns) &&
           ((asked & UDPBATCH_META_LOCAL) == 0 || is_same_address(&a->local, &b->local));
}

static void host_of(const union udpbatch_addr *to, unsigned char host[16])
{
    memset(host, 0, 16);
    if (to != NULL && to->sa.sa_family == AF_INET6) {
        memcpy(host, &to->in6.sin6_addr, 16);
    } else if (to != NULL) {
        host[10] = host[11] = 0xff;
        memcpy(host + 12, &to->in4.sin_addr, 4);
    }
}

static struct refusal *refusal_to(const union udpbatch_addr *to)
{
    unsigned char host[16];
    host_of(to, host);
    for (size_t i = 0; i < model.refusal_count; i++)
        if (memcmp(model.refusals[i].host, host, sizeof host) == 0 &&
            model.refusals[i].until_ns > world.now_ns)
            return &model.refusals[i];
    return NULL;
}

/* The rules for several packets that leave as one. */
static void check_train_of_several(const struct ub_train *train)
{
    const struct refusal *refusal = refusal_to(train->to);
    const bool may_be_long = world.now_ns >= model.short_until_ns;

    require(world.has_trains && world.kernel != UB_GSO_DAMAGES);
    require(train->count <= (may_be_long || world.segments < 64 ? world.segments : 64));
    require(train->segment > 0);
    require(train->bytes <= (train->to == NULL || world_is_in4(train->to) ? 65507u : 65527u));
    require(refusal == NULL || train->segment <= refusal->segment_most);
}

static void check_packet(const struct ub_train *train, size_t number, bool is_last)
{
    const struct udpbatch_packet *packet = &world.packets[number];
    const uint32_t bytes = packet_bytes(packet);

    require(packet->status == 0 && model.fate[number] == 0);
    require(!packet_may_be_refused(packet, 0));
    require(is_same_address(packet->to, train->to));
    require(asks_the_same(packet->meta, train->meta));
    require(bytes == train->segment ||
            (is_last && bytes < train->segment && bytes > 0 && world.kernel != UB_GSO_EQUAL_ONLY));
}

/* What the pieces of a train still have, of its packets' payloads in order. */
struct gathered {
    const struct udpbatch_piece *piece;
    uint32_t left;
    size_t at;
};

static void expect_bytes(struct gathered *gathered, const unsigned char *data, size_t len)
{
    while (len > 0) {
        while (gathered->left > 0 && gathered->at == gathered->piece->len) {
            gathered->piece++;
            gathered->left--;
            gathered->at = 0;
        }
        require(gathered->left > 0);
        size_t part = gathered->piece->len - gathered->at;
        part = part < len ? part : len;
        require((const unsigned char *)gathered->piece->data + gathered->at == data);
        gathered->at += part;
        data += part;
        len -= part;
    }
}

static void expect_payload(struct gathered *gathered, const struct udpbatch_packet *packet)
{
    const struct udpbatch_piece *list = packet->data;

    if ((packet->len & UB_IN_PIECES) == 0) {
        expect_bytes(gathered, packet->data, packet->len);
        return;
    }
    for (uint32_t i = 0; i < (packet->len & ~UB_IN_PIECES); i++)
        expect_bytes(gathered, list[i].data, list[i].len);
}

static void check_packets(const struct ub_plan *plan, const struct ub_train *train)
{
    struct walk walk = walk_of(plan, train);
    struct gathered gathered = { train->pieces, train->piece_count, 0 };
    uint64_t bytes = 0;
    size_t number;

    require(train->piece_count > 0 && train->piece_count <= UB_PIECES_MAX);
    while (walk_on(&walk, &number)) {
        check_packet(train, number, walk.left == 0 && train->count > 1);
        expect_payload(&gathered, &world.packets[number]);
        bytes += packet_bytes(&world.packets[number]);
    }
    require(walk.offset == train->last);
    require(bytes == train->bytes);
    for (; gathered.left > 0; gathered.piece++, gathered.left--, gathered.at = 0)
        require(gathered.at == gathered.piece->len);
}

void model_given(const struct ub_plan *plan, const struct ub_train *train, bool is_first)
{
    require(model.stopped == 0 && model.dead == 0);
    require(train->count > 0 && train->error == 0);
    if (is_first && model.has_to_be)
        require(first_of(plan, train) == model.first && train->count == model.count);
    else
        model.asked = 0;
    model.has_to_be = false;
    if (train->count > 1)
        check_train_of_several(train);
    check_packets(plan, train);
    require(train->is_in4 == world_is_in4(train->to) || (train->to == NULL && train->meta == NULL));
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
    for (size_t i = model.from; i < model.from + model.n; i++)
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

static bool is_among(int error, const int *errors)
{
    while (*errors != 0 && *errors != error)
        errors++;
    return *errors != 0;
}

/* Whether the error is one of trains, and not of these packets. */
static bool is_of_trains(const struct ub_train *train, int error)
{
    const bool asks_for_origin =
        train->meta != NULL &&
        (train->meta->flags & (UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE)) != 0;
    const bool has_port = train->to == NULL || train->to->in4.sin_port != 0;

    return is_among(error, (const int[]){ EIO, EMSGSIZE, ENOPROTOOPT, EOPNOTSUPP, 0 }) ||
           (error == EINVAL && !asks_for_origin && has_port);
}

static void note_host(const struct ub_train *train, int error)
{
    const bool is_of_length = error == EMSGSIZE || error == EINVAL;
    struct refusal *refusal = refusal_to(train->to);

    if (refusal != NULL) {
        refusal->segment_most = 0;
    } else if (model.refusal_count < HOSTS) {
        refusal = &model.refusals[model.refusal_count++];
        host_of(train->to, refusal->host);
        refusal->segment_most = is_of_length ? train->segment - 1 : 0;
    } else {
        return;
    }
    refusal->until_ns = world.now_ns + 1000000000;
}

/* Its packets are asked one by one; or it was just too many of them. */
static void split(const struct ub_plan *plan, const struct ub_train *train, int error)
{
    model.split++;
    model.asked = 0;
    if (is_of_trains(train, error) && error == EINVAL && train->count > 64) {
        model.short_until_ns = world.now_ns + 1000000000;
        return;
    }
    if (is_of_trains(train, error))
        note_host(train, error);
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
    model.from = from;
    model.n = n;
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
