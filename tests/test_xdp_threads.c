/* test_xdp_threads.c: senders past the network stack in several threads: a queue each, as the
 * manual says, and others by the stack beside them (udpbatch_xdp(3), Queues).
 *
 * The program makes hosts of its own (past_stack.h). It needs root or user namespaces, and ip;
 * where these are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "beside.h"
#include "crowd.h"
#include "own_process.h"
#include "past_stack.h"

#include <netinet/in.h>
#include <stdlib.h>

enum { QUEUES = 3 };

static struct crowd crowd;
static struct udpbatch_sender_options options[QUEUES + 1];

static const struct way past_stack = { "xdp", "xdp" };

/* A queue for each thread but the last one, which sends by the stack. */
static void give_queues(void)
{
    options[0] = xdp_options("near");
    options[1] = options[2] = xdp_options("near2");
    options[2].xdp_queue = 1;
    options[3] = (struct udpbatch_sender_options){ .size = sizeof options[3] };
    for (size_t i = 0; i < crowd.count; i++)
        crowd.members[i].options = &options[i];
}

/* Targets of both cables, for all. */
static void begin_past_stack(int family, size_t count)
{
    union udpbatch_addr any = address(family, family == AF_INET ? "0.0.0.0" : "::", 0);
    union udpbatch_addr ends[] = { on_cable(family, 2, 0), on_cable(family, 2, 0),
                                   on_second_cable(family, 2, 0) };

    crowd_begin(&crowd, &past_stack, count);
    for (size_t i = 0; i < CROWD_TARGETS; i++) {
        port_close(&crowd.targets[i]);
        crowd.targets[i] = port_at(FAR, &ends[i]);
    }
    for (size_t i = 0; i < count; i++)
        crowd.members[i].fd = port_at(NEAR, &any).fd;
    give_queues();
}

/* The kernel frees a queue a moment after its sender: open waits for it. */
static void each_thread_may_have_a_queue_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        begin_past_stack(FAMILIES[i], QUEUES + 1);
        for (size_t k = 0; k < QUEUES; k++)
            options[k].trains = UDPBATCH_TRAINS_OFF;
        crowd_send(&crowd);
        crowd_expect_all_sent(&crowd);
        for (size_t k = 0; k < QUEUES; k++)
            assert_true(crowd.members[k].stats.xdp_packets > 0);
        assert_int_equal(crowd.members[QUEUES].stats.xdp_packets, 0);
        crowd_end(&crowd);
    }
}

static void a_thread_may_fork_while_they_send(void **state)
{
    (void)state;
    begin_past_stack(AF_INET, QUEUES + 1);
    beside_begin(fork_one_that_leaves);
    crowd_send(&crowd);
    beside_end();
    crowd_expect_all_sent(&crowd);
    crowd_end(&crowd);
}

static void they_may_share_a_socket(void **state)
{
    (void)state;
    begin_past_stack(AF_INET, QUEUES + 1);
    for (size_t k = 1; k < crowd.count; k++) {
        close_socket(crowd.members[k].fd);
        crowd.members[k].fd = crowd.members[0].fd;
    }
    crowd_send(&crowd);
    crowd_expect_all_sent(&crowd);
    crowd_end(&crowd);
}

static void a_sender_past_the_stack_may_go_from_thread_to_thread(void **state)
{
    enum { TURNS = 4, EACH = CROWD_PACKETS / TURNS };

    (void)state;
    begin_past_stack(AF_INET, 1);
    struct member *member = &crowd.members[0];
    options[0].trains = UDPBATCH_TRAINS_OFF;
    member->sender = udpbatch_sender_open(member->fd, member->options, NULL);
    assert_non_null(member->sender);
    member->count = EACH;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        member->from = turn * EACH;
        crowd_send(&crowd);
        assert_int_equal(member->stats.packets, (turn + 1) * EACH);
    }
    assert_true(member->stats.xdp_packets > EACH);
    assert_int_equal(udpbatch_sender_flush(member->sender, PATIENCE_MS), 0);
    udpbatch_sender_close(member->sender);
    crowd_end(&crowd);
}

/* One of them has the queue, whoever it is, and all others hear that it is taken. */
static unsigned try_to_have_the_queue(unsigned number)
{
    struct udpbatch_sender_options wanted = xdp_options("near");
    int error = 0;
    struct udpbatch_sender *sender =
        udpbatch_sender_open(crowd.members[number].fd, &wanted, &error);

    crowd.members[number].sender = sender;
    return sender != NULL ? 1 : error == EBUSY ? 0 : 100;
}

static void a_queue_is_had_by_one_of_many_who_want_it(void **state)
{
    (void)state;
    begin_past_stack(AF_INET, QUEUES + 1);
    assert_int_equal(run_in_threads(QUEUES + 1, try_to_have_the_queue), 1);
    for (size_t i = 0; i < crowd.count; i++)
        udpbatch_sender_close(crowd.members[i].sender);
    crowd_end(&crowd);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(each_thread_may_have_a_queue_of_its_own),
        TEST_ONCE(a_thread_may_fork_while_they_send),
        TEST_ONCE(they_may_share_a_socket),
        TEST_ONCE(a_sender_past_the_stack_may_go_from_thread_to_thread),
        TEST_ONCE(a_queue_is_had_by_one_of_many_who_want_it),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("threads past the stack", tests, COUNT_OF(tests));
}
