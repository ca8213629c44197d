/* test_transfer.c: from a source of payloads to the sender, which here takes what it is told to. */
#include "transfer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"

enum { PAYLOADS = 5000, TARGETS = 200, SIZE = 1200 };

/* ---- The sender ---------------------------------------------------------------------------- */

static struct {
    size_t room;            /* packets that a call takes at most */
    int refuses_port;       /* packets to this port are refused; -1: none */
    size_t calls, waits;    /* that there were */
    uint64_t sent, refused; /* packets */
    size_t copies[PAYLOADS][TARGETS];
} kernel;

struct udpbatch_tally __wrap_udpbatch_sender_send(struct udpbatch_sender *sender,
                                                  struct udpbatch_packet *packets, size_t n);
int __wrap_udpbatch_sender_wait(struct udpbatch_sender *sender, int timeout_ms);
void __wrap_udpbatch_sender_stats(const struct udpbatch_sender *sender,
                                  struct udpbatch_sender_stats *stats);

/* What is sent is the number of the payload; the port is that of the target. */
static void take(struct udpbatch_packet *packet)
{
    uint32_t number;
    int port = ntohs(packet->to->in4.sin_port);

    if (port == kernel.refuses_port) {
        packet->status = -EACCES;
        kernel.refused++;
        return;
    }
    memcpy(&number, packet->data, sizeof number);
    packet->status = 1;
    kernel.sent++;
    kernel.copies[number][port - 1]++;
}

struct udpbatch_tally __wrap_udpbatch_sender_send(struct udpbatch_sender *sender,
                                                  struct udpbatch_packet *packets, size_t n)
{
    struct udpbatch_tally tally = { 0 };
    size_t room = kernel.room;

    (void)sender;
    kernel.calls++;
    for (size_t i = 0; i < n; i++) {
        bool is_refused = ntohs(packets[i].to->in4.sin_port) == kernel.refuses_port;
        if (packets[i].status == 0 && (room > 0 || is_refused)) {
            take(&packets[i]);
            room -= is_refused ? 0 : 1;
        }
        tally.unsent += packets[i].status == 0;
    }
    return tally;
}

int __wrap_udpbatch_sender_wait(struct udpbatch_sender *sender, int timeout_ms)
{
    (void)sender;
    (void)timeout_ms;
    kernel.waits++;
    return 0;
}

void __wrap_udpbatch_sender_stats(const struct udpbatch_sender *sender,
                                  struct udpbatch_sender_stats *stats)
{
    (void)sender;
    *stats = (struct udpbatch_sender_stats){ .size = sizeof *stats,
                                             .packets = kernel.sent,
                                             .refused = kernel.refused };
}

/* ---- The source ---------------------------------------------------------------------------- */

static struct {
    struct source source;
    size_t at_hand; /* payloads per fill */
    size_t there;   /* of these, still to be cut */
    size_t stamps;
    uint32_t numbers[PAYLOADS];
    uint32_t stamped_at[PAYLOADS]; /* in calls of the sender */
} stub;

static void fill(struct source *source, int timeout_ms)
{
    size_t rest = (size_t)(source->length - source->taken);

    (void)timeout_ms;
    stub.there = stub.at_hand < rest ? stub.at_hand : rest;
    source->ended = rest == 0;
}

static size_t cut(struct source *source, struct udpbatch_packet *payloads, size_t n)
{
    static union udpbatch_addr own[PAYLOADS];
    size_t count = n < stub.there ? n : stub.there;

    for (size_t i = 0; i < count; i++) {
        size_t number = (size_t)source->taken + i;
        own[number] = address_in4(1, (uint16_t)(1 + number % TARGETS));
        payloads[i] = (struct udpbatch_packet){ .data = &stub.numbers[number],
                                                .len = sizeof(uint32_t),
                                                .to = source->addressed ? &own[number] : NULL };
    }
    stub.there -= count;
    source->taken += count;
    source->count += count;
    return count;
}

static void stamp(struct source *source, struct udpbatch_packet *packets, size_t n)
{
    (void)source;
    for (size_t i = 0; i < n; i++) {
        if (packets[i].status != 0)
            continue;
        stub.stamps++;
        stub.stamped_at[(const uint32_t *)packets[i].data - stub.numbers] = (uint32_t)kernel.calls;
    }
}

static uint64_t left(const struct source *source)
{
    return source->length - source->count;
}

/* ---- Both ---------------------------------------------------------------------------------- */

static const struct source_kind kind = { .fill = fill, .cut = cut, .left = left };
static const struct source_kind stamping_kind = {
    .fill = fill, .cut = cut, .stamp = stamp, .left = left
};

static union udpbatch_addr addresses[TARGETS];
static struct targets targets = { .addresses = addresses };
static struct refusals refusals;
static struct transfer transfer;

static int set_up(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof kernel);
    kernel.room = TRANSFER_PACKETS;
    kernel.refuses_port = -1;
    memset(&stub, 0, sizeof stub);
    stub.at_hand = PAYLOADS;
    stub.source = (struct source){ .kind = &kind, .size = SIZE, .length = PAYLOADS };
    for (uint32_t i = 0; i < PAYLOADS; i++)
        stub.numbers[i] = i;
    for (uint16_t i = 0; i < TARGETS; i++)
        addresses[i] = address_in4(1, (uint16_t)(1 + i));
    targets.count = TARGETS;
    transfer =
        (struct transfer){ .source = &stub.source, .targets = &targets, .refusals = &refusals };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    refusals_free(&refusals);
    return 0;
}

static uint64_t all(void)
{
    return stub.source.length * (stub.source.addressed ? 1 : targets.count);
}

/* Whatever the state, each packet is of one kind. */
static void run(void)
{
    do
        assert_int_equal(kernel.sent + kernel.refused + transfer_unsent(&transfer), all());
    while (transfer_step(&transfer, 0));
    transfer_end(&transfer);
}

static void expect_one_of_each(void)
{
    for (size_t i = 0; i < (size_t)stub.source.length; i++)
        for (size_t j = 0; j < targets.count; j++)
            assert_int_equal(kernel.copies[i][j], 1);
    assert_int_equal(kernel.sent, all());
    assert_int_equal(transfer_unsent(&transfer), 0);
}

static void each_payload_goes_once_to_each_target(void **state)
{
    (void)state;
    run();
    expect_one_of_each();
    assert_int_equal(kernel.waits, 0);
}

static void what_is_unsent_is_tried_again(void **state)
{
    (void)state;
    kernel.room = 7;
    stub.source.length = 300;
    stub.at_hand = 31;
    run();
    expect_one_of_each();
    assert_true(kernel.waits > 0);
}

/* 18 trains of 54 packets of 1200 bytes to one target. */
static void calls_are_as_full_as_whole_trains_make_them(void **state)
{
    (void)state;
    targets.count = 1;
    run();
    expect_one_of_each();
    assert_int_equal(kernel.calls, (PAYLOADS + 971) / 972);
}

static void payloads_with_addresses_of_their_own_go_there_alone(void **state)
{
    (void)state;
    stub.source.addressed = true;
    targets.count = 0;
    kernel.room = 100;
    run();
    assert_int_equal(kernel.sent, PAYLOADS);
    for (size_t i = 0; i < PAYLOADS; i++)
        assert_int_equal(kernel.copies[i][i % TARGETS], 1);
}

static void each_try_is_stamped(void **state)
{
    (void)state;
    stub.source.kind = &stamping_kind;
    stub.source.length = 5;
    targets.count = 1;
    kernel.room = 1;
    run();
    assert_int_equal(kernel.calls, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(stub.stamped_at[i], i); /* and never again when it has left */
    assert_int_equal(stub.stamps, 5 + 4 + 3 + 2 + 1);
}

static void a_refusal_is_noted_once(void **state)
{
    (void)state;
    kernel.refuses_port = 3;
    kernel.room = 50;
    stub.source.length = 500;
    run();
    assert_int_equal(refusals.count, 1);
    assert_int_equal(refusals.rows[0].count, 500);
    assert_int_equal(refusals.rows[0].error, EACCES);
    assert_int_equal(ntohs(refusals.rows[0].target.in4.sin_port), 3);
}

static void refusals_behind_what_is_unsent_are_noted_at_the_end(void **state)
{
    (void)state;
    kernel.refuses_port = 2;
    kernel.room = 0;
    stub.source.length = 10;
    targets.count = 2;
    while (kernel.calls == 0)
        assert_true(transfer_step(&transfer, 0));
    assert_int_equal(refusals.count, 0);
    transfer_end(&transfer);
    assert_int_equal(refusals.rows[0].count, 10);
    assert_int_equal(transfer_unsent(&transfer), 10);
}

static void the_part_that_is_done_grows_from_0_to_1(void **state)
{
    double before = 0;

    (void)state;
    kernel.room = 13;
    stub.source.length = 400;
    assert_true(transfer_part(&transfer) == 0);
    while (transfer_step(&transfer, 0)) {
        assert_true(transfer_part(&transfer) >= before);
        before = transfer_part(&transfer);
    }
    assert_true(before == 1);
    stub.source.length = 0;
    assert_true(transfer_part(&transfer) < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_payload_goes_once_to_each_target),
        TEST(what_is_unsent_is_tried_again),
        TEST(calls_are_as_full_as_whole_trains_make_them),
        TEST(payloads_with_addresses_of_their_own_go_there_alone),
        TEST(each_try_is_stamped),
        TEST(a_refusal_is_noted_once),
        TEST(refusals_behind_what_is_unsent_are_noted_at_the_end),
        TEST(the_part_that_is_done_grows_from_0_to_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
