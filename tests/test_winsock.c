/* test_winsock.c: what Winsock is asked, and what its answers mean; for Windows, whose offloads and
 * faults are made up here. */
#include "fake_winsock.h"

#include "support.h"

static udpbatch_socket sockets[2]; /* unconnected, connected */
static union udpbatch_addr target;
static struct udpbatch_packet packets[FAKE_CALLS];
static const unsigned char bytes[FAKE_BYTES] = "what is sent, and what arrives";

/* n packets of so many bytes behind one another, to one target or the peer. */
static void fill(size_t n, uint32_t len, const union udpbatch_addr *to)
{
    for (size_t i = 0; i < n; i++)
        packets[i] = (struct udpbatch_packet){ .data = bytes + i, .len = len, .to = to };
}

static struct udpbatch_tally send_by(udpbatch_socket fd, size_t n)
{
    return udpbatch_send(fd, packets, n);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/* What comes of a packet whose send meets an error for good: its status, or what left it unsent. */
static int error_of_send(int winsock, bool is_connected)
{
    fake_begin();
    fake.send_error = winsock;
    fill(1, 10, is_connected ? NULL : &target);
    struct udpbatch_tally tally = send_by(sockets[is_connected], 1);
    assert_int_equal(tally.sent, 0);
    return tally.unsent > 0 ? tally.unsent_error : -packets[0].status;
}

static void every_error_has_the_errno_and_the_meaning_that_posix_gives_it(void **state)
{
    static const struct {
        int winsock, posix;
        enum udpbatch_meaning meaning;
    } table[] = {
        { WSAEWOULDBLOCK, EAGAIN, UDPBATCH_BUSY },
        { WSAENOBUFS, ENOBUFS, UDPBATCH_BUSY },
        { WSA_NOT_ENOUGH_MEMORY, ENOMEM, UDPBATCH_BUSY },
        { WSAETIMEDOUT, EAGAIN, UDPBATCH_BUSY },
        { WSAEMSGSIZE, EMSGSIZE, UDPBATCH_PACKET },
        { WSAEFAULT, EFAULT, UDPBATCH_PACKET },
        { WSAEOPNOTSUPP, EOPNOTSUPP, UDPBATCH_PACKET },
        { WSAEACCES, EACCES, UDPBATCH_TARGET },
        { WSAEINVAL, EINVAL, UDPBATCH_TARGET },
        { WSAEADDRNOTAVAIL, EADDRNOTAVAIL, UDPBATCH_TARGET },
        { WSAEAFNOSUPPORT, EAFNOSUPPORT, UDPBATCH_TARGET },
        { WSAENETUNREACH, ENETUNREACH, UDPBATCH_TARGET },
        { WSAEHOSTUNREACH, EHOSTUNREACH, UDPBATCH_TARGET },
        { WSAEHOSTDOWN, EHOSTUNREACH, UDPBATCH_TARGET },
        { WSAENETDOWN, ENETDOWN, UDPBATCH_TARGET },
        { WSAECONNRESET, ECONNREFUSED, UDPBATCH_TARGET },
        { WSAECONNREFUSED, ECONNREFUSED, UDPBATCH_TARGET },
        { WSAENETRESET, EHOSTUNREACH, UDPBATCH_TARGET },
        { WSAENOTSOCK, ENOTSOCK, UDPBATCH_SOCKET },
        { WSAEBADF, EBADF, UDPBATCH_SOCKET },
        { WSANOTINITIALISED, ENOTSOCK, UDPBATCH_SOCKET },
        { WSAESHUTDOWN, EPIPE, UDPBATCH_SOCKET },
        { WSASYSCALLFAILURE, EIO, UDPBATCH_PACKET },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        for (int is_connected = 0; is_connected < 2; is_connected++) {
            int error = error_of_send(table[i].winsock, is_connected != 0);
            if (error != table[i].posix)
                fail_msg("%d is %d and not %d", table[i].winsock, error, table[i].posix);
            assert_int_equal(udpbatch_error_meaning(error), table[i].meaning);
        }
}

static void an_interrupted_send_is_made_again(void **state)
{
    (void)state;
    fake_begin();
    fake.send_errors[0] = fake.send_errors[1] = WSAEINTR;
    fill(1, 10, &target);
    assert_int_equal(send_by(sockets[0], 1).sent, 1);
    assert_int_equal(fake.send_count, 3);
}

/* What an earlier datagram has met comes to any socket, connected or not. */
static void what_icmp_brings_is_not_the_packets_that_hears_of_it(void **state)
{
    static const int errors[] = { WSAECONNRESET, WSAENETRESET, WSAEHOSTUNREACH, WSAENETUNREACH };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(errors); i++)
        for (int is_connected = 0; is_connected < 2; is_connected++) {
            fake_begin();
            fake.send_errors[1] = errors[i];
            fake.no_uso = WSAEINVAL;
            fill(3, 10, is_connected ? NULL : &target);
            assert_int_equal(send_by(sockets[is_connected], 3).sent, 3);
            assert_int_equal(fake.send_count, 4);
        }
}

/* Windows says that the socket is not connected, Wine that something is invalid. */
static void without_a_peer_packets_without_address_are_refused_and_the_others_go(void **state)
{
    static const int errors[] = { WSAENOTCONN, WSAEINVAL, WSAEDESTADDRREQ };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        fake_begin();
        fake.no_uso = WSAEINVAL;
        fill(4, 10, &target);
        packets[1].to = packets[3].to = NULL;
        fake.send_errors[1] = errors[i];
        struct udpbatch_tally tally = send_by(sockets[0], 4);
        assert_int_equal(tally.sent, 2);
        assert_int_equal(packets[1].status, -EDESTADDRREQ);
        assert_int_equal(packets[3].status, -EDESTADDRREQ);
    }
}

/* Which Windows has several words for, and Wine others. */
static void an_address_of_another_family_is_refused_as_such(void **state)
{
    static const int errors[] = { WSAEOPNOTSUPP, WSAEFAULT, WSAEAFNOSUPPORT, WSAEINVAL };
    const union udpbatch_addr six = loopback(AF_INET6, 9);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        fake_begin();
        fake.send_error = errors[i];
        fill(1, 10, &six);
        send_by(sockets[0], 1);
        assert_int_equal(packets[0].status, -EAFNOSUPPORT);
    }
}

/* As sendto would do by itself. */
static void an_unbound_socket_gets_an_address_where_a_send_wants_one(void **state)
{
    udpbatch_socket fd = socket(AF_INET, SOCK_DGRAM, 0);
    union udpbatch_addr own = { .sa = { .sa_family = AF_UNSPEC } };
    socklen_t len = sizeof own;

    (void)state;
    fake_begin();
    fake.send_errors[0] = WSAEINVAL;
    fill(2, 10, &target);
    packets[1].len = 20;
    assert_int_equal(send_by(fd, 2).sent, 2);
    assert_int_equal(fake.send_count, 3);
    assert_int_equal(getsockname(fd, &own.sa, &len), 0);
    assert_int_not_equal(own.in4.sin_port, 0);
    closesocket(fd);
}

/* ---- Messages -------------------------------------------------------------------------------- */

static void expect_send(size_t i, const void *data, size_t len, const union udpbatch_addr *to)
{
    const struct fake_send *send = &fake.sends[i];

    assert_true(i < fake.send_count);
    assert_int_equal(send->len, len);
    assert_memory_equal(send->bytes, data, len);
    assert_int_equal(send->to_len, to == NULL                    ? 0
                                   : to->sa.sa_family == AF_INET ? sizeof to->in4
                                                                 : sizeof to->in6);
    if (to != NULL)
        assert_memory_equal(&send->to, to, (size_t)send->to_len);
}

static void payload_and_address_are_handed_over_as_they_are(void **state)
{
    const union udpbatch_addr six = loopback(AF_INET6, 9);
    const struct udpbatch_piece pieces[] = { { "head", 4 }, { NULL, 0 }, { bytes, 300 } };

    (void)state;
    fake_begin();
    packets[0] = (struct udpbatch_packet){ .data = bytes, .len = 30, .to = &target };
    packets[1] = (struct udpbatch_packet){ .data = "", .len = 0, .to = &target };
    packets[2] = (struct udpbatch_packet){ .data = bytes, .len = 31, .to = NULL };
    packets[3] = (struct udpbatch_packet){ .data = bytes, .len = 32, .to = &six };
    packets[4] =
        (struct udpbatch_packet){ .data = pieces, .len = UDPBATCH_PIECES(3), .to = &target };
    assert_int_equal(send_by(sockets[1], 5).sent, 5);
    assert_int_equal(fake.send_count, 5);
    expect_send(0, bytes, 30, &target);
    expect_send(1, bytes, 0, &target);
    expect_send(2, bytes, 31, NULL);
    expect_send(3, bytes, 32, &six);
    assert_int_equal(fake.sends[4].len, 304);
    assert_memory_equal(fake.sends[4].bytes, "head", 4);
    assert_memory_equal(fake.sends[4].bytes + 4, bytes, 300);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(fake.sends[i].controls, 0);
}

/* ---- Trains ---------------------------------------------------------------------------------- */

static void a_train_is_one_send_that_says_the_size_of_its_packets(void **state)
{
    (void)state;
    fake_begin();
    fill(10, 50, &target);
    for (size_t i = 0; i < 10; i++)
        packets[i].data = bytes + 50 * i;
    packets[9].len = 20;
    assert_int_equal(send_by(sockets[0], 10).sent, 10);
    assert_int_equal(fake.send_count, 1);
    expect_send(0, bytes, 9 * 50 + 20, &target);
    assert_int_equal(fake.sends[0].segment, 50);
    assert_int_equal(fake.sends[0].controls, 1);
    assert_int_equal(fake.uso_sets, 0); /* which would cut what others send, too */
}

/* Some systems refuse the size for one. */
static void a_packet_alone_says_no_size(void **state)
{
    (void)state;
    fake_begin();
    fill(3, 50, &target);
    packets[1].len = 60;
    packets[2].len = 70;
    assert_int_equal(send_by(sockets[0], 3).sent, 3);
    assert_int_equal(fake.send_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(fake.sends[i].controls, 0);
}

/* Wine, and Windows before 10 version 2004, ignore what they do not know of a message, and would
 * send a train as one datagram. */
static void without_the_option_there_are_no_trains(void **state)
{
    static const int errors[] = { WSAEINVAL, WSAENOPROTOOPT, WSAEOPNOTSUPP };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        fake_begin();
        fake.no_uso = errors[i];
        fill(10, 50, &target);
        assert_int_equal(send_by(sockets[0], 10).sent, 10);
        assert_int_equal(fake.send_count, 10);
        for (size_t k = 0; k < 10; k++)
            assert_int_equal(fake.sends[k].controls, 0);
    }
}

static void a_train_that_is_refused_leaves_as_its_packets(void **state)
{
    static const int errors[] = { WSAEINVAL, WSAEMSGSIZE, WSAEOPNOTSUPP, WSAENOBUFS, WSAEFAULT };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        fake_begin();
        for (size_t again = 0; again < 2; again++) /* what may be another's is asked again */
            fake.send_errors[again] = errors[i];
        fill(10, 50, &target);
        size_t asked_again = errors[i] == WSAEMSGSIZE || errors[i] == WSAEOPNOTSUPP;
        fake.send_errors[1] = asked_again != 0 ? errors[i] : 0;
        assert_int_equal(send_by(sockets[0], 10).sent, 10);
        assert_int_equal(fake.send_count, 1 + asked_again + 10);
        for (size_t k = 0; k < 10; k++)
            expect_send(1 + asked_again + k, bytes + k, 50, &target);
    }
}

static void a_full_socket_leaves_the_rest_unsent(void **state)
{
    (void)state;
    fake_begin();
    fill(200, 5, &target);
    fake.send_errors[1] = WSAEWOULDBLOCK;
    struct udpbatch_tally tally = send_by(sockets[0], 200);
    assert_int_equal(tally.sent, 64); /* a train */
    assert_int_equal(tally.unsent, 136);
    assert_int_equal(tally.unsent_error, EAGAIN);
    assert_int_equal(send_by(sockets[0], 200).sent, 200);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static struct udpbatch_sender *begin_full(void)
{
    struct udpbatch_sender *sender = udpbatch_sender_open(sockets[0], NULL, NULL);

    assert_non_null(sender);
    fake_begin();
    fake.send_error = WSAEWOULDBLOCK;
    fill(1, 10, &target);
    assert_int_equal(udpbatch_sender_send(sender, packets, 1).unsent_error, EAGAIN);
    return sender;
}

static void a_sender_waits_until_its_socket_may_be_written(void **state)
{
    struct udpbatch_sender *sender = begin_full();

    (void)state;
    fake.events = POLLOUT;
    assert_int_equal(udpbatch_sender_wait(sender, 500), 0);
    assert_int_equal(fake.polled, POLLOUT);
    assert_in_range(fake.poll_timeout_ms, 400, 500); /* what is left of it */
    assert_int_equal(udpbatch_sender_wait(sender, -1), 0);
    assert_true(fake.poll_timeout_ms < 0);
    udpbatch_sender_close(sender);
}

static void a_sender_waits_no_longer_than_it_is_told(void **state)
{
    struct udpbatch_sender *sender = begin_full();

    (void)state;
    assert_int_equal(udpbatch_sender_wait(sender, 0), -ETIMEDOUT);
    udpbatch_sender_close(sender);
}

static void a_closed_socket_ends_a_wait(void **state)
{
    struct udpbatch_sender *sender = begin_full();

    (void)state;
    fake.poll_error = WSAENOTSOCK;
    assert_int_equal(udpbatch_sender_wait(sender, 500), -ERROR_OF_CLOSED);
    udpbatch_sender_close(sender);
}

/* ---- Receiving ------------------------------------------------------------------------------- */

static struct udpbatch_received received[64];

static struct udpbatch_receiver *open_receiver(enum udpbatch_trains trains, uint32_t packet_size)
{
    const struct udpbatch_receiver_options options = { .size = sizeof options,
                                                       .trains = trains,
                                                       .packet_size = packet_size };
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(sockets[0], &options, NULL);
    assert_non_null(receiver);
    return receiver;
}

static struct udpbatch_receiver *begin_receiving(void)
{
    fake_begin();
    return open_receiver(UDPBATCH_TRAINS_AUTO, 0);
}

static int receive(struct udpbatch_receiver *receiver)
{
    return udpbatch_receiver_receive(receiver, received, COUNT_OF(received));
}

static uint64_t calls_of(struct udpbatch_receiver *receiver)
{
    struct udpbatch_receiver_stats stats = { .size = sizeof stats };
    udpbatch_receiver_stats(receiver, &stats);
    return stats.system_calls;
}

/* Runs first: what has been found once is known to the process. */
static void a_system_without_the_call_to_receive_says_so(void **state)
{
    struct udpbatch_receiver *receiver = begin_receiving();

    (void)state;
    fake.has_no_receive = true;
    assert_int_equal(receive(receiver), -EOPNOTSUPP);
    fake.has_no_receive = false;
    assert_int_equal(receive(receiver), -EAGAIN);
    udpbatch_receiver_close(receiver);
}

/* So one that blocks does not wait for a second. */
static void datagrams_are_received_until_there_are_no_more(void **state)
{
    struct udpbatch_receiver *receiver = begin_receiving();

    (void)state;
    fake_arrive(bytes, 30, 0);
    fake_arrive(bytes, 0, 0);
    fake_arrive(bytes, 70, 0);
    fake.events = POLLERR; /* which is no datagram, but of Wine for ever */
    assert_int_equal(receive(receiver), 3);
    assert_int_equal(received[0].len, 30);
    assert_int_equal(received[1].len, 0);
    assert_int_equal(received[2].len, 70);
    assert_memory_equal(received[2].data, bytes, 70);
    assert_int_equal(received[2].from->in4.sin_port, htons(9));
    assert_int_equal(calls_of(receiver), 6); /* a look behind each */
    udpbatch_receiver_close(receiver);
}

static void an_error_behind_datagrams_takes_none_of_them_away(void **state)
{
    struct udpbatch_receiver *receiver = begin_receiving();

    (void)state;
    fake_arrive(bytes, 30, 0);
    fake_arrive_error(WSAECONNRESET);
    fake_arrive(bytes, 31, 0);
    int count = receive(receiver);
    assert_int_equal(count, 1);
    assert_int_equal(received[0].len, 30);
    for (count = receive(receiver); count < 0 && count != -EAGAIN; count = receive(receiver))
        assert_int_equal(count, -ECONNREFUSED);
    assert_int_equal(count, 1);
    assert_int_equal(received[0].len, 31);
    udpbatch_receiver_close(receiver);
}

static void a_datagram_that_is_too_long_is_cut_and_says_so(void **state)
{
    (void)state;
    for (int tells = 0; tells < 2; tells++) {
        fake_begin();
        fake.tells_truncation = tells != 0;
        struct udpbatch_receiver *receiver = open_receiver(UDPBATCH_TRAINS_AUTO, 50);
        fake_arrive(bytes, 51, 0);
        fake_arrive(bytes, 50, 0);
        assert_int_equal(receive(receiver), 2);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(received[i].len, 50);
            assert_int_equal(received[i].truncated, i == 0);
            assert_memory_equal(received[i].data, bytes, 50);
        }
        udpbatch_receiver_close(receiver);
    }
}

static void errors_of_receiving_have_the_errno_that_posix_gives_them(void **state)
{
    static const int table[][2] = {
        { WSAEWOULDBLOCK, EAGAIN },      { WSAETIMEDOUT, EAGAIN },       { WSAEINTR, EINTR },
        { WSAECONNRESET, ECONNREFUSED }, { WSAENETRESET, EHOSTUNREACH }, { WSAESHUTDOWN, EPIPE },
        { WSAENOTSOCK, ENOTSOCK },
    };
    struct udpbatch_receiver *receiver = begin_receiving();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        fake_arrive_error(table[i][0]);
        assert_int_equal(receive(receiver), -table[i][1]);
    }
    udpbatch_receiver_close(receiver);
}

/* ---- Trains that are received ---------------------------------------------------------------- */

static void trains_are_received_only_if_they_are_asked_for(void **state)
{
    (void)state;
    for (int trains = UDPBATCH_TRAINS_AUTO; trains <= UDPBATCH_TRAINS_ALWAYS; trains++) {
        fake_begin();
        struct udpbatch_receiver *receiver = open_receiver((enum udpbatch_trains)trains, 0);
        assert_int_equal(fake.uro != 0, trains == UDPBATCH_TRAINS_ALWAYS);
        udpbatch_receiver_close(receiver);
        assert_int_equal(fake.uro, 0);
    }
}

static void a_train_is_given_out_as_its_packets(void **state)
{
    fake_begin();
    struct udpbatch_receiver *receiver = open_receiver(UDPBATCH_TRAINS_ALWAYS, 0);

    (void)state;
    fake_arrive(bytes, 9 * 50 + 20, 50);
    fake_arrive(bytes, 7, 0);
    assert_int_equal(receive(receiver), 11);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(received[i].len, i < 9 ? 50 : 20);
        assert_memory_equal(received[i].data, bytes + 50 * i, received[i].len);
    }
    assert_int_equal(received[10].len, 7);
    udpbatch_receiver_close(receiver);
}

static void what_others_have_asked_for_is_passed_by(void **state)
{
    fake_begin();
    struct udpbatch_receiver *receiver = open_receiver(UDPBATCH_TRAINS_ALWAYS, 0);

    (void)state;
    fake_arrive(bytes, 100, 50);
    fake_arrive(bytes, 100, 0);
    fake.arrivals[0].has_others = fake.arrivals[1].has_others = true;
    assert_int_equal(receive(receiver), 3);
    assert_null(received[0].meta);
    assert_int_equal(received[2].len, 100);
    udpbatch_receiver_close(receiver);
}

static void without_the_option_a_receiver_receives_datagrams(void **state)
{
    fake_begin();
    fake.no_uro = WSAEINVAL;
    struct udpbatch_receiver *receiver = open_receiver(UDPBATCH_TRAINS_ALWAYS, 0);

    (void)state;
    fake_arrive(bytes, 30, 0);
    assert_int_equal(receive(receiver), 1);
    assert_int_equal(received[0].len, 30);
    udpbatch_receiver_close(receiver);
}

static int open_sockets(void **state)
{
    (void)state;
    begin_sockets();
    set_variable("UDPBATCH_GSO", NULL);
    target = loopback(AF_INET, 9);
    for (size_t i = 0; i < 2; i++)
        sockets[i] = port_open(AF_INET).fd;
    connect_to(sockets[1], &target);
    return 0;
}

static int close_sockets(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        close_socket(sockets[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_system_without_the_call_to_receive_says_so),
        cmocka_unit_test(every_error_has_the_errno_and_the_meaning_that_posix_gives_it),
        cmocka_unit_test(an_interrupted_send_is_made_again),
        cmocka_unit_test(what_icmp_brings_is_not_the_packets_that_hears_of_it),
        cmocka_unit_test(without_a_peer_packets_without_address_are_refused_and_the_others_go),
        cmocka_unit_test(an_address_of_another_family_is_refused_as_such),
        cmocka_unit_test(an_unbound_socket_gets_an_address_where_a_send_wants_one),
        cmocka_unit_test(payload_and_address_are_handed_over_as_they_are),
        cmocka_unit_test(a_train_is_one_send_that_says_the_size_of_its_packets),
        cmocka_unit_test(a_packet_alone_says_no_size),
        cmocka_unit_test(without_the_option_there_are_no_trains),
        cmocka_unit_test(a_train_that_is_refused_leaves_as_its_packets),
        cmocka_unit_test(a_full_socket_leaves_the_rest_unsent),
        cmocka_unit_test(a_sender_waits_until_its_socket_may_be_written),
        cmocka_unit_test(a_sender_waits_no_longer_than_it_is_told),
        cmocka_unit_test(a_closed_socket_ends_a_wait),
        cmocka_unit_test(datagrams_are_received_until_there_are_no_more),
        cmocka_unit_test(an_error_behind_datagrams_takes_none_of_them_away),
        cmocka_unit_test(a_datagram_that_is_too_long_is_cut_and_says_so),
        cmocka_unit_test(errors_of_receiving_have_the_errno_that_posix_gives_them),
        cmocka_unit_test(trains_are_received_only_if_they_are_asked_for),
        cmocka_unit_test(a_train_is_given_out_as_its_packets),
        cmocka_unit_test(what_others_have_asked_for_is_passed_by),
        cmocka_unit_test(without_the_option_a_receiver_receives_datagrams),
    };
    return cmocka_run_group_tests(tests, open_sockets, close_sockets);
}
