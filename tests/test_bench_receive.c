/* test_bench_receive.c: `udpbatch bench --receive` on loopback: an engine that gives out what
 * arrives gets figures, one that does not gets none. */
#include "cli.h"

#include <errno.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench_support.h"
#include "feeder.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* ---- Engines with a fault ------------------------------------------------------------------- */

enum fault {
    NO_FAULT,
    SWALLOWS,  /* one packet */
    REPEATS,   /* one packet */
    ADDS,      /* one packet, when all have come */
    SWAPS,     /* it and the next */
    FLIPS,     /* a bit of a payload */
    CUTS,      /* the last byte off */
    TRUNCATES, /* says that its end is lost */
    MISNAMES,  /* says that it is from elsewhere */
    FAILS,     /* for an error */
    GOES_ON    /* with the packet for ever */
};

/* recvmmsg, with a fault in the packet `at`, counted since it was opened. */
struct planted {
    struct engine engine; /* to be first */
    enum fault fault;
    size_t at;
};

struct spoilt {
    const struct planted *planted;
    void *inner;
    size_t given;
    struct udpbatch_received last;
    char payload[2048];
    union udpbatch_addr from;
};

static const struct engine *inner_engine(void)
{
    return engines_find(ENGINE_RECVMMSG);
}

static void *open_planted(const struct engine *engine, int fd,
                          const struct udpbatch_packet *packets, size_t n)
{
    struct spoilt *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->planted = (const struct planted *)(const void *)engine;
    self->inner = inner_engine()->open(inner_engine(), fd, packets, n);
    assert_non_null(self->inner);
    return self;
}

static void close_planted(void *me)
{
    struct spoilt *self = me;
    inner_engine()->close(self->inner);
    free(self);
}

static void flip(struct spoilt *self, struct udpbatch_received *packet)
{
    assert_true(packet->len <= sizeof self->payload);
    memcpy(self->payload, packet->data, packet->len);
    self->payload[packet->len / 2] ^= 4;
    packet->data = self->payload;
}

static void misname(struct spoilt *self, struct udpbatch_received *packet)
{
    self->from = *packet->from;
    self->from.in4.sin_port ^= 1;
    packet->from = &self->from;
}

/* Spoils packets[i] of `count`, behind which is room. Returns how many they are then. */
static int spoil(struct spoilt *self, struct udpbatch_received *packets, int count, int i)
{
    const struct udpbatch_received kept = packets[i];
    const size_t behind = (size_t)(count - i) * sizeof *packets;

    switch (self->planted->fault) {
    case SWALLOWS:
        memmove(&packets[i], &packets[i + 1], behind - sizeof *packets);
        return count - 1;
    case REPEATS:
        memmove(&packets[i + 1], &packets[i], behind);
        return count + 1;
    case SWAPS:
        packets[i] = packets[i + 1];
        packets[i + 1] = kept;
        break;
    case FLIPS:
        flip(self, &packets[i]);
        break;
    case CUTS:
        packets[i].len--;
        break;
    case TRUNCATES:
        packets[i].truncated = 1;
        break;
    case MISNAMES:
        misname(self, &packets[i]);
        break;
    case FAILS:
        return -EIO;
    default:
        break;
    }
    return count;
}

static int receive_planted(void *me, struct udpbatch_received *packets, size_t n)
{
    struct spoilt *self = me;
    const struct planted *planted = self->planted;

    if (planted->fault == GOES_ON && self->given > planted->at) {
        packets[0] = self->last;
        return 1;
    }
    int count = inner_engine()->receive(self->inner, packets, n - 1);
    if (count == -EAGAIN && planted->fault == ADDS && self->given > planted->at) {
        packets[0] = self->last;
        return 1;
    }
    if (count <= 0)
        return count;
    size_t first = self->given;
    self->given += (size_t)count;
    self->last = packets[count - 1];
    if (planted->at < first || planted->at >= self->given)
        return count;
    return spoil(self, packets, count, (int)(planted->at - first));
}

static struct planted plant(enum fault fault, size_t at)
{
    const struct engine engine = { .name = "planted",
                                   .what = "planted",
                                   .open = open_planted,
                                   .receive = receive_planted,
                                   .close = close_planted };
    return (struct planted){ engine, fault, at };
}

/* ---- Measuring ------------------------------------------------------------------------------ */

static struct place place;
static struct reason reason;

/* How many are put into a socket at once, which depends on the buffer that this user gets. */
static size_t packets_at_once(const char *text)
{
    const struct layout layout = { 0 };
    struct workload_specs specs = { 0 };
    struct receivers receivers;
    struct workload workload;
    struct feeder feeder;

    assert_true(workload_add(&specs, text, &reason));
    assert_true(place_listen(&place, &receivers, 1, &reason));
    assert_true(workload_build(&workload, specs.list, &layout, &feeder.to, 1, &place.bad));
    assert_true(feeder_open(&feeder, &place, &receivers, specs.list, &workload, &reason));
    size_t count = feeder.n * feeder.bursts;
    assert_true(count >= workload.n);
    feeder_close(&feeder);
    workload_free(&workload);
    receivers_close(&receivers);
    workload_specs_free(&specs);
    return count;
}

static void expect_figures(const struct workload_result *workload,
                           const struct engine_result *result)
{
    const struct spread *rate = &result->packets_per_second, *cpu = &result->cpu_ns_per_packet;

    if (result->fault[0] != '\0')
        fail_msg("%s, %s: %s", workload->what, result->engine->name, result->fault);
    assert_true(rate->known && rate->min > 0 && rate->min <= rate->median &&
                rate->median <= rate->max);
    assert_true(cpu->known && cpu->min <= cpu->median && cpu->median <= cpu->max);
    assert_true(result->call_p50_ns > 0 && result->call_p50_ns <= result->call_p99_ns);
    assert_true(result->packets >= ROUNDS * workload->packets);
    assert_int_equal(result->packets % workload->packets, 0);
    assert_int_equal(result->refused, 0);
    assert_int_equal(result->lost, 0);
    assert_true(result->lost_known);
}

static void all_engines_get_figures(void **state)
{
    static const char *const texts[] = { "W3", "W5", "W3:1", "W5:100", "W6:1" };
    const struct engine *engines[ENGINES_MAX];
    size_t count = engines_list(RECEIVING, engines);

    (void)state;
    assert_true(count > 3);
    for (size_t t = 0; t < COUNT_OF(texts); t++) {
        const struct workload_result *result = measure(&place, texts[t], engines, count);
        assert_int_equal(result->rounds, ROUNDS);
        for (size_t i = 0; i < count; i++) {
            expect_figures(result, &result->engines[i]);
            assert_true(result->engines[i].ratio_to_baseline.known);
        }
    }
}

static void the_baseline_is_as_fast_as_itself(void **state)
{
    const struct engine *engines[] = { engines_find("udpbatch-receiver"),
                                       engines_find(ENGINE_RECVMMSG) };
    (void)state;
    const struct workload_result *result = measure(&place, "W5", engines, 2);
    const struct spread *ratio = &result->engines[1].ratio_to_baseline;
    assert_true(ratio->known && ratio->min == 1 && ratio->median == 1 && ratio->max == 1);
    assert_true(result->engines[0].ratio_to_baseline.known);
}

static void every_engine_is_found_by_its_name_and_receives(void **state)
{
    const struct engine *engines[ENGINES_MAX];
    size_t count = engines_list(RECEIVING, engines);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(engines_find(engines[i]->name), engines[i]);
        assert_int_equal(engine_direction(engines[i]), RECEIVING);
        assert_null(engines[i]->send);
    }
    assert_string_equal(engines_baseline(RECEIVING), ENGINE_RECVMMSG);
}

/* ---- System calls --------------------------------------------------------------------------- */

static double system_calls_of(const char *engine, const char *workload)
{
    const struct engine *engines[] = { engines_find(engine) };
    const struct workload_result *result = measure(&place, workload, engines, 1);

    expect_figures(result, &result->engines[0]);
    if (result->engines[0].syscalls_per_packet < 0) /* whether it may be is known to test_bench */
        skip();
    return result->engines[0].syscalls_per_packet;
}

/* Those that fill the socket are not among them. */
static void system_calls_are_told_per_packet(void **state)
{
    static const char *const texts[] = { "W3", "W3:1", "W3:48" };

    (void)state;
    for (size_t t = 0; t < COUNT_OF(texts); t++) {
        size_t packets = packets_at_once(texts[t]), calls = (packets + 63) / 64;
        double expected = (double)calls / (double)packets;
        assert_true(system_calls_of(ENGINE_RECVMMSG, texts[t]) == expected);
    }
    /* It may ask for one more than there is. */
    double one_by_one = system_calls_of("udpbatch-receiver-portable", "W3:1");
    assert_true(one_by_one >= 1 && one_by_one < 1.02);
}

static bool kernel_has_trains(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool has = setsockopt(fd, IPPROTO_UDP, UDP_GRO, &(int){ 1 }, sizeof(int)) == 0;
    close(fd);
    return has;
}

/* One call per train, where it is one per packet without. Times are noise, system calls are not. */
static void trains_save_system_calls(void **state)
{
    (void)state;
    if (!kernel_has_trains()) {
        print_message("cannot run here: UDP_GRO is not known to this kernel\n");
        skip();
    }
    assert_true(system_calls_of("udpbatch-receiver-portable", "W3") < 0.1);
}

/* ---- Faults --------------------------------------------------------------------------------- */

static void expect_fault(const char *workload, enum fault kind, size_t at, const char *words)
{
    struct planted planted = plant(kind, at);
    const struct engine *engines[] = { engines_find("udpbatch-receiver"), &planted.engine };
    const struct workload_result *result = measure(&place, workload, engines, 2);
    const struct engine_result *faulty = &result->engines[1];

    if (strstr(faulty->fault, words) == NULL)
        fail_msg("fault %d: \"%s\" does not say \"%s\"", kind, faulty->fault, words);
    assert_false(faulty->packets_per_second.known || faulty->ratio_to_baseline.known);
    expect_figures(result, &result->engines[0]);
}

static void an_engine_without_a_fault_gets_figures(void **state)
{
    struct planted planted = plant(NO_FAULT, 0);
    const struct engine *engines[] = { &planted.engine };

    (void)state;
    const struct workload_result *result = measure(&place, "W3:20", engines, 1);
    expect_figures(result, &result->engines[0]);
    assert_false(result->engines[0].ratio_to_baseline.known);
}

/* What is said of EIO, in the words of this libc. */
static const char *failing(const char *beginning)
{
    static char text[128];

    snprintf(text, sizeof text, "%s: %s", beginning, strerror(EIO));
    return text;
}

static void every_fault_is_caught_and_told(void **state)
{
    size_t last = packets_at_once("W3:20") - 1;

    (void)state;
    expect_fault("W3:20", SWALLOWS, 7, "packets did not come out");
    expect_fault("W3:20", SWALLOWS, last, "packets did not come out");
    expect_fault("W3:20", REPEATS, 7, "more packets came out than");
    expect_fault("W3:20", REPEATS, last, "more packets came out than");
    expect_fault("W3:20", ADDS, last, "more packets came out than");
    expect_fault("W3:20", SWAPS, 7, "packets came out in another order");
    expect_fault("W3:20", FLIPS, 7, "packets came out damaged");
    expect_fault("W3:20", CUTS, last, "packets came out damaged");
    expect_fault("W3:20", TRUNCATES, 7, "packets came out damaged");
    expect_fault("W3:20", MISNAMES, 7, "packets came out with a wrong address");
    expect_fault("W3:20", FAILS, 7, failing("it failed"));
    expect_fault("W3:20", GOES_ON, 7, "more packets came out than");
}

/* In what no check has seen, behind the two calls that warm up. */
static void what_goes_wrong_while_timed_is_told(void **state)
{
    size_t later = 2 * packets_at_once("W3") + 7;

    (void)state;
    expect_fault("W3", SWALLOWS, later, "packets while timed");
    expect_fault("W3", REPEATS, later, "packets while timed");
    expect_fault("W3", ADDS, later, "packets while timed");
    expect_fault("W3", FAILS, later, failing("it failed while timed"));
    expect_fault("W3", GOES_ON, later, "packets while timed");
}

static void a_burst_that_may_not_fit_is_not_tried(void **state)
{
    const struct engine *engines[] = { engines_find(ENGINE_RECVMMSG) };

    (void)state;
    const struct workload_result *result = measure(&place, "W3:4096", engines, 1);
    assert_non_null(strstr(result->engines[0].fault, "may not hold a burst of 4096 packets"));
    assert_false(result->engines[0].packets_per_second.known);
}

/* ---- All ------------------------------------------------------------------------------------ */

static int open_loopback(void **state)
{
    static const struct place_settings settings = { .direction = RECEIVING };
    (void)state;
    return place_open(&place, &settings, &reason) ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    place_close(&place);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_engines_get_figures),
        cmocka_unit_test(the_baseline_is_as_fast_as_itself),
        cmocka_unit_test(every_engine_is_found_by_its_name_and_receives),
        cmocka_unit_test(system_calls_are_told_per_packet),
        cmocka_unit_test(trains_save_system_calls),
        cmocka_unit_test(an_engine_without_a_fault_gets_figures),
        cmocka_unit_test(every_fault_is_caught_and_told),
        cmocka_unit_test(what_goes_wrong_while_timed_is_told),
        cmocka_unit_test(a_burst_that_may_not_fit_is_not_tried),
    };
    alarm(100);
    return cmocka_run_group_tests(tests, open_loopback, close_all);
}
