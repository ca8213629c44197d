/* test_ways.c: what is remembered of destinations, with a kernel in memory: which are asked for,
 * when again, which places they have, and what a change makes forgotten. */
#include "../src/backend/ways.c"

#include "chance.h"
#include "support.h"

#include <time.h>

/* ---- The kernel ------------------------------------------------------------------------------ */

static struct {
    size_t asked; /* for routes */
    int64_t now_ns;
    struct ub_rtnl_change changes[4];
    size_t change_count;
} kernel;

int ub_rtnl_open(void)
{
    return dup(STDIN_FILENO);
}

int ub_rtnl_watch(void)
{
    return dup(STDIN_FILENO);
}

/* All are on the link. */
int ub_rtnl_route(int fd, const struct ub_rtnl_query *query, struct ub_rtnl_route *route)
{
    (void)fd;
    (void)query;
    kernel.asked++;
    *route = (struct ub_rtnl_route){ .type = RTN_UNICAST, .interface_index = 1, .has_from = true };
    return 0;
}

int ub_rtnl_neighbour(int fd, int family, uint32_t interface_index, const unsigned char *address,
                      struct ub_rtnl_neighbour *neighbour)
{
    (void)fd;
    (void)family;
    (void)interface_index;
    (void)address;
    *neighbour = (struct ub_rtnl_neighbour){ .state = NUD_REACHABLE, .has_mac = true };
    return 0;
}

void ub_rtnl_read_changes(int fd, void (*tell)(void *context, const struct ub_rtnl_change *change),
                          void *context)
{
    (void)fd;
    for (size_t i = 0; i < kernel.change_count; i++)
        tell(context, &kernel.changes[i]);
    kernel.change_count = 0;
}

int ub_link_open(struct ub_link *link, const char *interface, int fd)
{
    (void)interface;
    ub_link_read(link, fd);
    return 0;
}

void ub_link_read(struct ub_link *link, int fd)
{
    (void)fd;
    *link = (struct ub_link){ .index = 1, .is_up = true, .mtu = 1500, .mtu_in6 = 1500 };
    link->hop_limit = link->usual_hop_limit = 64;
}

void ub_origin_read_name(struct ub_origin *origin, int fd)
{
    (void)fd;
    origin->in4.sends = origin->in6.sends = true;
    origin->port = 1;
}

void ub_origin_read(struct ub_origin *origin, int fd)
{
    ub_origin_read_name(origin, fd);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    *now = (struct timespec){ .tv_sec = (time_t)(kernel.now_ns / 1000000000),
                              .tv_nsec = (long)(kernel.now_ns % 1000000000) };
    return 0;
}

/* ---- What is asked for ----------------------------------------------------------------------- */

static struct ub_ways ways;

static void begin(void)
{
    memset(&kernel, 0, sizeof kernel);
    kernel.now_ns = 1;
    assert_int_equal(ub_ways_open(&ways, STDIN_FILENO, "any"), 0);
    ways.frame_size = 2048;
    ub_ways_begin(&ways, true);
}

static void end(void)
{
    ub_ways_close(&ways);
}

static union udpbatch_addr host(uint32_t number, uint16_t port)
{
    return (union udpbatch_addr){ .in4 = { .sin_family = AF_INET,
                                           .sin_addr = { htonl(0x0a000000 + number) },
                                           .sin_port = htons(port) } };
}

static struct ub_way *find_host(uint32_t number, uint16_t port)
{
    union udpbatch_addr to = host(number, port);
    return ub_ways_find(&ways, &to, NULL, 0);
}

static void a_destination_is_asked_for_once(void **state)
{
    (void)state;
    begin();
    struct ub_way *way = find_host(1, 9);
    assert_non_null(way);
    for (int plan = 0; plan < 100; plan++) {
        assert_ptr_equal(find_host(1, 9), way);
        ub_ways_begin(&ways, true);
    }
    assert_int_equal(kernel.asked, 1);
    find_host(1, 10);
    assert_int_equal(kernel.asked, 2);
    end();
}

static void after_a_second_it_is_asked_for_again(void **state)
{
    (void)state;
    begin();
    find_host(1, 9);
    kernel.now_ns += 999999999;
    ub_ways_begin(&ways, true);
    find_host(1, 9);
    assert_int_equal(kernel.asked, 1);
    kernel.now_ns += 1;
    ub_ways_begin(&ways, true);
    find_host(1, 9);
    assert_int_equal(kernel.asked, 2);
    end();
}

static void a_plan_asks_for_64_and_the_next_for_more(void **state)
{
    (void)state;
    begin();
    for (uint32_t plan = 1; plan <= 5; plan++) {
        size_t known = 0;
        for (uint32_t i = 0; i < 300; i++)
            known += find_host(i, 9) != NULL;
        assert_int_equal(known, plan * 64 < 300 ? plan * 64 : 300);
        ub_ways_begin(&ways, true);
    }
    end();
}

/* ---- Places ---------------------------------------------------------------------------------- */

enum { RIVALS = 20 };

/* Hosts that want the same places in the table. */
static void find_rivals(uint32_t numbers[RIVALS])
{
    size_t count = 0;
    for (uint32_t number = 0; count < RIVALS; number++) {
        union udpbatch_addr to = host(number, 9);
        struct ub_way_key key = key_of(&to, NULL, 0);
        if (hash(&key) % WAYS == 77)
            numbers[count++] = number;
    }
}

static void what_a_plan_uses_is_not_replaced_in_it(void **state)
{
    uint32_t rivals[RIVALS];
    struct ub_way *found[RIVALS];

    (void)state;
    begin();
    find_rivals(rivals);
    for (size_t i = 0; i < RIVALS; i++) {
        found[i] = find_host(rivals[i], 9);
        assert_int_equal(found[i] != NULL, i < WAY_PROBES);
    }
    for (size_t i = 0; i < WAY_PROBES; i++) {
        union udpbatch_addr to = host(rivals[i], 9);
        struct ub_way_key key = key_of(&to, NULL, 0);
        assert_memory_equal(&found[i]->key, &key, sizeof key);
        assert_memory_equal(found[i]->headers.bytes + 30, &to.in4.sin_addr, 4);
    }
    end();
}

static void in_the_next_plan_the_oldest_gives_way(void **state)
{
    uint32_t rivals[RIVALS];

    (void)state;
    begin();
    find_rivals(rivals);
    for (size_t i = 0; i < WAY_PROBES; i++, kernel.now_ns++, ub_ways_begin(&ways, true))
        assert_non_null(find_host(rivals[i], 9));
    assert_non_null(find_host(rivals[WAY_PROBES], 9));
    size_t asked = kernel.asked;
    for (size_t i = 1; i <= WAY_PROBES; i++)
        assert_non_null(find_host(rivals[i], 9));
    assert_int_equal(kernel.asked, asked);
    assert_null(find_host(rivals[0], 9));
    end();
}

/* ---- Changes --------------------------------------------------------------------------------- */

static bool is_forgotten(uint32_t number, const struct ub_rtnl_change *change)
{
    find_host(number, 9);
    kernel.changes[kernel.change_count++] = *change;
    ub_ways_begin(&ways, true);
    size_t asked = kernel.asked;
    find_host(number, 9);
    return kernel.asked != asked;
}

static void a_route_touches_those_with_its_first_bits(void **state)
{
    (void)state;
    begin();
    for (uint8_t bits = 0; bits <= 32; bits++)
        for (unsigned flipped = 0; flipped < 24; flipped++) {
            struct ub_rtnl_change change = { .what = UB_RTNL_ROUTE, .family = AF_INET };
            uint32_t address = htonl(0x0a000000 ^ UINT32_C(1) << flipped);
            memcpy(change.address, &address, sizeof address);
            change.bits = bits;
            assert_int_equal(is_forgotten(0, &change), 31 - flipped >= bits);
            change.family = AF_INET6;
            assert_false(is_forgotten(0, &change));
        }
    end();
}

static void a_neighbour_touches_those_behind_it(void **state)
{
    struct ub_rtnl_change change = { .what = UB_RTNL_NEIGHBOUR,
                                     .family = AF_INET,
                                     .interface_index = 1,
                                     .address = { 10, 0, 0, 7 } };
    (void)state;
    begin();
    assert_true(is_forgotten(7, &change));
    assert_false(is_forgotten(8, &change));
    change.interface_index = 2;
    assert_false(is_forgotten(7, &change));
    end();
}

static void anything_else_touches_all(void **state)
{
    const struct ub_rtnl_change changes[] = { { .what = UB_RTNL_ALL }, { .what = UB_RTNL_LINK } };

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT_OF(changes); i++)
        for (uint32_t number = 0; number < 60; number++)
            assert_true(is_forgotten(number, &changes[i]));
    end();
}

/* What is noted as live is what is valid, whatever comes and goes. */
static void whatever_happens_changes_find_what_they_touch(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 20000; i++) {
        struct ub_rtnl_change change = { .what = UB_RTNL_NEIGHBOUR,
                                         .family = AF_INET,
                                         .interface_index = 1,
                                         .address = { 10, 0, 0, (unsigned char)below(256) } };
        for (uint32_t count = below(40); count > 0; count--)
            find_host(below(256), 9);
        if (below(50) == 0)
            change.what = UB_RTNL_ALL;
        kernel.changes[kernel.change_count++] = change;
        ub_ways_begin(&ways, true);
        size_t valid = 0;
        for (size_t k = 0; k < WAYS; k++) {
            valid += is_valid(&ways, &ways.table[k]);
            assert_false(is_valid(&ways, &ways.table[k]) && goes_to(&ways.table[k], &change));
        }
        assert_int_equal(ways.live_count, valid);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_destination_is_asked_for_once),
        cmocka_unit_test(after_a_second_it_is_asked_for_again),
        cmocka_unit_test(a_plan_asks_for_64_and_the_next_for_more),
        cmocka_unit_test(what_a_plan_uses_is_not_replaced_in_it),
        cmocka_unit_test(in_the_next_plan_the_oldest_gives_way),
        cmocka_unit_test(a_route_touches_those_with_its_first_bits),
        cmocka_unit_test(a_neighbour_touches_those_behind_it),
        cmocka_unit_test(anything_else_touches_all),
        cmocka_unit_test(whatever_happens_changes_find_what_they_touch),
    };
    chance_begin();
    return cmocka_run_group_tests_name("ways", tests, NULL, NULL);
}
