/* test_scripted.c: every fault that a kernel can give, against an obvious reference. All packets go
 * singly: test_scripted_trains.c has the trains. */
#include "internal.h"

#include "chance.h"
#include "scripted_kernel.h"
#include "support.h"

/* ---- The ways to send ---------------------------------------------------------------------- */

/* One way through the library, and what its system calls can be expected to be. */
struct scripted_way {
    const char *name;
    const char *backend; /* of a sender; NULL: level 1 */
    bool multi_target;
    unsigned window; /* packets to be sent per plan */
    unsigned span;   /* and of the array */
    bool window_by_index;
};

static const struct scripted_way ways[] = {
    { "udpbatch_send", NULL, false, 64, 128, false },
    { "udpbatch_multi_target_send", NULL, true, 64, 64, true },
    { "a sender, sendmmsg", "sendmmsg", false, 1024, 4096, false },
    { "a sender, one by one", ONE_BY_ONE, false, 1024, 4096, false },
};

enum { WAYS = sizeof ways / sizeof ways[0] };

static bool is_built(const struct scripted_way *way)
{
    return ub_backend_find(way->backend) != NULL;
}

static bool sends_one_by_one(const struct scripted_way *way)
{
    return strcmp(ub_backend_find(way->backend)->name, ONE_BY_ONE) == 0;
}

static struct udpbatch_tally send_by(const struct scripted_way *way, struct udpbatch_sender *sender,
                                     udpbatch_socket fd, struct udpbatch_packet *packets, size_t n)
{
    if (sender != NULL)
        return udpbatch_sender_send(sender, packets, n);
    if (way->multi_target)
        return script_multi_target_send(fd, packets, n);
    return udpbatch_send(fd, packets, n);
}

/* ---- The reference ------------------------------------------------------------------------- */

/* The contract in the obvious way: one packet after the other, without plan or train. */
struct reference {
    const struct scripted_way *way;
    bool hears_icmp;
    struct script_state state;
    struct udpbatch_packet packets[SCRIPT_PACKETS];
    unsigned room;    /* messages that the system call under way still takes */
    unsigned planned; /* packets since the last plan began */
    size_t plan_from; /* where it began */
    int unsent_error;
};

static void refuse_rest(struct reference *reference, size_t from, int error, bool all)
{
    for (size_t i = from; i < reference->state.script->n; i++)
        if (reference->packets[i].status == 0 && (all || reference->packets[i].to == NULL))
            reference->packets[i].status = -error;
}

/* The first error of a packet that its sender gets to see; 0: the packet was taken. */
static int visible_error(struct reference *reference, size_t packet)
{
    for (;;) {
        bool is_first = reference->room == 0;
        if (is_first)
            reference->room = script_next_count(&reference->state, UINT32_MAX);
        if (is_first && sends_one_by_one(reference->way))
            reference->room = 1;
        int error = script_next_error(&reference->state, packet);
        reference->room = error == 0 ? reference->room - 1 : 0;
        if (error == 0 || is_first)
            return error;
    }
}

/* The packet's fate: 0 (taken) or the error that says something about it, or about all. */
static int fate_of(struct reference *reference, size_t packet)
{
    unsigned asked = 0;
    for (;;) {
        int error = visible_error(reference, packet);
        if (error == EINTR)
            continue;
        if (asked >= script_asked_again(error, reference->hears_icmp))
            return error;
        asked++;
    }
}

/* Writes the packet's fate down. False if it ends the call. */
static bool settle_one(struct reference *reference, size_t packet, int error)
{
    struct udpbatch_packet *it = &reference->packets[packet];

    switch (error) {
    case EAGAIN:
    case EBUSY:
    case ENOBUFS:
    case ENOMEM:
        reference->unsent_error = error;
        return false;
    case EBADF:
    case ENOTSOCK:
    case EPIPE:
        refuse_rest(reference, packet, error, true);
        return false;
    case EDESTADDRREQ:
        if (it->to == NULL) {
            refuse_rest(reference, packet, error, false);
            reference->planned = 0;
            return true;
        }
    }
    it->status = error == 0 ? 1 : -error;
    return true;
}

/* Begins a plan where the one before has no room for packet i. */
static void note_planned(struct reference *reference, size_t i)
{
    const struct scripted_way *way = reference->way;

    if (reference->planned == way->window || i - reference->plan_from >= way->span)
        reference->planned = 0;
    if (reference->planned++ == 0) {
        reference->plan_from = i;
        reference->room = 0;
    }
}

static void reference_send(struct reference *reference)
{
    const struct scripted_way *way = reference->way;

    reference->planned = 0;
    reference->room = 0;
    reference->unsent_error = 0;
    for (size_t i = 0; i < reference->state.script->n; i++) {
        if (way->window_by_index && i % way->window == 0)
            reference->room = 0;
        if (reference->packets[i].status != 0)
            continue;
        if (!way->window_by_index)
            note_planned(reference, i);
        if (!settle_one(reference, i, fate_of(reference, i)))
            return;
    }
}

/* ---- Playing a script ---------------------------------------------------------------------- */

/* Calls until nothing is unsent, or so often; a script may be busy for good. */
enum { MOST_ROUNDS = 6 };

struct play {
    struct script script;
    unsigned without_address;
    bool hears_icmp;
    unsigned settled_before; /* packets whose index it divides are sent already; 0: none */
};

static udpbatch_socket sockets[2]; /* that does not hear ICMP, that does */
static struct udpbatch_sender *senders[WAYS][2];
static unsigned plays;

static void check_packets(const struct reference *reference, const struct udpbatch_packet *packets)
{
    for (size_t i = 0; i < reference->state.script->n; i++) {
        if (packets[i].status != reference->packets[i].status)
            fail_msg("%s: packet %u has the status %d and not %d", reference->way->name,
                     (unsigned)i, packets[i].status, reference->packets[i].status);
        if (kernel_taken[i] > 1)
            fail_msg("%s: packet %u was taken %u times", reference->way->name, (unsigned)i,
                     kernel_taken[i]);
    }
    if (kernel_strange != 0)
        fail_msg("%s: %u messages were not as given", reference->way->name, kernel_strange);
}

static void check_call(const struct reference *reference, const struct udpbatch_packet *packets,
                       const struct udpbatch_tally *tally)
{
    static int32_t status[SCRIPT_PACKETS];
    size_t n = reference->state.script->n;

    check_packets(reference, packets);
    for (size_t i = 0; i < n; i++)
        status[i] = packets[i].status;
    check_tally(tally, status, n);
    assert_int_equal(tally->unsent_error, tally->unsent > 0 ? reference->unsent_error : 0);
    if (kernel.calls != reference->state.calls)
        fail_msg("%s: %u system calls and not %u", reference->way->name, kernel.calls,
                 reference->state.calls);
}

static void prepare_packets(const struct play *play, struct udpbatch_packet *packets)
{
    size_t n = play->script.n;
    script_packets(packets, n, play->without_address);
    for (size_t i = 0; play->settled_before != 0 && i < n; i += play->settled_before)
        packets[i].status = 1;
}

/* A packet that was sent before the script began is not to be taken at all. */
static void check_taken(const struct play *play, const struct udpbatch_packet *packets)
{
    for (size_t i = 0; i < play->script.n; i++) {
        bool before = play->settled_before != 0 && i % play->settled_before == 0;
        assert_int_equal(kernel_taken[i], packets[i].status == 1 && !before);
    }
}

static void play_by(const struct scripted_way *way, const struct play *play)
{
    static struct udpbatch_packet packets[SCRIPT_PACKETS];
    static struct reference reference;
    struct udpbatch_sender *sender = senders[way - ways][play->hears_icmp];
    struct udpbatch_tally tally = { .unsent = 1 };

    prepare_packets(play, packets);
    reference = (struct reference){ .way = way,
                                    .hears_icmp = play->hears_icmp,
                                    .state = { .script = &play->script } };
    memcpy(reference.packets, packets, play->script.n * sizeof packets[0]);
    kernel_has_peer = play->hears_icmp;
    kernel_play(&play->script);
    for (int round = 0; round < MOST_ROUNDS && tally.unsent > 0; round++) {
        tally = send_by(way, sender, sockets[play->hears_icmp], packets, play->script.n);
        reference_send(&reference);
        check_call(&reference, packets, &tally);
    }
    check_taken(play, packets);
    plays++;
}

static void play_all_ways(struct play *play)
{
    for (size_t i = 0; i < WAYS; i++)
        if (is_built(&ways[i]) && !(ways[i].multi_target && play->without_address != 0))
            play_by(&ways[i], play);
}

/* On a socket that ICMP errors reach, and on one that they do not. */
static void play_both_sockets(struct play *play)
{
    play->hears_icmp = false;
    play_all_ways(play);
    play->hears_icmp = true;
    play_all_ways(play);
}

static int open_sockets(void **state)
{
    struct sockaddr_in peer = { .sin_family = AF_INET,
                                .sin_port = htons(9),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    (void)state;
    begin_sockets();
    set_variable("UDPBATCH_GSO", "off");
    for (int hears = 0; hears < 2; hears++) {
        sockets[hears] = port_open(AF_INET).fd; /* bound, so that no back end does it */
        if (hears && connect(sockets[hears], (struct sockaddr *)&peer, sizeof peer) < 0)
            return -1;
        for (size_t i = 0; i < WAYS; i++) {
            struct udpbatch_sender_options options = { .size = sizeof options,
                                                       .backend = ways[i].backend };
            if (ways[i].backend != NULL && is_built(&ways[i]))
                senders[i][hears] = udpbatch_sender_open(sockets[hears], &options, NULL);
        }
    }
    return 0;
}

static int close_sockets(void **state)
{
    (void)state;
    for (int hears = 0; hears < 2; hears++) {
        for (size_t i = 0; i < WAYS; i++)
            udpbatch_sender_close(senders[i][hears]);
        close_socket(sockets[hears]);
    }
    return 0;
}

/* ---- Every script -------------------------------------------------------------------------- */

static const int errors[] = {
    EAGAIN, ENOBUFS,      ENOMEM,      EINTR,  ECONNREFUSED, EPERM, EACCES, EMSGSIZE,
    EBADF,  EHOSTUNREACH, ENETUNREACH, EINVAL, EDESTADDRREQ, EIO,   EBUSY,
};

enum { ERRORS = sizeof errors / sizeof errors[0], FEW = 5 };

/* The ways in which a packet meets an error: once, twice, thrice, always. */
enum { MANNERS = 4 };

static struct script_packet meets(int error, unsigned manner)
{
    bool for_good = manner == MANNERS - 1 && error != EINTR; /* which no kernel gives for ever */
    struct script_packet packet = { .errors = { error }, .for_good = for_good };
    for (unsigned i = 1; !for_good && i <= manner && i < SCRIPT_ERRORS; i++)
        packet.errors[i] = error;
    return packet;
}

static void without_faults_all_packets_of_any_number_are_taken(void **state)
{
    (void)state;
    for (size_t n = 0; n <= SCRIPT_PACKETS; n++) {
        struct play play = { .script = { .n = n } };
        play_both_sockets(&play);
    }
}

static void partial_counts_at_every_position_lose_nothing(void **state)
{
    (void)state;
    for (unsigned first = 0; first <= FEW; first++)
        for (unsigned second = 0; second <= FEW; second++)
            for (unsigned third = 0; third <= FEW; third++) {
                struct play play = { .script = { .n = FEW, .most = { first, second, third } } };
                play_both_sockets(&play);
            }
}

static void each_error_anywhere_with_any_partial_count_has_its_fate(void **state)
{
    (void)state;
    for (unsigned e = 0; e < ERRORS * MANNERS; e++)
        for (unsigned at = 0; at < FEW; at++)
            for (unsigned most = 0; most <= FEW; most++)
                for (unsigned without_address = 0; without_address <= 2; without_address++) {
                    struct play play = { .script = { .n = FEW, .most = { most } },
                                         .without_address = without_address };
                    play.script.packets[at] = meets(errors[e / MANNERS], e % MANNERS);
                    play_both_sockets(&play);
                }
}

static void each_pair_of_errors_on_one_packet_has_its_fate(void **state)
{
    (void)state;
    for (unsigned first = 0; first < ERRORS; first++)
        for (unsigned second = 0; second < ERRORS; second++)
            for (unsigned at = 0; at < FEW; at++)
                for (unsigned for_good = 0; for_good < 2; for_good++) {
                    if (for_good && errors[second] == EINTR)
                        continue;
                    struct play play = { .script = { .n = FEW } };
                    play.script.packets[at] =
                        (struct script_packet){ .errors = { errors[first], errors[second] },
                                                .for_good = for_good };
                    play_both_sockets(&play);
                }
}

static void each_pair_of_errors_on_two_packets_has_its_fate(void **state)
{
    (void)state;
    for (unsigned first = 0; first < ERRORS * MANNERS; first++)
        for (unsigned second = 0; second < ERRORS * MANNERS; second++)
            for (unsigned pair = 0; pair < FEW * FEW; pair++) {
                struct play play = { .script = { .n = FEW } };
                if (pair / FEW >= pair % FEW)
                    continue;
                play.script.packets[pair / FEW] = meets(errors[first / MANNERS], first % MANNERS);
                play.script.packets[pair % FEW] = meets(errors[second / MANNERS], second % MANNERS);
                play_both_sockets(&play);
            }
}

static void each_error_at_the_edge_of_a_plan_has_its_fate(void **state)
{
    static const size_t edges[] = { 0, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 1099 };
    (void)state;
    for (unsigned e = 0; e < ERRORS * MANNERS; e++)
        for (size_t at = 0; at < sizeof edges / sizeof edges[0]; at++) {
            struct play play = { .script = { .n = SCRIPT_PACKETS } };
            play.script.packets[edges[at]] = meets(errors[e / MANNERS], e % MANNERS);
            play_both_sockets(&play);
        }
}

static void packets_that_have_a_status_are_left_alone(void **state)
{
    (void)state;
    for (unsigned e = 0; e < ERRORS * MANNERS; e++)
        for (unsigned settled_before = 1; settled_before <= 3; settled_before++) {
            struct play play = { .script = { .n = 70 }, .settled_before = settled_before };
            play.script.packets[35] = meets(errors[e / MANNERS], e % MANNERS);
            play_both_sockets(&play);
        }
}

static void without_statuses_what_is_unsent_is_the_end_of_the_targets(void **state)
{
    static const struct script script = { .n = 10,
                                          .packets = { [5] = { .errors = { EAGAIN, EAGAIN } } } };
    struct udpbatch_packet packets[10];
    union udpbatch_addr targets[10];

    (void)state;
    script_packets(packets, 10, 0);
    memcpy(targets, script_targets, sizeof targets);
    targets[9].sa.sa_family = AF_UNIX; /* would be refused, but is not reached */
    kernel_play(&script);
    struct udpbatch_tally tally = udpbatch_multi_target_send(
        sockets[0], script_shared_payload, sizeof script_shared_payload, targets, 10, NULL);
    assert_int_equal(tally.sent, 5);
    assert_int_equal(tally.unsent, 5);
    assert_int_equal(tally.refused, 0);
}

static void waits_without_an_event_add_up_to_the_timeout(void **state)
{
    static struct script script = { .n = 1 };
    struct udpbatch_packet packet;
    struct udpbatch_sender *sender = senders[WAYS - 1][0];
    int waits = 0, waited = 0;

    (void)state;
    script.packets[0] = meets(ENOBUFS, MANNERS - 1);
    script_packets(&packet, 1, 0);
    kernel_play(&script);
    for (; waited == 0 && waits < 1000; waits++) {
        assert_int_equal(udpbatch_sender_send(sender, &packet, 1).unsent_error, ENOBUFS);
        waited = udpbatch_sender_wait(sender, 30);
    }
    assert_int_equal(waited, -ETIMEDOUT);
    assert_true(waits > 1); /* and one such wait alone does not come to it */
}

/* ---- Random scripts ------------------------------------------------------------------------ */

static struct script_packet random_packet(unsigned rarity)
{
    struct script_packet packet = { .for_good = one_in(3) };
    for (unsigned i = 0; i < SCRIPT_ERRORS && one_in(rarity); i++)
        packet.errors[i] = errors[below(ERRORS)];
    for (unsigned i = 0; i < SCRIPT_ERRORS; i++)
        packet.for_good = packet.for_good && packet.errors[i] != EINTR;
    return packet;
}

static void random_scripts_have_the_fates_that_they_say(void **state)
{
    (void)state;
    chance_begin();
    for (int i = 0; i < 4000; i++) {
        static struct play play;
        unsigned rarity = 1u << below(8);
        play = (struct play){ .script = { .n = below(one_in(8) ? SCRIPT_PACKETS + 1 : 300) },
                              .without_address = below(4),
                              .settled_before = below(5) };
        for (size_t p = 0; p < play.script.n; p++)
            play.script.packets[p] = random_packet(rarity);
        for (size_t c = 0; c < SCRIPT_COUNTS; c++)
            play.script.most[c] = one_in(2) ? below(80) : 0;
        play_both_sockets(&play);
    }
    print_message("%u scripts played in all\n", plays);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partial_counts_at_every_position_lose_nothing),
        cmocka_unit_test(each_error_anywhere_with_any_partial_count_has_its_fate),
        cmocka_unit_test(each_pair_of_errors_on_one_packet_has_its_fate),
        cmocka_unit_test(each_pair_of_errors_on_two_packets_has_its_fate),
        cmocka_unit_test(each_error_at_the_edge_of_a_plan_has_its_fate),
        cmocka_unit_test(packets_that_have_a_status_are_left_alone),
        cmocka_unit_test(without_statuses_what_is_unsent_is_the_end_of_the_targets),
        cmocka_unit_test(waits_without_an_event_add_up_to_the_timeout),
        cmocka_unit_test(random_scripts_have_the_fates_that_they_say),
        cmocka_unit_test(without_faults_all_packets_of_any_number_are_taken),
    };
    return cmocka_run_group_tests(tests, open_sockets, close_sockets);
}
