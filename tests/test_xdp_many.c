/* test_xdp_many.c: however many go past the network stack, each arrives once: over rings that wrap,
 * by several queues, and at the cost of few system calls.
 *
 * The program makes hosts of its own (past_stack.h) and looks at the cable between them. It needs
 * root or user namespaces, and ip; where these are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "chance.h"
#include "past_stack.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct udpbatch_packet packets[MANY];
static struct frame frames[CAPTURE_MOST];

/* ---- Many ------------------------------------------------------------------------------------ */

enum { HOSTS_BEHIND = 97 };

static union udpbatch_addr behind[HOSTS_BEHIND];

static void make_hosts_behind(int family)
{
    for (unsigned i = 0; i < HOSTS_BEHIND; i++)
        behind[i] = behind_far(family, 1 + i, 5000);
}

/* Numbers that go on from call to call, to one host after the other. */
static void make_numbered(uint32_t from, size_t n)
{
    static unsigned char payloads[CAPTURE_MOST][LEN_MOST];

    for (size_t i = 0; i < n; i++) {
        uint32_t number = from + (uint32_t)i,
                 len = 4 + number % 211 + (number % 50 == 0 ? 1200 : 0);
        make_payload(payloads[i], number, len);
        packets[i] = (struct udpbatch_packet){ .data = payloads[i],
                                               .len = len,
                                               .to = &behind[number % HOSTS_BEHIND] };
    }
}

/* Exactly these came, though regrouped: each host has its own in order. */
static void expect_numbered(struct capture *capture, uint32_t from, size_t n)
{
    static uint32_t next[HOSTS_BEHIND];

    assert_int_equal(capture_all(capture, frames, CAPTURE_MOST - 1), n);
    for (uint32_t i = 0; i < HOSTS_BEHIND; i++)
        next[(from + i) % HOSTS_BEHIND] = from + i;
    for (size_t i = 0; i < n; i++) {
        uint32_t number, host;
        assert_true(frames[i].len >= sizeof number);
        memcpy(&number, frames[i].data, sizeof number);
        host = number % HOSTS_BEHIND;
        assert_true(number - from < n);
        if (number != next[host])
            fail_msg("packet %u came in place of %u", number, next[host]);
        next[host] += HOSTS_BEHIND;
        assert_true(same_address(&frames[i].to, &behind[host]));
        assert_int_equal(frames[i].len, packets[number - from].len);
        assert_memory_equal(frames[i].data, packets[number - from].data, frames[i].len);
    }
}

/* First all destinations are made known: some calls take part of them by the socket until then. */
static void make_known(struct xdp *xdp, struct capture *capture)
{
    int64_t begun = now_ms();

    do {
        assert_true(now_ms() - begun < PATIENCE_MS);
        make_numbered(0, HOSTS_BEHIND);
        forget_ways(xdp);
        xdp_send(xdp, packets, HOSTS_BEHIND);
        expect_numbered(capture, 0, HOSTS_BEHIND);
    } while (!have_gone_past(xdp));
}

static void send_many(int family)
{
    enum { ALL = 100000, MOST_AT_ONCE = 3000 };
    struct udpbatch_sender_options options = xdp_options("near");
    union udpbatch_addr own = on_cable(family, 1, 0);
    struct capture capture = capture_open();

    options.trains = UDPBATCH_TRAINS_OFF;
    struct xdp xdp = xdp_begin_at(&own, &options);
    make_hosts_behind(family);
    make_known(&xdp, &capture);
    for (uint32_t from = 0; from < ALL;) {
        uint32_t n = one_in(3) ? 1 + below(MOST_AT_ONCE) : 1 + below(70);
        n = n < ALL - from ? n : ALL - from;
        make_numbered(from, n);
        xdp_send(&xdp, packets, n);
        expect_numbered(&capture, from, n);
        from += n;
    }
    /* Ways are looked at again, and then may have to wait for their turn. */
    uint64_t past = xdp_stats(&xdp).xdp_packets;
    print_message("%u of %u went past the stack\n", (unsigned)past, (unsigned)ALL);
    assert_true(past > ALL - ALL / 20);
    assert_int_equal(udpbatch_sender_flush(xdp.sending.sender, PATIENCE_MS), 0);
    xdp_end(&xdp);
    capture_close(&capture);
}

static void a_hundred_thousand_arrive_once_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++)
        send_many(FAMILIES[i]);
}

/* A call needs far fewer system calls than packets. */
static void a_batch_is_a_few_system_calls(void **state)
{
    enum { COUNT = 64 };
    union udpbatch_addr own = on_cable(AF_INET, 1, 0);
    struct udpbatch_sender_options options = xdp_options("near");
    struct capture capture = capture_open();

    (void)state;
    options.trains = UDPBATCH_TRAINS_OFF;
    struct xdp xdp = xdp_begin_at(&own, &options);
    make_hosts_behind(AF_INET);
    make_known(&xdp, &capture);
    uint64_t before = xdp_stats(&xdp).system_calls;
    make_numbered(0, COUNT);
    xdp_send(&xdp, packets, COUNT);
    expect_past(&xdp, COUNT);
    assert_in_range(xdp_stats(&xdp).system_calls - before, 1, 8);
    xdp_end(&xdp);
    capture_close(&capture);
}

static void each_queue_is_a_senders(void **state)
{
    enum { QUEUES = 2, COUNT = 50 };
    struct udpbatch_sender_options options = xdp_options("near2");
    struct xdp xdp[QUEUES];

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_second_cable(FAMILIES[i], 2, 0);
        union udpbatch_addr own = on_second_cable(FAMILIES[i], 1, 0);
        struct port port = port_at(FAR, &at);
        for (uint32_t k = 0; k < QUEUES; k++) {
            options.xdp_queue = k;
            xdp[k] = xdp_begin_at(&own, &options);
            assert_int_equal(xdp_stats(&xdp[k]).xdp_queue, k);
            assert_int_equal(xdp_stats(&xdp[k]).xdp_mode, UDPBATCH_XDP_COPY);
            send_until_past(&xdp[k], &port.addr);
        }
        while (recv(port.fd, frames, sizeof frames, MSG_DONTWAIT) >= 0)
            continue;
        for (int round = 0; round < 100; round++) {
            make_lengths(packets, 4 + COUNT, &port.addr);
            forget_ways(&xdp[round % QUEUES]);
            xdp_send(&xdp[round % QUEUES], packets + 4, COUNT);
            expect_past(&xdp[round % QUEUES], COUNT);
            for (uint32_t k = 4; k < 4 + COUNT; k++)
                expect_payload(port.fd, packets[k].data, k);
        }
        for (uint32_t k = 0; k < QUEUES; k++)
            xdp_end(&xdp[k]);
        port_close(&port);
    }
}

static void a_flush_finds_all_done(void **state)
{
    struct xdp xdp = xdp_begin(AF_INET);
    union udpbatch_addr to = on_cable(AF_INET, 2, 5000);

    (void)state;
    assert_int_equal(udpbatch_sender_flush(xdp.sending.sender, 0), 0);
    make_lengths(packets, 1000, &to);
    xdp_send(&xdp, packets, 1000);
    assert_int_equal(udpbatch_sender_flush(xdp.sending.sender, PATIENCE_MS), 0);
    assert_int_equal(udpbatch_sender_flush(xdp.sending.sender, 0), 0);
    assert_int_equal(udpbatch_sender_flush(xdp.sending.sender, -1), 0);
    xdp_end(&xdp);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open), TEST_ONCE(a_hundred_thousand_arrive_once_each),
        TEST_ONCE(a_batch_is_a_few_system_calls),   TEST_ONCE(each_queue_is_a_senders),
        TEST_ONCE(a_flush_finds_all_done),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    chance_begin();
    return run_all("many past the stack", tests, COUNT_OF(tests));
}
