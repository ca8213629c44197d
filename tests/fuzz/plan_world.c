/* plan_world.c: an input of fuzz_plan as packets, and as a system that can be asked. */
#include "plan_world.h"

#include <string.h>

struct world world;

/* ---- Addresses ------------------------------------------------------------------------------- */

/* Each twice, as what counts is what is in them. Numbers that stand for one destination are those
 * of the first of its forms. */
static union udpbatch_addr addresses[2][WORLD_ADDRESSES];
static unsigned destinations[WORLD_ADDRESSES];
static unsigned address_count;

static union udpbatch_addr *new_address(int destination)
{
    union udpbatch_addr *address = &addresses[0][address_count];
    destinations[address_count] = destination < 0 ? address_count : (unsigned)destination;
    address_count++;
    return address;
}

static unsigned add_in4(uint32_t host, uint16_t port)
{
    new_address(-1)->in4 = (struct sockaddr_in){ .sin_family = AF_INET,
                                                 .sin_port = htons(port),
                                                 .sin_addr.s_addr = htonl(host) };
    return address_count - 1;
}

static unsigned add_in6(int destination, uint8_t last, uint32_t scope, uint32_t flow)
{
    struct sockaddr_in6 *in6 = &new_address(destination)->in6;
    *in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                  .sin6_port = htons(7),
                                  .sin6_scope_id = scope,
                                  .sin6_flowinfo = htonl(flow) };
    in6->sin6_addr.s6_addr[0] = 0xfe;
    in6->sin6_addr.s6_addr[1] = 0x80;
    in6->sin6_addr.s6_addr[15] = last;
    return address_count - 1;
}

/* 10.0.0.1:7 as IPv6 has it. */
static void add_mapped(unsigned destination)
{
    static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 };
    struct sockaddr_in6 *in6 = &new_address((int)destination)->in6;
    *in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(7) };
    memcpy(&in6->sin6_addr, mapped, sizeof mapped);
}

static void make_addresses(void)
{
    add_mapped(add_in4(0x0a000001, 7));
    add_in4(0x0a000001, 8);
    add_in4(0x0a000002, 7);
    add_in4(0x0a000003, 0); /* no port is one that is not sent to */
    unsigned in6 = add_in6(-1, 1, 1, 0);
    add_in6((int)in6, 1, 2, 0); /* one scope may be given and one implied */
    add_in6((int)in6, 1, 1, 5);
    add_in6(-1, 2, 0, 0);
    add_in6(-1, 3, 0, 0);
    add_in4(0xe0000001, 7);
    add_in4(0xffffffff, 7);
    new_address(-1)->sa.sa_family = AF_UNIX;
    new_address(-1)->sa.sa_family = 0xff;
    require(address_count == WORLD_ADDRESSES);
    memcpy(addresses[1], addresses[0], sizeof addresses[0]);
}

unsigned world_destination(const union udpbatch_addr *to)
{
    if (to == NULL)
        return destinations[world.peer];
    return destinations[(size_t)(to - addresses[0]) % WORLD_ADDRESSES];
}

bool world_is_in4(const union udpbatch_addr *to)
{
    unsigned address = to == NULL ? world.peer : world_destination(to);
    return addresses[0][address].sa.sa_family == AF_INET;
}

/* ---- Metas ----------------------------------------------------------------------------------- */

enum { METAS = 16 };

static struct udpbatch_meta metas[2][METAS];

static void make_metas(void)
{
    const struct udpbatch_meta kinds[METAS] = {
        { .flags = UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_WITH_TTL },
        { .flags = UDPBATCH_META_TOS, .tos = 8 },
        { .flags = UDPBATCH_META_TOS, .tos = 8, .ttl = 3 },
        { .flags = UDPBATCH_META_TOS, .tos = 9 },
        { .flags = UDPBATCH_META_TTL, .ttl = 1 },
        { .flags = UDPBATCH_META_TTL, .ttl = 0 },
        { .flags = UDPBATCH_META_INTERFACE, .interface_index = 1 },
        { .flags = UDPBATCH_META_INTERFACE, .interface_index = 0 },
        { .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 },
        { .flags = UDPBATCH_META_DONT_FRAGMENT },
        { .flags = UDPBATCH_META_LOCAL, .local = addresses[0][0] },
        { .flags = UDPBATCH_META_LOCAL, .local = addresses[0][5] },
        { .flags = UDPBATCH_META_LOCAL, .local = addresses[0][12] },
        { .flags = 0x3f, .interface_index = 2, .time_ns = 7, .ttl = 9, .local = addresses[0][3] },
        { .flags = 0x3f, .interface_index = 2, .time_ns = 7, .ttl = 9, .local = addresses[0][8] },
        { .flags = UINT32_C(1) << 31 },
    };
    memcpy(metas[0], kinds, sizeof kinds);
    memcpy(metas[1], kinds, sizeof kinds);
}

/* ---- Payloads, which nobody looks into ------------------------------------------------------- */

enum { MEMORY = 1 << 20, POOL = 1024, LONG_LIST = UB_PIECES_MAX + 1 };

static unsigned char memory[MEMORY];
static size_t memory_used;
static struct udpbatch_piece pool[POOL], long_list[LONG_LIST];
static size_t pool_used;

/* Side by side with the one before, or apart from it. */
static const void *new_payload(size_t len, bool is_apart)
{
    if (memory_used + is_apart + len > MEMORY)
        memory_used = 0;
    memory_used += is_apart + len;
    return memory + memory_used - len;
}

static void make_long_list(void)
{
    for (size_t i = 0; i < LONG_LIST; i++)
        long_list[i] = (struct udpbatch_piece){ memory + 2 * i, i % 3 };
}

static void new_list(struct udpbatch_packet *packet, unsigned count)
{
    packet->len = UDPBATCH_PIECES(count);
    if (count > POOL - pool_used) {
        packet->data = long_list;
        return;
    }
    packet->data = &pool[pool_used];
    for (; count > 0; count--) {
        uint8_t len = take_8(&world.input);
        size_t bytes = len == 255 ? 65535 : len == 254 ? SIZE_MAX : len % 64;
        const void *data = new_payload(bytes % 65536, len >= 128);
        pool[pool_used++] = (struct udpbatch_piece){ len % 64 == 63 ? NULL : data, bytes };
    }
}

static void choose_payload(struct udpbatch_packet *packet)
{
    static const uint32_t lengths[] = { 0,    1,     2,     3,     100,   101,   1000,  1228,
                                        8192, 32753, 65507, 65508, 65527, 65535, 65536, INT32_MAX };
    static const uint16_t counts[] = { 0, 1, 2, 3, 7, 8, 9, 20, UB_PIECES_MAX, LONG_LIST };
    uint8_t kind = take_8(&world.input);

    if (kind < 192) {
        packet->len = lengths[kind % 16];
        packet->data = new_payload(packet->len % 65537, (kind & 16) != 0);
    } else if (kind < 250) {
        new_list(packet, counts[kind % 10]);
    } else {
        packet->data = NULL;
        packet->len = kind == 250 ? UDPBATCH_PIECES(1) : kind % 3;
    }
}

/* ---- Packets --------------------------------------------------------------------------------- */

static void new_packet(struct udpbatch_packet *packet)
{
    unsigned to = take_below(&world.input, 2 * WORLD_ADDRESSES + 4);
    unsigned meta = take_8(&world.input);
    uint8_t status = take_8(&world.input);

    *packet = (struct udpbatch_packet){ .status = status == 255 ? 1 : status == 254 ? -EPERM : 0 };
    if (to < 2 * WORLD_ADDRESSES)
        packet->to = &addresses[to % 2][to / 2];
    if (meta >= 256 - 2 * METAS)
        packet->meta = &metas[meta % 2][meta / 2 % METAS];
    choose_payload(packet);
}

/* As one before, with a payload of its own. */
static void like_packet(struct udpbatch_packet *packet, const struct udpbatch_packet *other)
{
    *packet = *other;
    if ((packet->len & UB_IN_PIECES) == 0 && packet->data != NULL)
        packet->data = new_payload(packet->len % 65537, false);
}

/* Runs of packets that are alike, or as the two before in turn, and others. */
static void make_packets(void)
{
    world.n = take_below(&world.input, WORLD_PACKETS + 1);
    for (size_t i = 0; i < world.n;) {
        uint8_t kind = take_8(&world.input);
        if (kind >= 128 || i < 2) {
            new_packet(&world.packets[i++]);
            continue;
        }
        unsigned back = 1 + (kind & 1);
        for (unsigned times = 1 + kind / 2; times > 0 && i < world.n; times--, i++)
            like_packet(&world.packets[i], &world.packets[i - back]);
    }
}

/* ---- The engine, the system, the socket ------------------------------------------------------ */

static void make_engine(void)
{
    static const uint32_t segments[] = { 128, 64, 2, 3, 1 };
    static const size_t capacities[] = { 64, 1, 2, 3, 7, 20, 128, 300 };
    struct fuzz_input *input = &world.input;

    world.in_order = take_bool(input);
    world.segments = segments[take_below(input, 5)];
    world.capacity = capacities[take_below(input, 8)];
    world.packet_capacity = capacities[take_below(input, 8)] + 2;
    world.piece_capacity = capacities[take_below(input, 8)] + UB_JOIN_PIECES;
    world.control_capacity = 8 * capacities[take_below(input, 8)] + 200;
    world.route_capacity = take_below(input, 4);
    world.groups = (size_t)1 << take_below(input, 10);
}

void world_next_call(void)
{
    static const uint32_t most[] = { UINT32_MAX, 65535, 1000, 0 };
    struct fuzz_input *input = &world.input;
    uint8_t facts = take_8(input);

    world.now_ns += INT64_C(300000000) * take_below(input, 8);
    world.has_txtime = (facts & 1) != 0;
    world.forbids_fragments = (facts & 2) != 0;
    world.hears_icmp = (facts & 4) != 0;
    world.takes_most = most[facts >> 3 & 3];
}

void world_begin(const uint8_t *data, size_t size)
{
    static const enum ub_gso_kernel kernels[] = { UB_GSO_WELL, UB_GSO_EQUAL_ONLY, UB_GSO_DAMAGES };
    world = (struct world){ .input = { data, size }, .now_ns = 1 };
    memory_used = pool_used = 0;
    if (address_count == 0) {
        make_addresses();
        make_metas();
        make_long_list();
    }
    make_engine();
    world.has_trains = !take_bool(&world.input);
    world.kernel = kernels[take_below(&world.input, 3)];
    world.peer = take_below(&world.input, WORLD_ADDRESSES - 2);
    make_packets();
}
