/* test_bench_kernel.c: `udpbatch bench` on loopback: an engine that does what it says gets figures,
 * one that does not gets none. */
#include "cli.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench_support.h"
#include "clock.h"
#include "socket.h"
#include "verify.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* How long to wait for what must come: spent on failing only. */
static const uint64_t PATIENCE_NS = UINT64_C(5) * NS_PER_SECOND;

/* ---- Engines with a fault ------------------------------------------------------------------- */

enum fault {
    NO_FAULT,
    LEAVES_OUT,   /* one packet, and says so */
    SWALLOWS,     /* one packet, and claims that it was sent */
    TIRES,        /* the same, from the third call on */
    GIVES_UP,     /* one packet, and says so, from the third call on */
    REFUSES,      /* the same, for an error */
    REPEATS,      /* one packet */
    FLIPS,        /* a bit of a payload */
    FLIPS_NUMBER, /* the same, where the number is */
    CUTS,         /* the last byte off */
    MISDIRECTS,   /* one packet to the target of the next */
    CLAIMS_MORE,  /* one more than there are good */
    CLAIMS_FEWER  /* one less than were sent */
};

/* A loop of sendto with a fault in the packet `at`, which is a good one. */
struct planted {
    struct engine engine; /* to be first */
    enum fault fault;
    size_t at;
};

struct loop {
    const struct planted *planted;
    int fd;
    const struct udpbatch_packet *packets;
    size_t n, calls;
};

/* Of the engine that was planted last. */
static size_t calls_made, packets_swallowed;

static void *open_planted(const struct engine *engine, int fd,
                          const struct udpbatch_packet *packets, size_t n)
{
    struct loop *self = malloc(sizeof *self);
    if (self != NULL)
        *self = (struct loop){ (const struct planted *)(const void *)engine, fd, packets, n, 0 };
    return self;
}

static bool send_one(int fd, const void *data, size_t len, const union udpbatch_addr *to)
{
    socklen_t to_len = to->sa.sa_family == AF_INET ? sizeof to->in4 : sizeof to->in6;
    return sendto(fd, data, len, 0, &to->sa, to_len) >= 0;
}

static bool send_flipped(int fd, const struct udpbatch_packet *packet, size_t at)
{
    char copy[2048];
    assert_true(packet->len <= sizeof copy && at < packet->len);
    memcpy(copy, packet->data, packet->len);
    copy[at] ^= 4;
    return send_one(fd, copy, packet->len, packet->to);
}

/* Returns what it claims to have sent. */
static size_t send_badly(const struct loop *self, size_t i)
{
    const struct udpbatch_packet *packet = &self->packets[i];

    switch (self->planted->fault) {
    case LEAVES_OUT:
        return 0;
    case TIRES:
        if (self->calls < 3)
            break;
        packets_swallowed++;
        return 1;
    case SWALLOWS:
        return 1;
    case GIVES_UP:
    case REFUSES:
        if (self->calls < 3)
            break;
        return 0;
    case REPEATS:
        send_one(self->fd, packet->data, packet->len, packet->to);
        break;
    case FLIPS:
        return send_flipped(self->fd, packet, packet->len / 2);
    case FLIPS_NUMBER:
        return send_flipped(self->fd, packet, 1);
    case CUTS:
        return send_one(self->fd, packet->data, packet->len - 1, packet->to);
    case MISDIRECTS:
        return send_one(self->fd, packet->data, packet->len, self->packets[i + 1].to);
    default:
        break;
    }
    return send_one(self->fd, packet->data, packet->len, packet->to);
}

static struct outcome send_planted(void *me)
{
    struct loop *self = me;
    const struct planted *planted = self->planted;
    struct outcome outcome = { 0 };

    self->calls++;
    calls_made++;
    for (size_t i = 0; i < self->n; i++) {
        const struct udpbatch_packet *packet = &self->packets[i];
        if (i == planted->at)
            outcome.sent += send_badly(self, i);
        else if (send_one(self->fd, packet->data, packet->len, packet->to))
            outcome.sent++;
        else
            outcome.refused++;
    }
    if (planted->fault == REFUSES && outcome.sent < self->n)
        outcome_count_error(&outcome, ENETUNREACH);
    outcome.sent += planted->fault == CLAIMS_MORE;
    outcome.refused -= planted->fault == CLAIMS_MORE && outcome.refused > 0;
    outcome.sent -= planted->fault == CLAIMS_FEWER;
    return outcome;
}

static struct planted plant(const char *name, enum fault fault, size_t at)
{
    const struct engine engine = {
        .name = name, .what = name, .open = open_planted, .send = send_planted, .close = free
    };
    calls_made = packets_swallowed = 0;
    return (struct planted){ engine, fault, at };
}

/* ---- A workload, sent on loopback ----------------------------------------------------------- */

/* Global, so that what a failing test leaves open is closed by the next one. */
static struct place place;
static struct receivers receivers;
static struct workload_specs specs;
static struct workload workload;

static struct reason reason;

static void ask_for(const char *text)
{
    workload_specs_free(&specs);
    assert_true(workload_add(&specs, text, &reason));
    assert_int_equal(specs.count, 1);
}

static void listen_at(size_t count)
{
    receivers_close(&receivers);
    if (!place_listen(&place, &receivers, count, &reason))
        fail_msg("%s", reason.text);
    assert_int_equal(receivers.count, count);
}

/* Makes the packets, and receivers whose buffers hold so much; 0: what they have. */
static void begin(const char *text, size_t buffer)
{
    const struct layout layout = { 0 };

    workload_free(&workload);
    ask_for(text);
    assert_true(place_prepare(&place, specs.list, &reason));
    size_t count = workload_targets(specs.list);
    listen_at(count);
    for (size_t i = 0; buffer != 0 && i < count; i++)
        receivers.buffer = socket_set_buffer(receivers.fds[i], buffer);
    assert_true(
        workload_build(&workload, specs.list, &layout, receivers.targets, count, &place.bad));
}

/* Whether the engine is found to be right. */
static bool verify(const struct engine *engine, char fault[RESULT_TEXT])
{
    int fd = place_socket(&place, specs.list, &reason);
    assert_true(fd >= 0);
    void *self = engine->open(engine, fd, workload.packets, workload.n);
    if (self == NULL)
        fail_msg("%s: %s", engine->name, strerror(errno));
    fault[0] = '\0';
    bool well = verify_engine(engine, self, &workload, &receivers, fault);
    assert_int_equal(fault[0] == '\0', well);
    engine->close(self);
    close(fd);
    return well;
}

static void expect_well(const struct engine *engine)
{
    char fault[RESULT_TEXT];
    if (!verify(engine, fault))
        fail_msg("%s, %s: %s", specs.list->name, engine->name, fault);
}

static void expect_fault(enum fault kind, size_t at, const char *words)
{
    struct planted planted = plant("planted", kind, at);
    char fault[RESULT_TEXT];
    if (verify(&planted.engine, fault))
        fail_msg("%s, fault %d: not caught", specs.list->name, kind);
    if (strstr(fault, words) == NULL)
        fail_msg("%s, fault %d: \"%s\" does not say \"%s\"", specs.list->name, kind, fault, words);
}

/* ---- Verification --------------------------------------------------------------------------- */

static void every_engine_sends_every_workload_as_it_says(void **state)
{
    static const char *const texts[] = { "W1", "W2", "W3:300", "W4",       "W5",
                                         "W6", "W7", "W7:100", "W7:10:W2", "W8" };
    const struct engine *engines[ENGINES_MAX];
    size_t count = engines_list(SENDING, engines);

    (void)state;
    assert_true(count > 5);
    for (size_t t = 0; t < COUNT_OF(texts); t++) {
        begin(texts[t], 0);
        for (size_t i = 0; i < count; i++)
            if (!is_known_to_fail(engines[i], &place, workload.payload_count, workload.bad,
                                  workload.n))
                expect_well(engines[i]);
    }
}

static void an_engine_is_found_by_its_name(void **state)
{
    const struct engine *engines[ENGINES_MAX];
    size_t count = engines_list(SENDING, engines);

    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(engines_find(engines[i]->name), engines[i]);
    assert_non_null(engines_find(ENGINE_ORIGINAL));
    assert_null(engines_find("udpbatch-"));
    assert_null(engines_find(""));
}

static void both_kinds_of_bad_packets_are_refused(void **state)
{
    (void)state;
    begin("W7:10:W2", 0);
    assert_int_equal(place.bad.count, 2);
    for (size_t i = 0; i < place.bad.count; i++) {
        int fd = place_socket(&place, specs.list, &reason);
        assert_false(send_one(fd, "payload", 7, &place.bad.addresses[i]));
        assert_int_equal(errno, i == 0 ? EAFNOSUPPORT : EACCES);
        assert_string_equal(place.bad.names[i], i == 0 ? "EAFNOSUPPORT" : "EACCES");
        close(fd);
    }
}

/* The first good packet from there on that a good one follows. */
static size_t good_packet_from(size_t i)
{
    while (workload_is_bad(&workload, &workload.packets[i]) ||
           workload_is_bad(&workload, &workload.packets[i + 1]))
        i++;
    return i;
}

static void every_fault_is_caught_and_told(void **state)
{
    (void)state;
    begin("W7:10:W2", 0);
    size_t middle = good_packet_from(workload.n / 2);
    struct planted right = plant("right", NO_FAULT, middle);
    expect_well(&right.engine);
    expect_fault(LEAVES_OUT, middle, "did not send 1 of 231 good packets");
    expect_fault(SWALLOWS, middle, "1 of 231 packets did not arrive");
    expect_fault(REPEATS, middle, "arrived twice");
    expect_fault(FLIPS, middle, "damaged");
    expect_fault(FLIPS_NUMBER, middle, "");
    expect_fault(CUTS, middle, "damaged");
    expect_fault(MISDIRECTS, middle, "wrong target");
    expect_fault(CLAIMS_MORE, middle, "it says 232 sent, 24 refused");
    expect_fault(CLAIMS_FEWER, middle, "did not send 1 of 231 good packets");
}

static void a_repetition_of_the_last_packet_is_caught(void **state)
{
    (void)state;
    begin("W2:20", 0);
    expect_fault(REPEATS, workload.n - 1, "arrived twice");
}

static void one_payload_at_a_wrong_target_is_caught(void **state)
{
    (void)state;
    begin("W1:20", 0);
    expect_fault(MISDIRECTS, 10, "");
    expect_fault(SWALLOWS, 0, "1 of 20 packets did not arrive");
}

static void all_bad_packets_leave_nothing_to_arrive(void **state)
{
    (void)state;
    begin("W7:100", 0);
    struct planted right = plant("right", NO_FAULT, workload.n);
    expect_well(&right.engine);
    expect_fault(CLAIMS_MORE, workload.n, "it says 1 sent, 63 refused");
}

/* Far less than the workload has for its one target. */
enum { SMALL_BUFFER = 32 << 10 };

static void a_workload_above_a_buffer_is_checked_in_parts(void **state)
{
    (void)state;
    begin("W3:300", SMALL_BUFFER);
    struct planted right = plant("right", NO_FAULT, 0);
    expect_well(&right.engine);
    assert_true(calls_made > 1);
    expect_well(engines_find(ENGINE_ORIGINAL));
    expect_well(engines_find("udpbatch"));
}

static void a_fault_in_a_late_part_is_caught(void **state)
{
    (void)state;
    begin("W3:300", SMALL_BUFFER);
    expect_fault(SWALLOWS, 299, "did not arrive");
    assert_true(calls_made > 1);
    expect_fault(SWALLOWS, 150, "did not arrive");
    expect_fault(REPEATS, 299, "arrived twice");
    expect_fault(FLIPS, 299, "damaged");
    expect_fault(FLIPS_NUMBER, 299, "did not arrive");
    expect_fault(CUTS, 299, "damaged");
    expect_fault(TIRES, 299, "did not arrive");
}

static void what_was_queued_before_does_not_count(void **state)
{
    (void)state;
    begin("W2:20", 0);
    struct planted right = plant("right", NO_FAULT, 0);
    int fd = place_socket(&place, specs.list, &reason);
    for (size_t i = 0; i < workload.n; i++)
        send_one(fd, workload.packets[i].data, workload.packets[i].len, workload.packets[i].to);
    struct pollfd arrival = { .fd = receivers.fds[0], .events = POLLIN };
    assert_int_equal(poll(&arrival, 1, 5000), 1);
    expect_well(&right.engine);
    close(fd);
}

/* ---- Receivers ------------------------------------------------------------------------------ */

static uint64_t wait_for_drops(uint64_t count)
{
    uint64_t begun_ns = clock_now_ns(), dropped;
    while (receivers_dropped(&receivers, &dropped) && dropped < count &&
           clock_now_ns() - begun_ns < PATIENCE_NS)
        clock_sleep_ns(NS_PER_MS);
    return dropped;
}

static void send_numbered(int fd, uint32_t number, const union udpbatch_addr *to)
{
    unsigned char payload[PAYLOAD_LEAST] = { 0 };
    uint32_t big_endian = htonl(number);
    memcpy(payload, &big_endian, sizeof big_endian);
    assert_true(send_one(fd, payload, sizeof payload, to));
}

static void dropped_packets_are_counted_exactly(void **state)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char byte;

    (void)state;
    listen_at(3);
    assert_true(receivers_drop(&receivers));
    assert_int_equal(wait_for_drops(0), 0);
    for (uint32_t i = 0; i < 1000; i++)
        send_numbered(fd, i, &receivers.targets[i % 2]);
    assert_int_equal(wait_for_drops(1000), 1000);
    for (uint32_t i = 0; i < 7; i++)
        send_numbered(fd, i, &receivers.targets[2]);
    assert_int_equal(wait_for_drops(1007), 1007);
    for (size_t i = 0; i < receivers.count; i++)
        assert_int_equal(recv(receivers.fds[i], &byte, 1, MSG_DONTWAIT), -1);
    close(fd);
}

static uint32_t number_that_arrives(int fd)
{
    uint32_t big_endian;
    struct pollfd arrival = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&arrival, 1, 5000), 1);
    assert_int_equal(recv(fd, &big_endian, sizeof big_endian, 0), sizeof big_endian);
    return ntohl(big_endian);
}

static void only_payloads_of_the_window_are_taken(void **state)
{
    static const uint32_t taken[] = { 5, 6, 9, 9 };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char byte;

    (void)state;
    listen_at(1);
    assert_true(receivers_take(&receivers, 5, 10));
    for (uint32_t number = 0; number < 7; number++)
        send_numbered(fd, number, receivers.targets);
    assert_true(send_one(fd, "\0\0\0", 3, receivers.targets));
    assert_true(send_one(fd, "", 0, receivers.targets));
    send_numbered(fd, 9, receivers.targets);
    send_numbered(fd, 10, receivers.targets);
    send_numbered(fd, 5 << 24, receivers.targets);
    send_numbered(fd, UINT32_MAX, receivers.targets);
    send_numbered(fd, 9, receivers.targets);
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        assert_int_equal(number_that_arrives(receivers.fds[0]), taken[i]);
    assert_int_equal(recv(receivers.fds[0], &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(wait_for_drops(10), 10);
    close(fd);
}

static void draining_forgets_what_is_queued(void **state)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    (void)state;
    listen_at(2);
    for (uint32_t i = 0; i < 20; i++)
        send_numbered(fd, i, &receivers.targets[i % 2]);
    assert_int_equal(number_that_arrives(receivers.fds[0]), 0);
    assert_int_equal(number_that_arrives(receivers.fds[1]), 1);
    receivers_drain(&receivers);
    send_numbered(fd, 77, &receivers.targets[0]);
    send_numbered(fd, 78, &receivers.targets[1]);
    assert_int_equal(number_that_arrives(receivers.fds[0]), 77);
    assert_int_equal(number_that_arrives(receivers.fds[1]), 78);
    close(fd);
}

static void each_receiver_has_an_address_of_its_own(void **state)
{
    (void)state;
    listen_at(600);
    for (size_t a = 0; a < receivers.count; a++) {
        assert_int_not_equal(receivers.targets[a].in4.sin_port, 0);
        for (size_t b = 0; b < a; b++)
            assert_int_not_equal(receivers.targets[a].in4.sin_addr.s_addr,
                                 receivers.targets[b].in4.sin_addr.s_addr);
    }
}

/* ---- Measuring ------------------------------------------------------------------------------ */

static void expect_figures(const struct workload_result *workload_result,
                           const struct engine_result *result)
{
    const struct spread *rate = &result->packets_per_second, *cpu = &result->cpu_ns_per_packet;

    if (result->fault[0] != '\0')
        fail_msg("%s: %s", result->engine->name, result->fault);
    assert_true(rate->known && rate->min > 0 && rate->min <= rate->median &&
                rate->median <= rate->max);
    assert_true(cpu->known && cpu->min <= cpu->median && cpu->median <= cpu->max);
    assert_true(result->call_p50_ns > 0 && result->call_p50_ns <= result->call_p99_ns);
    assert_true(result->packets >= ROUNDS * workload_result->packets);
    assert_int_equal(result->packets % workload_result->packets, 0);
    assert_int_equal(result->refused,
                     result->packets / workload_result->packets * workload_result->bad);
    assert_int_equal(result->lost, 0);
}

static void all_engines_get_figures(void **state)
{
    static const char *const texts[] = { "W1:8", "W2:32", "W7:10:W2", "W7:100", "W8:20" };
    const struct engine *engines[ENGINES_MAX];
    size_t count = engines_list(SENDING, engines);

    (void)state;
    for (size_t t = 0; t < COUNT_OF(texts); t++) {
        const struct workload_result *result = measure(&place, texts[t], engines, count);
        assert_int_equal(result->rounds, ROUNDS);
        for (size_t i = 0; i < count; i++) {
            const struct engine_result *each = &result->engines[i];
            if (is_known_to_fail(each->engine, &place, result->payloads, result->bad,
                                 result->packets)) {
                assert_string_not_equal(each->fault, "");
                continue;
            }
            expect_figures(result, each);
            assert_true(each->ratio_to_baseline.known);
        }
    }
}

static void loopback_is_no_device_to_send_past_the_stack_by(void **state)
{
    const struct engine *engines[] = { engines_find("udpbatch-xdp"), engines_find("prebuilt") };

    (void)state;
    if (engines[0] == NULL) {
        print_message("cannot run here: built without AF_XDP\n");
        skip();
    }
    const struct workload_result *result = measure(&place, "W1:8", engines, 2);
    assert_non_null(strstr(result->engines[0].fault, "an Ethernet device"));
    assert_false(result->engines[0].packets_per_second.known);
    expect_figures(result, &result->engines[1]);
}

static void a_result_tells_what_was_sent(void **state)
{
    const struct engine *engines[] = { engines_find("prebuilt") };

    (void)state;
    const struct workload_result *result = measure(&place, "W7:10:W2", engines, 1);
    assert_int_equal(result->packets, 256);
    assert_int_equal(result->payloads, 256);
    assert_int_equal(result->targets, 129);
    assert_int_equal(result->bad, 25);
    assert_int_equal(result->least_bytes, 1203);
    assert_int_equal(result->most_bytes, 1228);
    assert_non_null(strstr(result->what, "25 bad (EAFNOSUPPORT, EACCES)"));
    assert_false(result->engines[0].ratio_to_baseline.known);
}

static void the_original_is_as_fast_as_itself(void **state)
{
    const struct engine *engines[] = { engines_find("sendto-loop"), engines_find("original") };

    (void)state;
    const struct workload_result *result = measure(&place, "W4:16", engines, 2);
    const struct spread *ratio = &result->engines[1].ratio_to_baseline;
    assert_true(ratio->known && ratio->min == 1 && ratio->median == 1 && ratio->max == 1);
    assert_true(result->engines[0].ratio_to_baseline.known);
}

/* Other libcs have a loop of sendmsg in place of sendmmsg, as musl where pointers have 64 bits. */
#ifdef __GLIBC__
static const double calls_of_a_batch = 1;
#else
static const double calls_of_a_batch = 16;
#endif

static void system_calls_are_told_per_packet(void **state)
{
    const struct engine *engines[] = { engines_find("sendto-loop"), engines_find("prebuilt") };

    (void)state;
    const struct workload_result *result = measure(&place, "W4:16", engines, 2);
    if (result->engines[0].syscalls_per_packet < 0) /* whether it may be is known to test_bench */
        skip();
    assert_true(result->engines[0].syscalls_per_packet == 1);
    assert_true(result->engines[1].syscalls_per_packet == calls_of_a_batch / 16);
}

static void an_engine_with_a_fault_gets_no_figures(void **state)
{
    struct planted bad = plant("swallows", SWALLOWS, 3), worse = plant(ENGINE_ORIGINAL, CUTS, 3);
    const struct engine *engines[] = { &bad.engine, engines_find("udpbatch"), &worse.engine };

    (void)state;
    const struct workload_result *result = measure(&place, "W2:20", engines, 3);
    assert_int_equal(result->rounds, ROUNDS);
    for (size_t i = 0; i < 3; i += 2) {
        const struct engine_result *none = &result->engines[i];
        assert_true(none->fault[0] != '\0');
        assert_false(none->packets_per_second.known || none->cpu_ns_per_packet.known ||
                     none->ratio_to_baseline.known);
        assert_int_equal(none->packets, 0);
    }
    assert_int_equal(calls_made, 2); /* one of each, by the check, and never again */
    expect_figures(result, &result->engines[1]);
    assert_false(result->engines[1].ratio_to_baseline.known); /* to one that cannot be trusted */
}

static void what_is_lost_after_the_check_is_counted(void **state)
{
    struct planted tiring = plant("tires", TIRES, 3);
    const struct engine *engines[] = { &tiring.engine, engines_find("udpbatch") };

    (void)state;
    const struct workload_result *result = measure(&place, "W2:20", engines, 2);
    const struct engine_result *lossy = &result->engines[0];
    assert_string_equal(lossy->fault, "");
    /* Some of them before the first round. */
    assert_true(lossy->lost > 0 && lossy->lost <= packets_swallowed);
    expect_figures(result, &result->engines[1]);
}

static void expect_no_figures(enum fault kind, const char *words)
{
    struct planted planted = plant("planted", kind, 3);
    const struct engine *engines[] = { engines_find("udpbatch"), &planted.engine };
    const struct workload_result *result = measure(&place, "W2:20", engines, 2);
    const struct engine_result *faulty = &result->engines[1];

    if (strstr(faulty->fault, words) == NULL)
        fail_msg("fault %d: \"%s\" does not say \"%s\"", kind, faulty->fault, words);
    assert_false(faulty->packets_per_second.known);
    expect_figures(result, &result->engines[0]);
}

static void who_gives_up_while_timed_has_no_figures(void **state)
{
    (void)state;
    expect_no_figures(GIVES_UP, "gave up");
}

static void who_is_refused_good_packets_while_timed_has_no_figures(void **state)
{
    char words[128];

    (void)state;
    snprintf(words, sizeof words, "refused while timed, and 0 are bad: %s", strerror(ENETUNREACH));
    expect_no_figures(REFUSES, words);
}

/* ---- Devices -------------------------------------------------------------------------------- */

static void the_loopback_device_is_described(void **state)
{
    struct device device;

    (void)state;
    device_describe(&device, "lo");
    assert_string_equal(device.name, "lo");
    assert_true(device.mtu >= 1500);
}

static void an_unknown_device_stays_unknown(void **state)
{
    struct device device;

    (void)state;
    device_describe(&device, "no-such-device");
    assert_int_equal(device.mtu, 0);
    for (int i = 0; i < OFFLOADS; i++)
        assert_int_equal(device.offloads[i], OFFLOAD_UNKNOWN);
    device_describe(&device, "a-name-that-is-longer-than-any-device-has");
    assert_int_equal(device.mtu, 0);
    assert_false(device_segmentation_off("no-such-device", &reason));
    assert_non_null(strstr(reason.text, "no-such-device"));
}

static void the_way_to_this_machine_is_loopback(void **state)
{
    union udpbatch_addr to = { .in4 = { .sin_family = AF_INET, .sin_port = htons(9) } };
    struct device device;

    (void)state;
    to.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    device_of_route(&device, &to);
    assert_string_equal(device.name, "lo");
    assert_true(device.mtu >= 1500);
}

/* ---- All ------------------------------------------------------------------------------------ */

static int open_loopback(void **state)
{
    static const struct place_settings settings = { 0 };
    (void)state;
    return place_open(&place, &settings, &reason) ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    workload_free(&workload);
    workload_specs_free(&specs);
    receivers_close(&receivers);
    place_close(&place);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_engine_sends_every_workload_as_it_says),
        cmocka_unit_test(an_engine_is_found_by_its_name),
        cmocka_unit_test(both_kinds_of_bad_packets_are_refused),
        cmocka_unit_test(every_fault_is_caught_and_told),
        cmocka_unit_test(a_repetition_of_the_last_packet_is_caught),
        cmocka_unit_test(one_payload_at_a_wrong_target_is_caught),
        cmocka_unit_test(all_bad_packets_leave_nothing_to_arrive),
        cmocka_unit_test(a_workload_above_a_buffer_is_checked_in_parts),
        cmocka_unit_test(a_fault_in_a_late_part_is_caught),
        cmocka_unit_test(what_was_queued_before_does_not_count),
        cmocka_unit_test(dropped_packets_are_counted_exactly),
        cmocka_unit_test(only_payloads_of_the_window_are_taken),
        cmocka_unit_test(draining_forgets_what_is_queued),
        cmocka_unit_test(each_receiver_has_an_address_of_its_own),
        cmocka_unit_test(all_engines_get_figures),
        cmocka_unit_test(loopback_is_no_device_to_send_past_the_stack_by),
        cmocka_unit_test(a_result_tells_what_was_sent),
        cmocka_unit_test(the_original_is_as_fast_as_itself),
        cmocka_unit_test(system_calls_are_told_per_packet),
        cmocka_unit_test(an_engine_with_a_fault_gets_no_figures),
        cmocka_unit_test(what_is_lost_after_the_check_is_counted),
        cmocka_unit_test(who_gives_up_while_timed_has_no_figures),
        cmocka_unit_test(who_is_refused_good_packets_while_timed_has_no_figures),
        cmocka_unit_test(the_loopback_device_is_described),
        cmocka_unit_test(an_unknown_device_stays_unknown),
        cmocka_unit_test(the_way_to_this_machine_is_loopback),
    };
    alarm(100);
    return cmocka_run_group_tests(tests, open_loopback, close_all);
}
