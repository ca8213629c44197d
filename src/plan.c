/* plan.c: packets[] -> trains[]; refuses what no back end could send. Pure. */
#include "internal.h"

static bool in_pieces(const struct udpbatch_packet *packet)
{
    return (packet->len & UB_IN_PIECES) != 0;
}

static uint32_t piece_count(const struct udpbatch_packet *packet)
{
    return packet->len & ~UB_IN_PIECES;
}

/* The payload's bytes, or -errno if it is none that UDP could carry. */
static int32_t measure_pieces(const struct udpbatch_piece *pieces, uint32_t count)
{
    size_t total = 0;

    if (count > UB_PIECES_MAX)
        return -EMSGSIZE;
    if (pieces == NULL && count > 0)
        return -EFAULT;
    for (uint32_t i = 0; i < count; i++) {
        if (pieces[i].data == NULL && pieces[i].len > 0)
            return -EFAULT;
        if (pieces[i].len > UB_PAYLOAD_MAX - total)
            return -EMSGSIZE;
        total += pieces[i].len;
    }
    return (int32_t)total;
}

static int32_t measure(const struct udpbatch_packet *packet)
{
    if (in_pieces(packet))
        return measure_pieces(packet->data, piece_count(packet));
    if (packet->data == NULL && packet->len > 0)
        return -EFAULT;
    return packet->len <= UB_PAYLOAD_MAX ? (int32_t)packet->len : -EMSGSIZE;
}

static bool is_address(const union udpbatch_addr *to)
{
    return to->sa.sa_family == AF_INET || to->sa.sa_family == AF_INET6;
}

/* The packet's bytes, or -errno if no back end could send it. */
static int32_t check(const struct udpbatch_packet *packet)
{
    if (packet->to != NULL && !is_address(packet->to))
        return -EAFNOSUPPORT;
    return packet->meta == NULL ? measure(packet) : -EOPNOTSUPP;
}

/* Adds a train of one packet. A payload in pieces goes by the caller's own list of them. */
static void add_train(struct ub_plan *plan, const struct udpbatch_packet *packet, size_t index,
                      uint32_t bytes)
{
    struct udpbatch_piece *piece = &plan->pieces[plan->count];
    struct ub_train *train = &plan->trains[plan->count++];

    /* A list of no pieces is an empty payload, but some systems refuse a message without any. */
    bool has_list = in_pieces(packet) && bytes > 0;

    *piece = (struct udpbatch_piece){ packet->data, has_list ? 0 : bytes };
    *train = (struct ub_train){
        .to = packet->to,
        .pieces = has_list ? packet->data : piece,
        .piece_count = has_list ? piece_count(packet) : 1,
        .count = 1,
        .bytes = bytes,
        .first = index,
    };
}

/* A packet that is refused here ends the plan before it, as its fate is not to be decided before
 * theirs: what back pressure leaves unsent stays behind what has a status. */
size_t ub_plan_make(struct ub_plan *plan, struct udpbatch_packet *packets, size_t from, size_t n)
{
    size_t i = from;

    plan->count = 0;
    plan->refused = 0;
    for (; i < n && plan->count < plan->capacity; i++) {
        if (packets[i].status != 0)
            continue;
        int32_t bytes = check(&packets[i]);
        if (bytes >= 0) {
            add_train(plan, &packets[i], i, (uint32_t)bytes);
            continue;
        }
        if (plan->count > 0)
            break;
        packets[i].status = bytes;
        plan->refused++;
    }
    return i;
}
