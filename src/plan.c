/* plan.c: packets[] -> trains[]: groups by destination, in order within each. Pure.
 *
 * Two passes over the packets: the first gives each a train, the second gathers the payloads of
 * each train. Both are linear, and nothing is copied but pointers. */
#include "internal.h"

#include <string.h>

/* A train leaves in one IP packet, before it is cut (RFC 791; RFC 8200; UDP's header is 8). The
 * connected peer's family is not asked for: the smaller limit does for both. */
enum { BYTES_MOST_IN4 = 65535 - 20 - 8, BYTES_MOST_IN6 = 65535 - 8 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static uint32_t bytes_most(const struct ub_train *train)
{
    return train->to == NULL || train->is_in4 ? BYTES_MOST_IN4 : BYTES_MOST_IN6;
}

/* ---- The first pass: which train a packet joins ---------------------------------------------- */

/* What the first pass knows of the packet at hand. */
struct entrant {
    const struct udpbatch_packet *packet;
    uint16_t offset;
    uint32_t bytes;
    uint32_t pieces; /* of plan->pieces that it may need */
    bool alone;      /* whoever else there is */
};

/* Inline, as begin_train below: they have two callers, of which one is once per packet. */
static inline void describe(struct entrant *entrant, const struct udpbatch_packet *packet,
                            size_t offset, uint32_t bytes)
{
    bool in_pieces = (packet->len & UB_IN_PIECES) != 0;
    uint32_t pieces = in_pieces ? packet->len & ~UB_IN_PIECES : 1;
    bool has_too_many = pieces > UB_JOIN_PIECES;

    entrant->packet = packet;
    entrant->offset = (uint16_t)offset;
    entrant->bytes = bytes;
    entrant->pieces = has_too_many ? 0 : pieces;
    entrant->alone = has_too_many;
    if (bytes == 0) { /* which goes as an empty piece, whatever list it has */
        entrant->pieces = 1;
        entrant->alone = true;
    }
}

/* The same in each member that the kernel is given, not only the same destination. */
static bool is_same_address(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    if (a == b || a == NULL || a->sa.sa_family != b->sa.sa_family)
        return a == b;
    return a->sa.sa_family == AF_INET || (a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
                                          a->in6.sin6_flowinfo == b->in6.sin6_flowinfo);
}

/* Whether the packet may be the train's next. Its destination is the train's. */
static bool fits(const struct ub_plan *plan, const struct ub_train *train,
                 const struct entrant *entrant)
{
    const struct udpbatch_packet *packet = entrant->packet;

    return !train->ended && !entrant->alone && entrant->bytes <= train->segment &&
           (entrant->bytes == train->segment || !plan->gso.equal_only) &&
           train->bytes + entrant->bytes <= bytes_most(train) &&
           is_same_address(train->to, packet->to) &&
           (train->meta == packet->meta || ub_meta_is_same(train->meta, packet->meta));
}

/* Takes room for control messages; false if there is not as much. */
static bool reserve_control(struct ub_plan *plan, struct ub_train *train, size_t size)
{
    if (size > plan->control_capacity - plan->control_used)
        return false;
    train->control = plan->control + plan->control_used;
    train->control_size = (uint32_t)size;
    plan->control_used += size;
    return true;
}

/* False if the plan has no room left. */
static bool join(struct ub_plan *plan, struct ub_train *train, const struct entrant *entrant)
{
    if (train->control_size == 0 && !reserve_control(plan, train, UB_SEGMENT_ROOM))
        return false;
    plan->next[train->last] = entrant->offset;
    train->last = entrant->offset;
    train->count++;
    train->bytes += entrant->bytes;
    train->ended = entrant->bytes < train->segment || train->count >= plan->gso.segments;
    plan->pieces_used += entrant->pieces;
    return true;
}

static bool may_be_in_a_train(const struct ub_plan *plan, const struct entrant *entrant)
{
    return !entrant->alone &&
           (plan->gso.route_count == 0 ||
            entrant->bytes <= ub_gso_segment_most(&plan->gso, entrant->packet->to));
}

static bool is_in4(const struct ub_plan *plan, const union udpbatch_addr *to)
{
    if (to == NULL)
        return plan->facts.peer_is_in4;
    return to->sa.sa_family == AF_INET || ub_addr_is_in4(to);
}

/* A train of this packet alone, so far. NULL if the plan has no room left. */
static inline struct ub_train *begin_train(struct ub_plan *plan, const struct entrant *entrant)
{
    const struct udpbatch_packet *packet = entrant->packet;
    struct ub_train *train = &plan->trains[plan->count];

    if (plan->count == plan->capacity)
        return NULL;
    /* Member by member: gcc makes a structure of parts on the stack, and waits to read it back. */
    train->to = packet->to;
    train->meta = packet->meta;
    train->control_size = 0;
    train->piece_count = 0;
    train->count = 1;
    train->bytes = entrant->bytes;
    train->segment = entrant->bytes;
    train->first = entrant->offset;
    train->last = entrant->offset;
    train->error = 0;
    train->asked = false;
    train->is_in4 = is_in4(plan, packet->to);
    train->ended = !may_be_in_a_train(plan, entrant);
    if (packet->meta != NULL &&
        !reserve_control(plan, train, ub_meta_room(packet->meta) + UB_SEGMENT_ROOM))
        return NULL;
    plan->pieces_used += entrant->pieces;
    plan->count++;
    return train;
}

/* The newest train to the packet's destination, and where to note a newer one. The train that the
 * packet before went to is tried first: arrays are often sorted by target already. */
static struct ub_train *newest(struct ub_plan *plan, const struct udpbatch_packet *packet,
                               uint32_t **entry)
{
    struct ub_train *train = plan->recent;

    *entry = NULL;
    if (train != NULL &&
        (train->to == packet->to || (plan->in_order && ub_group_is_same(train->to, packet->to))))
        return train;
    if (plan->in_order)
        return NULL;
    /* The connected peer may be one of the addresses, too, but nothing here knows. */
    if (train != NULL && (train->to == NULL) != (packet->to == NULL))
        ub_group_begin(plan);
    *entry = ub_group_find(plan, packet->to, &train);
    return train;
}

/* Makes it the newest train to its destination. */
static void note(struct ub_plan *plan, uint32_t *entry, const struct ub_train *train)
{
    struct ub_train *older;

    if (plan->in_order)
        return;
    if (entry == NULL) /* the older one was met without a look into the table */
        entry = ub_group_find(plan, train->to, &older);
    if (entry != NULL)
        ub_group_put(plan, entry, (size_t)(train - plan->trains));
}

/* Gives the packet its train. False if there is no room for it, or something is to be asked. */
static bool admit(struct ub_plan *plan, const struct entrant *entrant)
{
    bool is_known = (plan->facts.known & UB_ASKS_GSO) != 0;
    bool has_trains = !is_known || plan->gso.segments > 1;
    uint32_t *entry = NULL;
    struct ub_train *train = has_trains ? newest(plan, entrant->packet, &entry) : NULL;

    if (entrant->pieces > plan->piece_capacity - plan->pieces_used)
        return false;
    if (train != NULL && fits(plan, train, entrant)) {
        plan->asks |= is_known ? UB_ASKS_NOTHING : UB_ASKS_GSO;
        plan->recent = train;
        return is_known && join(plan, train, entrant);
    }
    plan->recent = begin_train(plan, entrant);
    if (plan->recent != NULL && has_trains)
        note(plan, entry, plan->recent);
    return plan->recent != NULL;
}

/* Lets those behind packets[i] join, too, as far as they are like the last of the train: most often
 * a whole run is, and this is all that it takes. Returns the last that did. */
static size_t join_run(struct ub_plan *plan, const struct udpbatch_packet *packets, size_t i,
                       size_t end)
{
    struct ub_train *train = plan->recent;
    const union udpbatch_addr *to = packets[i].to;
    const struct udpbatch_meta *meta = packets[i].meta;
    const uint32_t len = train->segment;
    size_t most = plan->gso.segments - train->count;
    most = least(most, (bytes_most(train) - train->bytes) / len);
    most = least(most, plan->piece_capacity - plan->pieces_used);
    most = least(most, end - i - 1);
    size_t last = i;
    while (last < i + most && packets[last + 1].len == len && packets[last + 1].to == to &&
           packets[last + 1].meta == meta && packets[last + 1].status == 0 &&
           packets[last + 1].data != NULL) {
        plan->next[last - plan->from] = (uint16_t)(last + 1 - plan->from);
        last++;
    }
    const uint32_t joined = (uint32_t)(last - i);
    train->last = (uint16_t)(last - plan->from);
    train->count += joined;
    train->bytes += joined * len;
    train->ended = train->count >= plan->gso.segments;
    plan->pieces_used += joined;
    return last;
}

/* ---- The second pass: the payloads of each train --------------------------------------------- */

/* Adds a part of a train's payload. Parts that lie side by side in memory become one piece: the
 * kernel then copies more at a time. */
static struct udpbatch_piece *gather_piece(struct ub_train *train, struct udpbatch_piece *end,
                                           const void *data, size_t len)
{
    if (train->piece_count > 0 && (const char *)end[-1].data + end[-1].len == (const char *)data) {
        end[-1].len += len;
        return end;
    }
    *end = (struct udpbatch_piece){ data, len };
    train->piece_count++;
    return end + 1;
}

static struct udpbatch_piece *gather_packet(struct ub_train *train, struct udpbatch_piece *end,
                                            const struct udpbatch_packet *packet)
{
    const struct udpbatch_piece *list = packet->data;

    if ((packet->len & UB_IN_PIECES) == 0)
        return gather_piece(train, end, packet->data, packet->len);
    for (uint32_t i = 0; i < (packet->len & ~UB_IN_PIECES); i++)
        if (list[i].len > 0)
            end = gather_piece(train, end, list[i].data, list[i].len);
    return end;
}

/* A payload in pieces that goes alone goes by the caller's own list of them. But a list of no
 * pieces is an empty payload, and some systems refuse a message without any. */
static struct udpbatch_piece *gather_alone(struct ub_train *train, struct udpbatch_piece *end,
                                           const struct udpbatch_packet *packet)
{
    if ((packet->len & UB_IN_PIECES) != 0 && train->bytes > 0) {
        train->pieces = packet->data;
        train->piece_count = packet->len & ~UB_IN_PIECES;
        return end;
    }
    *end = (struct udpbatch_piece){ packet->data, train->bytes };
    train->piece_count = 1;
    return end + 1;
}

static void gather(struct ub_plan *plan, const struct udpbatch_packet *packets)
{
    struct udpbatch_piece *end = plan->pieces;

    for (size_t t = 0; t < plan->count; t++) {
        struct ub_train *train = &plan->trains[t];
        size_t offset = train->first;
        train->pieces = end;
        if (train->count == 1) {
            end = gather_alone(train, end, &packets[plan->from + offset]);
            continue;
        }
        for (uint32_t i = 0; i < train->count; i++, offset = ub_train_next(plan, train, offset))
            end = gather_packet(train, end, &packets[plan->from + offset]);
    }
}

/* ---- The plan -------------------------------------------------------------------------------- */

/* What most packets are needs no closer look. */
static bool is_plain(const struct udpbatch_packet *packet)
{
    return packet->len <= UB_PAYLOAD_MAX && packet->data != NULL && packet->meta == NULL &&
           (packet->to == NULL || packet->to->sa.sa_family == AF_INET);
}

static int32_t check(struct ub_plan *plan, const struct udpbatch_packet *packet)
{
    return is_plain(packet) ? (int32_t)packet->len : ub_check(packet, &plan->facts, &plan->asks);
}

static void plan_begin(struct ub_plan *plan, size_t from)
{
    plan->from = from;
    plan->count = 0;
    plan->refused = 0;
    plan->asks = UB_ASKS_NOTHING;
    plan->recent = NULL;
    plan->pieces_used = 0;
    plan->control_used = 0;
    ub_group_begin(plan);
}

/* Packets that are refused here do not wait for the fate of those before them, but where all goes
 * in order: there what is unsent stays behind what has a status. */
static bool ends_the_plan(const struct ub_plan *plan)
{
    return plan->in_order && plan->count > 0;
}

static void refuse(struct ub_plan *plan, struct udpbatch_packet *packet, int32_t error)
{
    if (plan->refused++ == 0)
        memset(plan->refusals, 0, sizeof plan->refusals);
    plan->refusals[udpbatch_error_meaning(error)]++;
    packet->status = error;
}

void ub_plan_open(struct ub_plan *plan, uint32_t segments, bool in_order)
{
    plan->in_order = in_order;
    plan->gso.segments = segments;
    plan->gso.segments_at_best = segments;
    memset(plan->groups, 0, (plan->group_mask + 1) * sizeof plan->groups[0]);
}

size_t ub_plan_make(struct ub_plan *plan, struct udpbatch_packet *packets, size_t from, size_t n)
{
    while (from < n && packets[from].status != 0)
        from++;
    plan_begin(plan, from);

    size_t i = from;
    for (; i < n && i - from < plan->packet_capacity; i++) {
        if (packets[i].status != 0)
            continue;
        int32_t bytes = check(plan, &packets[i]);
        if (plan->asks != UB_ASKS_NOTHING)
            break;
        if (bytes < 0) {
            if (ends_the_plan(plan))
                break;
            refuse(plan, &packets[i], bytes);
            continue;
        }
        struct entrant entrant;
        describe(&entrant, &packets[i], i - from, (uint32_t)bytes);
        if (!admit(plan, &entrant))
            break;
        if (plan->recent->count > 1 && !plan->recent->ended)
            i = join_run(plan, packets, i, least(n, from + plan->packet_capacity));
    }
    gather(plan, packets);
    return i;
}

/* The train's packets by themselves, as many as there is room for; the others are still to be
 * planned. Their chain stays as it is: a train of one has none. */
void ub_plan_split(struct ub_plan *plan, const struct udpbatch_packet *packets,
                   const struct ub_train *refused)
{
    const uint32_t count = refused->count;
    size_t offset = refused->first;

    plan_begin(plan, plan->from);
    for (uint32_t i = 0; i < count; i++, offset = plan->next[offset]) {
        const struct udpbatch_packet *packet = &packets[plan->from + offset];
        struct entrant entrant;
        describe(&entrant, packet, offset, (uint32_t)check(plan, packet));
        if (begin_train(plan, &entrant) == NULL)
            break;
    }
    gather(plan, packets);
}
