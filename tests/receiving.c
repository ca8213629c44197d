/* receiving.c: a receiver at a port and a socket that sends to it, for the tests of receiving. */
#define _GNU_SOURCE
#include "receiving.h"

struct udpbatch_receiver *receiver_open(void **state, udpbatch_socket fd,
                                        struct udpbatch_receiver_options options)
{
    const struct way *way = *state;
    int error = -1;

    options.size = sizeof options;
    options.backend = way->backend;
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(fd, &options, &error);
    assert_int_equal(error, 0);
    assert_non_null(receiver);
    return receiver;
}

struct receiving receiving_begin_at(void **state, struct port port,
                                    struct udpbatch_receiver_options options)
{
    struct receiving receiving = { .port = port, .from = port_open(port.addr.sa.sa_family) };
    make_nonblocking(port.fd);
    receiving.receiver = receiver_open(state, port.fd, options);
    return receiving;
}

struct receiving receiving_begin(void **state, int family, struct udpbatch_receiver_options options)
{
    return receiving_begin_at(state, port_open(family), options);
}

void receiving_end(struct receiving *receiving)
{
    udpbatch_receiver_close(receiving->receiver);
    port_close(&receiving->port);
    port_close(&receiving->from);
}

static void wait_for_change(udpbatch_socket fd, const struct socket_memory *before)
{
    struct socket_memory now = memory_of(fd);
    int64_t begun = now_ms();

    while (now.is_told && now.held == before->held && now.dropped == before->dropped) {
        assert_true(now_ms() - begun < PATIENCE_MS);
        now = memory_of(fd);
    }
}

void receiving_send(struct receiving *receiving, const void *data, size_t len)
{
    struct socket_memory before = memory_of(receiving->port.fd);
    const union udpbatch_addr *to = &receiving->port.addr;
    socklen_t to_len = to->sa.sa_family == AF_INET ? sizeof to->in4 : sizeof to->in6;

    assert_true(sendto(receiving->from.fd, data, (room_size)len, 0, &to->sa, to_len) >= 0);
    wait_for_change(receiving->port.fd, &before);
}

#ifndef _WIN32
void receiving_send_by(struct receiving *receiving, udpbatch_socket fd,
                       const struct msghdr *message)
{
    struct socket_memory before = memory_of(receiving->port.fd);

    assert_true(sendmsg(fd, message, 0) >= 0);
    wait_for_change(receiving->port.fd, &before);
}
#endif

int receiving_receive(struct receiving *receiving, struct udpbatch_received *packets, size_t n)
{
    assert_int_equal(udpbatch_receiver_wait(receiving->receiver, PATIENCE_MS), 0);
    return udpbatch_receiver_receive(receiving->receiver, packets, n);
}

struct udpbatch_receiver_stats receiver_stats(struct udpbatch_receiver *receiver)
{
    struct udpbatch_receiver_stats stats = { .size = sizeof stats };
    udpbatch_receiver_stats(receiver, &stats);
    return stats;
}

void expect_no_receiver(udpbatch_socket fd, const struct udpbatch_receiver_options *options,
                        int error)
{
    int got = 0;
    assert_null(udpbatch_receiver_open(fd, options, &got));
    assert_int_equal(got, error);
    assert_null(udpbatch_receiver_open(fd, options, NULL));
}

int option_of(udpbatch_socket fd, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    void *bytes = &value;
    assert_int_equal(getsockopt(fd, level, option, bytes, &len), 0);
    return value;
}
