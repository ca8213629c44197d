/* test_descriptors.c: whatever the descriptor of a sender or receiver becomes, each packet has one
 * fate, and nothing is written into what it is none for.
 */
#define _GNU_SOURCE
#include "impostor.h"
#include "own_process.h"
#include "receiving.h"

#include <signal.h>
#include <sys/resource.h>

static struct udpbatch_packet packets[MANY];

static volatile sig_atomic_t pipe_signals;

static void count_pipe_signal(int signal)
{
    (void)signal;
    pipe_signals = pipe_signals + 1;
}

static void expect_fates(const struct impostor *impostor, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_right = impostor->status == REFUSED ? packets[i].status < 0
                                                    : packets[i].status == impostor->status;
        if (!is_right)
            fail_msg("by %s packet %zu has the status %d in place of %d", impostor->name, i,
                     packets[i].status, impostor->status);
    }
}

/* Of one length: what can be trains is sent so, to what takes none. */
static void a_descriptor_may_become_anything(void **state)
{
    enum { N = 70 };
    struct sigaction action = { .sa_handler = count_pipe_signal }, before;
    struct impostor impostor;

    pipe_signals = 0;
    sigaction(SIGPIPE, &action, &before);
    for (size_t which = 0; impostor_make(&impostor, which); which++) {
        struct sending sending = sending_begin_unbound(*state);
        struct port port = port_open(AF_INET);

        make_packets(packets, N, 50, &port.addr);
        sending_send_all(&sending, packets, N);
        expect_arrival(&port, packets, N);
        impostor_take_place(&impostor, sending.fd);
        make_packets(packets, N, 50, &port.addr);
        sending_send_all(&sending, packets, N);
        expect_fates(&impostor, N);
        expect_arrival(&port, packets, N);
        impostor_expect_untouched(&impostor);
        impostor_end(&impostor);
        port_close(&port);
        sending_end(&sending);
    }
    sigaction(SIGPIPE, &before, NULL);
    assert_int_equal(pipe_signals, 0);
}

/* Between a call that left packets unsent and the wait for them. */
static void so_it_may_while_there_are_packets_unsent(void **state)
{
    enum { N = 70 };
    struct udpbatch_sender_options options = options_with_rate(*state, 10000, 5);
    struct impostor impostor;

    for (size_t which = 0; impostor_make(&impostor, which); which++) {
        struct port port = port_open(AF_INET);
        struct sending sending =
            sending_begin_with(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), &options);

        make_packets(packets, N, 50, &port.addr);
        assert_int_equal(sending_send(&sending, packets, N).unsent_error, EBUSY);
        expect_arrival(&port, packets, 5);
        impostor_take_place(&impostor, sending.fd);
        sending_send_all(&sending, packets, N);
        impostor_expect_untouched(&impostor);
        impostor_end(&impostor);
        port_close(&port);
        sending_end(&sending);
    }
}

static void a_receivers_descriptor_may_become_anything(void **state)
{
    struct impostor impostor;

    for (size_t which = 0; impostor_make(&impostor, which); which++) {
        struct receiving receiving =
            receiving_begin(state, AF_INET, (struct udpbatch_receiver_options){ 0 });
        struct udpbatch_received received[4];
        int wait;

        set_blocking(receiving.port.fd, false);
        if (impostor.fd >= 0)
            set_blocking(impostor.fd, false);
        impostor_take_place(&impostor, receiving.port.fd);
        wait = udpbatch_receiver_wait(receiving.receiver, 1);
        assert_true(wait == 0 || wait == -ETIMEDOUT || (wait == -EBADF && impostor.fd < 0));
        assert_true(udpbatch_receiver_receive(receiving.receiver, received, 4) < 0);
        receiving_end(&receiving);
        impostor_end(&impostor);
    }
}

static void a_handle_takes_no_descriptor(void **state)
{
    struct port port = port_open(AF_INET);
    struct rlimit limit, none;
    size_t before = count_descriptors();

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){ 0, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct sending sending = sending_begin(*state, port.fd);
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(port.fd, NULL, NULL);
    make_packets(packets, 10, 10, &port.addr);
    struct udpbatch_tally tally = sending_send(&sending, packets, 10);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(tally.sent, 10);
    assert_non_null(receiver);
    assert_int_equal(count_descriptors(), before);
    udpbatch_receiver_close(receiver);
    sending_end(&sending);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_WAY(a_descriptor_may_become_anything),
        TEST_EACH_BACKEND(so_it_may_while_there_are_packets_unsent),
        TEST_EACH_BACKEND(a_receivers_descriptor_may_become_anything),
        TEST_EACH_WAY(a_handle_takes_no_descriptor),
    };
    unsetenv("UDPBATCH_GSO");
    return run_all("descriptors", tests, COUNT_OF(tests));
}
