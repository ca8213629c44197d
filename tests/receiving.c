/* receiving.c: a receiver at a port and a socket that sends to it, for the tests of receiving. */
#define _GNU_SOURCE
#include "receiving.h"

#include <linux/sock_diag.h>

struct udpbatch_receiver *receiver_open(void **state, int fd,
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

/* What the socket holds and what it has dropped. */
struct memory {
    uint32_t held;
    uint32_t dropped;
};

static struct memory memory_of(int fd)
{
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t len = sizeof info;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len), 0);
    return (struct memory){ info[SK_MEMINFO_RMEM_ALLOC], info[SK_MEMINFO_DROPS] };
}

void receiving_send_by(struct receiving *receiving, int fd, const struct msghdr *message)
{
    struct memory before = memory_of(receiving->port.fd), now;
    int64_t begun = now_ms();

    assert_true(sendmsg(fd, message, 0) >= 0);
    do {
        now = memory_of(receiving->port.fd);
        assert_true(now_ms() - begun < PATIENCE_MS);
    } while (now.held == before.held && now.dropped == before.dropped);
}

void receiving_send(struct receiving *receiving, const void *data, size_t len)
{
    struct iovec payload = { (void *)(uintptr_t)data, len };
    struct msghdr message = { .msg_name = &receiving->port.addr,
                              .msg_namelen = sizeof receiving->port.addr,
                              .msg_iov = &payload,
                              .msg_iovlen = 1 };
    receiving_send_by(receiving, receiving->from.fd, &message);
}

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

void expect_no_receiver(int fd, const struct udpbatch_receiver_options *options, int error)
{
    int got = 0;
    assert_null(udpbatch_receiver_open(fd, options, &got));
    assert_int_equal(got, error);
    assert_null(udpbatch_receiver_open(fd, options, NULL));
}

int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
    return value;
}
