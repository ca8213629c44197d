/* check.c: what no back end could send, and how long the rest is. Pure. */
#include "internal.h"

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
    if ((packet->len & UB_IN_PIECES) != 0)
        return measure_pieces(packet->data, packet->len & ~UB_IN_PIECES);
    if (packet->data == NULL && packet->len > 0)
        return -EFAULT;
    return packet->len <= UB_PAYLOAD_MAX ? (int32_t)packet->len : -EMSGSIZE;
}

static bool is_address(const union udpbatch_addr *to)
{
    return to->sa.sa_family == AF_INET || to->sa.sa_family == AF_INET6;
}

/* What is asked for a packet to the connected peer depends on who that is. */
static int check_meta(const struct udpbatch_packet *packet, const struct ub_facts *facts,
                      unsigned *asks)
{
    if (packet->to == NULL && (facts->known & UB_ASKS_PEER) == 0) {
        *asks |= UB_ASKS_PEER;
        return 0;
    }
    bool is_in4 = packet->to != NULL ? ub_addr_is_in4(packet->to) : facts->peer_is_in4;
    return ub_meta_check(packet->meta, is_in4, facts, asks);
}

int32_t ub_check(const struct udpbatch_packet *packet, const struct ub_facts *facts, unsigned *asks)
{
    if (packet->to != NULL && !is_address(packet->to))
        return -EAFNOSUPPORT;
    if (packet->meta != NULL) {
        int error = check_meta(packet, facts, asks);
        if (error < 0)
            return error;
    }
    return measure(packet);
}
