/* test_receiver_errors.c: what the network reports about datagrams sent before is read, and counts
 * for nothing else.
 *
 * What needs a network of its own runs last, in a network namespace: without one, the program exits
 * with 77 after all others have passed, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "own_space.h"
#include "receiving.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MTU = 1500, EXIT_SKIP = 77 };

static struct udpbatch_network_error errors[16];
static struct udpbatch_received received[16];

static struct receiving begin(void **state, int family)
{
    return receiving_begin(state, family,
                           (struct udpbatch_receiver_options){ .network_errors = 1 });
}

/* Sends by the socket of the receiver. */
static void send_to(struct receiving *receiving, const union udpbatch_addr *to)
{
    ssize_t len = sendto(receiving->port.fd, "x", 1, 0, &to->sa, sizeof *to);
    if (len < 0) /* that of the datagram before */
        len = sendto(receiving->port.fd, "x", 1, 0, &to->sa, sizeof *to);
    assert_int_equal(len, 1);
}

/* Reads once, after a wait for it. */
static int read_errors(struct receiving *receiving, size_t n)
{
    assert_int_equal(udpbatch_receiver_wait(receiving->receiver, PATIENCE_MS), 0);
    return udpbatch_receiver_network_errors(receiving->receiver, errors, n);
}

static int read_more(struct receiving *receiving, size_t n)
{
    return udpbatch_receiver_network_errors(receiving->receiver, errors, n);
}

static void expect_refused(const struct udpbatch_network_error *error,
                           const union udpbatch_addr *to)
{
    union udpbatch_addr by = *to;
    by.in4.sin_port = 0; /* at the same place for both families */
    assert_int_equal(error->error, ECONNREFUSED);
    assert_int_equal(error->mtu, 0);
    assert_true(same_address(&error->to, to));
    assert_true(same_address(&error->by, &by));
}

/* ---- Ports where nobody listens -------------------------------------------------------------- */

static void report_refusal(void **state, int family)
{
    struct receiving receiving = begin(state, family);
    union udpbatch_addr nobody = closed_port(family);

    send_to(&receiving, &nobody);
    assert_int_equal(read_errors(&receiving, COUNT_OF(errors)), 1);
    expect_refused(&errors[0], &nobody);
    assert_int_equal(read_more(&receiving, COUNT_OF(errors)), 0);
    receiving_end(&receiving);
}

static void a_refused_datagram_is_reported_with_its_destination(void **state)
{
    report_refusal(state, AF_INET);
}

static void a_refused_ipv6_datagram_is_reported_with_its_destination(void **state)
{
    need_family(AF_INET6);
    report_refusal(state, AF_INET6);
}

static void a_refused_ipv4_datagram_of_an_ipv6_socket_is_reported(void **state)
{
    need_family(AF_INET6);
    union udpbatch_addr any = address(AF_INET6, "::", 0);
    struct udpbatch_receiver_options options = { .network_errors = 1 };
    struct receiving receiving = receiving_begin_at(state, port_open_at(&any), options);
    uint16_t port = ntohs(closed_port(AF_INET).in4.sin_port);
    union udpbatch_addr nobody = address(AF_INET6, "::ffff:127.0.0.1", port);

    send_to(&receiving, &nobody);
    assert_int_equal(read_errors(&receiving, COUNT_OF(errors)), 1);
    expect_refused(&errors[0], &nobody);
    receiving_end(&receiving);
}

static void reports_are_read_in_order_and_at_most_n(void **state)
{
    struct receiving receiving = begin(state, AF_INET);
    union udpbatch_addr nobody[5];

    for (size_t i = 0; i < COUNT_OF(nobody); i++) {
        nobody[i] = closed_port(AF_INET);
        send_to(&receiving, &nobody[i]);
    }
    assert_int_equal(read_errors(&receiving, 0), 0);
    assert_int_equal(read_errors(&receiving, 2), 2);
    expect_refused(&errors[0], &nobody[0]);
    expect_refused(&errors[1], &nobody[1]);
    assert_int_equal(read_errors(&receiving, COUNT_OF(errors)), 3);
    for (size_t i = 0; i < 3; i++)
        expect_refused(&errors[i], &nobody[2 + i]);
    receiving_end(&receiving);
}

static void nothing_to_report_is_no_error(void **state)
{
    struct receiving receiving = begin(state, AF_INET);

    assert_int_equal(read_more(&receiving, COUNT_OF(errors)), 0);
    send_to(&receiving, &receiving.from.addr);
    receiving_send(&receiving, "x", 1);
    assert_int_equal(read_more(&receiving, COUNT_OF(errors)), 0);
    assert_int_equal(receiving_receive(&receiving, received, COUNT_OF(received)), 1);
    receiving_end(&receiving);
}

/* Datagrams that are here already are received, whatever is reported of others. */
static void a_report_is_met_once_and_takes_no_datagram(void **state)
{
    struct receiving receiving = begin(state, AF_INET);
    union udpbatch_addr nobody = closed_port(AF_INET);

    receiving_send(&receiving, "x", 1);
    send_to(&receiving, &nobody);
    assert_int_equal(receiving_receive(&receiving, received, COUNT_OF(received)), -ECONNREFUSED);
    assert_int_equal(receiving_receive(&receiving, received, COUNT_OF(received)), 1);
    assert_int_equal(read_more(&receiving, COUNT_OF(errors)), 1);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, COUNT_OF(received)),
                     -EAGAIN);
    receiving_end(&receiving);
}

static void what_is_told_of_datagrams_that_left_well_is_no_report(void **state)
{
    struct receiving receiving = begin(state, AF_INET);
    union udpbatch_addr nobody = closed_port(AF_INET);

    set_option(receiving.port.fd, SOL_SOCKET, SO_TIMESTAMPING,
               SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
    send_to(&receiving, &receiving.from.addr);
    send_to(&receiving, &nobody);
    assert_int_equal(read_errors(&receiving, COUNT_OF(errors)), 1);
    expect_refused(&errors[0], &nobody);
    receiving_end(&receiving);
}

static void reports_are_told_beside_all_else(void **state)
{
    struct udpbatch_receiver_options options = { .network_errors = 1, .meta = META_ALL };
    struct receiving receiving = receiving_begin(state, AF_INET, options);
    union udpbatch_addr nobody = closed_port(AF_INET);

    send_to(&receiving, &nobody);
    assert_int_equal(read_errors(&receiving, COUNT_OF(errors)), 1);
    expect_refused(&errors[0], &nobody);
    receiving_end(&receiving);
}

static void a_closed_descriptor_gives_ebadf(void **state)
{
    struct receiving receiving = begin(state, AF_INET);

    port_close(&receiving.port);
    assert_int_equal(read_more(&receiving, COUNT_OF(errors)), -EBADF);
    receiving_end(&receiving);
}

/* ---- The socket's options -------------------------------------------------------------------- */

static void expect_option(void **state, int family, int level, int option, int before)
{
    struct udpbatch_receiver_options options = { .network_errors = 1 };
    struct port port = port_open(family);

    set_option(port.fd, level, option, before);
    struct udpbatch_receiver *receiver = receiver_open(state, port.fd, options);
    assert_int_equal(option_of(port.fd, level, option), 1);
    udpbatch_receiver_close(receiver);
    assert_int_equal(option_of(port.fd, level, option), before);
    options.network_errors = 0;
    receiver = receiver_open(state, port.fd, options);
    assert_int_equal(option_of(port.fd, level, option), before);
    udpbatch_receiver_close(receiver);
    port_close(&port);
}

static void reports_are_kept_while_the_receiver_is_open(void **state)
{
    expect_option(state, AF_INET, IPPROTO_IP, IP_RECVERR, 0);
    expect_option(state, AF_INET, IPPROTO_IP, IP_RECVERR, 1);
}

static void reports_of_ipv6_are_kept_while_the_receiver_is_open(void **state)
{
    need_family(AF_INET6);
    for (int before = 0; before <= 1; before++) {
        expect_option(state, AF_INET6, IPPROTO_IP, IP_RECVERR, before);
        expect_option(state, AF_INET6, IPPROTO_IPV6, IPV6_RECVERR, before);
    }
}

/* ---- In a network of its own ----------------------------------------------------------------- */

/* A network of a loopback device alone, with the MTU of others. */
static bool enter_own_network(void)
{
    struct ifreq device = { .ifr_name = "lo" };

    if (unshare(CLONE_NEWNET) < 0 && (!become_root_of_own() || unshare(CLONE_NEWNET) < 0))
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    device.ifr_mtu = MTU;
    bool done = ioctl(fd, SIOCSIFMTU, &device) == 0;
    device.ifr_flags = IFF_UP;
    done = done && ioctl(fd, SIOCSIFFLAGS, &device) == 0;
    close(fd);
    return done;
}

static void report_mtu(void **state, int family, int level, int option)
{
    static const unsigned char payload[2 * MTU];
    struct receiving receiving = begin(state, family);

    set_option(receiving.port.fd, level, option, IP_PMTUDISC_DO);
    connect_to(receiving.port.fd, &receiving.from.addr);
    assert_int_equal(send(receiving.port.fd, payload, sizeof payload, 0), -1);
    assert_int_equal(errno, EMSGSIZE);
    assert_int_equal(read_errors(&receiving, COUNT_OF(errors)), 1);
    assert_int_equal(errors[0].error, EMSGSIZE);
    assert_int_equal(errors[0].mtu, MTU);
    assert_int_equal(errors[0].by.sa.sa_family, 0);
    assert_true(same_address(&errors[0].to, &receiving.from.addr));
    receiving_end(&receiving);
}

static void what_exceeds_the_mtu_is_reported_with_the_mtu(void **state)
{
    report_mtu(state, AF_INET, IPPROTO_IP, IP_MTU_DISCOVER);
}

static void what_exceeds_the_mtu_of_ipv6_is_reported_with_the_mtu(void **state)
{
    need_family(AF_INET6);
    report_mtu(state, AF_INET6, IPPROTO_IPV6, IPV6_MTU_DISCOVER);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_BACKEND(a_refused_datagram_is_reported_with_its_destination),
        TEST_EACH_BACKEND(a_refused_ipv6_datagram_is_reported_with_its_destination),
        TEST_EACH_BACKEND(a_refused_ipv4_datagram_of_an_ipv6_socket_is_reported),
        TEST_EACH_BACKEND(reports_are_read_in_order_and_at_most_n),
        TEST_EACH_BACKEND(nothing_to_report_is_no_error),
        TEST_EACH_BACKEND(a_report_is_met_once_and_takes_no_datagram),
        TEST_EACH_BACKEND(what_is_told_of_datagrams_that_left_well_is_no_report),
        TEST_EACH_BACKEND(reports_are_told_beside_all_else),
        TEST_EACH_BACKEND(a_closed_descriptor_gives_ebadf),
        TEST_EACH_BACKEND(reports_are_kept_while_the_receiver_is_open),
        TEST_EACH_BACKEND(reports_of_ipv6_are_kept_while_the_receiver_is_open),
    };
    static const struct test tests_apart[] = {
        TEST_EACH_BACKEND(what_exceeds_the_mtu_is_reported_with_the_mtu),
        TEST_EACH_BACKEND(what_exceeds_the_mtu_of_ipv6_is_reported_with_the_mtu),
    };
    if (run_all("receiver_errors", tests, COUNT_OF(tests)) != 0)
        return EXIT_FAILURE;
    if (!enter_own_network())
        return must_be_able("no permission to make a network namespace") ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("receiver_errors_apart", tests_apart, COUNT_OF(tests_apart));
}
