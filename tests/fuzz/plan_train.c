/* plan_train.c: trains as they have to be. */
#include "plan_train.h"

#include "plan_packet.h"
#include "plan_refusals.h"

#include <string.h>

struct walk walk_of(const struct ub_plan *plan, const struct ub_train *train)
{
    return (struct walk){ plan, train, train->first, train->count };
}

bool walk_on(struct walk *walk, size_t *packet)
{
    if (walk->left == 0)
        return false;
    require(world.from + walk->plan->from + walk->offset < world.end);
    *packet = world.from + walk->plan->from + walk->offset;
    if (--walk->left > 0) {
        size_t next = ub_train_next(walk->plan, walk->train, walk->offset);
        require(next > walk->offset);
        walk->offset = next;
    }
    return true;
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

/* The rules for several packets that leave as one. */
static void check_several(const struct ub_train *train)
{
    require(world.has_trains && world.kernel != UB_GSO_DAMAGES);
    require(train->count <= refusals_packets_most());
    require(train->segment > 0);
    require(train->bytes <= (train->to == NULL || world_is_in4(train->to) ? 65507u : 65527u));
    require(train->segment <= refusals_segment_most(train->to));
}

static void check_packet(const struct ub_train *train, size_t number, bool is_last)
{
    const struct udpbatch_packet *packet = &world.packets[number];
    const uint32_t bytes = packet_bytes(packet);

    require(packet->status == 0);
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

void check_train(const struct ub_plan *plan, const struct ub_train *train)
{
    require(train->count > 0 && train->error == 0);
    if (train->count > 1)
        check_several(train);
    check_packets(plan, train);
    require(train->is_in4 == world_is_in4(train->to) || (train->to == NULL && train->meta == NULL));
}
