/* plan_packet.c: what udpbatch.h says that no packet may be. */
#include "plan_packet.h"

static int payload_error(const struct udpbatch_packet *packet)
{
    const struct udpbatch_piece *list = packet->data;
    uint64_t bytes = packet->len;

    if ((packet->len & UB_IN_PIECES) != 0) {
        uint32_t count = packet->len & ~UB_IN_PIECES;
        if (count > 1024)
            return EMSGSIZE;
        if (list == NULL && count > 0)
            return EFAULT;
        bytes = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (list[i].data == NULL && list[i].len > 0)
                return EFAULT;
            if (list[i].len > 65535 || bytes + list[i].len > 65535)
                return EMSGSIZE;
            bytes += list[i].len;
        }
    } else if (list == NULL && bytes > 0) {
        return EFAULT;
    }
    return bytes > 65535 ? EMSGSIZE : 0;
}

uint32_t packet_bytes(const struct udpbatch_packet *packet)
{
    const struct udpbatch_piece *list = packet->data;
    size_t bytes = 0;

    if ((packet->len & UB_IN_PIECES) == 0)
        return packet->len;
    for (uint32_t i = 0; i < (packet->len & ~UB_IN_PIECES); i++)
        bytes += list[i].len;
    return (uint32_t)bytes;
}

static bool is_unsupported(const struct udpbatch_meta *meta, bool is_in4)
{
    const uint32_t of_a_send = UB_HAVE_META ? 0x3f : 0;
    const uint32_t came = UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_BY |
                          UDPBATCH_META_CAME_WITH_TOS | UDPBATCH_META_CAME_WITH_TTL |
                          UDPBATCH_META_CAME_AT;

    return (meta->flags & ~(of_a_send | came)) != 0 ||
           ((meta->flags & UDPBATCH_META_DEPARTURE) != 0 && !world.has_txtime) ||
           ((meta->flags & UDPBATCH_META_DONT_FRAGMENT) != 0 && is_in4 && !world.forbids_fragments);
}

static bool is_local_of_other_family(const struct udpbatch_meta *meta, bool is_in4)
{
    return (meta->flags & UDPBATCH_META_LOCAL) != 0 &&
           meta->local.sa.sa_family != (is_in4 ? AF_INET : AF_INET6);
}

static bool asks_for_zero(const struct udpbatch_meta *meta)
{
    return ((meta->flags & UDPBATCH_META_TTL) != 0 && meta->ttl == 0) ||
           ((meta->flags & UDPBATCH_META_INTERFACE) != 0 && meta->interface_index == 0);
}

static bool has_bad_family(const struct udpbatch_packet *packet)
{
    return packet->to != NULL && packet->to->sa.sa_family != AF_INET &&
           packet->to->sa.sa_family != AF_INET6;
}

/* Of several reasons any may be told. */
bool packet_may_be_refused(const struct udpbatch_packet *packet, int error)
{
    const struct udpbatch_meta none = { 0 };
    const struct udpbatch_meta *meta = packet->meta != NULL ? packet->meta : &none;
    const bool is_in4 = world_is_in4(packet->to);
    const bool is_any = error == 0;
    const int payload = payload_error(packet);

    return (payload != 0 && (is_any || error == payload)) ||
           (has_bad_family(packet) && (is_any || error == EAFNOSUPPORT)) ||
           (is_unsupported(meta, is_in4) && (is_any || error == EOPNOTSUPP)) ||
           (is_local_of_other_family(meta, is_in4) && (is_any || error == EAFNOSUPPORT)) ||
           (asks_for_zero(meta) && (is_any || error == EINVAL));
}
