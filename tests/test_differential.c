/* test_differential.c: by whichever way it is sent, a batch gets the same statuses, and the same
 * datagrams arrive: the same batches of all kinds, by a printed seed, through level 1 and every
 * back end, with trains and without, in order or not. Of each way besides: what is said to have
 * been sent arrives, once, whole, and in the order of the array, for each destination; in order,
 * for all of a receiver's destinations together.
 *
 * The program makes hosts of its own (past_stack.h), and hears of what arrives by recvmsg(2). It
 * needs root or user namespaces, and ip; where these are missing it exits with 77, or fails if CI
 * is set. A back end that this machine cannot open is left out. UDPBATCH_BATCHES in the environment
 * is how many batches.
 */
#define _GNU_SOURCE
#include "can_open.h"
#include "chance.h"
#include "outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCHES = 40, WAYS_MOST = 32, PATIENCE_WITH_A_BATCH_S = 100 };

/* ---- The ways -------------------------------------------------------------------------------- */

static struct batch_way ways[WAYS_MOST];
static size_t way_count;

static void add_way(struct batch_way way, const char *name)
{
    static char names[WAYS_MOST][64];

    assert_true(way_count < WAYS_MOST);
    snprintf(names[way_count], sizeof names[0], "%s%s%s", name,
             way.trains == UDPBATCH_TRAINS_OFF ? " without trains" : "",
             way.in_order ? " in order" : "");
    way.name = names[way_count];
    ways[way_count++] = way;
}

static bool may_be_checked(const char *backend)
{
    const char *reason;

    if (can_open(backend, &reason))
        return true;
    if (not_checked("the back end %s: %s", backend, reason))
        fail();
    return false;
}

/* With trains and without, in order or not. */
static void add_backend(const char *name)
{
    for (int i = 0; i < 4; i++)
        add_way((struct batch_way){ .call = SENDER,
                                    .backend = name,
                                    .trains = i < 2 ? UDPBATCH_TRAINS_AUTO : UDPBATCH_TRAINS_OFF,
                                    .in_order = i % 2 == 1 },
                name);
}

/* The multi-target call is always in order. */
static void make_ways(void **state)
{
    const char *name;

    (void)state;
    for (int off = 0; off <= 1; off++) {
        enum udpbatch_trains trains = off ? UDPBATCH_TRAINS_OFF : UDPBATCH_TRAINS_AUTO;
        add_way((struct batch_way){ .call = LEVEL_1, .trains = trains }, "level 1");
        add_way((struct batch_way){ .call = MULTI_TARGET, .trains = trains, .in_order = true },
                "the multi-target call");
    }
    for (size_t i = 0; (name = udpbatch_backend_name(i)) != NULL; i++)
        if (may_be_checked(name))
            add_backend(name);
}

static bool goes_past_the_stack(void)
{
    for (size_t i = 0; i < way_count; i++)
        if (ways[i].backend != NULL && strcmp(ways[i].backend, "xdp") == 0)
            return true;
    return false;
}

static bool can_send(const struct batch_way *way)
{
    return way->call != MULTI_TARGET || batch.is_fan_out;
}

/* ---- Sending by one -------------------------------------------------------------------------- */

static struct udpbatch_tally send_to_targets(int fd, struct udpbatch_packet *packets, size_t n)
{
    int32_t status[BATCH_MOST];

    for (size_t i = 0; i < n; i++)
        status[i] = packets[i].status;
    struct udpbatch_tally tally =
        udpbatch_multi_target_send(fd, packets[0].data, packets[0].len, batch.targets, n, status);
    check_tally(&tally, status, n);
    for (size_t i = 0; i < n; i++)
        packets[i].status = status[i];
    return tally;
}

static struct udpbatch_tally send_once(const struct batch_way *way, struct sending *sending,
                                       struct udpbatch_packet *packets, size_t n)
{
    return way->call == MULTI_TARGET ? send_to_targets(sending->fd, packets, n)
                                     : sending_send(sending, packets, n);
}

/* Level 1 has its trains by the environment. */
static struct sending begin(const struct batch_way *way, int fd)
{
    struct udpbatch_sender_options options = { .size = sizeof options,
                                               .backend = way->backend,
                                               .trains = way->trains,
                                               .in_order = way->in_order,
                                               .xdp_interface = "near",
                                               .rate = batch.rate,
                                               .burst = batch.burst };
    if (way->call == SENDER)
        return sending_begin_with(fd, &options);
    if (way->trains == UDPBATCH_TRAINS_OFF)
        setenv("UDPBATCH_GSO", "off", 1);
    return (struct sending){ .fd = fd };
}

static void send_all(const struct batch_way *way, struct sending *sending,
                     struct udpbatch_packet *packets)
{
    struct udpbatch_tally tally;

    if (batch.first_part > 0)
        send_once(way, sending, packets, batch.first_part);
    do
        tally = send_once(way, sending, packets, batch.count);
    while (tally.unsent > 0 && sending_wait(sending, &tally, PATIENCE_MS) == 0);
    if (tally.unsent > 0)
        differ("%s: %zu of %zu stay unsent", way->name, tally.unsent, batch.count);
}

static uint64_t gone_past, trains; /* the stack; and how many trains were sent */

/* Counts what the sender did, which adds up to the statuses. */
static void end(struct sending *sending, const struct outcome *outcome)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    size_t sent = 0, refused = 0;

    unsetenv("UDPBATCH_GSO");
    if (sending->sender == NULL) {
        close(sending->fd);
        return;
    }
    for (size_t i = 0; i < batch.count; i++) {
        sent += batch.packets[i].status == 0 && outcome->fates[i].status == 1;
        refused += batch.packets[i].status == 0 && outcome->fates[i].status < 0;
    }
    udpbatch_sender_stats(sending->sender, &stats);
    if (stats.packets != sent || stats.refused != refused)
        differ("%s: counts %u sent and %u refused in place of %zu and %zu", outcome->way->name,
               (unsigned)stats.packets, (unsigned)stats.refused, sent, refused);
    if (outcome->way->trains == UDPBATCH_TRAINS_OFF)
        assert_int_equal(stats.trains, 0);
    gone_past += stats.xdp_packets;
    trains += stats.trains;
    sending_end(sending);
}

/* What is sent to each host after the batch has arrived there after it, by each cable: by the
 * stack, on the one processor that all this runs on. */
static void let_arrive(void)
{
    union udpbatch_addr any = address(AF_INET, "0.0.0.0", 0);
    const union udpbatch_addr ats[] = { on_cable(AF_INET, 2, 0), on_second_cable(AF_INET, 2, 0),
                                        at_beyond(AF_INET, 2, 0), loopback(AF_INET, 0) };
    const enum host hosts[] = { FAR, FAR, BEYOND, NEAR };
    static struct port fence = { .fd = -1 }, ends[COUNT_OF(hosts)];

    for (size_t i = 0; fence.fd < 0 && i < COUNT_OF(hosts); i++)
        ends[i] = port_at(hosts[i], &ats[i]);
    if (fence.fd < 0)
        fence = port_at(NEAR, &any);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        sendto(fence.fd, "fence", 5, 0, &ends[i].addr.sa, sizeof ends[i].addr);
        expect_payload(ends[i].fd, "fence", 5);
    }
}

static void send_by(const struct batch_way *way, struct outcome *outcome, uint16_t *number)
{
    struct udpbatch_packet packets[BATCH_MOST];
    struct sending sending = begin(way, batch_socket(number));

    *outcome = (struct outcome){ .way = way };
    memcpy(packets, batch.packets, sizeof packets);
    send_all(way, &sending, packets);
    if (sending.sender != NULL)
        assert_int_equal(udpbatch_sender_flush(sending.sender, PATIENCE_MS), 0);
    for (size_t i = 0; i < batch.count; i++)
        outcome->fates[i].status = packets[i].status;
    let_arrive();
    outcome_take(outcome);
    end(&sending, outcome);
}

/* ---- By all of them -------------------------------------------------------------------------- */

static unsigned long batches(void)
{
    const char *given = getenv("UDPBATCH_BATCHES");
    return given != NULL ? strtoul(given, NULL, 0) : BATCHES;
}

static size_t count_refused(const struct outcome *outcome)
{
    size_t refused = 0;
    for (size_t i = 0; i < batch.count; i++)
        refused += outcome->fates[i].status < 0;
    return refused;
}

static void all_ways_send_the_same(void **state)
{
    static struct outcome first, other;
    size_t arrived = 0, refused = 0;

    (void)state;
    for (unsigned long round = 0; round < batches(); round++) {
        uint16_t number = 0;
        begin_watchdog(PATIENCE_WITH_A_BATCH_S);
        choose_batch();
        send_by(&ways[0], &first, &number);
        for (size_t i = 1; i < way_count; i++)
            if (can_send(&ways[i])) {
                send_by(&ways[i], &other, &number);
                outcome_compare(&first, &other);
            }
        arrived += first.arrived;
        refused += count_refused(&first);
    }
    print_message("%lu batches by each of %zu ways: %zu datagrams arrived and %zu were refused;"
                  " past the stack went %u, and %u trains left\n",
                  batches(), way_count, arrived, refused, (unsigned)gone_past, (unsigned)trains);
    assert_true(arrived > batches() && refused > 0 && trains > 0);
    assert_true(gone_past > batches() || !goes_past_the_stack());
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(make_places),
        TEST_ONCE(make_ways),
        TEST_ONCE(all_ways_send_the_same),
    };
    const char *missing = all_hosts_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    chance_begin();
    return run_all("all ways", tests, COUNT_OF(tests));
}
