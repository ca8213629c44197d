/* test_receiver_trains.c: what the kernel hands over as trains is given out as the packets that
 * were sent, by every back end. */
#define _GNU_SOURCE
#include "receiving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* linux/udp.h, which older libcs' netinet/udp.h is behind. */
enum { SEGMENT_OPTION = 103, GRO_OPTION = 104 };

enum { EXIT_SKIP = 77, LONGEST = 65535 - 14 - 20 - 8 };

/* ---- What was sent, packet by packet --------------------------------------------------------- */

struct sent {
    const unsigned char *data;
    size_t len;
    const union udpbatch_addr *from;
};

static unsigned char bytes[65536];
static struct sent sent[MANY];
static size_t sent_count, received_count;
static struct udpbatch_received received[MANY];

static struct receiving begin(void **state, int family, struct udpbatch_receiver_options options)
{
    sent_count = received_count = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 251);
    return receiving_begin(state, family, options);
}

static void note(const unsigned char *data, size_t len, const union udpbatch_addr *from)
{
    assert_true(sent_count < MANY);
    sent[sent_count++] = (struct sent){ data, len, from };
}

/* Sends `len` bytes, not those of the last time, as one train of such segments. */
static void send_train_from(struct receiving *receiving, const struct port *from, size_t len,
                            uint16_t segment)
{
    const unsigned char *data = bytes + sent_count % 200;
    struct iovec payload = { (void *)(uintptr_t)data, len };
    union {
        struct cmsghdr header;
        unsigned char room[CMSG_SPACE(sizeof segment)];
    } control = { .header = { .cmsg_len = CMSG_LEN(sizeof segment),
                              .cmsg_level = IPPROTO_UDP,
                              .cmsg_type = SEGMENT_OPTION } };
    struct msghdr message = { .msg_name = &receiving->port.addr,
                              .msg_namelen = sizeof receiving->port.addr,
                              .msg_iov = &payload,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof control };

    memcpy(CMSG_DATA(&control.header), &segment, sizeof segment);
    receiving_send_by(receiving, from->fd, &message);
    for (size_t at = 0; at < len; at += segment)
        note(data + at, len - at < segment ? len - at : segment, &from->addr);
}

static void send_train(struct receiving *receiving, size_t len, uint16_t segment)
{
    send_train_from(receiving, &receiving->from, len, segment);
}

static void send_single(struct receiving *receiving, size_t len)
{
    const unsigned char *data = bytes + sent_count % 200;
    receiving_send(receiving, data, len);
    note(data, len, &receiving->from.addr);
}

/* ---- What was received ----------------------------------------------------------------------- */

/* Checks a packet against the one that was sent, of which so many bytes are kept. */
static void expect_packet(const struct udpbatch_received *packet, const struct sent *original,
                          size_t kept)
{
    assert_int_equal(packet->len, original->len < kept ? original->len : kept);
    assert_int_equal(packet->truncated, original->len > kept);
    assert_memory_equal(packet->data, original->data, packet->len);
    assert_true(same_address(packet->from, original->from));
    assert_null(packet->meta);
}

/* Receives once, at most n, and expects the packets that come next of those sent. */
static size_t expect_next(struct receiving *receiving, size_t n, size_t kept)
{
    int count = receiving_receive(receiving, received, n);
    assert_in_range(count, 1, n);
    for (size_t i = 0; i < (size_t)count; i++)
        expect_packet(&received[i], &sent[received_count++], kept);
    return (size_t)count;
}

/* All that was sent, and nothing else. */
static void expect_all(struct receiving *receiving)
{
    while (received_count < sent_count)
        expect_next(receiving, MANY, SIZE_MAX);
    assert_int_equal(udpbatch_receiver_receive(receiving->receiver, received, MANY), -EAGAIN);
}

static uint64_t trains_of(struct receiving *receiving)
{
    return receiver_stats(receiving->receiver).trains;
}

static uint64_t system_calls_of(struct receiving *receiving)
{
    return receiver_stats(receiving->receiver).system_calls;
}

/* ---- Trains of every kind -------------------------------------------------------------------- */

static const struct udpbatch_receiver_options defaults;

static void receive_trains(void **state, int family, size_t len, uint16_t segment)
{
    struct receiving receiving = begin(state, family, defaults);

    send_train(&receiving, len, segment);
    assert_int_equal(expect_next(&receiving, MANY, SIZE_MAX), sent_count);
    expect_all(&receiving);
    struct udpbatch_receiver_stats stats = receiver_stats(receiving.receiver);
    assert_int_equal(stats.trains, 1);
    assert_int_equal(stats.packets, sent_count);
    assert_int_equal(stats.bytes, len);
    assert_int_equal(stats.truncated, 0);
    receiving_end(&receiving);
}

static void a_train_is_given_out_as_its_packets(void **state)
{
    receive_trains(state, AF_INET, 10 * 100, 100);
}

static void a_train_of_ipv6_is_given_out_as_its_packets(void **state)
{
    need_family(AF_INET6);
    receive_trains(state, AF_INET6, 10 * 100, 100);
}

static void the_last_packet_of_a_train_may_be_shorter(void **state)
{
    receive_trains(state, AF_INET, 10 * 100 + 1, 100);
    receive_trains(state, AF_INET, 100 + 99, 100);
}

static void packets_of_a_train_may_be_of_one_byte(void **state)
{
    receive_trains(state, AF_INET, 64, 1);
}

/* With its headers, Ethernet's included, it is shorter than 65536; or Linux cuts it on its way. */
static void the_longest_train_is_given_out_whole(void **state)
{
    receive_trains(state, AF_INET, LONGEST, 1400);
}

static void a_single_datagram_is_no_train(void **state)
{
    struct receiving receiving = begin(state, AF_INET, defaults);

    send_single(&receiving, 100);
    send_train(&receiving, 100, 100);
    send_train(&receiving, 100, 1000);
    expect_all(&receiving);
    assert_int_equal(trains_of(&receiving), 0);
    receiving_end(&receiving);
}

static void several_trains_are_given_out_by_one_call(void **state)
{
    struct receiving receiving = begin(state, AF_INET, defaults);

    send_train(&receiving, 10 * 100, 100);
    send_train(&receiving, 20 * 90 + 5, 90);
    assert_int_equal(expect_next(&receiving, MANY, SIZE_MAX), 10 + 21);
    expect_all(&receiving);
    assert_int_equal(trains_of(&receiving), 2);
    receiving_end(&receiving);
}

static void empty_datagrams_come_between_trains(void **state)
{
    struct receiving receiving = begin(state, AF_INET, defaults);

    send_single(&receiving, 0);
    send_train(&receiving, 3 * 100, 100);
    send_single(&receiving, 0);
    send_single(&receiving, 0);
    send_train(&receiving, 2 * 100, 100);
    assert_int_equal(expect_next(&receiving, MANY, SIZE_MAX), 1 + 3 + 2 + 2);
    expect_all(&receiving);
    receiving_end(&receiving);
}

static void each_train_has_its_own_source(void **state)
{
    struct receiving receiving = begin(state, AF_INET, defaults);
    struct port other = port_open(AF_INET);

    send_train(&receiving, 3 * 100, 100);
    send_train_from(&receiving, &other, 3 * 100, 100);
    send_train(&receiving, 3 * 100, 100);
    assert_int_equal(expect_next(&receiving, MANY, SIZE_MAX), 9);
    port_close(&other);
    receiving_end(&receiving);
}

static void without_trains_the_same_packets_come(void **state)
{
    struct udpbatch_receiver_options options = { .trains = UDPBATCH_TRAINS_OFF };
    struct receiving receiving = begin(state, AF_INET, options);

    send_train(&receiving, 10 * 100 + 1, 100);
    send_single(&receiving, 0);
    expect_all(&receiving);
    assert_int_equal(trains_of(&receiving), 0);
    receiving_end(&receiving);
}

/* ---- More packets than are asked for --------------------------------------------------------- */

static void what_is_left_of_trains_takes_no_system_call(void **state)
{
    struct receiving receiving = begin(state, AF_INET, defaults);

    send_train(&receiving, 30 * 100, 100);
    send_single(&receiving, 0);
    send_train(&receiving, 29 * 100 + 1, 100);
    assert_int_equal(expect_next(&receiving, 7, SIZE_MAX), 7);
    assert_int_equal(receiver_stats(receiving.receiver).held, 61 - 7);
    uint64_t system_calls = system_calls_of(&receiving);
    send_single(&receiving, 50); /* not before all that is left is given out */
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(expect_next(&receiving, 7, SIZE_MAX), 7);
    assert_int_equal(expect_next(&receiving, 100, SIZE_MAX), 61 - 8 * 7);
    assert_int_equal(system_calls_of(&receiving), system_calls);
    assert_int_equal(expect_next(&receiving, 100, SIZE_MAX), 1);
    expect_all(&receiving);
    receiving_end(&receiving);
}

static void a_wait_does_not_wait_while_packets_are_left(void **state)
{
    struct receiving receiving = begin(state, AF_INET, defaults);

    send_train(&receiving, 2 * 100, 100);
    assert_int_equal(expect_next(&receiving, 1, SIZE_MAX), 1);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, 0), 0);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, PATIENCE_MS), 0);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 0), 0);
    assert_int_equal(expect_next(&receiving, 1, SIZE_MAX), 1);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, 0), -ETIMEDOUT);
    receiving_end(&receiving);
}

/* Two datagrams are not read for one packet: the second is the next reader's. */
static void no_more_messages_are_read_than_packets_asked_for(void **state)
{
    struct receiving receiving = begin(state, AF_INET, defaults);

    send_single(&receiving, 100);
    send_train(&receiving, 5 * 100, 100);
    assert_int_equal(expect_next(&receiving, 1, SIZE_MAX), 1);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, 0), 0);
    udpbatch_receiver_close(receiving.receiver);
    receiving.receiver = receiver_open(state, receiving.port.fd, defaults);
    expect_all(&receiving);
    receiving_end(&receiving);
}

/* ---- The packet size ------------------------------------------------------------------------- */

static void packets_of_a_train_are_cut_one_by_one(void **state)
{
    struct udpbatch_receiver_options options = { .packet_size = 60 };
    struct receiving receiving = begin(state, AF_INET, options);

    send_train(&receiving, 5 * 100 + 60, 100);
    send_train(&receiving, 5 * 60, 60);
    send_single(&receiving, 61);
    assert_int_equal(expect_next(&receiving, MANY, 60), 6 + 5 + 1);
    struct udpbatch_receiver_stats stats = receiver_stats(receiving.receiver);
    assert_int_equal(stats.truncated, 5 + 1);
    assert_int_equal(stats.bytes, (6 + 5 + 1) * 60);
    receiving_end(&receiving);
}

static void a_train_is_whole_whatever_the_packet_size(void **state)
{
    struct udpbatch_receiver_options options = { .packet_size = 1400, .batch = 1 };
    struct receiving receiving = begin(state, AF_INET, options);

    send_train(&receiving, LONGEST, 1400);
    expect_all(&receiving);
    assert_int_equal(trains_of(&receiving), 1);
    assert_int_equal(receiver_stats(receiving.receiver).truncated, 0);
    receiving_end(&receiving);
}

static void without_trains_packets_are_cut_the_same(void **state)
{
    struct udpbatch_receiver_options options = { .packet_size = 60, .trains = UDPBATCH_TRAINS_OFF };
    struct receiving receiving = begin(state, AF_INET, options);

    send_train(&receiving, 5 * 100 + 60, 100);
    assert_int_equal(expect_next(&receiving, MANY, 60), 6);
    assert_int_equal(receiver_stats(receiving.receiver).truncated, 5);
    receiving_end(&receiving);
}

/* Trains that come though they are not expected find room for a single packet only. */
static void of_a_train_that_is_cut_the_last_packet_says_so(void **state)
{
    struct udpbatch_receiver_options options = { .packet_size = 250,
                                                 .trains = UDPBATCH_TRAINS_OFF };
    struct receiving receiving = begin(state, AF_INET, options);

    set_option(receiving.port.fd, IPPROTO_UDP, GRO_OPTION, 1);
    send_train(&receiving, 5 * 100, 100);
    assert_int_equal(receiving_receive(&receiving, received, MANY), 3);
    expect_packet(&received[0], &sent[0], SIZE_MAX);
    expect_packet(&received[1], &sent[1], SIZE_MAX);
    expect_packet(&received[2], &sent[2], 50);
    receiving_end(&receiving);
}

/* ---- The socket's option --------------------------------------------------------------------- */

static void expect_option(void **state, int before, enum udpbatch_trains trains, int while_open)
{
    struct port port = port_open(AF_INET);
    struct udpbatch_receiver_options options = { .trains = trains };

    set_option(port.fd, IPPROTO_UDP, GRO_OPTION, before);
    struct udpbatch_receiver *receiver = receiver_open(state, port.fd, options);
    assert_int_equal(option_of(port.fd, IPPROTO_UDP, GRO_OPTION), while_open);
    udpbatch_receiver_close(receiver);
    assert_int_equal(option_of(port.fd, IPPROTO_UDP, GRO_OPTION), before);
    port_close(&port);
}

static void trains_are_on_while_the_receiver_is_open(void **state)
{
    expect_option(state, 0, UDPBATCH_TRAINS_AUTO, 1);
    expect_option(state, 1, UDPBATCH_TRAINS_AUTO, 1);
    expect_option(state, 0, UDPBATCH_TRAINS_ALWAYS, 1);
}

static void trains_are_off_while_the_receiver_wants_none(void **state)
{
    expect_option(state, 0, UDPBATCH_TRAINS_OFF, 0);
    expect_option(state, 1, UDPBATCH_TRAINS_OFF, 0);
}

static bool kernel_has_trains(void)
{
    struct port port = port_open(AF_INET);
    bool has = setsockopt(port.fd, IPPROTO_UDP, GRO_OPTION, &(int){ 1 }, sizeof(int)) == 0;
    port_close(&port);
    return has;
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_BACKEND(a_train_is_given_out_as_its_packets),
        TEST_EACH_BACKEND(a_train_of_ipv6_is_given_out_as_its_packets),
        TEST_EACH_BACKEND(the_last_packet_of_a_train_may_be_shorter),
        TEST_EACH_BACKEND(packets_of_a_train_may_be_of_one_byte),
        TEST_EACH_BACKEND(the_longest_train_is_given_out_whole),
        TEST_EACH_BACKEND(a_single_datagram_is_no_train),
        TEST_EACH_BACKEND(several_trains_are_given_out_by_one_call),
        TEST_EACH_BACKEND(empty_datagrams_come_between_trains),
        TEST_EACH_BACKEND(each_train_has_its_own_source),
        TEST_EACH_BACKEND(without_trains_the_same_packets_come),
        TEST_EACH_BACKEND(what_is_left_of_trains_takes_no_system_call),
        TEST_EACH_BACKEND(a_wait_does_not_wait_while_packets_are_left),
        TEST_EACH_BACKEND(no_more_messages_are_read_than_packets_asked_for),
        TEST_EACH_BACKEND(packets_of_a_train_are_cut_one_by_one),
        TEST_EACH_BACKEND(a_train_is_whole_whatever_the_packet_size),
        TEST_EACH_BACKEND(without_trains_packets_are_cut_the_same),
        TEST_EACH_BACKEND(of_a_train_that_is_cut_the_last_packet_says_so),
        TEST_EACH_BACKEND(trains_are_on_while_the_receiver_is_open),
        TEST_EACH_BACKEND(trains_are_off_while_the_receiver_wants_none),
    };
    if (!kernel_has_trains())
        return must_be_able("no UDP_GRO in this kernel") ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("receiver_trains", tests, COUNT_OF(tests));
}
