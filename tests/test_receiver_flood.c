/* test_receiver_flood.c: whatever anybody sends, of any length, as datagrams and trains, from
 * anywhere and with options of IP, comes out as the packets that were sent, cut where there is no
 * room.
 *
 * What a kernel could answer besides is in fuzz/fuzz_receive.c. What takes IPv6 options runs last,
 * in a network namespace: without one, the program exits with 77 after all others have passed, or
 * fails if CI is set.
 */
#define _GNU_SOURCE
#include "chance.h"
#include "own_space.h"
#include "receiving.h"

#include <net/if.h>
#include <netinet/ip.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* linux/udp.h, which older libcs' netinet/udp.h is behind. */
enum { SEGMENT_OPTION = 103, GRO_OPTION = 104, SEGMENTS_MOST = 64 };

/* A device that has offload takes a train whole if its frame is not longer than 65535 bytes. */
enum { LONGEST = 65507, LONGEST_TRAIN = 65535 - 14 - 40 - 8 };

enum { EXIT_SKIP = 77, ROUNDS = 40, SOURCES = 4 };

/* ---- What was sent --------------------------------------------------------------------------- */

/* A packet as it is to be given out. */
struct expected {
    const unsigned char *data;
    size_t len;
    bool truncated;
    const union udpbatch_addr *from;
};

/* A receiver, and who sends to it. */
struct flood {
    struct receiving receiving;
    struct port sources[SOURCES];
    size_t packet_size; /* that is kept of each */
    size_t room;        /* for a message of the kernel's */
    bool has_trains;    /* the kernel hands them over whole */
};

static unsigned char bytes[2 * 65536];
static struct expected expected[20000];
static size_t expected_count, came_count;
static struct udpbatch_received received[1024];

static void expect(const unsigned char *data, size_t len, bool truncated,
                   const union udpbatch_addr *from)
{
    assert_true(expected_count < COUNT_OF(expected));
    expected[expected_count++] = (struct expected){ data, len, truncated, from };
}

/* What of a message comes into the room for it is cut into its packets. */
static void expect_message(const struct flood *flood, const unsigned char *data, size_t len,
                           size_t segment, const union udpbatch_addr *from)
{
    const size_t kept = len < flood->room ? len : flood->room;
    size_t at = 0;

    do {
        const bool is_last = kept - at <= segment;
        const size_t whole = is_last ? kept - at : segment;
        const size_t most = whole < flood->packet_size ? whole : flood->packet_size;
        expect(data + at, most, whole > most || (is_last && kept < len), from);
        at += segment;
    } while (at < kept);
}

static void expect_train(const struct flood *flood, const unsigned char *data, size_t len,
                         size_t segment, const union udpbatch_addr *from)
{
    if (flood->has_trains) {
        expect_message(flood, data, len, segment, from);
        return;
    }
    for (size_t at = 0; at < len; at += segment) {
        const size_t part = len - at < segment ? len - at : segment;
        expect_message(flood, data + at, part, part, from);
    }
}

static void send_datagram(struct flood *flood, size_t len)
{
    const struct port *from = &flood->sources[below(SOURCES)];
    const unsigned char *data = bytes + below(65536);

    flood->receiving.from = *from;
    receiving_send(&flood->receiving, data, len);
    expect_message(flood, data, len, len, &from->addr);
}

/* Of so many bytes, in no more packets than every kernel takes, which are no longer than a datagram
 * of loopback. The last one is as long as chance has it. */
static uint16_t some_segment(size_t len)
{
    const size_t least = 1 + (len - 1) / SEGMENTS_MOST;
    return (uint16_t)(least + below((unsigned)(len - least + 1)));
}

static void send_train(struct flood *flood, size_t len)
{
    const struct port *from = &flood->sources[below(SOURCES)];
    unsigned char *data = bytes + below(65536);
    const uint16_t segment = some_segment(len);
    struct iovec payload = { data, len };
    union {
        struct cmsghdr header;
        unsigned char room[CMSG_SPACE(sizeof segment)];
    } control = { .header = { .cmsg_len = CMSG_LEN(sizeof segment),
                              .cmsg_level = IPPROTO_UDP,
                              .cmsg_type = SEGMENT_OPTION } };
    struct msghdr message = { .msg_name = &flood->receiving.port.addr,
                              .msg_namelen = sizeof flood->receiving.port.addr,
                              .msg_iov = &payload,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof control };

    memcpy(CMSG_DATA(&control.header), &segment, sizeof segment);
    receiving_send_by(&flood->receiving, from->fd, &message);
    expect_train(flood, data, len, segment, &from->addr);
}

/* Lengths of every size, the least and the greatest among them. */
static size_t some_length(void)
{
    switch (below(8)) {
    case 0:
        return 0;
    case 1:
        return (one_in(2) ? LONGEST : LONGEST_TRAIN) - below(3);
    case 2:
        return below(LONGEST + 1);
    default:
        return below(3000);
    }
}

/* As much as every receive buffer holds. */
static void send_some(struct flood *flood, bool can_send_trains)
{
    expected_count = came_count = 0;
    for (size_t messages = 0, sum = 0; messages < 40 && sum < 50000; messages++) {
        const size_t len = some_length();
        if (can_send_trains && len > 0 && len <= LONGEST_TRAIN && one_in(2))
            send_train(flood, len);
        else
            send_datagram(flood, len);
        sum += len;
    }
}

/* ---- What comes ------------------------------------------------------------------------------ */

static void expect_packet(const struct udpbatch_received *packet)
{
    assert_true(came_count < expected_count);
    const struct expected *it = &expected[came_count++];
    assert_int_equal(packet->len, it->len);
    assert_int_equal(packet->truncated, it->truncated);
    assert_memory_equal(packet->data, it->data, it->len);
    assert_true(same_address(packet->from, it->from));
}

/* All of it, by calls for so many or so few, and nothing else. */
static void expect_all(struct flood *flood)
{
    struct udpbatch_receiver *receiver = flood->receiving.receiver;

    while (came_count < expected_count) {
        const size_t n = 1 + below(one_in(2) ? 3 : (unsigned)COUNT_OF(received));
        const int count = receiving_receive(&flood->receiving, received, n);
        assert_in_range(count, 1, n);
        for (int i = 0; i < count; i++)
            expect_packet(&received[i]);
    }
    assert_int_equal(udpbatch_receiver_receive(receiver, received, 1), -EAGAIN);
}

/* ---- Floods ---------------------------------------------------------------------------------- */

static uint32_t some_packet_size(void)
{
    static const uint32_t sizes[] = { 0, 1, 9, 100, 1500, 65535 };
    return one_in(2) ? sizes[below(COUNT_OF(sizes))] : 1 + below(65535);
}

/* The socket's owner may have trains on, though the receiver has no room for them. */
static struct flood flood_begin(void **state, int family)
{
    struct udpbatch_receiver_options options = { .batch = 1 + below(8),
                                                 .packet_size = some_packet_size(),
                                                 .trains = one_in(2) ? UDPBATCH_TRAINS_OFF
                                                                     : UDPBATCH_TRAINS_AUTO };
    struct flood flood = { .receiving = receiving_begin(state, family, options) };

    flood.packet_size = options.packet_size != 0 ? options.packet_size : 65535;
    flood.room = options.trains == UDPBATCH_TRAINS_OFF ? flood.packet_size : 65535;
    flood.has_trains = can_have_trains(flood.receiving.port.fd) &&
                       (options.trains != UDPBATCH_TRAINS_OFF || one_in(2));
    if (flood.has_trains)
        set_option(flood.receiving.port.fd, IPPROTO_UDP, GRO_OPTION, 1);
    port_close(&flood.receiving.from);
    for (size_t i = 0; i < SOURCES; i++)
        flood.sources[i] = port_open(family);
    return flood;
}

static void flood_end(struct flood *flood)
{
    flood->receiving.from = flood->sources[0]; /* closed with the rest */
    receiving_end(&flood->receiving);
    for (size_t i = 1; i < SOURCES; i++)
        port_close(&flood->sources[i]);
}

static void flood_with(void **state, int family)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)below(256);
    for (int round = 0; round < ROUNDS; round++) {
        struct flood flood = flood_begin(state, family);
        send_some(&flood, can_have_trains(flood.sources[0].fd));
        expect_all(&flood);
        flood_end(&flood);
    }
}

static void whatever_is_sent_comes_as_it_was_sent(void **state)
{
    flood_with(state, AF_INET);
}

static void whatever_is_sent_by_ipv6_comes_as_it_was_sent(void **state)
{
    need_family(AF_INET6);
    flood_with(state, AF_INET6);
}

/* ---- Options of IP --------------------------------------------------------------------------- */

static void expect_told(const struct udpbatch_received *packet)
{
    assert_int_equal(packet->len, 1);
    assert_int_equal(packet->meta->flags & META_ALL, META_ALL);
}

/* What the socket's owner wants to be told, and the sender makes as long as it can be. */
static void all_is_told_beside_the_longest_options(void **state)
{
    unsigned char no_operations[40];
    struct udpbatch_receiver_options options = { .meta = META_ALL };
    struct receiving receiving = receiving_begin(state, AF_INET, options);

    memset(no_operations, IPOPT_NOP, sizeof no_operations);
    set_option(receiving.port.fd, IPPROTO_IP, IP_RECVOPTS, 1);
    set_option(receiving.port.fd, IPPROTO_IP, IP_RETOPTS, 1);
    assert_int_equal(
        setsockopt(receiving.from.fd, IPPROTO_IP, IP_OPTIONS, no_operations, sizeof no_operations),
        0);
    receiving_send(&receiving, "x", 1);
    assert_int_equal(receiving_receive(&receiving, received, COUNT_OF(received)), 1);
    expect_told(&received[0]);
    receiving_end(&receiving);
}

static bool enter_own_network(void)
{
    struct ifreq device = { .ifr_name = "lo", .ifr_flags = IFF_UP };

    if (unshare(CLONE_NEWNET) < 0 && (!become_root_of_own() || unshare(CLONE_NEWNET) < 0))
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool done = ioctl(fd, SIOCSIFFLAGS, &device) == 0;
    close(fd);
    return done;
}

/* A header of as many options, of a type that is passed over (RFC 8200, 4.2), as Linux takes by
 * itself: 8, each of at most 255 bytes. */
enum { OPTION_TYPE = 0x1e, OPTION_DATA = 246, OPTIONS = 8, HEADER = 1984 };

static void write_options(unsigned char header[HEADER])
{
    memset(header, 0, HEADER);
    header[1] = HEADER / 8 - 1;
    for (size_t i = 0; i < OPTIONS; i++) {
        unsigned char *option = header + 2 + i * (2 + OPTION_DATA);
        option[0] = OPTION_TYPE;
        option[1] = i < OPTIONS - 1 ? OPTION_DATA : (unsigned char)(header + HEADER - option - 2);
    }
}

/* They are longer than all the room for control messages: the receiver's own come first. */
static void all_is_told_though_there_is_no_room_for_the_options(void **state)
{
    need_family(AF_INET6);
    static unsigned char header[HEADER];
    struct udpbatch_receiver_options options = { .meta = META_ALL };
    struct receiving receiving = receiving_begin(state, AF_INET6, options);

    write_options(header);
    set_option(receiving.port.fd, IPPROTO_IPV6, IPV6_RECVDSTOPTS, 1);
    assert_int_equal(
        setsockopt(receiving.from.fd, IPPROTO_IPV6, IPV6_DSTOPTS, header, sizeof header), 0);
    receiving_send(&receiving, "x", 1);
    assert_int_equal(receiving_receive(&receiving, received, COUNT_OF(received)), 1);
    expect_told(&received[0]);
    receiving_end(&receiving);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_BACKEND(whatever_is_sent_comes_as_it_was_sent),
        TEST_EACH_BACKEND(whatever_is_sent_by_ipv6_comes_as_it_was_sent),
        TEST_EACH_BACKEND(all_is_told_beside_the_longest_options),
    };
    static const struct test tests_apart[] = {
        TEST_EACH_BACKEND(all_is_told_though_there_is_no_room_for_the_options),
    };
    chance_begin();
    if (run_all("receiver_flood", tests, COUNT_OF(tests)) != 0)
        return EXIT_FAILURE;
    if (!enter_own_network())
        return must_be_able("no permission to make a network namespace") ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("receiver_flood_apart", tests_apart, COUNT_OF(tests_apart));
}
