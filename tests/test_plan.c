/* test_plan.c: which packets leave as one train, in which order, and of which pieces. */
#include "internal.h"

#include "chance.h"
#include "system.h"

#include <stdio.h>

/* ---- A plan, and packets to be planned ------------------------------------------------------- */

enum { TRAINS = 1024, PACKETS = 4096, ROUTES = 64, CONTROL = 72 * TRAINS, CANARIES = 64 };

static UB_ROOM(TRAINS, PACKETS, ROUTES, CONTROL) room;
static struct ub_plan plan = UB_ROOM_PLAN(&room);

static struct udpbatch_packet packets[6000];
static union udpbatch_addr addresses[6000];
static size_t count; /* of packets */

static unsigned char memory[16 << 20]; /* payloads: nobody looks into them */
static size_t memory_used;

static void begin(void)
{
    count = 0;
    memory_used = 0;
    plan.capacity = TRAINS;
    plan.packet_capacity = PACKETS;
    plan.piece_capacity = PACKETS;
    plan.control_capacity = CONTROL;
    plan.in_order = false;
    plan.gso.segments = plan.gso.segments_at_best = 128;
    plan.gso.equal_only = false;
    plan.gso.route_count = 0;
    plan.facts = (struct ub_facts){ .known = ~0u, .peer_is_in4 = true };
}

static union udpbatch_addr in4(uint32_t host, unsigned port)
{
    union udpbatch_addr to = { .in4 = { .sin_family = AF_INET } };
    to.in4.sin_port = htons((uint16_t)port);
    to.in4.sin_addr.s_addr = htonl(host);
    return to;
}

static union udpbatch_addr in6(const char *host, unsigned port, uint32_t scope)
{
    union udpbatch_addr to = { .in6 = { .sin6_family = AF_INET6, .sin6_scope_id = scope } };
    to.in6.sin6_port = htons((uint16_t)port);
    assert_int_equal(inet_pton(AF_INET6, host, &to.in6.sin6_addr), 1);
    return to;
}

static const void *payload(uint32_t len)
{
    if (len > sizeof memory - memory_used)
        memory_used = 0;
    memory_used += len;
    return memory + memory_used - len;
}

static void apart(void)
{
    memory_used += 16;
}

/* Adds a packet. Each has an address of its own in memory. */
static struct udpbatch_packet *add(const union udpbatch_addr *to, uint32_t len)
{
    struct udpbatch_packet *packet = &packets[count];

    *packet = (struct udpbatch_packet){ .data = payload(len), .len = len };
    if (to != NULL) {
        addresses[count] = *to;
        packet->to = &addresses[count];
    }
    count++;
    return packet;
}

static struct udpbatch_packet *add_to(char target, uint32_t len)
{
    const union udpbatch_addr to = in4(0x0a000000u + (unsigned)target, 1000);
    return add(&to, len);
}

static void add_many(char target, size_t n, uint32_t len)
{
    while (n-- > 0)
        add_to(target, len);
}

/* The trains as text: "0 2 | 1" is a train of the packets 0 and 2 and one of packet 1. */
static const char *planned(void)
{
    static char text[PACKETS * 8];
    size_t used = 0;

    text[0] = '\0';
    plan.stamp += plan.stamp == 0;
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), count);
    for (size_t t = 0; t < plan.count; t++) {
        size_t offset = plan.trains[t].first;
        for (uint32_t i = 0; i < plan.trains[t].count; i++, offset = plan.next[offset])
            used += (size_t)sprintf(text + used, "%s%u",
                                    used == 0 ? ""
                                    : i == 0  ? " | "
                                              : " ",
                                    (unsigned)(plan.from + offset));
    }
    return text;
}

#define assert_planned(text) assert_string_equal(planned(), text)

/* The sizes of the trains as text. */
static const char *planned_sizes(void)
{
    static char text[PACKETS * 8];
    size_t used = 0;

    text[0] = '\0';
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), count);
    for (size_t t = 0; t < plan.count; t++)
        used += (size_t)sprintf(text + used, "%s%u", t == 0 ? "" : " ", plan.trains[t].count);
    return text;
}

#define assert_sizes(text) assert_string_equal(planned_sizes(), text)

/* ---- Packets that go alone ------------------------------------------------------------------- */

static void a_packet_is_a_train_of_one(void **state)
{
    (void)state;
    begin();
    add_to('a', 3);
    add(NULL, 2);
    assert_planned("0 | 1");
    assert_ptr_equal(plan.trains[0].to, &addresses[0]);
    assert_int_equal(plan.trains[0].piece_count, 1);
    assert_ptr_equal(plan.trains[0].pieces[0].data, packets[0].data);
    assert_int_equal(plan.trains[0].pieces[0].len, 3);
    assert_int_equal(plan.trains[0].bytes, 3);
    assert_int_equal(plan.trains[0].error, 0);
    assert_null(plan.trains[1].to);
}

static int refusal_of(struct udpbatch_packet packet)
{
    begin();
    packets[0] = packet;
    count = 1;
    assert_int_equal(ub_plan_make(&plan, packets, 0, 1), 1);
    assert_int_equal(plan.count, packets[0].status == 0);
    assert_int_equal(plan.refused, packets[0].status != 0);
    return -packets[0].status;
}

static int refusal_of_payload(const void *data, uint32_t len)
{
    static const union udpbatch_addr target = { .in4 = { .sin_family = AF_INET } };
    return refusal_of((struct udpbatch_packet){ .data = data, .len = len, .to = &target });
}

static int refusal_of_address(const union udpbatch_addr *to)
{
    return refusal_of((struct udpbatch_packet){ .data = "a", .len = 1, .to = to });
}

static void what_no_back_end_could_send_is_refused_in_the_plan(void **state)
{
    static const union udpbatch_addr neither = { .sa = { .sa_family = AF_UNIX } };
    static const union udpbatch_addr zeroed;
    const struct udpbatch_meta unknown = { .flags = UINT32_C(1) << 31 };

    (void)state;
    assert_int_equal(refusal_of((struct udpbatch_packet){ "a", 1, 0, NULL, &unknown }), EOPNOTSUPP);
    assert_int_equal(refusal_of_address(&neither), EAFNOSUPPORT);
    assert_int_equal(refusal_of_address(&zeroed), EAFNOSUPPORT);
    assert_int_equal(refusal_of_address(NULL), 0);
    assert_int_equal(refusal_of_payload(NULL, 1), EFAULT);
    assert_int_equal(refusal_of_payload(NULL, 0), 0);
    assert_int_equal(refusal_of_payload("a", 65535), 0);
    assert_int_equal(refusal_of_payload("a", 65536), EMSGSIZE);
    assert_int_equal(refusal_of_payload("a", UINT32_MAX >> 1), EMSGSIZE);
}

static void a_payload_in_pieces_goes_by_the_callers_list(void **state)
{
    const struct udpbatch_piece list[] = { { "head", 4 }, { NULL, 0 }, { "body", 4 } };

    (void)state;
    assert_int_equal(refusal_of_payload(list, UDPBATCH_PIECES(3)), 0);
    assert_ptr_equal(plan.trains[0].pieces, list);
    assert_int_equal(plan.trains[0].piece_count, 3);
    assert_int_equal(plan.trains[0].bytes, 8);
}

static void bad_lists_of_pieces_are_refused(void **state)
{
    static struct udpbatch_piece list[UB_PIECES_MAX + 1];
    const struct udpbatch_piece no_data[] = { { "a", 1 }, { NULL, 1 } };
    const struct udpbatch_piece endless[] = { { "a", 1 }, { "b", SIZE_MAX } };
    const struct udpbatch_piece large[] = { { "a", 65535 }, { "b", 1 } };

    (void)state;
    assert_int_equal(refusal_of_payload(no_data, UDPBATCH_PIECES(2)), EFAULT);
    assert_int_equal(refusal_of_payload(NULL, UDPBATCH_PIECES(1)), EFAULT);
    assert_int_equal(refusal_of_payload(NULL, UDPBATCH_PIECES(0)), 0);
    assert_int_equal(refusal_of_payload(endless, UDPBATCH_PIECES(2)), EMSGSIZE);
    assert_int_equal(refusal_of_payload(large, UDPBATCH_PIECES(2)), EMSGSIZE);
    assert_int_equal(refusal_of_payload(large, UDPBATCH_PIECES(1)), 0);
    assert_int_equal(refusal_of_payload(list, UDPBATCH_PIECES(1024)), 0);
    assert_int_equal(refusal_of_payload(list, UDPBATCH_PIECES(1025)), EMSGSIZE);
    assert_int_equal(refusal_of_payload(list, UINT32_MAX), EMSGSIZE);
}

/* ---- Who shares a train ---------------------------------------------------------------------- */

static void packets_to_one_target_share_a_train_wherever_they_are(void **state)
{
    (void)state;
    begin();
    for (const char *target = "abacab"; *target != '\0'; target++)
        add_to(*target, 100);
    assert_planned("0 2 4 | 1 5 | 3");
    assert_int_equal(plan.trains[0].segment, 100);
    assert_int_equal(plan.trains[0].bytes, 300);
}

static void a_shorter_packet_is_the_last_of_its_train(void **state)
{
    (void)state;
    begin();
    add_many('a', 2, 100);
    add_to('a', 99);
    add_to('a', 99);
    add_to('a', 100);
    assert_planned("0 1 2 | 3 | 4");
}

static void a_longer_packet_begins_a_train(void **state)
{
    (void)state;
    begin();
    add_to('a', 100);
    add_to('a', 101);
    add_to('a', 101);
    assert_planned("0 | 1 2");
}

static void an_empty_packet_shares_no_train(void **state)
{
    (void)state;
    begin();
    add_many('a', 2, 100);
    add_many('a', 2, 0);
    add_to('a', 100);
    assert_planned("0 1 | 2 | 3 | 4");
}

static void packets_of_one_byte_fill_trains_up_to_the_limit(void **state)
{
    (void)state;
    begin();
    add_many('a', 300, 1);
    assert_sizes("128 128 44");
    plan.gso.segments = 64;
    assert_sizes("64 64 64 64 44");
    plan.gso.segments = 2;
    count = 5;
    assert_sizes("2 2 1");
}

static void expect_most_bytes(const union udpbatch_addr *to, uint32_t most)
{
    for (uint32_t excess = 0; excess < 2; excess++) {
        begin();
        for (int i = 0; i < 53; i++)
            add(to, 1228);
        add(to, most - 53 * 1228 + excess);
        assert_sizes(excess == 0 ? "54" : "53 1");
    }
}

static void a_train_is_no_longer_than_one_datagram_may_be(void **state)
{
    const union udpbatch_addr four = in4(1, 1), mapped = in6("::ffff:10.0.0.1", 1, 0),
                              six = in6("2001:db8::1", 1, 0);
    (void)state;
    expect_most_bytes(&four, 65507);
    expect_most_bytes(&mapped, 65507);
    expect_most_bytes(NULL, 65507);
    expect_most_bytes(&six, 65527);
}

static void the_longest_packets_go_alone(void **state)
{
    (void)state;
    begin();
    add_to('a', 65507);
    add_to('a', 1);
    add_to('a', 65535);
    add_to('a', 1);
    assert_planned("0 | 1 | 2 | 3");
}

static void addresses_are_compared_by_content(void **state)
{
    const union udpbatch_addr one = in4(1, 1), other_host = in4(2, 1), other_port = in4(1, 2),
                              six = in6("2001:db8::1", 1, 0);
    (void)state;
    begin();
    for (int i = 0; i < 2; i++) {
        add(&one, 9);
        add(&other_host, 9);
        add(&other_port, 9);
        add(&six, 9);
    }
    assert_planned("0 4 | 1 5 | 2 6 | 3 7");
}

static void two_forms_of_an_address_keep_their_order_in_trains_of_their_own(void **state)
{
    const union udpbatch_addr four = in4(0x0a000001, 1), mapped = in6("::ffff:10.0.0.1", 1, 0);

    (void)state;
    begin();
    add(&four, 9);
    add(&mapped, 9);
    add(&mapped, 9);
    add(&four, 9);
    add(&four, 9);
    assert_planned("0 | 1 2 | 3 4");
}

static void scopes_keep_their_order_in_trains_of_their_own(void **state)
{
    const union udpbatch_addr one = in6("fe80::1", 1, 1), two = in6("fe80::1", 1, 2);
    union udpbatch_addr flow = one;

    (void)state;
    flow.in6.sin6_flowinfo = htonl(7);
    begin();
    add(&one, 9);
    add(&two, 9);
    add(&one, 9);
    add(&one, 9);
    add(&flow, 9);
    add(&one, 9);
    assert_planned("0 | 1 | 2 3 | 4 | 5");
}

static void the_connected_peer_may_be_one_of_the_addresses(void **state)
{
    (void)state;
    begin();
    add(NULL, 9);
    add(NULL, 9);
    add_to('a', 9);
    add(NULL, 9);
    add_to('a', 9);
    add_to('a', 9);
    assert_planned("0 1 | 2 | 3 | 4 5");
}

static void metas_are_compared_by_what_they_ask(void **state)
{
    static const struct udpbatch_meta metas[] = {
        { .flags = UDPBATCH_META_TOS, .tos = 1 },
        { .flags = UDPBATCH_META_TOS, .tos = 1 },
        { .flags = UDPBATCH_META_TOS | UDPBATCH_META_CAME_BY,
          .tos = 1,
          .ttl = 9,
          .interface_index = 3 },
        { .flags = UDPBATCH_META_TOS, .tos = 2 },
        { .flags = UDPBATCH_META_TOS | UDPBATCH_META_TTL, .tos = 2, .ttl = 9 },
        { .flags = UDPBATCH_META_TTL, .tos = 2, .ttl = 9 },
        { .flags = UDPBATCH_META_TTL, .tos = 2, .ttl = 8 },
        { .flags = UDPBATCH_META_INTERFACE, .interface_index = 1 },
        { .flags = UDPBATCH_META_INTERFACE, .interface_index = 2 },
        { .flags = UDPBATCH_META_CAME_BY, .interface_index = 2 },
    };
    (void)state;
    need(UB_HAVE_META, META_OF_A_SEND);
    begin();
    for (size_t i = 0; i < sizeof metas / sizeof metas[0]; i++)
        add_to('a', 9)->meta = &metas[i];
    add_to('a', 9);
    assert_planned("0 1 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 10");
}

static void local_addresses_and_times_in_metas_are_compared_too(void **state)
{
    struct udpbatch_meta metas[] = {
        { .flags = UDPBATCH_META_LOCAL, .local = in4(1, 7) },
        { .flags = UDPBATCH_META_LOCAL, .local = in4(1, 8) }, /* its port does not count */
        { .flags = UDPBATCH_META_LOCAL, .local = in4(2, 7) },
        { .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 },
        { .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 },
        { .flags = UDPBATCH_META_DEPARTURE, .time_ns = (UINT64_C(1) << 32) + 1 },
    };
    (void)state;
    need(UB_HAVE_META, META_OF_A_SEND);
    begin();
    plan.facts.has_txtime = true;
    for (size_t i = 0; i < sizeof metas / sizeof metas[0]; i++)
        add_to('a', 9)->meta = &metas[i];
    assert_planned("0 1 | 2 | 3 4 | 5");
}

static void in_order_only_neighbours_share_a_train(void **state)
{
    (void)state;
    begin();
    plan.in_order = true;
    for (const char *target = "aabaabb"; *target != '\0'; target++)
        add_to(*target, 9);
    assert_planned("0 1 | 2 | 3 4 | 5 6");
}

static void packets_with_a_status_are_stepped_over(void **state)
{
    (void)state;
    begin();
    add_many('a', 6, 9);
    packets[0].status = 1;
    packets[2].status = -EPERM;
    packets[5].status = 1;
    assert_planned("1 3 4");
    plan.in_order = true;
    assert_planned("1 3 4");
}

/* ---- What was found out and learned ---------------------------------------------------------- */

static void where_trains_cannot_be_each_packet_goes_alone(void **state)
{
    (void)state;
    begin();
    plan.gso.segments = 1;
    add_many('a', 3, 9);
    assert_planned("0 | 1 | 2");
}

static void whether_there_may_be_trains_is_asked_when_one_could_form(void **state)
{
    (void)state;
    begin();
    plan.facts.known = 0;
    add_to('a', 9);
    add_to('b', 9);
    add_to('a', 10);
    assert_planned("0 | 1 | 2");
    assert_int_equal(plan.asks, UB_ASKS_NOTHING);
    add_to('b', 9);
    ub_plan_make(&plan, packets, 0, count);
    assert_int_equal(plan.asks, UB_ASKS_GSO);
}

static void a_host_that_refused_trains_gets_none_or_of_shorter_packets(void **state)
{
    (void)state;
    begin();
    ub_addr_host(&(const union udpbatch_addr){ .in4 = in4(0x0a000000u + 'a', 7).in4 },
                 room.routes[0].host);
    ub_addr_host(&(const union udpbatch_addr){ .in4 = in4(0x0a000000u + 'b', 7).in4 },
                 room.routes[1].host);
    room.routes[0].segment_most = 0;
    room.routes[1].segment_most = 99;
    plan.gso.route_count = 2;
    add_many('a', 2, 1);
    add_many('b', 2, 100);
    add_many('b', 2, 99);
    add_many('c', 2, 100);
    assert_planned("0 | 1 | 2 | 3 | 4 5 | 6 7");
}

static void a_kernel_that_refuses_shorter_last_packets_gets_none(void **state)
{
    (void)state;
    begin();
    plan.gso.equal_only = true;
    add_many('a', 2, 100);
    add_to('a', 50);
    add_to('a', 50);
    assert_planned("0 1 | 2 3");
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static void expect_pieces(const struct ub_train *train, const struct udpbatch_piece *pieces,
                          size_t n)
{
    assert_int_equal(train->piece_count, n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(train->pieces[i].data, pieces[i].data);
        assert_int_equal(train->pieces[i].len, pieces[i].len);
    }
}

static void neighbours_in_memory_become_one_piece(void **state)
{
    (void)state;
    begin();
    add_many('a', 2, 100);
    apart();
    add_many('a', 2, 100);
    assert_planned("0 1 2 3");
    expect_pieces(
        &plan.trains[0],
        (const struct udpbatch_piece[]){ { packets[0].data, 200 }, { packets[2].data, 200 } }, 2);
}

static void what_lies_before_in_memory_is_no_neighbour_behind(void **state)
{
    (void)state;
    begin();
    add_many('a', 3, 100);
    const void *first = packets[0].data;
    packets[0].data = packets[1].data;
    packets[1].data = first;
    packets[2].data = first;
    assert_planned("0 1 2");
    expect_pieces(
        &plan.trains[0],
        (const struct udpbatch_piece[]){ { packets[0].data, 100 }, { first, 100 }, { first, 100 } },
        3);
}

static void a_payload_in_pieces_joins_with_all_of_them(void **state)
{
    (void)state;
    begin();
    const char *head = payload(40);
    apart();
    const char *body = payload(60);
    const struct udpbatch_piece list[] = { { head, 40 }, { NULL, 0 }, { body, 60 } };
    add_to('a', 100); /* right behind the body */
    *add_to('a', 0) = (struct udpbatch_packet){ list, UDPBATCH_PIECES(3), 0, packets[0].to, NULL };
    add_to('a', 100);
    packets[2] = packets[0];
    assert_planned("0 1 2");
    expect_pieces(
        &plan.trains[0],
        (const struct udpbatch_piece[]){ { packets[0].data, 100 }, { head, 40 }, { body, 160 } },
        3);
}

/* A packet of n pieces of 100 bytes in all, which are no neighbours. */
static void add_in_pieces(struct udpbatch_piece *list, uint32_t n, uint32_t bytes)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = i + 1 < n ? bytes / n : bytes - bytes / n * (n - 1);
        list[i] = (struct udpbatch_piece){ payload(len), len };
        apart();
    }
    struct udpbatch_packet *packet = add_to('a', 0);
    packet->data = list;
    packet->len = UDPBATCH_PIECES(n);
}

static void a_payload_in_many_pieces_goes_alone_by_the_callers_list(void **state)
{
    static struct udpbatch_piece lists[6][UB_JOIN_PIECES + 1];

    (void)state;
    begin();
    for (uint32_t i = 0; i < 6; i++)
        add_in_pieces(lists[i], i == 2 || i == 3 ? UB_JOIN_PIECES + 1 : UB_JOIN_PIECES, 100);
    assert_planned("0 1 | 2 | 3 | 4 5");
    assert_ptr_equal(plan.trains[1].pieces, lists[2]);
    assert_int_equal(plan.trains[1].piece_count, UB_JOIN_PIECES + 1);
    assert_int_equal(plan.trains[0].piece_count, 2 * UB_JOIN_PIECES);
}

/* ---- The end of a plan ----------------------------------------------------------------------- */

static void a_plan_without_room_for_a_train_still_lets_others_join(void **state)
{
    (void)state;
    begin();
    plan.capacity = 2;
    for (const char *target = "ababca"; *target != '\0'; target++)
        add_to(*target, 9);
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), 4);
    assert_int_equal(plan.count, 2);
    assert_int_equal(ub_plan_make(&plan, packets, 4, count), 6);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.from + plan.trains[1].first, 5);
}

static void a_plan_spans_as_much_of_the_array_as_it_has_room_for(void **state)
{
    (void)state;
    begin();
    add_many('a', 10, 9);
    packets[0].status = packets[1].status = 1; /* before it begins */
    packets[4].status = 1;
    plan.packet_capacity = 5;
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), 7);
    assert_int_equal(plan.from, 2);
    assert_int_equal(plan.trains[0].count, 4);
}

static void no_list_of_pieces_is_written_beyond_the_plans_room(void **state)
{
    static const struct udpbatch_piece empty[UB_PIECES_MAX];
    static struct udpbatch_piece lists[PACKETS / UB_JOIN_PIECES][UB_JOIN_PIECES];
    struct udpbatch_piece canary;

    (void)state;
    for (uint32_t pieces = 0; pieces <= 2 * UB_JOIN_PIECES; pieces++) {
        begin();
        plan.piece_capacity = 64 * UB_JOIN_PIECES;
        memset(&canary, 0xa5, sizeof canary);
        room.pieces[plan.piece_capacity] = canary;
        for (size_t i = 0; i < 64; i++)
            add_in_pieces(lists[i], UB_JOIN_PIECES, 100);
        *add_to('b', 0) =
            (struct udpbatch_packet){ empty, UDPBATCH_PIECES(pieces), 0, packets[0].to, NULL };
        size_t end = ub_plan_make(&plan, packets, 0, count);
        assert_int_equal(end == count ? plan.count : plan.count + 1, 2);
        assert_memory_equal(&room.pieces[plan.piece_capacity], &canary, sizeof canary);
    }
}

static void a_refusal_in_the_plan_does_not_end_it(void **state)
{
    (void)state;
    begin();
    add_many('a', 4, 9);
    packets[1].data = NULL;
    packets[2].len = 65536;
    assert_planned("0 3");
    assert_int_equal(plan.refused, 2);
    assert_int_equal(plan.refusals[UDPBATCH_PACKET], 2);
    assert_int_equal(packets[1].status, -EFAULT);
    assert_int_equal(packets[2].status, -EMSGSIZE);
}

static void in_order_it_is_refused_when_those_before_have_their_fate(void **state)
{
    (void)state;
    begin();
    plan.in_order = true;
    add_many('a', 4, 9);
    packets[1].data = NULL;
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), 1);
    assert_int_equal(packets[1].status, 0);
    assert_int_equal(ub_plan_make(&plan, packets, 1, count), 4);
    assert_int_equal(packets[1].status, -EFAULT);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.trains[0].count, 2);
}

/* ---- Many destinations ----------------------------------------------------------------------- */

static bool is_same_destination(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    unsigned char hosts[2][16];

    if (a == NULL || b == NULL)
        return a == b;
    ub_addr_host(a, hosts[0]);
    ub_addr_host(b, hosts[1]);
    uint16_t a_port = a->sa.sa_family == AF_INET ? a->in4.sin_port : a->in6.sin6_port;
    uint16_t b_port = b->sa.sa_family == AF_INET ? b->in4.sin_port : b->in6.sin6_port;
    return a_port == b_port && memcmp(hosts[0], hosts[1], sizeof hosts[0]) == 0;
}

/* Every packet of packets[from .. end) is in one train, to its own address, and overtakes none to
 * the same destination. */
static void expect_sound_plan(size_t end)
{
    static size_t order[PACKETS];
    static bool is_planned[PACKETS];
    size_t n = 0;

    memset(is_planned, 0, sizeof is_planned);
    for (size_t t = 0; t < plan.count; t++) {
        size_t offset = plan.trains[t].first;
        for (uint32_t i = 0; i < plan.trains[t].count; i++, offset = plan.next[offset]) {
            const union udpbatch_addr *to = packets[plan.from + offset].to;
            assert_true(plan.from + offset < end && !is_planned[offset]);
            assert_true(is_same_destination(to, plan.trains[t].to));
            is_planned[offset] = true;
            order[n++] = plan.from + offset;
        }
    }
    assert_int_equal(n, end - plan.from);
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            if (order[k] < order[i])
                assert_false(is_same_destination(packets[order[i]].to, packets[order[k]].to));
}

static void thousands_of_destinations_keep_their_order(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < 5000; i++) {
        union udpbatch_addr to = in4(below(UINT32_MAX), below(65536));
        if (i > 0 && one_in(4))
            to = addresses[below((unsigned)i)];
        add(&to, 9);
    }
    for (size_t from = 0; from < count;) {
        size_t end = ub_plan_make(&plan, packets, from, count);
        assert_true(end > from);
        expect_sound_plan(end);
        from = end;
    }
}

enum { MANY = 700 };

/* Of destinations that come three times, in turns, nearly all find their train again. */
static void expect_trains(union udpbatch_addr (*destination)(unsigned index))
{
    begin();
    for (unsigned i = 0; i < 3 * MANY; i++) {
        const union udpbatch_addr to = destination(i % MANY);
        add(&to, 9);
    }
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), count);
    expect_sound_plan(count);
    assert_in_range(plan.count, MANY, MANY + MANY / 50);
}

static union udpbatch_addr by_port(unsigned index)
{
    return in4(INADDR_LOOPBACK, 10000 + index);
}

static union udpbatch_addr by_host(unsigned index)
{
    return in4(0x0a000000u + index, 8001);
}

static union udpbatch_addr by_network(unsigned index)
{
    return in4(0x0a000001u + (index << 8), 8001);
}

static union udpbatch_addr by_interface(unsigned index)
{
    union udpbatch_addr to = in6("2001:db8::", 8001, 0);
    uint16_t last = htons((uint16_t)index);
    memcpy(&to.in6.sin6_addr.s6_addr[14], &last, sizeof last);
    return to;
}

static union udpbatch_addr by_prefix(unsigned index)
{
    union udpbatch_addr to = in6("2001:db8::1", 8001, 0);
    uint16_t subnet = htons((uint16_t)index);
    memcpy(&to.in6.sin6_addr.s6_addr[6], &subnet, sizeof subnet);
    return to;
}

static union udpbatch_addr random_addresses[MANY];

static union udpbatch_addr by_chance(unsigned index)
{
    return random_addresses[index];
}

static void destinations_find_their_trains(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        random_addresses[i] = in4(below(UINT32_MAX), below(65536));
    expect_trains(by_chance);
    expect_trains(by_port);
    expect_trains(by_host);
    expect_trains(by_network);
    expect_trains(by_interface);
    expect_trains(by_prefix);
}

/* Whether a packet to that destination, planned alone, is noted at this place of the table. */
static bool is_noted_at(const union udpbatch_addr *to, size_t place)
{
    count = 0;
    add(to, 9);
    plan.groups[place] = 0;
    ub_plan_make(&plan, packets, 0, 1);
    return plan.groups[place] != 0;
}

static void destinations_that_collide_keep_their_order(void **state)
{
    enum { COLLIDING = 24, TURNS = 20, PLACE = 77 };
    union udpbatch_addr colliding[COLLIDING];
    size_t found = 0;

    (void)state;
    begin();
    for (uint32_t host = 1; found < COLLIDING; host++) {
        const union udpbatch_addr to = in4(host, 9);
        assert_true(host < 1000000);
        if (is_noted_at(&to, PLACE))
            colliding[found++] = to;
    }
    begin();
    for (unsigned i = 0; i < TURNS * COLLIDING; i++)
        add(&colliding[i % COLLIDING], 9);
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), count);
    expect_sound_plan(count);
    assert_true(plan.count > COLLIDING); /* or they did not collide */
}

static void plan_one(char target)
{
    count = 0;
    add_to(target, 9);
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), 1);
    assert_int_equal(plan.count, 1);
    assert_ptr_equal(plan.trains[0].to, packets[0].to);
}

/* What an old plan noted has its stamp, and stamps come again. */
static void what_old_plans_noted_is_not_met_again(void **state)
{
    (void)state;
    begin();
    plan_one('x');
    plan_one('x');
    count = 0;
    for (const char *target = "xyz"; *target != '\0'; target++)
        add_to(*target, 9);
    assert_planned("0 | 1 | 2");
    uint32_t stamp = plan.stamp;
    for (int plans = 0; plan.stamp != stamp - 1; plans++) {
        assert_true(plans < 100000);
        plan_one('x');
    }
    plan_one('z');
    assert_int_equal(plan.stamp, stamp);
}

/* ---- The shapes of the workloads ------------------------------------------------------------- */

static void a_broadcast_has_one_train_for_the_leader(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 256; i++) {
        const union udpbatch_addr own = in4(0x0b000000u + i, 8001);
        if (i % 2 == 0)
            add_to('l', i < 128 ? 1228 : 1203);
        else
            add(&own, i < 128 ? 1228 : 1203);
    }
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), count);
    expect_sound_plan(count);
    /* 53 x 1228, 11 x 1228 and a shorter one, 54 x 1203, 9 x 1203 */
    assert_int_equal(plan.count, 128 + 4);
}

static void payloads_times_targets_have_a_train_per_target(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 32 * 64; i++) {
        const union udpbatch_addr to = in4(0x0b000000u + i % 64, 8001);
        add(&to, 1228);
    }
    assert_int_equal(ub_plan_make(&plan, packets, 0, count), count);
    assert_int_equal(plan.count, 64);
    expect_sound_plan(count);
}

/* ---- Random packets against a slow and obvious reference ------------------------------------- */

struct wanted_train {
    size_t packets[UB_SEGMENTS_MAX]; /* by their index in the array */
    size_t count;
    uint32_t bytes, segment;
    bool ended;
    size_t control; /* room taken */
};

static struct {
    struct wanted_train trains[TRAINS];
    size_t count;
    size_t streak; /* trains from here on may be joined */
    size_t pieces, control;
    size_t refused;
} wanted;

static int32_t refusals[PACKETS]; /* of packets that no back end could send; 0: could */

static uint32_t bytes_of(const struct udpbatch_packet *packet)
{
    const struct udpbatch_piece *list = packet->data;
    uint32_t bytes = 0;

    if ((packet->len & UB_IN_PIECES) == 0)
        return packet->len;
    for (uint32_t i = 0; i < (packet->len & ~UB_IN_PIECES); i++)
        bytes += (uint32_t)list[i].len;
    return bytes;
}

static uint32_t pieces_of(const struct udpbatch_packet *packet)
{
    return (packet->len & UB_IN_PIECES) == 0 ? 1 : packet->len & ~UB_IN_PIECES;
}

static bool is_alone(const struct udpbatch_packet *packet)
{
    return bytes_of(packet) == 0 || pieces_of(packet) > UB_JOIN_PIECES;
}

static bool has_same_address(const struct udpbatch_packet *a, const struct udpbatch_packet *b)
{
    if (!is_same_destination(a->to, b->to) || a->to == NULL)
        return a->to == b->to;
    return a->to->sa.sa_family == b->to->sa.sa_family &&
           (a->to->sa.sa_family == AF_INET ||
            (a->to->in6.sin6_scope_id == b->to->in6.sin6_scope_id));
}

static bool asks_the_same(const struct udpbatch_packet *a, const struct udpbatch_packet *b)
{
    const struct udpbatch_meta nothing = { 0 };
    const struct udpbatch_meta *x = a->meta != NULL ? a->meta : &nothing;
    const struct udpbatch_meta *y = b->meta != NULL ? b->meta : &nothing;
    bool x_tos = (x->flags & UDPBATCH_META_TOS) != 0, y_tos = (y->flags & UDPBATCH_META_TOS) != 0;
    bool x_ttl = (x->flags & UDPBATCH_META_TTL) != 0, y_ttl = (y->flags & UDPBATCH_META_TTL) != 0;

    return x_tos == y_tos && x_ttl == y_ttl && (!x_tos || x->tos == y->tos) &&
           (!x_ttl || x->ttl == y->ttl);
}

static uint32_t most_bytes_to(const union udpbatch_addr *to)
{
    return to == NULL || ub_addr_is_in4(to) ? 65507 : 65527;
}

static struct wanted_train *wanted_newest(const struct udpbatch_packet *packet)
{
    size_t first = plan.in_order && wanted.count > 0 ? wanted.count - 1 : wanted.streak;
    for (size_t t = wanted.count; t-- > first;)
        if (is_same_destination(packets[wanted.trains[t].packets[0]].to, packet->to))
            return &wanted.trains[t];
    return NULL;
}

static bool may_join(const struct wanted_train *train, const struct udpbatch_packet *packet)
{
    const struct udpbatch_packet *first = &packets[train->packets[0]];
    uint32_t bytes = bytes_of(packet);

    return !train->ended && !is_alone(packet) && train->count < plan.gso.segments &&
           bytes <= train->segment && (bytes == train->segment || !plan.gso.equal_only) &&
           train->bytes + bytes <= most_bytes_to(packet->to) && has_same_address(first, packet) &&
           asks_the_same(first, packet);
}

static bool wanted_join(struct wanted_train *train, size_t index)
{
    size_t control = train->control == 0 ? UB_SEGMENT_ROOM : 0;

    if (wanted.control + control > plan.control_capacity)
        return false;
    wanted.control += control;
    train->control += control;
    train->packets[train->count++] = index;
    train->bytes += bytes_of(&packets[index]);
    train->ended = bytes_of(&packets[index]) < train->segment;
    return true;
}

static bool wanted_begin(size_t index)
{
    const struct udpbatch_packet *packet = &packets[index];
    size_t control = packet->meta != NULL ? ub_meta_room(packet->meta) + UB_SEGMENT_ROOM : 0;

    if (wanted.count == plan.capacity || wanted.control + control > plan.control_capacity)
        return false;
    wanted.control += control;
    wanted.trains[wanted.count++] = (struct wanted_train){
        .packets = { index },
        .count = 1,
        .bytes = bytes_of(packet),
        .segment = bytes_of(packet),
        .ended = is_alone(packet) || bytes_of(packet) > ub_gso_segment_most(&plan.gso, packet->to),
        .control = control,
    };
    return true;
}

static bool wanted_add(size_t index)
{
    const struct udpbatch_packet *packet = &packets[index];
    uint32_t pieces = bytes_of(packet) == 0                ? 1
                      : pieces_of(packet) > UB_JOIN_PIECES ? 0
                                                           : pieces_of(packet);
    struct wanted_train *newest = wanted_newest(packet);

    if (wanted.pieces + pieces > plan.piece_capacity)
        return false;
    bool fits = newest != NULL && may_join(newest, packet);
    if (fits ? !wanted_join(newest, index) : !wanted_begin(index))
        return false;
    wanted.pieces += pieces;
    return true;
}

static size_t wanted_plan(size_t from)
{
    const struct udpbatch_packet *before = NULL;

    while (from < count && packets[from].status != 0)
        from++;
    memset(&wanted, 0, offsetof(struct wanted_train, packets));
    wanted.count = wanted.streak = wanted.pieces = wanted.control = wanted.refused = 0;
    for (size_t i = from; i < count; i++) {
        if (i == from + plan.packet_capacity)
            return i;
        if (packets[i].status != 0)
            continue;
        if (refusals[i] != 0) {
            if (plan.in_order && wanted.count > 0)
                return i;
            wanted.refused++;
            continue;
        }
        if (before != NULL && (before->to == NULL) != (packets[i].to == NULL))
            wanted.streak = wanted.count;
        if (!wanted_add(i))
            return i;
        before = &packets[i];
    }
    return count;
}

/* All parts of the train's payload, neighbours merged. */
static size_t wanted_pieces(const struct wanted_train *train, struct udpbatch_piece *pieces)
{
    size_t n = 0;
    for (size_t i = 0; i < train->count; i++) {
        const struct udpbatch_packet *packet = &packets[train->packets[i]];
        const struct udpbatch_piece whole = { packet->data, packet->len };
        bool has_list = (packet->len & UB_IN_PIECES) != 0;
        const struct udpbatch_piece *list = has_list ? packet->data : &whole;
        for (uint32_t k = 0; k < pieces_of(packet); k++) {
            if (list[k].len == 0)
                continue;
            if (n > 0 && (const char *)pieces[n - 1].data + pieces[n - 1].len == list[k].data)
                pieces[n - 1].len += list[k].len;
            else
                pieces[n++] = list[k];
        }
    }
    return n;
}

static void compare_pieces(const struct ub_train *train, const struct wanted_train *wanted_train)
{
    static struct udpbatch_piece pieces[UB_PIECES_MAX];
    const struct udpbatch_packet *first = &packets[wanted_train->packets[0]];

    assert_true(train->piece_count <= UB_PIECES_MAX);
    if (train->count > 1) {
        expect_pieces(train, pieces, wanted_pieces(wanted_train, pieces));
    } else if ((first->len & UB_IN_PIECES) != 0 && train->bytes > 0) {
        assert_ptr_equal(train->pieces, first->data);
        assert_int_equal(train->piece_count, pieces_of(first));
    } else {
        expect_pieces(train, &(const struct udpbatch_piece){ first->data, train->bytes }, 1);
    }
}

static void compare_train(const struct ub_train *train, const struct wanted_train *wanted_train)
{
    const struct udpbatch_packet *first = &packets[wanted_train->packets[0]];
    size_t offset = train->first;

    assert_int_equal(train->count, wanted_train->count);
    for (size_t i = 0; i < train->count; i++, offset = plan.next[offset])
        assert_int_equal(plan.from + offset, wanted_train->packets[i]);
    assert_int_equal(train->bytes, wanted_train->bytes);
    assert_int_equal(train->segment, wanted_train->segment);
    assert_true(has_same_address(first, &(const struct udpbatch_packet){ .to = train->to }));
    assert_true(asks_the_same(first, &(const struct udpbatch_packet){ .meta = train->meta }));
    assert_true(train->control_size >= (train->count > 1 ? UB_SEGMENT_ROOM : 0));
    assert_true(train->control_size == 0 ||
                train->control + train->control_size <= plan.control + plan.control_capacity);
    assert_int_equal(train->error, 0);
    compare_pieces(train, wanted_train);
}

static void random_address(union udpbatch_addr *to)
{
    switch (below(7)) {
    case 0:
        *to = in6("::ffff:10.0.0.1", 1, 0);
        break;
    case 1:
        *to = in6("2001:db8::1", 1, below(2));
        break;
    case 2:
        *to = in6("2001:db8::2", 1, 0);
        break;
    default:
        *to = in4(0x0a000001 + below(2), 1 + below(2));
    }
}

static uint32_t random_len(void)
{
    static const uint32_t lens[] = { 0, 1, 1, 2, 100, 100, 101, 1228, 32000, 65507, 65527, 65535 };
    return one_in(2) ? 1228 : lens[below(sizeof lens / sizeof lens[0])];
}

static void split_in_pieces(size_t i)
{
    static struct udpbatch_piece lists[PACKETS][2 * UB_JOIN_PIECES];
    uint32_t n = below(UB_JOIN_PIECES + 4);
    uint32_t len = packets[i].len;
    const char *data = packets[i].data;

    for (uint32_t k = 0; k < n; k++) {
        uint32_t part = k + 1 < n ? below(len + 1) : len;
        lists[i][k] = (struct udpbatch_piece){ data, part };
        data += part;
        len -= part;
        if (one_in(4))
            data -= (uintptr_t)(data - part > (const char *)memory);
    }
    packets[i].data = lists[i];
    packets[i].len = UDPBATCH_PIECES(n);
}

static void add_random_packet(bool has_address)
{
    static const struct udpbatch_meta metas[] = {
        { .flags = UDPBATCH_META_CAME_BY },
        { .flags = UDPBATCH_META_TOS, .tos = 8 },
        { .flags = UDPBATCH_META_TOS, .tos = 8, .ttl = 1 },
        { .flags = UDPBATCH_META_TOS | UDPBATCH_META_TTL, .tos = 8, .ttl = 1 },
    };
    const unsigned meta_count = UB_HAVE_META ? sizeof metas / sizeof metas[0] : 1;
    union udpbatch_addr to;
    size_t i = count;

    random_address(&to);
    if (one_in(3))
        apart();
    struct udpbatch_packet *packet = add(has_address ? &to : NULL, random_len());
    for (size_t k = i; has_address && one_in(2) && k-- > 0;)
        if (packets[k].to != NULL && memcmp(packets[k].to, &to, sizeof to) == 0)
            packet->to = packets[k].to; /* the same pointer, too */
    if (one_in(5))
        packet->meta = &metas[below(meta_count)];
    refusals[i] = 0;
    if (one_in(10))
        split_in_pieces(i);
    if (one_in(10))
        packet->status = one_in(2) ? 1 : -EPERM;
    else if (one_in(30) && packet->len > 0 && (packet->len & UB_IN_PIECES) == 0) {
        packet->data = NULL;
        refusals[i] = -EFAULT;
    }
}

/* As the one before, but for its payload and its fate. */
static void add_like_packet(void)
{
    size_t i = count++;

    packets[i] = packets[i - 1];
    packets[i].status = one_in(20) ? 1 : 0;
    refusals[i] = 0;
    if ((packets[i].len & UB_IN_PIECES) != 0)
        return;
    packets[i].data = payload(packets[i].len);
    if (one_in(20) && packets[i].len > 0 && packets[i].status == 0) {
        packets[i].data = NULL;
        refusals[i] = -EFAULT;
    }
}

static void random_packets(void)
{
    unsigned rarity = 1 + below(30); /* of changes between address and none */
    bool has_address = true;
    size_t n = one_in(20) ? below(PACKETS) : below(200);
    unsigned streak = 0; /* of packets that are alike */

    begin();
    while (count < n) {
        has_address = has_address != (rarity < 20 && one_in(rarity));
        if (streak > 0)
            add_like_packet();
        else
            add_random_packet(has_address);
        streak = streak > 0 ? streak - 1 : one_in(6) ? below(150) : 0;
    }
}

static void random_limits(void)
{
    static const uint32_t segments[] = { 1, 2, 3, 64, 64, 128, 128 };

    plan.in_order = one_in(4);
    plan.gso.segments = segments[below(sizeof segments / sizeof segments[0])];
    plan.gso.equal_only = one_in(8);
    plan.gso.route_count = one_in(4);
    ub_addr_host(&(const union udpbatch_addr){ .in4 = in4(0x0a000001, 7).in4 },
                 room.routes[0].host);
    room.routes[0].segment_most = below(2) * 1000;
    if (one_in(2))
        return;
    plan.capacity = 1 + below(70);
    plan.packet_capacity = 1 + below(300);
    plan.piece_capacity = UB_JOIN_PIECES + 8 + below(300);
    plan.control_capacity = 200 + below(3000);
}

static void check_refused(size_t from, size_t end)
{
    assert_int_equal(plan.refused, wanted.refused);
    for (size_t i = from; i < end; i++)
        if (refusals[i] != 0 && packets[i].status == 0)
            fail_msg("packet %u is not refused", (unsigned)i);
    if (end < count && refusals[end] != 0)
        assert_int_equal(packets[end].status, 0);
}

static void compare_plans(size_t from, size_t end)
{
    size_t wanted_end = wanted_plan(from);

    assert_int_equal(ub_plan_make(&plan, packets, from, count), wanted_end);
    assert_int_equal(wanted_end, end);
    assert_int_equal(plan.count, wanted.count);
    assert_int_equal(plan.asks, UB_ASKS_NOTHING);
    for (size_t t = 0; t < plan.count; t++)
        compare_train(&plan.trains[t], &wanted.trains[t]);
    check_refused(from, end);
}

static void random_packets_are_planned_as_the_rules_say(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        random_packets();
        random_limits();
        for (size_t from = 0; from < count;) {
            size_t end = wanted_plan(from);
            assert_true(end > from);
            compare_plans(from, end);
            from = end;
        }
    }
}

static int begin_chance(void **state)
{
    (void)state;
    chance_begin();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_a_train_of_one),
        cmocka_unit_test(what_no_back_end_could_send_is_refused_in_the_plan),
        cmocka_unit_test(a_payload_in_pieces_goes_by_the_callers_list),
        cmocka_unit_test(bad_lists_of_pieces_are_refused),
        cmocka_unit_test(packets_to_one_target_share_a_train_wherever_they_are),
        cmocka_unit_test(a_shorter_packet_is_the_last_of_its_train),
        cmocka_unit_test(a_longer_packet_begins_a_train),
        cmocka_unit_test(an_empty_packet_shares_no_train),
        cmocka_unit_test(packets_of_one_byte_fill_trains_up_to_the_limit),
        cmocka_unit_test(a_train_is_no_longer_than_one_datagram_may_be),
        cmocka_unit_test(the_longest_packets_go_alone),
        cmocka_unit_test(addresses_are_compared_by_content),
        cmocka_unit_test(two_forms_of_an_address_keep_their_order_in_trains_of_their_own),
        cmocka_unit_test(scopes_keep_their_order_in_trains_of_their_own),
        cmocka_unit_test(the_connected_peer_may_be_one_of_the_addresses),
        cmocka_unit_test(metas_are_compared_by_what_they_ask),
        cmocka_unit_test(local_addresses_and_times_in_metas_are_compared_too),
        cmocka_unit_test(in_order_only_neighbours_share_a_train),
        cmocka_unit_test(packets_with_a_status_are_stepped_over),
        cmocka_unit_test(where_trains_cannot_be_each_packet_goes_alone),
        cmocka_unit_test(whether_there_may_be_trains_is_asked_when_one_could_form),
        cmocka_unit_test(a_host_that_refused_trains_gets_none_or_of_shorter_packets),
        cmocka_unit_test(a_kernel_that_refuses_shorter_last_packets_gets_none),
        cmocka_unit_test(neighbours_in_memory_become_one_piece),
        cmocka_unit_test(what_lies_before_in_memory_is_no_neighbour_behind),
        cmocka_unit_test(a_payload_in_pieces_joins_with_all_of_them),
        cmocka_unit_test(a_payload_in_many_pieces_goes_alone_by_the_callers_list),
        cmocka_unit_test(a_plan_without_room_for_a_train_still_lets_others_join),
        cmocka_unit_test(a_plan_spans_as_much_of_the_array_as_it_has_room_for),
        cmocka_unit_test(no_list_of_pieces_is_written_beyond_the_plans_room),
        cmocka_unit_test(a_refusal_in_the_plan_does_not_end_it),
        cmocka_unit_test(in_order_it_is_refused_when_those_before_have_their_fate),
        cmocka_unit_test(thousands_of_destinations_keep_their_order),
        cmocka_unit_test(destinations_find_their_trains),
        cmocka_unit_test(destinations_that_collide_keep_their_order),
        cmocka_unit_test(what_old_plans_noted_is_not_met_again),
        cmocka_unit_test(a_broadcast_has_one_train_for_the_leader),
        cmocka_unit_test(payloads_times_targets_have_a_train_per_target),
        cmocka_unit_test(random_packets_are_planned_as_the_rules_say),
    };
    return cmocka_run_group_tests(tests, begin_chance, NULL);
}
