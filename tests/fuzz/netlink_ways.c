/* netlink_ways.c: each way is one to its destination, and none is remembered that may have changed.
 */
#include "netlink_ways.h"

#include "netlink_kernel.h"

#include <string.h>

enum { WAYS = 4096, STEPS = 200 };

static struct ub_way table[WAYS];
static uint16_t live[WAYS];

static void take_destination(struct fuzz_input *input, union udpbatch_addr *to)
{
    const uint8_t kind = take_8(input);

    memset(to, 0, sizeof *to);
    if (kind % 2 == 0) {
        to->in4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
        to->in4.sin_addr.s_addr = htonl(0x0a000000u + kind / 2 % 8);
    } else {
        to->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(7) };
        to->in6.sin6_addr.s6_addr[0] = 0x20;
        to->in6.sin6_addr.s6_addr[kind / 2 % 16] |= 1;
    }
}

static void check_way(const struct ub_ways *ways, const struct ub_way *way,
                      const union udpbatch_addr *to)
{
    unsigned char host[16];

    ub_addr_host(to, host);
    require(memcmp(way->key.to, host, sizeof host) == 0);
    require(way->generation == ways->generation && way->detour < UDPBATCH_DETOURS);
    if (way->detour != UDPBATCH_DETOUR_NONE)
        return;
    const bool is_in4 = to->sa.sa_family == AF_INET;
    require(way->headers.is_in4 == is_in4 && way->headers.len == (is_in4 ? 42 : 62));
    require(way->payload_most == 0 || way->headers.len + way->payload_most <= ways->frame_size);
    require(memcmp(way->headers.bytes + (is_in4 ? 30 : 38), host + (is_in4 ? 12 : 0),
                   is_in4 ? 4 : 16) == 0);
}

/* Those that count are those in the list, each once. */
static void check_table(const struct ub_ways *ways)
{
    size_t valid = 0;

    require(ways->live_count <= WAYS);
    for (size_t i = 0; i < WAYS; i++)
        valid += table[i].generation == ways->generation;
    require(valid == ways->live_count);
    for (size_t i = 0; i < ways->live_count; i++) {
        require(table[live[i]].generation == ways->generation);
        for (size_t k = 0; k < i; k++)
            require(live[k] != live[i]);
    }
}

static bool shares_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    for (unsigned bit = 0; bit < bits; bit++)
        if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8) & 1) != 0)
            return false;
    return true;
}

/* Whether what is remembered may be another now. */
static bool is_touched(const struct ub_way *way, const struct ub_rtnl_change *change)
{
    const int family = way->key.is_in4 != 0 ? AF_INET : AF_INET6;
    const size_t address_len = change->family == AF_INET ? 4 : 16;

    if (change->what == UB_RTNL_ROUTE)
        return family == change->family && shares_bits(way->key.to + (family == AF_INET ? 12 : 0),
                                                       change->address, change->bits);
    if (change->what == UB_RTNL_NEIGHBOUR)
        return change->interface_index == DEVICE && way->next_hop_family == change->family &&
               memcmp(way->next_hop, change->address, address_len) == 0;
    return true;
}

static void check_forgotten(const struct ub_ways *ways)
{
    for (size_t i = 0; i < ways->live_count; i++)
        for (size_t k = 0; k < kernel.told.count; k++)
            require(!is_touched(&table[live[i]], &kernel.told.changes[k]));
}

static void take_step(struct ub_ways *ways, struct fuzz_input *input)
{
    const uint8_t step = take_8(input);
    union udpbatch_addr to;

    if (step < 48) {
        kernel.told.count = 0;
        kernel.now_ns += step * INT64_C(20000000);
        ub_ways_begin(ways, step != 47);
        check_forgotten(ways);
    } else if (step == 48) {
        ub_ways_look_at_link(ways);
    } else {
        take_destination(input, &to);
        const struct ub_way *way = ub_ways_find(ways, &to, NULL, step % 2 == 0 ? 0 : step);
        if (way != NULL)
            check_way(ways, way, &to);
    }
}

void find_ways(struct fuzz_input *input)
{
    struct ub_ways ways = { .fd = -1,
                            .questions = -1,
                            .changes = -1,
                            .generation = 1,
                            .table = table,
                            .live = live,
                            .frame_size = 2048 };

    memset(table, 0, sizeof table);
    ways.link.index = DEVICE;
    ub_ways_begin(&ways, true);
    for (int steps = 0; steps < STEPS && input->left > 0; steps++)
        take_step(&ways, input);
    check_table(&ways);
}
