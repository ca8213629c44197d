/* test_forks.c: after a fork, sender and receiver are what the manual says in both processes. */
#define _GNU_SOURCE
#include "own_process.h"
#include "receiving.h"

#include <netinet/in.h>

static struct udpbatch_packet packets[MANY];

static bool send_part(struct sending *sending, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i += 10) {
        struct udpbatch_packet *part = &packets[from + i];
        struct udpbatch_tally tally = sending->sender != NULL
                                          ? udpbatch_sender_send(sending->sender, part, 10)
                                          : udpbatch_send(sending->fd, part, 10);
        if (tally.sent != 10)
            return false;
    }
    return true;
}

static void after_a_fork_both_go_on_with_the_sender(void **state)
{
    enum { N = 200 };
    struct sending sending = sending_begin_unbound(*state);
    struct port port = port_open(AF_INET);
    struct udpbatch_sender_stats stats = { .size = sizeof stats };

    make_packets(packets, 3 * N, 30, &port.addr);
    assert_true(send_part(&sending, 0, N));
    pid_t child = fork();
    if (child == 0) {
        bool is_well = send_part(&sending, N, N);
        udpbatch_sender_close(sending.sender);
        leave(is_well);
    }
    assert_true(send_part(&sending, 2 * N, N));
    expect_well(child);
    for (size_t i = 0; i < N; i++)
        packets[N + i].status = 1; /* as the child has seen */
    expect_arrival(&port, packets, 3 * N);
    if (sending.sender != NULL) {
        udpbatch_sender_stats(sending.sender, &stats);
        assert_int_equal(stats.packets, 2 * N);
    }
    port_close(&port);
    sending_end(&sending);
}

/* Else its parent would get trains as one datagram, and no network errors any more. */
static void a_child_closes_its_receiver_without_taking_from_the_parents(void **state)
{
    enum { N = 20, LEN = 30, RECVERR = 11 };
    struct udpbatch_receiver_options options = { .network_errors = 1 };
    struct receiving receiving = receiving_begin(state, AF_INET, options);
    struct udpbatch_received received[N];
    int got = 0, count;

    make_packets(packets, N, LEN, &receiving.port.addr);
    assert_int_equal(udpbatch_send(receiving.from.fd, packets, N).sent, N);
    pid_t child = fork();
    if (child == 0) {
        udpbatch_receiver_close(receiving.receiver);
        leave(true);
    }
    expect_well(child);
    while (got < N && (count = receiving_receive(&receiving, received, N)) > 0)
        for (int i = 0; i < count; i++, got++) {
            assert_int_equal(received[i].len, LEN);
            assert_memory_equal(received[i].data, packets[got].data, LEN);
        }
    assert_int_equal(got, N);
    assert_int_equal(option_of(receiving.port.fd, IPPROTO_IP, RECVERR), 1);
    receiving_end(&receiving);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_WAY(after_a_fork_both_go_on_with_the_sender),
        TEST_EACH_BACKEND(a_child_closes_its_receiver_without_taking_from_the_parents),
    };
    unsetenv("UDPBATCH_GSO");
    return run_all("forks", tests, COUNT_OF(tests));
}
