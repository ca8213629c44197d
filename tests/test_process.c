/* test_process.c: whatever happens to the process of a sender, each of its packets has one fate:
 * signals, forks, descriptors that are closed or become another's, and limits of all kinds.
 *
 * That of the back end "xdp" is in test_xdp_process.c.
 */
#define _GNU_SOURCE
#include "alarms.h"
#include "impostor.h"
#include "receiving.h"

#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct udpbatch_packet packets[MANY];

static struct sending begin_plain(void **state)
{
    return sending_begin(*state, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

/* As a user would who waits at all for at most so long a time. */
static void send_until_each_has_a_fate(struct sending *sending, size_t n)
{
    struct udpbatch_tally tally;

    while ((tally = sending_send(sending, packets, n)).unsent > 0)
        sending_wait(sending, &tally, PATIENCE_MS);
}

/* ---- Signals --------------------------------------------------------------------------------- */

enum { SIGNALS = 60, AT_ONCE = 100 };

static struct udpbatch_sender_options paced_options(const struct way *way)
{
    return (struct udpbatch_sender_options){ .size = sizeof(struct udpbatch_sender_options),
                                             .backend = way->backend,
                                             .rate = 100 * AT_ONCE,
                                             .burst = AT_ONCE / 4 };
}

/* Level 2 with a rate, so that it waits, too. */
static struct sending begin_waiting(void **state, bool blocks)
{
    const struct way *way = *state;
    const struct udpbatch_sender_options options = paced_options(way);
    udpbatch_socket fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sending sending =
        way->backend != NULL ? sending_begin_with(fd, &options) : sending_begin(way, fd);

    set_blocking(fd, blocks);
    return sending;
}

static void send_under_signals(struct sending *sending, bool restarts, void (*act)(void))
{
    struct port port = port_open(AF_INET);

    alarms_begin(restarts, act);
    while (alarms_count() < SIGNALS) {
        make_packets(packets, AT_ONCE, 50, &port.addr);
        send_until_each_has_a_fate(sending, AT_ONCE);
        expect_status(packets, AT_ONCE, 1);
        expect_arrival(&port, packets, AT_ONCE);
    }
    alarms_end();
    port_close(&port);
}

static void signals_lose_nothing_and_send_nothing_twice(void **state)
{
    for (int i = 0; i < 4; i++) {
        struct sending sending = begin_waiting(state, i / 2 != 0);
        send_under_signals(&sending, i % 2 != 0, NULL);
        sending_end(&sending);
    }
}

static struct {
    udpbatch_socket fd;
    union udpbatch_addr to;
    uint32_t sent;
} of_handler;

static void send_one_more(void)
{
    struct udpbatch_packet packet = { .data = &of_handler.sent,
                                      .len = sizeof of_handler.sent,
                                      .to = &of_handler.to };
    of_handler.sent += udpbatch_send(of_handler.fd, &packet, 1).sent == 1;
}

/* What it sends, and what it interrupts, arrives. */
static void a_handler_may_send_by_level_1(void **state)
{
    struct sending sending = begin_waiting(state, true);
    struct port port = port_open(AF_INET);
    uint32_t number;

    of_handler.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    of_handler.to = port.addr;
    of_handler.sent = 0;
    send_one_more();
    send_under_signals(&sending, true, send_one_more);
    assert_in_range(of_handler.sent, SIGNALS + 1, UINT32_MAX);
    for (uint32_t i = 0; i < of_handler.sent; i++) {
        assert_int_equal(receive_one(port.fd, &number, sizeof number, NULL), sizeof number);
        assert_int_equal(number, i);
    }
    expect_nothing(port.fd);
    close_socket(of_handler.fd);
    port_close(&port);
    sending_end(&sending);
}

/* A signal may end each wait, and each call that waits unless its handler is SA_RESTART; what is
 * there comes by another one. */
static bool may_give_nothing(int count, bool restarts, bool blocks)
{
    return blocks ? count == -EINTR && !restarts : count == -EAGAIN;
}

static void expect_all_received(struct receiving *receiving, size_t n, bool restarts, bool blocks)
{
    struct udpbatch_received received[AT_ONCE];

    for (size_t next = 0; next < n;) {
        int wait = udpbatch_receiver_wait(receiving->receiver, PATIENCE_MS);
        assert_true(wait == 0 || wait == -EINTR);
        int count = udpbatch_receiver_receive(receiving->receiver, received, n);
        assert_true(count > 0 || may_give_nothing(count, restarts, blocks));
        for (int i = 0; i < count; i++, next++) {
            assert_int_equal(received[i].len, packets[next].len);
            assert_memory_equal(received[i].data, packets[next].data, packets[next].len);
        }
    }
}

static void signals_lose_nothing_that_is_received(void **state)
{
    enum { N = 20 };

    for (int i = 0; i < 4; i++) {
        const bool restarts = i % 2 != 0, blocks = i / 2 != 0;
        struct receiving receiving =
            receiving_begin(state, AF_INET, (struct udpbatch_receiver_options){ 0 });

        set_blocking(receiving.port.fd, blocks);
        alarms_begin(restarts, NULL);
        while (alarms_count() < SIGNALS) {
            make_packets(packets, N, 40, &receiving.port.addr);
            assert_int_equal(udpbatch_send(receiving.from.fd, packets, N).sent, N);
            expect_all_received(&receiving, N, restarts, blocks);
        }
        alarms_end();
        expect_nothing(receiving.port.fd);
        receiving_end(&receiving);
    }
}

static void a_receive_that_waits_is_over_by_a_signal(void **state)
{
    struct receiving receiving =
        receiving_begin(state, AF_INET, (struct udpbatch_receiver_options){ 0 });
    struct udpbatch_received received;

    set_blocking(receiving.port.fd, true);
    alarms_begin(false, NULL);
    while (alarms_count() < SIGNALS)
        assert_int_equal(udpbatch_receiver_receive(receiving.receiver, &received, 1), -EINTR);
    alarms_end();
    receiving_end(&receiving);
}

static void send_one_at_last(void)
{
    if (alarms_count() == SIGNALS)
        send_one_more();
}

/* It is interrupted all the time until a handler sends. */
static void a_receive_that_waits_goes_on_after_a_handler_with_sa_restart(void **state)
{
    struct receiving receiving =
        receiving_begin(state, AF_INET, (struct udpbatch_receiver_options){ 0 });
    struct udpbatch_received received;

    set_blocking(receiving.port.fd, true);
    of_handler.fd = receiving.from.fd;
    of_handler.to = receiving.port.addr;
    of_handler.sent = 0;
    alarms_begin(true, send_one_at_last);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, &received, 1), 1);
    assert_int_equal(received.len, sizeof of_handler.sent);
    assert_in_range(alarms_count(), SIGNALS, UINT32_MAX);
    alarms_end();
    receiving_end(&receiving);
}

/* And one that lasts longer than its timeout says that it was reached. */
static void a_wait_is_over_by_a_signal_or_its_timeout(void **state)
{
    enum { TIMEOUT_MS = 30 };
    const struct way *way = *state;
    struct udpbatch_sender_options options = paced_options(way);
    struct receiving receiving =
        receiving_begin(state, AF_INET, (struct udpbatch_receiver_options){ 0 });
    int64_t begun;

    options.rate = 0.01;
    options.burst = 1;
    struct sending sending =
        sending_begin_with(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), &options);
    make_packets(packets, 2, 4, &receiving.port.addr);
    assert_int_equal(sending_send(&sending, packets, 2).unsent_error, EBUSY);
    expect_arrival(&receiving.port, packets, 2);
    for (int restarts = 0; restarts < 2; restarts++) {
        alarms_begin(restarts != 0, NULL);
        while (alarms_count() < SIGNALS) {
            assert_int_equal(udpbatch_sender_wait(sending.sender, PATIENCE_MS), -EINTR);
            assert_int_equal(udpbatch_receiver_wait(receiving.receiver, PATIENCE_MS), -EINTR);
        }
        alarms_end();
    }
    assert_int_equal(udpbatch_sender_wait(sending.sender, 0), -ETIMEDOUT); /* and begins anew */
    begun = now_ms();
    assert_int_equal(udpbatch_sender_wait(sending.sender, TIMEOUT_MS), -ETIMEDOUT);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, TIMEOUT_MS), -ETIMEDOUT);
    assert_true(now_ms() - begun >= 2 * TIMEOUT_MS - 2); /* of two clocks that were cut */
    sending_end(&sending);
    receiving_end(&receiving);
}

/* ---- errno ----------------------------------------------------------------------------------- */

static void what_errno_was_before_a_call_means_nothing(void **state)
{
    static const int errors[] = { EINTR, EAGAIN, EBADF, ENOBUFS, EPERM, ENOSYS, ECONNREFUSED, 0 };
    struct sending sending = begin_plain(state);
    struct port port = port_open(AF_INET);
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(port.fd, NULL, NULL);
    struct udpbatch_received received[4];

    make_nonblocking(port.fd);
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        make_packets(packets, 3, 20, &port.addr);
        errno = errors[i];
        assert_int_equal(sending_send(&sending, packets, 3).sent, 3);
        errno = errors[i];
        assert_int_equal(udpbatch_receiver_wait(receiver, PATIENCE_MS), 0);
        errno = errors[i];
        assert_int_equal(udpbatch_receiver_receive(receiver, received, 4), 3);
        errno = errors[i];
        assert_int_equal(udpbatch_receiver_receive(receiver, received, 4), -EAGAIN);
    }
    udpbatch_receiver_close(receiver);
    port_close(&port);
    sending_end(&sending);
}

/* ---- Forks ----------------------------------------------------------------------------------- */

/* Ends a child, which asserts nothing, as it would go on with the tests. */
static void leave(bool is_well)
{
    _exit(is_well ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void expect_well(pid_t child)
{
    int status;

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

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
    struct sending sending = begin_plain(state);
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

/* ---- Descriptors ----------------------------------------------------------------------------- */

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
        struct sending sending = begin_plain(state);
        struct port port = port_open(AF_INET);

        make_packets(packets, N, 50, &port.addr);
        send_until_each_has_a_fate(&sending, N);
        expect_arrival(&port, packets, N);
        impostor_take_place(&impostor, sending.fd);
        make_packets(packets, N, 50, &port.addr);
        send_until_each_has_a_fate(&sending, N);
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
    struct udpbatch_sender_options options = paced_options(*state);
    struct impostor impostor;

    options.burst = 5;
    for (size_t which = 0; impostor_make(&impostor, which); which++) {
        struct port port = port_open(AF_INET);
        struct sending sending =
            sending_begin_with(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), &options);

        make_packets(packets, N, 50, &port.addr);
        assert_int_equal(sending_send(&sending, packets, N).unsent_error, EBUSY);
        expect_arrival(&port, packets, 5);
        impostor_take_place(&impostor, sending.fd);
        send_until_each_has_a_fate(&sending, N);
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

/* ---- Limits ---------------------------------------------------------------------------------- */

static size_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
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

/* Kilobytes of addresses in use. */
static unsigned long address_space(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    unsigned long size = 0;
    char line[256];

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "VmSize: %lu", &size);
    if (file != NULL)
        fclose(file);
    return size;
}

/* Opens a sender and a receiver, closes what it got, and returns the errno that either met. */
static int open_both(const char *backend, udpbatch_socket fd, rlim_t bytes)
{
    const struct udpbatch_sender_options sending = { .size = sizeof sending, .backend = backend };
    const struct udpbatch_receiver_options receiving = { .size = sizeof receiving,
                                                         .backend = backend };
    const struct rlimit limit = { bytes, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
    int sender_error = 0, receiver_error = 0;

    setrlimit(RLIMIT_AS, &limit);
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, &sending, &sender_error);
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(fd, &receiving, &receiver_error);
    setrlimit(RLIMIT_AS, &none);
    udpbatch_sender_close(sender);
    udpbatch_receiver_close(receiver);
    return sender_error != 0 ? sender_error : receiver_error;
}

/* What the allocator has left is had by this process for good. */
static void use_up_memory(void)
{
    const struct rlimit little = { 1, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };

    setrlimit(RLIMIT_AS, &little);
    for (size_t size = 1 << 20; size > 64; size /= 2) {
        void *volatile taken;
        do
            taken = malloc(size);
        while (taken != NULL);
    }
    setrlimit(RLIMIT_AS, &none);
}

/* With a little more memory each time, until it is enough: of what fails nothing stays, or it would
 * take what is more. */
static bool open_with_little_memory(const char *backend, udpbatch_socket fd)
{
    enum { STEP_KB = 16, MOST_KB = 8 * 1024 };
    unsigned failed = 0;

    use_up_memory();
    const unsigned long own_kb = address_space();
    for (unsigned long more_kb = 0; more_kb < MOST_KB; more_kb += STEP_KB, failed++) {
        int error = open_both(backend, fd, (rlim_t)(own_kb + more_kb) * 1024);
        if (error != ENOMEM)
            return error == 0 && failed > 1;
    }
    return false;
}

static bool keeps_limits_of_memory(void)
{
    const struct rlimit little = { 1, RLIM_INFINITY };
    int status = EXIT_FAILURE;
    pid_t child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_AS, &little);
        leave(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    }
    waitpid(child, &status, 0);
    return status == 0;
}

static void an_open_without_memory_says_so_and_leaves_nothing(void **state)
{
    const struct way *way = *state;
    struct port port = port_open(AF_INET);

    if (SANITIZED || !keeps_limits_of_memory()) {
        print_message("cannot run here: a sanitizer or emulator takes memory of its own\n");
        skip();
    }
    pid_t child = fork();
    if (child == 0)
        leave(open_with_little_memory(way->backend, port.fd));
    expect_well(child);
    port_close(&port);
}

static struct {
    struct sending *sending;
    const struct port *port;
    bool is_well;
} of_thread;

static void *send_with_a_small_stack(void *nothing)
{
    union udpbatch_addr targets[200];
    int32_t status[200] = { 0 };

    for (size_t i = 0; i < 200; i++)
        targets[i] = of_thread.port->addr;
    if (of_thread.sending->sender != NULL)
        of_thread.is_well =
            udpbatch_sender_send(of_thread.sending->sender, packets, 200).sent == 200;
    else
        of_thread.is_well =
            udpbatch_send(of_thread.sending->fd, packets, 200).sent == 200 &&
            udpbatch_multi_target_send(of_thread.sending->fd, "x", 1, targets, 200, status).sent ==
                200;
    return nothing;
}

static void a_thread_with_a_small_stack_may_send(void **state)
{
    enum { STACK = 64 * 1024 };
    struct sending sending = begin_plain(state);
    struct port port = port_open(AF_INET);
    pthread_attr_t attributes;
    pthread_t thread;

    if (SANITIZED) {
        print_message("cannot run here: a sanitizer has a stack of its own\n");
        skip();
    }
    make_packets(packets, 200, 20, &port.addr);
    of_thread.sending = &sending;
    of_thread.port = &port;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, send_with_a_small_stack, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    assert_true(of_thread.is_well);
    port_close(&port);
    sending_end(&sending);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_WAY(signals_lose_nothing_and_send_nothing_twice),
        TEST_EACH_WAY(a_handler_may_send_by_level_1),
        TEST_EACH_BACKEND(signals_lose_nothing_that_is_received),
        TEST_EACH_BACKEND(a_receive_that_waits_is_over_by_a_signal),
        TEST_EACH_BACKEND(a_receive_that_waits_goes_on_after_a_handler_with_sa_restart),
        TEST_EACH_BACKEND(a_wait_is_over_by_a_signal_or_its_timeout),
        TEST_EACH_WAY(what_errno_was_before_a_call_means_nothing),
        TEST_EACH_WAY(after_a_fork_both_go_on_with_the_sender),
        TEST_EACH_BACKEND(a_child_closes_its_receiver_without_taking_from_the_parents),
        TEST_EACH_WAY(a_descriptor_may_become_anything),
        TEST_EACH_BACKEND(so_it_may_while_there_are_packets_unsent),
        TEST_EACH_BACKEND(a_receivers_descriptor_may_become_anything),
        TEST_EACH_WAY(a_handle_takes_no_descriptor),
        TEST_EACH_BACKEND(an_open_without_memory_says_so_and_leaves_nothing),
        TEST_EACH_WAY(a_thread_with_a_small_stack_may_send),
    };
    unsetenv("UDPBATCH_GSO");
    return run_all("processes", tests, COUNT_OF(tests));
}
