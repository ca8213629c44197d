/* test_threads.c: what the manual says of threads, a test for each rule (udpbatch(3), Threads).
 *
 * Built with -fsanitize=thread it also shows that they share nothing that one of them writes.
 */
#define _GNU_SOURCE
#include "beside.h"
#include "crowd.h"
#include "own_process.h"
#include "receiving.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { THREADS = 4 };

static struct crowd crowd;

static void on_one_socket(void)
{
    udpbatch_socket fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_true(fd != NO_SOCKET);
    for (size_t i = 0; i < crowd.count; i++)
        crowd.members[i].fd = fd;
}

/* ---- Senders --------------------------------------------------------------------------------- */

static void threads_may_send_on_one_socket(void **state)
{
    crowd_begin(&crowd, *state, THREADS);
    on_one_socket();
    crowd_send(&crowd);
    crowd_expect_all_sent(&crowd);
    crowd_end(&crowd);
}

static void threads_may_send_on_sockets_of_their_own(void **state)
{
    crowd_begin(&crowd, *state, THREADS);
    for (size_t i = 0; i < crowd.count; i++)
        crowd.members[i].fd = socket(AF_INET, SOCK_DGRAM, 0);
    crowd_send(&crowd);
    crowd_expect_all_sent(&crowd);
    crowd_end(&crowd);
}

static void both_levels_may_send_on_one_socket(void **state)
{
    crowd_begin(&crowd, *state, THREADS);
    on_one_socket();
    crowd.members[1].options = crowd.members[3].options = NULL;
    crowd_send(&crowd);
    crowd_expect_all_sent(&crowd);
    crowd_end(&crowd);
}

/* Addresses, and here meta; payloads are in the test of what has no handle. */
static void what_packets_point_at_may_be_shared(void **state)
{
    const struct udpbatch_meta meta = { .flags = UDPBATCH_META_TTL, .ttl = 9 };

    crowd_begin(&crowd, *state, THREADS);
    on_one_socket();
    for (size_t i = 0; i < crowd.count; i++)
        crowd.members[i].meta = &meta;
    crowd_send(&crowd);
    crowd_expect_all_sent(&crowd);
    crowd_end(&crowd);
}

/* As a thread per turn: a handle is one thread's at a time, and may be another's next time. */
static void a_sender_may_go_from_thread_to_thread(void **state)
{
    enum { TURNS = 5, EACH = CROWD_PACKETS / TURNS };

    crowd_begin(&crowd, *state, 1);
    on_one_socket();
    struct member *member = &crowd.members[0];
    member->sender = udpbatch_sender_open(member->fd, member->options, NULL);
    assert_non_null(member->sender);
    member->count = EACH;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        member->from = turn * EACH;
        crowd_send(&crowd);
        assert_int_equal(member->stats.packets, (turn + 1) * EACH);
    }
    udpbatch_sender_close(member->sender);
    crowd_end(&crowd);
}

static void each_sender_has_its_own_rate(void **state)
{
    struct udpbatch_sender_options options;

    crowd_begin(&crowd, *state, THREADS);
    on_one_socket();
    options = *crowd.members[0].options;
    options.rate = 20000;
    for (size_t i = 0; i < crowd.count; i++) {
        crowd.members[i].options = &options;
        crowd.members[i].count = 500;
    }
    crowd_send(&crowd);
    crowd_expect_all_sent(&crowd);
    for (size_t i = 0; i < crowd.count; i++)
        assert_true(crowd.members[i].stats.paced > 0);
    crowd_end(&crowd);
}

/* What is a train is given to the receiver as one, which it would take for a packet of a wrong
 * length: level 1 counts none. */
static void take_trains_whole(void)
{
    enum { GRO = 104 };

    for (size_t i = 0; i < crowd.target_count; i++)
        set_option(crowd.targets[i].fd, IPPROTO_UDP, GRO, 1);
}

static void the_environment_is_read_by_all(void **state)
{
    setenv("UDPBATCH_GSO", "off", 1);
    crowd_begin(&crowd, *state, THREADS);
    on_one_socket();
    take_trains_whole();
    crowd_send(&crowd);
    crowd_expect_all_sent(&crowd);
    for (size_t i = 0; i < crowd.count; i++)
        assert_int_equal(crowd.members[i].stats.trains, 0);
    crowd_end(&crowd);
    unsetenv("UDPBATCH_GSO");
}

/* Its child leaves the senders alone. */
static void a_thread_may_fork_while_others_send(void **state)
{
    crowd_begin(&crowd, *state, THREADS);
    on_one_socket();
    beside_begin(fork_one_that_leaves);
    crowd_send(&crowd);
    beside_end();
    crowd_expect_all_sent(&crowd);
    crowd_end(&crowd);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

static struct {
    udpbatch_socket fd;
    bool was_met; /* by others */
} error_of_icmp;

static bool is_pending(void)
{
    struct pollfd look = { .fd = error_of_icmp.fd };
    return poll(&look, 1, 0) == 1 && (look.revents & POLLERR) != 0;
}

static void make_error(void)
{
    while (send(error_of_icmp.fd, "", 1, 0) < 0)
        continue;
}

static void make_another_when_it_was_met(void)
{
    if (is_pending()) {
        sched_yield();
        return;
    }
    error_of_icmp.was_met = true;
    make_error();
}

/* By sending where nobody is. */
static void make_first_error(udpbatch_socket fd)
{
    union udpbatch_addr gone = closed_port(AF_INET);
    int64_t begun = now_ms();

    connect_to(fd, &gone);
    error_of_icmp.fd = fd;
    error_of_icmp.was_met = false;
    make_error();
    while (!is_pending())
        assert_true(now_ms() - begun < PATIENCE_MS);
}

/* What ICMP brings, any of them may meet, and none loses a packet to. Where it comes again and
 * again a packet may be refused for it: then it has not left. */
static void an_icmp_error_loses_nobody_a_packet(void **state)
{
    crowd_begin(&crowd, *state, THREADS);
    on_one_socket();
    make_first_error(crowd.members[0].fd);
    beside_begin(make_another_when_it_was_met);
    crowd_send(&crowd);
    beside_end();
    assert_true(error_of_icmp.was_met);
    for (size_t i = 0; i < crowd.count; i++)
        for (uint32_t k = 0; k < CROWD_PACKETS; k++)
            assert_true(crowd.members[i].fates[k] == 1 ||
                        crowd.members[i].fates[k] == -ECONNREFUSED);
    crowd_end(&crowd);
}

/* ---- Open and close -------------------------------------------------------------------------- */

static const struct way *way_of_all;
static struct port common;

static unsigned open_and_close(unsigned number)
{
    enum { TIMES = 100 };
    const struct udpbatch_receiver_options few = {
        .size = sizeof few, .batch = 2, .packet_size = 100, .trains = UDPBATCH_TRAINS_OFF
    };
    struct udpbatch_sender_options options = { .size = sizeof options,
                                               .backend = way_of_all->backend };
    struct udpbatch_packet packet = { .data = "x", .len = 1, .to = &common.addr };
    udpbatch_socket own = socket(AF_INET, SOCK_DGRAM, 0); /* a receiver has it for itself */
    unsigned done = 0;

    (void)number;
    for (int i = 0; i < TIMES; i++) {
        struct udpbatch_sender *sender = udpbatch_sender_open(common.fd, &options, NULL);
        struct udpbatch_receiver *receiver = udpbatch_receiver_open(own, &few, NULL);
        packet.status = 0;
        done += sender != NULL && receiver != NULL &&
                udpbatch_sender_send(sender, &packet, 1).sent == 1;
        udpbatch_receiver_close(receiver);
        udpbatch_sender_close(sender);
    }
    close_socket(own);
    return done == TIMES;
}

static void handles_are_opened_and_closed_by_many_at_once(void **state)
{
    way_of_all = *state;
    common = port_open(AF_INET);
    assert_int_equal(run_in_threads(THREADS, open_and_close), THREADS);
    port_close(&common);
}

/* ---- Functions of nobody's ------------------------------------------------------------------- */

static const struct udpbatch_packet shared_payloads[] = { { .data = "one", .len = 3 },
                                                          { .data = "two!", .len = 4 } };
static union udpbatch_addr shared_targets[8];

static bool says_what_it_always_says(void)
{
    return strcmp(udpbatch_version(), UDPBATCH_VERSION) == 0 && udpbatch_backend_name(0) != NULL &&
           udpbatch_backend_name(SIZE_MAX) == NULL &&
           udpbatch_error_meaning(EAGAIN) == UDPBATCH_BUSY;
}

static unsigned fan_out_and_send(unsigned number)
{
    enum { N = 16, TIMES = 50 };
    const struct udpbatch_fanout fanout = { shared_payloads, 2, shared_targets, 8 };
    struct udpbatch_packet packets[N];
    int32_t status[8];
    unsigned done = 0;

    (void)number;
    for (int i = 0; i < TIMES; i++) {
        memset(status, 0, sizeof status);
        done +=
            says_what_it_always_says() && udpbatch_fanout_fill(&fanout, 0, packets, N) == N &&
            udpbatch_send(common.fd, packets, N).sent == N &&
            udpbatch_multi_target_send(common.fd, "payload", 7, shared_targets, 8, status).sent ==
                8;
    }
    return done == TIMES;
}

/* To a port where they are dropped when it is full: that they arrive, others look at. */
static void level_1_and_all_that_has_no_handle_is_for_any_thread(void **state)
{
    (void)state;
    common = port_open(AF_INET);
    for (size_t i = 0; i < COUNT_OF(shared_targets); i++)
        shared_targets[i] = common.addr;
    assert_int_equal(run_in_threads(THREADS, fan_out_and_send), THREADS);
    port_close(&common);
}

/* ---- A sender and a receiver ----------------------------------------------------------------- */

enum { ECHOES = 3000, AT_ONCE = 16 };

static struct {
    const struct way *way;
    struct port port, peer;
    atomic_uint received; /* by the thread of the receiver */
} echo;

/* Sends on, as the other thread gets them back. */
static unsigned send_questions(void)
{
    struct udpbatch_sender_options options = { .size = sizeof options,
                                               .backend = echo.way->backend };
    struct udpbatch_sender *sender = udpbatch_sender_open(echo.port.fd, &options, NULL);
    uint32_t numbers[AT_ONCE];
    struct udpbatch_packet packets[AT_ONCE];
    unsigned sent = 0;

    while (sender != NULL && sent < ECHOES) {
        uint32_t n = ECHOES - sent < AT_ONCE ? ECHOES - sent : AT_ONCE;
        for (uint32_t i = 0; i < n; i++) {
            numbers[i] = sent + i;
            packets[i] = (struct udpbatch_packet){ .data = &numbers[i],
                                                   .len = sizeof numbers[i],
                                                   .to = &echo.peer.addr };
        }
        sent += (unsigned)udpbatch_sender_send(sender, packets, n).sent;
        while (atomic_load(&echo.received) + 4 * AT_ONCE < sent)
            sched_yield();
    }
    udpbatch_sender_close(sender);
    return sent == ECHOES;
}

static unsigned receive_answers(void)
{
    struct udpbatch_receiver_options options = { .size = sizeof options,
                                                 .backend = echo.way->backend };
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(echo.port.fd, &options, NULL);
    struct udpbatch_received packets[AT_ONCE];
    unsigned next = 0;
    bool is_well = receiver != NULL;

    while (is_well && next < ECHOES) {
        int n = udpbatch_receiver_receive(receiver, packets, AT_ONCE);
        is_well = n > 0;
        for (int i = 0; i < n; i++, next++)
            is_well &=
                packets[i].len == sizeof next && memcmp(packets[i].data, &next, sizeof next) == 0;
        atomic_store(&echo.received, next);
    }
    atomic_store(&echo.received, ECHOES);
    udpbatch_receiver_close(receiver);
    return is_well;
}

/* By level 1, on a receiver's socket: which is a sender and a receiver, too. */
static unsigned answer_all(void)
{
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(echo.peer.fd, NULL, NULL);
    struct udpbatch_received questions[AT_ONCE];
    struct udpbatch_packet answers[AT_ONCE];
    unsigned answered = 0;

    while (receiver != NULL && answered < ECHOES) {
        int n = udpbatch_receiver_receive(receiver, questions, AT_ONCE);
        if (n < 0)
            break;
        for (int i = 0; i < n; i++)
            answers[i] = (struct udpbatch_packet){ .data = questions[i].data,
                                                   .len = questions[i].len,
                                                   .to = questions[i].from };
        answered += (unsigned)udpbatch_send(echo.peer.fd, answers, (size_t)n).sent;
    }
    udpbatch_receiver_close(receiver);
    return answered == ECHOES;
}

static unsigned play_part(unsigned number)
{
    static unsigned (*const parts[])(void) = { send_questions, receive_answers, answer_all };
    return parts[number]();
}

static void a_sender_and_a_receiver_may_share_a_socket_from_two_threads(void **state)
{
    echo.way = *state;
    echo.port = port_open(AF_INET);
    echo.peer = port_open(AF_INET);
    set_receive_timeout(echo.port.fd, PATIENCE_MS);
    set_receive_timeout(echo.peer.fd, PATIENCE_MS);
    atomic_store(&echo.received, 0);
    assert_int_equal(run_in_threads(3, play_part), 3);
    port_close(&echo.port);
    port_close(&echo.peer);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_WAY(threads_may_send_on_one_socket),
        TEST_EACH_WAY(threads_may_send_on_sockets_of_their_own),
        TEST_EACH_BACKEND(both_levels_may_send_on_one_socket),
        TEST_EACH_WAY(what_packets_point_at_may_be_shared),
        TEST_EACH_BACKEND(a_sender_may_go_from_thread_to_thread),
        TEST_EACH_BACKEND(each_sender_has_its_own_rate),
        TEST_EACH_WAY(the_environment_is_read_by_all),
        TEST_EACH_WAY(a_thread_may_fork_while_others_send),
        TEST_EACH_WAY(an_icmp_error_loses_nobody_a_packet),
        TEST_EACH_BACKEND(handles_are_opened_and_closed_by_many_at_once),
        TEST_ONCE(level_1_and_all_that_has_no_handle_is_for_any_thread),
        TEST_EACH_BACKEND(a_sender_and_a_receiver_may_share_a_socket_from_two_threads),
    };
    unsetenv("UDPBATCH_GSO");
    return run_all("threads", tests, COUNT_OF(tests));
}
