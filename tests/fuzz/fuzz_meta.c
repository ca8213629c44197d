/* fuzz_meta.c: what is asked for a packet becomes control messages that ask for just that; and what
 * the kernel tells by control messages, well formed or not, becomes a meta that tells no more. */
#include "meta_asked.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OF_A_SEND = 0x3f, ALL_KNOWN = 0xff };

/* ---- What is asked --------------------------------------------------------------------------- */

static void take_address(struct fuzz_input *input, union udpbatch_addr *addr)
{
    static const unsigned char prefixes[4][12] = {
        { [10] = 0xff, [11] = 0xff }, { 0xfe, 0x80 }, { 0x20, 0x01 }, { 0xff, 0x02 }
    };
    const uint8_t kind = take_8(input);

    *addr = (union udpbatch_addr){ .sa = { .sa_family = kind % 32 == 31 ? AF_UNIX : AF_INET } };
    if (kind % 2 == 0) {
        take_bytes(input, &addr->in4.sin_addr, 4);
        return;
    }
    addr->in6.sin6_family = kind % 32 == 31 ? AF_UNIX : AF_INET6;
    memcpy(&addr->in6.sin6_addr, prefixes[kind / 2 % 4], 12);
    take_bytes(input, addr->in6.sin6_addr.s6_addr + 12, 4);
    addr->in6.sin6_scope_id = take_8(input);
}

static struct udpbatch_meta take_meta(struct fuzz_input *input)
{
    struct udpbatch_meta meta = { .flags = take_8(input) & OF_A_SEND };
    const uint8_t more = take_8(input);

    if (more >= 0xf0)
        meta.flags |= UINT32_C(1) << (more & 0x0f) << 6;
    meta.tos = take_8(input);
    meta.ttl = take_8(input);
    meta.interface_index = more % 2 == 0 ? take_8(input) : take_32(input);
    meta.time_ns = more % 4 == 0 ? take_8(input) : take_64(input);
    take_address(input, &meta.local);
    return meta;
}

static struct ub_facts take_facts(struct fuzz_input *input)
{
    const uint8_t facts = take_8(input);
    return (struct ub_facts){ .known = (facts & 0x80) != 0 ? ALL_KNOWN & ~(facts / 4u) : ALL_KNOWN,
                              .has_txtime = (facts & 1) != 0,
                              .forbids_fragments = (facts & 2) != 0,
                              .own.s_addr = htonl(0x7f000001) };
}

/* ---- Whether it can be asked ----------------------------------------------------------------- */

static bool is_local_right(const struct udpbatch_meta *meta, bool is_in4)
{
    const union udpbatch_addr *local = &meta->local;
    if (is_in4)
        return local->sa.sa_family == AF_INET || is_mapped(local);
    return local->sa.sa_family == AF_INET6 && !is_mapped(local);
}

/* Whether it may be refused with this error; 0: whether it may be asked. */
static bool may_be(int error, const struct udpbatch_meta *meta, bool is_in4,
                   const struct ub_facts *facts)
{
    const bool is_unknown = (meta->flags & ~(uint32_t)(OF_A_SEND | UB_META_CAME)) != 0;
    const bool lacks_time = says(meta, UDPBATCH_META_DEPARTURE) && !facts->has_txtime;
    const bool may_fragment =
        says(meta, UDPBATCH_META_DONT_FRAGMENT) && is_in4 && !facts->forbids_fragments;
    const bool is_unsupported = is_unknown || lacks_time || may_fragment;
    const bool is_elsewhere = says(meta, UDPBATCH_META_LOCAL) && !is_local_right(meta, is_in4);
    const bool is_zero = (says(meta, UDPBATCH_META_TTL) && meta->ttl == 0) ||
                         (says(meta, UDPBATCH_META_INTERFACE) && meta->interface_index == 0);

    return error == 0               ? !is_unsupported && !is_elsewhere && !is_zero
           : error == -EOPNOTSUPP   ? is_unsupported
           : error == -EAFNOSUPPORT ? is_elsewhere
                                    : error == -EINVAL && is_zero;
}

static bool is_asked_for(const struct udpbatch_meta *meta, bool is_in4,
                         const struct ub_facts *facts)
{
    unsigned asks = 0;
    const int error = ub_meta_check(meta, is_in4, facts, &asks);

    require((asks & facts->known) == 0);
    if (asks != 0)
        return false;
    require(may_be(error, meta, is_in4, facts));
    return error == 0;
}

/* ---- There and back -------------------------------------------------------------------------- */

/* What a receiver is told where all that was asked for has arrived. */
static const uint32_t all_came = UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_BY |
                                 UDPBATCH_META_CAME_WITH_TOS | UDPBATCH_META_CAME_WITH_TTL;

static void tell(struct ub_slot *slot, size_t *at, int level, int type, const void *data,
                 size_t len)
{
    *at = ub_control_put(slot->control.bytes, *at, level, type, data, len);
    require(*at <= sizeof slot->control.bytes);
}

static void read_back(const struct asked *asked, bool is_in4)
{
    const struct in_pktinfo in4 = { .ipi_ifindex = asked->in4.ipi_ifindex,
                                    .ipi_spec_dst = asked->in4.ipi_spec_dst,
                                    .ipi_addr = asked->in4.ipi_spec_dst };
    const uint8_t tos = (uint8_t)asked->tos_value;
    struct ub_slot slot = { .asked = all_came };
    const struct udpbatch_meta *meta = &slot.meta;
    size_t len = 0;

    if (asked->origins > 0 && is_in4)
        tell(&slot, &len, IPPROTO_IP, IP_PKTINFO, &in4, sizeof in4);
    else if (asked->origins > 0)
        tell(&slot, &len, IPPROTO_IPV6, IPV6_PKTINFO, &asked->in6, sizeof asked->in6);
    if (asked->tos > 0 && is_in4)
        tell(&slot, &len, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    else if (asked->tos > 0)
        tell(&slot, &len, IPPROTO_IPV6, IPV6_TCLASS, &asked->tos_value, sizeof asked->tos_value);
    if (asked->ttl > 0)
        tell(&slot, &len, is_in4 ? IPPROTO_IP : IPPROTO_IPV6, is_in4 ? IP_TTL : IPV6_HOPLIMIT,
             &asked->ttl_value, sizeof asked->ttl_value);
    ub_slot_read(&slot, 0, len);

    const int64_t index = is_in4 ? asked->in4.ipi_ifindex : (int64_t)asked->in6.ipi6_ifindex;
    require(says(meta, UDPBATCH_META_CAME_TO) == (asked->origins > 0));
    require(says(meta, UDPBATCH_META_CAME_BY) == (asked->origins > 0 && index != 0));
    require(says(meta, UDPBATCH_META_CAME_WITH_TOS) == (asked->tos > 0));
    require(says(meta, UDPBATCH_META_CAME_WITH_TTL) == (asked->ttl > 0));
    require(asked->tos == 0 || meta->tos == asked->tos_value);
    require(asked->ttl == 0 || meta->ttl == asked->ttl_value);
    if (asked->origins == 0)
        return;
    require(meta->interface_index == (uint32_t)index);
    require(meta->local.sa.sa_family == (is_in4 ? AF_INET : AF_INET6));
    require(is_in4 ? memcmp(&meta->local.in4.sin_addr, &in4.ipi_addr, 4) == 0
                   : memcmp(&meta->local.in6.sin6_addr, &asked->in6.ipi6_addr, 16) == 0);
}

/* In memory of just the room that is asked for. */
static unsigned char *written(const struct udpbatch_meta *meta, bool is_in4,
                              const struct ub_facts *facts, size_t *len)
{
    const size_t room = ub_meta_room(meta);
    unsigned char *control = malloc(room > 0 ? room : 1);

    require(control != NULL);
    memset(control, 0xa5, room);
    *len = ub_meta_write(meta, is_in4, facts, control);
    require(*len <= room);
    return control;
}

/* Those that ask for the same may share a train, so they have to write the same. */
static void send_two(const struct udpbatch_meta metas[2], bool is_in4, const struct ub_facts *facts)
{
    const bool is_same = ub_meta_is_same(&metas[0], &metas[1]);
    unsigned char *control[2];
    size_t len[2];

    require(is_same == ub_meta_is_same(&metas[1], &metas[0]));
    for (int i = 0; i < 2; i++) {
        control[i] = written(&metas[i], is_in4, facts, &len[i]);
        const struct asked asked = read_control(control[i], len[i], is_in4);
        check_asked(&asked, &metas[i], is_in4, facts);
        read_back(&asked, is_in4);
    }
    require(!is_same || (len[0] == len[1] && memcmp(control[0], control[1], len[0]) == 0));
    free(control[0]);
    free(control[1]);
}

/* ---- Whatever the kernel tells --------------------------------------------------------------- */

/* Messages with lengths that may be damaged, or bytes as they come. */
static size_t fill_control(struct ub_slot *slot, struct fuzz_input *input)
{
    static const int kinds[][2] = {
        { IPPROTO_IP, IP_PKTINFO },     { IPPROTO_IP, IP_TOS },
        { IPPROTO_IP, IP_TTL },         { IPPROTO_IPV6, IPV6_PKTINFO },
        { IPPROTO_IPV6, IPV6_TCLASS },  { IPPROTO_IPV6, IPV6_HOPLIMIT },
        { SOL_SOCKET, SO_TIMESTAMPNS }, { SOL_SOCKET, SO_RXQ_OVFL },
        { UB_SOL_UDP, UB_UDP_GRO },     { SOL_SOCKET, SO_TIMESTAMP },
    };
    unsigned char value[64];
    size_t at = 0;

    while (input->left > 0) {
        const uint8_t kind = take_8(input);
        const size_t len = take_below(input, sizeof value);
        const size_t before = at;
        if (sizeof slot->control.bytes - at < UB_CONTROL_SPACE(len))
            break;
        take_bytes(input, value, len);
        at = ub_control_put(slot->control.bytes, at, kinds[kind % 10][0], kinds[kind % 10][1],
                            value, len);
        if (kind >= 240)
            ((ub_control *)(void *)(slot->control.bytes + before))->cmsg_len = take_8(input);
        if (kind >= 250)
            return before + take_below(input, (unsigned)(at - before) + 1);
    }
    return at;
}

static void receive(struct fuzz_input *input)
{
    struct ub_slot slot = { .asked = (uint32_t)take_8(input) << 16 & UB_META_CAME, .size = 0x8000 };
    const bool is_raw = take_bool(input);
    size_t len = take_16(input), control_len = input->left;

    if (control_len > sizeof slot.control.bytes)
        control_len = sizeof slot.control.bytes;
    if (is_raw)
        take_bytes(input, slot.control.bytes, control_len);
    else
        control_len = fill_control(&slot, input);
    memset(slot.control.bytes + control_len, 0xff, sizeof slot.control.bytes - control_len);
    ub_slot_read(&slot, len, control_len);

    const bool may_be_local = says(&slot.meta, UDPBATCH_META_CAME_TO);
    require((slot.meta.flags &
             ~(slot.asked | (may_be_local ? UDPBATCH_META_LOCAL : UINT32_C(0)))) == 0);
    require(slot.len == (len < slot.size ? len : slot.size));
    require(slot.segment > 0 || len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const bool is_in4 = take_bool(&input);
    const struct ub_facts facts = take_facts(&input);
    struct udpbatch_meta metas[2];

    metas[0] = take_meta(&input);
    metas[1] = take_bool(&input) ? take_meta(&input) : metas[0];
    const bool is_asked = is_asked_for(&metas[0], is_in4, &facts);
    if (is_asked_for(&metas[1], is_in4, &facts) && is_asked)
        send_two(metas, is_in4, &facts);
    receive(&input);
    return 0;
}
