/* test_loopback.c: what is sent by every way arrives on loopback, and what cannot be sent says why.
 *
 * The first part is the tests of the sendmmsg module of Solana's streamer.
 */
#define _GNU_SOURCE
#include "support.h"

#include <stdatomic.h>

static struct udpbatch_packet packets[MANY];

/* A sender on a socket bound to loopback, so that no route of this machine has a say. */
static struct sending begin_on_loopback(void **state, int family)
{
    return sending_begin(*state, port_open(family).fd);
}

static void expect_tally(const struct udpbatch_tally *tally, size_t sent, size_t refused)
{
    assert_int_equal(tally->sent, sent);
    assert_int_equal(tally->refused, refused);
    assert_int_equal(tally->unsent, 0);
}

/* ---- The original's tests ----------------------------------------------------------------- */

static void thirty_two_packets_arrive_at_one_receiver(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);

    make_packets(packets, 32, 1200, &port.addr);
    struct udpbatch_tally tally = sending_send(&sending, packets, 32);
    expect_tally(&tally, 32, 0);
    expect_arrival(&port, packets, 32);
    port_close(&port);
    sending_end(&sending);
}

static void packets_in_turn_to_two_receivers_arrive_at_their_own(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port ports[2] = { port_open(AF_INET), port_open(AF_INET) };

    make_packets(packets, 32, 1200, NULL);
    for (size_t i = 0; i < 32; i++)
        packets[i].to = &ports[i % 2].addr;
    struct udpbatch_tally tally = sending_send(&sending, packets, 32);
    expect_tally(&tally, 32, 0);
    for (size_t i = 0; i < 2; i++) {
        expect_arrival(&ports[i], packets, 32);
        port_close(&ports[i]);
    }
    sending_end(&sending);
}

static void one_payload_arrives_at_four_receivers(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port ports[4];
    union udpbatch_addr targets[4];
    int32_t status[4] = { 0 };

    for (size_t i = 0; i < 4; i++) {
        ports[i] = port_open(AF_INET);
        targets[i] = ports[i].addr;
    }
    struct udpbatch_tally tally = sending_fan_out(&sending, "payload", 7, targets, 4, status);
    expect_tally(&tally, 4, 0);
    for (size_t i = 0; i < 4; i++) {
        expect_payload(ports[i].fd, "payload", 7);
        expect_nothing(ports[i].fd);
        port_close(&ports[i]);
    }
    sending_end(&sending);
}

enum { LAYOUT_MAX = 16 };

/* Sends to good and bad addresses by both calls: `layout` has a '.' for each good one. The bad are
 * refused with the error at their places, the good arrive. */
static void send_layout(void **state, const char *layout, const union udpbatch_addr *bad, int error)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);
    union udpbatch_addr targets[LAYOUT_MAX];
    int32_t status[LAYOUT_MAX] = { 0 };
    size_t n = strlen(layout), good = 0;

    make_packets(packets, n, 100, NULL);
    for (size_t i = 0; i < n; i++) {
        good += layout[i] == '.';
        targets[i] = layout[i] == '.' ? port.addr : *bad;
        packets[i].to = &targets[i];
    }
    struct udpbatch_tally tally = sending_send(&sending, packets, n);
    expect_tally(&tally, good, n - good);
    assert_int_equal(tally.first_error, error);
    assert_int_equal(tally.first_refused, strspn(layout, "."));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(packets[i].status, layout[i] == '.' ? 1 : -error);
    expect_arrival(&port, packets, n);

    tally = sending_fan_out(&sending, "payload", 7, targets, n, status);
    expect_tally(&tally, good, n - good);
    assert_int_equal(tally.first_error, error);
    assert_int_equal(tally.first_refused, strspn(layout, "."));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(status[i], layout[i] == '.' ? 1 : -error);
    for (size_t i = 0; i < good; i++)
        expect_payload(port.fd, "payload", 7);
    expect_nothing(port.fd);
    port_close(&port);
    sending_end(&sending);
}

static void an_ipv6_address_on_an_ipv4_socket_is_refused_alone(void **state)
{
    union udpbatch_addr bad = loopback(AF_INET6, 9);
    send_layout(state, "..x..", &bad, EAFNOSUPPORT);
}

static void broadcast_addresses_without_permission_are_refused_alone(void **state)
{
    static const char *const layouts[] = {
        ".x.x.", /* in the middle: 2 */
        "x.x.x", /* at both ends: 3 */
        ".xx.",  /* twice in a row: 2 */
        "xxxx",
    };
    union udpbatch_addr bad = address(AF_INET, "255.255.255.255", 9);
    for (size_t i = 0; i < COUNT_OF(layouts); i++)
        send_layout(state, layouts[i], &bad, EACCES);
}

/* ---- Every kind of socket and number of packets -------------------------------------------- */

static void send_on(void **state, int family, bool connected, bool blocking)
{
    struct sending sending = begin_on_loopback(state, family);
    struct port port = port_open(family);

    if (connected)
        connect_to(sending.fd, &port.addr);
    if (!blocking)
        make_nonblocking(sending.fd);
    make_packets(packets, 100, 700, connected ? NULL : &port.addr);
    struct udpbatch_tally tally = sending_send(&sending, packets, 100);
    expect_tally(&tally, 100, 0);
    expect_arrival(&port, packets, 100);
    port_close(&port);
    sending_end(&sending);
}

static void every_kind_of_ipv4_socket_sends(void **state)
{
    for (int kind = 0; kind < 4; kind++)
        send_on(state, AF_INET, (kind & 1) != 0, (kind & 2) != 0);
}

static void every_kind_of_ipv6_socket_sends(void **state)
{
    need_family(AF_INET6);
    for (int kind = 0; kind < 4; kind++)
        send_on(state, AF_INET6, (kind & 1) != 0, (kind & 2) != 0);
}

static void a_connected_socket_sends_to_its_peer_and_to_addresses_in_one_call(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port peer = port_open(AF_INET), other = port_open(AF_INET);
    static struct udpbatch_packet to_peer[40];

    connect_to(sending.fd, &peer.addr);
    make_packets(packets, 40, 100, NULL);
    for (size_t i = 1; i < 40; i += 2)
        packets[i].to = &other.addr;
    struct udpbatch_tally tally = sending_send(&sending, packets, 40);
    expect_tally(&tally, 40, 0);
    for (size_t i = 0; i < 40; i++) {
        to_peer[i] = packets[i];
        if (packets[i].to == NULL)
            to_peer[i].to = &peer.addr;
    }
    expect_arrival(&peer, to_peer, 40);
    expect_arrival(&other, to_peer, 40);
    port_close(&peer);
    port_close(&other);
    sending_end(&sending);
}

static void no_packets_are_no_work(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct udpbatch_tally tally = sending_send(&sending, NULL, 0);
    expect_tally(&tally, 0, 0);
    tally = sending_fan_out(&sending, "payload", 7, NULL, 0, NULL);
    expect_tally(&tally, 0, 0);
    assert_int_equal(sending_system_calls(&sending), 0);
    sending_end(&sending);
}

/* Spread over so many receivers that their buffers hold all of it on any machine. */
static void five_thousand_packets_go_in_one_call(void **state)
{
    enum { PORTS = 25 };
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port ports[PORTS];

    for (size_t i = 0; i < PORTS; i++)
        ports[i] = port_open(AF_INET);
    make_packets(packets, MANY, 4, NULL);
    for (size_t i = 0; i < MANY; i++)
        packets[i].to = &ports[i % PORTS].addr;
    struct udpbatch_tally tally = sending_send(&sending, packets, MANY);
    expect_tally(&tally, MANY, 0);
    for (size_t i = 0; i < PORTS; i++) {
        expect_arrival(&ports[i], packets, MANY);
        port_close(&ports[i]);
    }
    sending_end(&sending);
}

static void one_payload_goes_to_five_thousand_targets_in_one_call(void **state)
{
    enum { PORTS = 25, BAD_EVERY = 1000 };
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port ports[PORTS];
    static union udpbatch_addr targets[MANY];
    static int32_t status[MANY];

    memset(status, 0, sizeof status);
    for (size_t i = 0; i < PORTS; i++)
        ports[i] = port_open(AF_INET);
    for (size_t i = 0; i < MANY; i++)
        targets[i] = i % BAD_EVERY == 77 ? closed_port(AF_INET) : ports[i % PORTS].addr;
    for (size_t i = 77; i < MANY; i += BAD_EVERY)
        targets[i].sa.sa_family = AF_UNIX;
    struct udpbatch_tally tally = sending_fan_out(&sending, "payload", 7, targets, MANY, status);
    expect_tally(&tally, MANY - 5, 5);
    assert_int_equal(tally.first_refused, 77);
    for (size_t i = 0; i < MANY; i++)
        if (status[i] == 1)
            expect_payload(ports[i % PORTS].fd, "payload", 7);
    for (size_t i = 0; i < PORTS; i++) {
        expect_nothing(ports[i].fd);
        port_close(&ports[i]);
    }
    sending_end(&sending);
}

static void packets_to_one_destination_leave_in_the_order_of_the_array(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);

    make_packets(packets, 200, 64, &port.addr);
    for (size_t i = 0; i < 200; i += 3)
        packets[i].len = 32;
    struct udpbatch_tally tally = sending_send(&sending, packets, 200);
    expect_tally(&tally, 200, 0);
    for (size_t i = 0; i < 200; i++)
        expect_payload(port.fd, packets[i].data, packets[i].len);
    port_close(&port);
    sending_end(&sending);
}

/* ---- Payloads ------------------------------------------------------------------------------ */

static void empty_payloads_arrive_as_empty_datagrams(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);
    struct udpbatch_packet four[] = {
        { .data = NULL, .len = 0, .to = &port.addr },
        { .data = "x", .len = 1, .to = &port.addr },
        { .data = "y", .len = 0, .to = &port.addr },
        { .data = NULL, .len = 0, .to = &port.addr },
    };
    int32_t status[1] = { 0 };

    struct udpbatch_tally tally = sending_send(&sending, four, 4);
    expect_tally(&tally, 4, 0);
    for (size_t i = 0; i < 4; i++)
        expect_payload(port.fd, four[i].data, four[i].len);
    tally = sending_fan_out(&sending, NULL, 0, &port.addr, 1, status);
    expect_tally(&tally, 1, 0);
    expect_payload(port.fd, NULL, 0);
    expect_nothing(port.fd);
    port_close(&port);
    sending_end(&sending);
}

/* The longest payload arrives whole; one byte more is refused, and its neighbours are not. */
static void send_longest(void **state, int family, uint32_t longest)
{
    static unsigned char payload[70000];
    struct sending sending = begin_on_loopback(state, family);
    struct port port = port_open(family);
    const uint32_t lens[] = { longest, longest + 1, 5, 65535, 65536, 70000, longest };

    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (unsigned char)(i * 31 + i / 251);
    for (size_t i = 0; i < COUNT_OF(lens); i++)
        packets[i] = (struct udpbatch_packet){ .data = payload, .len = lens[i], .to = &port.addr };
    struct udpbatch_tally tally = sending_send(&sending, packets, COUNT_OF(lens));
    expect_tally(&tally, 3, 4);
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        assert_int_equal(packets[i].status, lens[i] <= longest ? 1 : -EMSGSIZE);
        if (lens[i] <= longest)
            expect_payload(port.fd, payload, lens[i]);
    }
    expect_nothing(port.fd);

    int32_t status[2] = { 0 };
    union udpbatch_addr twice[2] = { port.addr, port.addr };
    tally = sending_fan_out(&sending, payload, longest, twice, 2, status);
    expect_tally(&tally, 2, 0);
    expect_payload(port.fd, payload, longest);
    expect_payload(port.fd, payload, longest);
    memset(status, 0, sizeof status);
    tally = sending_fan_out(&sending, payload, longest + 1, twice, 2, status);
    expect_tally(&tally, 0, 2);
    assert_int_equal(tally.first_error, EMSGSIZE);
    expect_nothing(port.fd);
    port_close(&port);
    sending_end(&sending);
}

static void the_longest_ipv4_payload_arrives_and_a_longer_one_is_refused(void **state)
{
    send_longest(state, AF_INET, 65507);
}

static void the_longest_ipv6_payload_arrives_and_a_longer_one_is_refused(void **state)
{
    need_family(AF_INET6);
    send_longest(state, AF_INET6, 65527);
}

static void a_header_of_its_own_goes_before_a_shared_body(void **state)
{
    enum { COUNT = 90, BODY = 300 };
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);
    static unsigned char headers[COUNT][8], body[BODY], whole[8 + BODY];
    static struct udpbatch_piece pieces[COUNT][2];

    memset(body, 'b', sizeof body);
    for (size_t i = 0; i < COUNT; i++) {
        memset(headers[i], (int)i, sizeof headers[i]);
        pieces[i][0] = (struct udpbatch_piece){ headers[i], sizeof headers[i] };
        pieces[i][1] = (struct udpbatch_piece){ body, sizeof body };
        packets[i] = (struct udpbatch_packet){ .data = pieces[i],
                                               .len = UDPBATCH_PIECES(2),
                                               .to = &port.addr };
    }
    struct udpbatch_tally tally = sending_send(&sending, packets, COUNT);
    expect_tally(&tally, COUNT, 0);
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(whole, headers[i], sizeof headers[i]);
        memcpy(whole + sizeof headers[i], body, sizeof body);
        expect_payload(port.fd, whole, sizeof whole);
    }

    int32_t status[1] = { 0 };
    tally = sending_fan_out(&sending, pieces[3], UDPBATCH_PIECES(2), &port.addr, 1, status);
    expect_tally(&tally, 1, 0);
    memcpy(whole, headers[3], sizeof headers[3]);
    expect_payload(port.fd, whole, sizeof whole);
    expect_nothing(port.fd);
    port_close(&port);
    sending_end(&sending);
}

static void a_payload_has_at_most_1024_pieces_and_may_have_none(void **state)
{
    enum { MOST = 1024 };
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);
    static struct udpbatch_piece pieces[MOST + 1];
    static unsigned char whole[2 * (MOST + 1)];
    size_t len = 0;

    for (size_t i = 0; i < MOST + 1; i++) { /* of 0, 1 and 2 bytes, an empty one with no data */
        whole[2 * i] = whole[2 * i + 1] = (unsigned char)i;
        pieces[i] = (struct udpbatch_piece){ i % 3 != 0 ? &whole[len] : NULL, i % 3 };
        len += i % 3;
    }
    len -= pieces[MOST].len;
    const uint32_t counts[] = { 0, MOST, MOST + 1, 2, 0x7fffffff };
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        packets[i] = (struct udpbatch_packet){ .data = i > 0 ? pieces : NULL,
                                               .len = UDPBATCH_PIECES(counts[i]),
                                               .to = &port.addr };
    struct udpbatch_tally tally = sending_send(&sending, packets, COUNT_OF(counts));
    expect_tally(&tally, 3, 2);
    assert_int_equal(tally.first_refused, 2);
    assert_int_equal(packets[2].status, -EMSGSIZE);
    assert_int_equal(packets[4].status, -EMSGSIZE);
    expect_payload(port.fd, NULL, 0);
    expect_payload(port.fd, whole, len);
    expect_payload(port.fd, whole, 1);
    expect_nothing(port.fd);
    port_close(&port);
    sending_end(&sending);
}

static void pieces_that_are_too_long_together_are_refused(void **state)
{
    static unsigned char body[65507];
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);
    struct udpbatch_piece fit[] = { { body, 65500 }, { body, 7 } };
    struct udpbatch_piece longer[] = { { body, 65500 }, { body, 8 } };
    struct udpbatch_piece wraps[] = { { body, 8 }, { body, SIZE_MAX - 4 } };

    make_packets(packets, 4, 10, &port.addr);
    packets[0].data = fit;
    packets[1].data = longer;
    packets[2].data = wraps;
    for (size_t i = 0; i < 3; i++)
        packets[i].len = UDPBATCH_PIECES(2);
    struct udpbatch_tally tally = sending_send(&sending, packets, 4);
    expect_tally(&tally, 2, 2);
    assert_int_equal(packets[1].status, -EMSGSIZE);
    assert_int_equal(packets[2].status, -EMSGSIZE);
    expect_payload(port.fd, body, sizeof body);
    expect_payload(port.fd, packets[3].data, 10);
    expect_nothing(port.fd);
    port_close(&port);
    sending_end(&sending);
}

static void missing_memory_is_refused_as_a_bad_address(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);
    struct udpbatch_piece hole[] = { { "x", 1 }, { NULL, 1 } };
    struct udpbatch_piece unmapped[] = { { "x", 1 }, { NULL, 1 } };
    void *page = forbidden_page();

    unmapped[1].data = page;
    make_packets(packets, 9, 10, &port.addr);
    packets[1].data = NULL;
    packets[3].data = hole;
    packets[3].len = UDPBATCH_PIECES(2);
    packets[4].data = NULL;
    packets[4].len = UDPBATCH_PIECES(1);
    packets[5].data = page;
    packets[7].data = unmapped;
    packets[7].len = UDPBATCH_PIECES(2);
    struct udpbatch_tally tally = sending_send(&sending, packets, 9);
    expect_tally(&tally, 4, 5);
    assert_int_equal(tally.first_refused, 1);
    for (size_t i = 0; i < 9; i++)
        if (packets[i].status != 1)
            assert_int_equal(packets[i].status, -EFAULT);
    for (size_t i = 0; i < 9; i += 2)
        if (i != 4)
            expect_payload(port.fd, packets[i].data, 10);
    expect_nothing(port.fd);

    int32_t status[1] = { 0 };
    tally = sending_fan_out(&sending, NULL, 1, &port.addr, 1, status);
    expect_tally(&tally, 0, 1);
    assert_int_equal(tally.first_error, EFAULT);
    free_page(page);
    port_close(&port);
    sending_end(&sending);
}

/* ---- Addresses and sockets that are none ----------------------------------------------------- */

static void an_address_of_another_family_is_refused_alone(void **state)
{
    union udpbatch_addr bad = { .sa = { .sa_family = AF_UNIX } };
    send_layout(state, "x..x.x", &bad, EAFNOSUPPORT);

    struct port port = port_open(AF_INET); /* the kernel would take this one for AF_INET */
    bad = port.addr;
    bad.sa.sa_family = AF_UNSPEC;
    send_layout(state, ".x.", &bad, EAFNOSUPPORT);
    expect_nothing(port.fd);
    port_close(&port);
}

static void port_zero_is_refused_alone(void **state)
{
    union udpbatch_addr bad = loopback(AF_INET, 0);
    send_layout(state, "..x.x", &bad, EINVAL);
}

static void packets_with_meta_that_nobody_knows_are_refused_alone(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);
    const struct udpbatch_meta meta = { .flags = UINT32_C(1) << 31 };

    make_packets(packets, 3, 10, &port.addr);
    packets[1].meta = &meta;
    struct udpbatch_tally tally = sending_send(&sending, packets, 3);
    expect_tally(&tally, 2, 1);
    assert_int_equal(packets[1].status, -EOPNOTSUPP);
    expect_arrival(&port, packets, 3);
    port_close(&port);
    sending_end(&sending);
}

/* Linux would choose another address for a packet that names its interface. */
static void send_by_interface(void **state, const union udpbatch_addr *own,
                              const union udpbatch_addr *to, const struct port *port)
{
    struct sending sending = sending_begin(*state, port_open_at(own).fd);
    const struct udpbatch_meta meta = { .flags = UDPBATCH_META_INTERFACE,
                                        .interface_index = loopback_index() };
    union udpbatch_addr from;
    char room[10];

    make_packets(packets, 1, 10, to);
    packets[0].meta = &meta;
    struct udpbatch_tally tally = sending_send(&sending, packets, 1);
    expect_tally(&tally, 1, 0);
    assert_int_equal(receive_one(port->fd, room, sizeof room, &from), 10);
    assert_int_equal(ntohl(from.in4.sin_addr.s_addr), 0x7f000005);
    sending_end(&sending);
}

static void a_packet_by_an_interface_is_from_the_address_of_its_socket(void **state)
{
    need(HAS_META, META_OF_A_SEND);
    const union udpbatch_addr own = address(AF_INET, "127.0.0.5", 0);
    struct port port = port_open(AF_INET);

    send_by_interface(state, &own, &port.addr, &port);
    port_close(&port);
}

static void a_mapped_packet_by_an_interface_is_from_the_address_of_its_socket(void **state)
{
    need(HAS_META, META_OF_A_SEND);
    need_family(AF_INET6);
    const union udpbatch_addr own = address(AF_INET6, "::ffff:127.0.0.5", 0);
    struct port port = port_open(AF_INET);
    const union udpbatch_addr to =
        address(AF_INET6, "::ffff:127.0.0.1", ntohs(port.addr.in4.sin_port));

    send_by_interface(state, &own, &to, &port);
    port_close(&port);
}

/* By both calls, 200 packets; all have the error's status. */
static void expect_all_refused(struct sending *sending, const union udpbatch_addr *to, int error)
{
    static union udpbatch_addr targets[200];
    static int32_t status[200];

    memset(status, 0, sizeof status);
    make_packets(packets, 200, 10, to);
    struct udpbatch_tally tally = sending_send(sending, packets, 200);
    expect_tally(&tally, 0, 200);
    expect_status(packets, 200, -error);
    if (to == NULL)
        return;
    for (size_t i = 0; i < 200; i++)
        targets[i] = *to;
    tally = sending_fan_out(sending, "payload", 7, targets, 200, status);
    expect_tally(&tally, 0, 200);
    assert_int_equal(tally.first_error, error);
}

static void a_closed_descriptor_refuses_all(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    union udpbatch_addr to = loopback(AF_INET, 9);

    close_socket(sending.fd);
    expect_all_refused(&sending, &to, ERROR_OF_CLOSED);
    sending_end(&sending);
}

static void a_closed_descriptor_costs_one_call(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    union udpbatch_addr to = loopback(AF_INET, 9);

    close_socket(sending.fd);
    expect_all_refused(&sending, &to, ERROR_OF_CLOSED); /* two calls of the library */
    assert_true(sending_system_calls(&sending) <= 2);
    sending_end(&sending);
}

static void a_descriptor_that_is_no_socket_refuses_all(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    union udpbatch_addr to = loopback(AF_INET, 9);

    if (!replace_by_no_socket(sending.fd)) {
        sending_end(&sending);
        need(false, "a descriptor that changes what it is of");
    }
    expect_all_refused(&sending, &to, ENOTSOCK);
    close_no_socket(sending.fd);
    sending_end(&sending);
}

static void level_1_refuses_all_by_what_is_no_socket(void **state)
{
    struct sending sending = { .fd = open_no_socket() };
    union udpbatch_addr to = loopback(AF_INET, 9);

    (void)state;
    expect_all_refused(&sending, &to, ENOTSOCK);
    close_no_socket(sending.fd);
}

static void a_socket_shut_down_refuses_all(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);

    connect_to(sending.fd, &port.addr);
    assert_int_equal(shutdown(sending.fd, SHUT_WR), 0);
    expect_all_refused(&sending, NULL, EPIPE);
    expect_all_refused(&sending, &port.addr, EPIPE);
    port_close(&port);
    sending_end(&sending);
}

static void send_without_peer(void **state, int family)
{
    struct sending sending = begin_on_loopback(state, family);
    struct port port = port_open(family);

    make_packets(packets, 200, 100, &port.addr);
    for (size_t i = 0; i < 200; i += 2)
        packets[i].to = NULL;
    struct udpbatch_tally tally = sending_send(&sending, packets, 200);
    expect_tally(&tally, 100, 100);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(packets[i].status, i % 2 == 0 ? -EDESTADDRREQ : 1);
    expect_arrival(&port, packets, 200);
    expect_all_refused(&sending, NULL, EDESTADDRREQ);
    port_close(&port);
    sending_end(&sending);
}

static void without_a_peer_packets_without_address_are_refused_and_the_others_go(void **state)
{
    send_without_peer(state, AF_INET);
}

static void without_an_ipv6_peer_it_is_the_same(void **state)
{
    need_family(AF_INET6);
    send_without_peer(state, AF_INET6);
}

/* ---- Statuses ------------------------------------------------------------------------------ */

static void packets_that_have_a_status_are_not_sent_again(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);

    make_packets(packets, 300, 100, &port.addr);
    for (size_t i = 0; i < 300; i++)
        packets[i].status = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : -EPERM;
    struct udpbatch_tally tally = sending_send(&sending, packets, 300);
    expect_tally(&tally, 200, 100);
    assert_int_equal(tally.first_error, EPERM);
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(packets[i].status, i % 3 == 2 ? -EPERM : 1);
        if (i % 3 == 1)
            packets[i].status = -1; /* so that it is not expected to arrive */
    }
    expect_arrival(&port, packets, 300);

    sending_send(&sending, packets, 300);
    expect_nothing(port.fd);
    port_close(&port);
    sending_end(&sending);
}

static void targets_that_have_a_status_are_not_sent_to_again(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);
    static union udpbatch_addr targets[200];
    static int32_t status[200];

    for (size_t i = 0; i < 200; i++) {
        targets[i] = port.addr;
        status[i] = i % 10 == 5 ? 0 : 1;
    }
    struct udpbatch_tally tally = sending_fan_out(&sending, "payload", 7, targets, 200, status);
    expect_tally(&tally, 200, 0);
    for (size_t i = 0; i < 20; i++)
        expect_payload(port.fd, "payload", 7);
    expect_nothing(port.fd);
    port_close(&port);
    sending_end(&sending);
}

static void a_multi_target_send_without_statuses_sends_to_all(void **state)
{
    struct port own = port_open(AF_INET), port = port_open(AF_INET);
    static union udpbatch_addr targets[150];

    (void)state;
    for (size_t i = 0; i < 150; i++)
        targets[i] = i % 50 == 49 ? loopback(AF_INET, 0) : port.addr;
    struct udpbatch_tally tally =
        udpbatch_multi_target_send(own.fd, "payload", 7, targets, 150, NULL);
    expect_tally(&tally, 147, 3);
    assert_int_equal(tally.first_refused, 49);
    assert_int_equal(tally.first_error, EINVAL);
    for (size_t i = 0; i < 147; i++)
        expect_payload(port.fd, "payload", 7);
    expect_nothing(port.fd);
    port_close(&port);
    port_close(&own);
}

/* ---- What level 1 takes ---------------------------------------------------------------------- */

static struct {
    udpbatch_socket fd;
    union udpbatch_addr targets[200];
    int32_t status[200];
} level1;

static void begin_level1(struct port *port)
{
    *port = port_open(AF_INET);
    level1.fd = port_open(AF_INET).fd;
    for (size_t i = 0; i < 200; i++)
        level1.targets[i] = port->addr;
    make_packets(packets, 200, 100, &port->addr);
}

/* On some systems a call of theirs takes of the caller's stack. */
static void call_the_system(void)
{
    const union udpbatch_addr *to = packets[0].to;
    sendto(level1.fd, "payload", 7, 0, &to->sa, sizeof to->in4);
}

static void call_send(void)
{
    udpbatch_send(level1.fd, packets, 200);
}

static void call_multi_target_send(void)
{
    udpbatch_multi_target_send(level1.fd, "payload", 7, level1.targets, 200, level1.status);
}

static void level_1_takes_no_more_stack_than_is_said(void **state)
{
    enum { MOST = (IS_WINDOWS ? 32 : 16) * 1024 };
    struct port port;

    (void)state;
    if (SANITIZED) {
        print_message("cannot run here: a sanitizer has a stack of its own\n");
        skip();
    }
    begin_level1(&port);
    call_the_system(); /* the dynamic linker's own use of the stack is over now */
    call_send();
    call_multi_target_send();
    memset(level1.status, 0, sizeof level1.status);
    for (size_t i = 0; i < 200; i++)
        packets[i].status = 0;

    size_t system = stack_used(call_the_system);
    size_t batch = stack_used(call_send) - system;
    size_t multi_target = stack_used(call_multi_target_send) - system;
    expect_status(packets, 200, 1);
    assert_int_equal(level1.status[199], 1);
    assert_in_range(batch, 64, MOST);
    assert_in_range(multi_target, 64, MOST);
    port_close(&port);
    close_socket(level1.fd);
}

#if defined(__GLIBC__) && !SANITIZED
/* The allocator of this program: glibc's, counted. */
enum { IS_COUNTED = 1 };
static atomic_size_t allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    allocations++;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    allocations++;
    *memory = __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}
#else
enum { IS_COUNTED = 0 };
static size_t allocations;
#endif

static void nothing_but_open_allocates(void **state)
{
    struct port port;
    size_t before = allocations;

    need(IS_COUNTED, "a count of what is allocated");
    begin_level1(&port);
    struct sending sending = begin_on_loopback(state, AF_INET);
    if (sending.sender != NULL)
        assert_int_equal(allocations, before + 1);
    before = allocations;

    memset(level1.status, 0, sizeof level1.status);
    if (sending.sender == NULL)
        call_multi_target_send();
    struct udpbatch_tally tally = sending_send(&sending, packets, 200);
    assert_int_equal(sending_wait(&sending, &tally, 0), 0);
    sending_system_calls(&sending);
    assert_int_equal(allocations, before);
    assert_int_equal(tally.sent, 200);
    sending_end(&sending);
    port_close(&port);
    close_socket(level1.fd);
}

/* ---- Opening a sender ------------------------------------------------------------------------ */

static void expect_no_sender(udpbatch_socket fd, const struct udpbatch_sender_options *options,
                             int error)
{
    int got = 0;
    assert_null(udpbatch_sender_open(fd, options, &got));
    assert_int_equal(got, error);
    assert_null(udpbatch_sender_open(fd, options, NULL));
}

static void a_sender_wants_a_udp_socket(void **state)
{
    udpbatch_socket file = open_no_socket();
    udpbatch_socket stream = socket(AF_INET, SOCK_STREAM, 0);
    udpbatch_socket local = socket(AF_UNIX, SOCK_DGRAM, 0);           /* not everywhere */
    udpbatch_socket ping = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP); /* nor for everyone */

    (void)state;
    expect_no_sender(NO_SOCKET, NULL, ERROR_OF_CLOSED);
    expect_no_sender(file, NULL, ENOTSOCK);
    expect_no_sender(stream, NULL, EPROTOTYPE);
    if (local != NO_SOCKET)
        expect_no_sender(local, NULL, EAFNOSUPPORT);
    if (ping != NO_SOCKET)
        expect_no_sender(ping, NULL, EPROTONOSUPPORT);
    close_no_socket(file);
    close_socket(stream);
    close_socket(local);
    close_socket(ping);
    expect_no_sender(stream, NULL, ERROR_OF_CLOSED);
}

static void expect_sender(udpbatch_socket fd, const struct udpbatch_sender_options *options,
                          const char *backend)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    int error = -1;
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, options, &error);
    assert_non_null(sender);
    assert_int_equal(error, 0);
    udpbatch_sender_stats(sender, &stats);
    assert_string_equal(stats.backend, backend);
    udpbatch_sender_close(sender);
}

static void options_may_be_older_or_newer_than_the_library(void **state)
{
    struct port port = port_open(AF_INET);
    const char *best = udpbatch_backend_name(0);
    struct {
        struct udpbatch_sender_options known;
        long later;
    } options = { .known = { .size = sizeof options } };

    (void)state;
    expect_sender(port.fd, NULL, best);
    expect_sender(port.fd, &options.known, best);
    options.later = 1;
    expect_no_sender(port.fd, &options.known, E2BIG);
    options.known.size = sizeof options.known;
    expect_sender(port.fd, &options.known, best);
    options.known.backend = "none of this name";
    expect_no_sender(port.fd, &options.known, ENOENT);
    options.known.size = sizeof options.known.size; /* too short to have a back end */
    expect_sender(port.fd, &options.known, best);
    options.known.size = 0;
    expect_no_sender(port.fd, &options.known, EINVAL);
    port_close(&port);
}

static void every_back_end_is_opened_by_its_name(void **state)
{
    const struct way *way = *state;
    struct port port = port_open(AF_INET);
    struct udpbatch_sender_options options = { .size = sizeof options, .backend = way->backend };

    expect_sender(port.fd, &options, way->backend);
    port_close(&port);
}

static void closing_no_sender_is_allowed(void **state)
{
    (void)state;
    udpbatch_sender_close(NULL);
}

/* ---- Statistics ------------------------------------------------------------------------------ */

/* Trains of two: a shorter packet ends each. The first packet goes alone. */
enum { PAIRS = 99, SENDS_IN_PAIRS = 101 };

static void expect_sends_of_pairs(const struct udpbatch_sender_stats *stats, bool has_trains)
{
    assert_int_equal(stats->trains, has_trains ? PAIRS : 0);
    assert_int_equal(stats->sizes[0], has_trains ? 2 : 200);
    assert_int_equal(stats->sizes[1], has_trains ? PAIRS : 0);
    assert_in_range(stats->system_calls, 1, 200);
    if (strcmp(stats->backend, "sendmmsg") == 0)
        assert_int_equal(stats->system_calls, 1);
    if (strcmp(stats->backend, ONE_BY_ONE) == 0)
        assert_int_equal(stats->system_calls, has_trains ? SENDS_IN_PAIRS : 200);
}

static void the_statistics_add_up(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct port port = port_open(AF_INET);
    struct udpbatch_sender_stats stats = { .size = sizeof stats };

    make_packets(packets, 200, 100, &port.addr);
    for (size_t i = 0; i < 200; i += 2)
        packets[i].len = 50;
    sending_send(&sending, packets, 200);
    udpbatch_sender_stats(sending.sender, &stats);
    assert_int_equal(stats.packets, 200);
    assert_int_equal(stats.bytes, 100 * 100 + 100 * 50);
    expect_sends_of_pairs(&stats, can_have_trains(port.fd));
    assert_int_equal(stats.trains_split, 0);
    assert_int_equal(stats.refused, 0);
    assert_int_equal(stats.waits, 0);
    assert_string_equal(stats.backend, sending.way->backend);
    expect_arrival(&port, packets, 200);

    union udpbatch_addr nowhere = loopback(AF_INET, 0);
    make_packets(packets, 10, 100, &port.addr);
    packets[2].to = packets[9].to = &nowhere;
    packets[5].data = NULL; /* refused before it costs anything */
    sending_send(&sending, packets, 10);
    udpbatch_sender_stats(sending.sender, &stats);
    assert_int_equal(stats.packets, 207);
    assert_int_equal(stats.bytes, 100 * 150 + 700);
    assert_int_equal(stats.refused, 3);
    expect_arrival(&port, packets, 10);

    close_socket(sending.fd);
    make_packets(packets, 10, 100, NULL);
    sending_send(&sending, packets, 10);
    udpbatch_sender_stats(sending.sender, &stats);
    assert_int_equal(stats.refused, 13);
    assert_int_equal(stats.packets, 207);
    port_close(&port);
    sending_end(&sending);
}

static void statistics_may_be_older_or_newer_than_the_library(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct {
        struct udpbatch_sender_stats known;
        long later;
    } stats = { .known = { .size = sizeof stats }, .later = 7 };

    make_packets(packets, 3, 10, NULL);
    sending_send(&sending, packets, 3);
    udpbatch_sender_stats(sending.sender, &stats.known);
    assert_int_equal(stats.known.size, sizeof stats);
    assert_int_equal(stats.known.refused, 3);
    assert_int_equal(stats.later, 0);

    stats.known.size = offsetof(struct udpbatch_sender_stats, refused);
    stats.known.refused = 77;
    udpbatch_sender_stats(sending.sender, &stats.known);
    assert_int_equal(stats.known.refused, 77);
    sending_end(&sending);
}

static void waiting_for_nothing_returns_at_once(void **state)
{
    struct sending sending = begin_on_loopback(state, AF_INET);
    struct udpbatch_sender_stats stats = { .size = sizeof stats };

    assert_int_equal(udpbatch_sender_wait(sending.sender, -1), 0);
    udpbatch_sender_stats(sending.sender, &stats);
    assert_int_equal(stats.waits, 0);
    sending_end(&sending);
}

static void the_library_is_of_the_version_of_its_header(void **state)
{
    (void)state;
    assert_string_equal(udpbatch_version(), UDPBATCH_VERSION);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_WAY(thirty_two_packets_arrive_at_one_receiver),
        TEST_EACH_WAY(packets_in_turn_to_two_receivers_arrive_at_their_own),
        TEST_EACH_WAY(one_payload_arrives_at_four_receivers),
        TEST_EACH_WAY(an_ipv6_address_on_an_ipv4_socket_is_refused_alone),
        TEST_EACH_WAY(broadcast_addresses_without_permission_are_refused_alone),
        TEST_EACH_WAY(every_kind_of_ipv4_socket_sends),
        TEST_EACH_WAY(every_kind_of_ipv6_socket_sends),
        TEST_EACH_WAY(a_connected_socket_sends_to_its_peer_and_to_addresses_in_one_call),
        TEST_EACH_WAY(no_packets_are_no_work),
        TEST_EACH_WAY(five_thousand_packets_go_in_one_call),
        TEST_EACH_WAY(one_payload_goes_to_five_thousand_targets_in_one_call),
        TEST_EACH_WAY(packets_to_one_destination_leave_in_the_order_of_the_array),
        TEST_EACH_WAY(empty_payloads_arrive_as_empty_datagrams),
        TEST_EACH_WAY(the_longest_ipv4_payload_arrives_and_a_longer_one_is_refused),
        TEST_EACH_WAY(the_longest_ipv6_payload_arrives_and_a_longer_one_is_refused),
        TEST_EACH_WAY(a_header_of_its_own_goes_before_a_shared_body),
        TEST_EACH_WAY(a_payload_has_at_most_1024_pieces_and_may_have_none),
        TEST_EACH_WAY(pieces_that_are_too_long_together_are_refused),
        TEST_EACH_WAY(missing_memory_is_refused_as_a_bad_address),
        TEST_EACH_WAY(an_address_of_another_family_is_refused_alone),
        TEST_EACH_WAY(port_zero_is_refused_alone),
        TEST_EACH_WAY(packets_with_meta_that_nobody_knows_are_refused_alone),
        TEST_EACH_WAY(a_packet_by_an_interface_is_from_the_address_of_its_socket),
        TEST_EACH_WAY(a_mapped_packet_by_an_interface_is_from_the_address_of_its_socket),
        TEST_EACH_WAY(a_closed_descriptor_refuses_all),
        TEST_EACH_WAY(a_closed_descriptor_costs_one_call),
        TEST_EACH_WAY(a_descriptor_that_is_no_socket_refuses_all),
        TEST_ONCE(level_1_refuses_all_by_what_is_no_socket),
        TEST_EACH_WAY(a_socket_shut_down_refuses_all),
        TEST_EACH_WAY(without_a_peer_packets_without_address_are_refused_and_the_others_go),
        TEST_EACH_WAY(without_an_ipv6_peer_it_is_the_same),
        TEST_EACH_WAY(packets_that_have_a_status_are_not_sent_again),
        TEST_EACH_WAY(targets_that_have_a_status_are_not_sent_to_again),
        TEST_ONCE(a_multi_target_send_without_statuses_sends_to_all),
        TEST_ONCE(level_1_takes_no_more_stack_than_is_said),
        TEST_EACH_WAY(nothing_but_open_allocates),
        TEST_ONCE(a_sender_wants_a_udp_socket),
        TEST_ONCE(options_may_be_older_or_newer_than_the_library),
        TEST_EACH_BACKEND(every_back_end_is_opened_by_its_name),
        TEST_ONCE(closing_no_sender_is_allowed),
        TEST_EACH_BACKEND(the_statistics_add_up),
        TEST_EACH_BACKEND(statistics_may_be_older_or_newer_than_the_library),
        TEST_EACH_BACKEND(waiting_for_nothing_returns_at_once),
        TEST_ONCE(the_library_is_of_the_version_of_its_header),
    };
    return run_all("loopback", tests, COUNT_OF(tests));
}
