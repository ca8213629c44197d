/* full_queue.c: a queue that takes less than is sent. */
#define _GNU_SOURCE
#include "full_queue.h"

static void let_the_queue_go(void)
{
    assert_true(run_at(NEAR, "tc qdisc del dev near root"));
}

void need_a_queue(const char *queue)
{
    if (run_at(NEAR, "tc qdisc add dev near root %s", queue)) {
        after_the_test(let_the_queue_go);
        return;
    }
    if (must_be_able("tc cannot make a queue"))
        fail();
    skip();
}

/* Its packets are trains. */
struct sending begin_narrow(const char *backend, struct udpbatch_packet *packets,
                            const struct port *port)
{
    union udpbatch_addr any = address(AF_INET, "0.0.0.0", 0);
    struct udpbatch_sender_options options = xdp_options("near");
    struct port own = port_at(NEAR, &any);

    options.backend = backend;
    set_option(own.fd, SOL_SOCKET, SO_SNDBUF, 4096);
    make_packets(packets, WAITING, 1000, &port->addr);
    return sending_begin_with(own.fd, &options);
}

struct sending begin_full(const char *backend, struct udpbatch_packet *packets,
                          const struct port *port)
{
    struct sending sending = begin_narrow(backend, packets, port);
    make_nonblocking(sending.fd);
    assert_int_equal(sending_send(&sending, packets, WAITING).unsent_error, EAGAIN);
    return sending;
}

void send_the_rest(struct sending *sending, struct udpbatch_packet *packets)
{
    int64_t begun = now_ms();

    while (sending_send(sending, packets, WAITING).unsent > 0) {
        udpbatch_sender_wait(sending->sender, WAIT_MS);
        assert_true(now_ms() - begun < PATIENCE_MS);
    }
}
