/* test_pace.c: a sender's rate: the bucket by itself, and senders that keep to it, in a time that
 * is made up. */
#include "internal.h"

#include "chance.h"
#include "scripted_kernel.h"
#include "support.h"

#include <float.h>
#include <limits.h>
#include <math.h>

/* ---- The time -------------------------------------------------------------------------------- */

#define SECOND_NS INT64_C(1000000000)
#define MS_NS     INT64_C(1000000)

/* A machine that has been up for more than a year. */
static const int64_t UPTIME_NS = INT64_C(400) * 86400 * SECOND_NS + 123456789;

enum { REFUSAL_TAKES_NS = 1000 };

static struct {
    int64_t ns;
    unsigned asked;    /* how often somebody looked at the clock */
    unsigned sleeps;   /* and slept */
    int64_t slept_ns;  /* in all, as it was asked for */
    int64_t late_ns;   /* every sleep takes so much longer */
    bool interrupting; /* the next sleep that is longer is ended by a signal */
    int64_t signal_ns; /* after so long */
    int refusal;       /* -errno of each sleep; 0: none is refused */
    bool is_full;      /* the socket, and stays so */
} made_up;

int64_t __wrap_ub_clock_ns(void);
int __wrap_ub_sleep_ns(int64_t ns);
int __wrap_ub_socket_wait(udpbatch_socket fd, short events, int timeout_ms);
int __real_ub_socket_wait(udpbatch_socket fd, short events, int timeout_ms);

int64_t __wrap_ub_clock_ns(void)
{
    made_up.asked++;
    return made_up.ns;
}

int __wrap_ub_sleep_ns(int64_t ns)
{
    if (ns <= 0)
        return 0;
    if (made_up.refusal != 0) {
        made_up.ns += REFUSAL_TAKES_NS;
        return made_up.refusal;
    }
    if (made_up.interrupting && made_up.signal_ns < ns) {
        made_up.interrupting = false;
        made_up.ns += made_up.signal_ns;
        return -EINTR;
    }
    made_up.sleeps++;
    made_up.slept_ns += ns;
    made_up.ns += ns + made_up.late_ns;
    return 0;
}

int __wrap_ub_socket_wait(udpbatch_socket fd, short events, int timeout_ms)
{
    if (!made_up.is_full)
        return __real_ub_socket_wait(fd, events, timeout_ms);
    assert_true(timeout_ms >= 0);
    int error = __wrap_ub_sleep_ns(timeout_ms * MS_NS);
    return error < 0 ? error : -ETIMEDOUT;
}

static void begin_time(void)
{
    memset(&made_up, 0, sizeof made_up);
    made_up.ns = UPTIME_NS;
}

/* ---- The bucket by itself -------------------------------------------------------------------- */

enum { PACKETS = 5000 };

static struct udpbatch_packet packets[PACKETS];

/* So many of the packets are to be sent; they have `len` bytes each. */
static void fill_packets(size_t n, uint32_t len)
{
    static const unsigned char payload[UB_PAYLOAD_MAX];
    for (size_t i = 0; i < n; i++)
        packets[i] = (struct udpbatch_packet){ .data = payload, .len = len };
}

static struct ub_pace begin_pace(enum udpbatch_rate_unit unit, double rate, uint64_t burst)
{
    struct udpbatch_sender_options options = { .rate_unit = unit, .rate = rate, .burst = burst };
    struct ub_pace pace;

    begin_time();
    assert_int_equal(ub_pace_begin(&pace, &options, made_up.ns), 0);
    return pace;
}

/* Lets leave what may, of n packets of one length; returns how many did. */
static size_t leave(struct ub_pace *pace, size_t n, uint32_t len)
{
    size_t count = ub_pace_allowance(pace, made_up.ns, packets, n);
    ub_pace_spend(pace, made_up.ns, count, (uint64_t)count * len);
    return count;
}

static int64_t delay_ns(const struct ub_pace *pace)
{
    return ub_pace_delay_ns(pace, made_up.ns);
}

/* Sends for so long, with waits that are late each time. Returns the tokens that it took. What was
 * there at first and the last packet may be too much; too little it is never. */
static void expect_rate(enum udpbatch_rate_unit unit, double rate, uint32_t len, double seconds,
                        int64_t late_ns)
{
    struct ub_pace pace = begin_pace(unit, rate, 0);
    double price = unit == UDPBATCH_RATE_BYTES ? len : 1;
    const int64_t end_ns = UPTIME_NS + (int64_t)(seconds * 1e9);
    double spent = 0, due = 0;

    fill_packets(PACKETS, len);
    while (made_up.ns <= end_ns) {
        size_t count = leave(&pace, PACKETS, len);
        spent += (double)count * price;
        due = rate * ((double)(made_up.ns - UPTIME_NS) / 1e9);
        if (count < PACKETS) {
            assert_true(delay_ns(&pace) > 0);
            made_up.ns += delay_ns(&pace) + late_ns;
        }
    }
    if (spent < due * (1 - 1e-9) - pace.enough || spent > due * (1 + 1e-9) + pace.enough + price)
        fail_msg("at %g per second %g were sent and not %g", rate, spent, due);
}

static void a_rate_is_kept_over_a_second_however_late_the_waits_are(void **state)
{
    static const int64_t late_ns[] = { 0, 1, 60000, MS_NS, 3 * MS_NS - 10 };
    static const double rates[] = { 1000, 500000, 333333.3, 1, 0.5, 7, 1499.99, 1e6 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(late_ns); i++)
        for (size_t r = 0; r < COUNT_OF(rates); r++) {
            double seconds = rates[r] < 100 ? 20 : 1;
            expect_rate(UDPBATCH_RATE_PACKETS, rates[r], 100, seconds, late_ns[i]);
            expect_rate(UDPBATCH_RATE_BYTES, rates[r], 1, seconds, late_ns[i]);
            expect_rate(UDPBATCH_RATE_BYTES, 1000 * rates[r], 1228, seconds, late_ns[i]);
            expect_rate(UDPBATCH_RATE_BYTES, 1000 * rates[r], 65507, seconds, late_ns[i]);
        }
}

static void slow_rates_make_up_for_waits_that_are_very_late(void **state)
{
    (void)state;
    expect_rate(UDPBATCH_RATE_PACKETS, 5, 100, 100, 150 * MS_NS);
    expect_rate(UDPBATCH_RATE_PACKETS, 0.1, 100, 1000, 9 * SECOND_NS);
}

static void days_of_sending_do_not_change_the_rate(void **state)
{
    (void)state;
    expect_rate(UDPBATCH_RATE_PACKETS, 3.3333333, 100, 86400 * 30.0, 60000);
    expect_rate(UDPBATCH_RATE_BYTES, 123.4567, 1228, 86400 * 365.0, 60000);
}

/* Waits of 1.06 ms that are taken for a packet each and a bit more. */
static void a_thousand_packets_a_second_do_not_leave_in_pairs(void **state)
{
    struct ub_pace pace = begin_pace(UDPBATCH_RATE_PACKETS, 1000, 0);
    (void)state;
    fill_packets(PACKETS, 100);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(leave(&pace, PACKETS, 100), 1);
        made_up.ns += delay_ns(&pace) + 60000;
    }
}

static void a_wait_is_for_a_millisecond_and_not_for_a_packet(void **state)
{
    struct ub_pace pace = begin_pace(UDPBATCH_RATE_PACKETS, 500000, 0);
    (void)state;
    fill_packets(PACKETS, 100);
    assert_int_equal(leave(&pace, PACKETS, 100), 500);
    assert_in_range(delay_ns(&pace), MS_NS, MS_NS + 1);
    made_up.ns += MS_NS / 2;
    assert_in_range(delay_ns(&pace), MS_NS / 2, MS_NS / 2 + 1);
    assert_int_equal(leave(&pace, PACKETS, 100), 250); /* but who asks earlier gets some */
}

static void after_a_pause_a_burst_leaves_and_no_more(void **state)
{
    static const struct {
        double rate;
        uint64_t burst;
        size_t most;
    } table[] = {
        { 1e6, 0, 4000 }, { 5000, 0, 20 },    { 1000, 0, 16 }, { 500, 0, 10 },      { 10, 0, 1 },
        { 1000, 1, 1 },   { 1000, 100, 100 }, { 5e5, 10, 10 }, { 1e9, 3000, 3000 },
    };
    (void)state;
    fill_packets(PACKETS, 100);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct ub_pace pace = begin_pace(UDPBATCH_RATE_PACKETS, table[i].rate, table[i].burst);
        assert_in_range(leave(&pace, PACKETS, 100), 1,
                        table[i].most); /* a millisecond's at first */
        for (int pause = 1; pause < 4; pause++) {
            made_up.ns += pause * 100 * SECOND_NS;
            assert_int_equal(leave(&pace, PACKETS, 100), table[i].most);
        }
    }
}

/* 4 ms of 50 MB/s, 24,000 bytes, and 20 ms of 125 kB/s. */
static void by_default_it_is_of_so_many_bytes(void **state)
{
    static const struct {
        double rate;
        size_t most;
    } table[] = { { 50e6, 2000 }, { 6e6, 240 }, { 1.5e6, 240 }, { 125e3, 25 } };

    (void)state;
    fill_packets(PACKETS, 100);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct ub_pace pace = begin_pace(UDPBATCH_RATE_BYTES, table[i].rate, 0);
        made_up.ns += 100 * SECOND_NS;
        assert_int_equal(leave(&pace, PACKETS, 100), table[i].most);
    }
}

static void a_burst_of_any_size_is_taken(void **state)
{
    struct ub_pace pace = begin_pace(UDPBATCH_RATE_BYTES, 1e9, UINT64_MAX);
    (void)state;
    fill_packets(PACKETS, 1000);
    assert_int_equal(leave(&pace, PACKETS, 1000), 1000);
    made_up.ns += 3600 * SECOND_NS;
    for (int i = 0; i < 100; i++)
        assert_int_equal(leave(&pace, PACKETS, 1000), PACKETS);
    pace = begin_pace(UDPBATCH_RATE_BYTES, 1e300, 0);
    assert_int_equal(leave(&pace, PACKETS, 1000), PACKETS);
    made_up.ns += INT64_C(3000000000) * SECOND_NS;
    assert_int_equal(leave(&pace, PACKETS, 1000), PACKETS);
}

static void a_packet_beyond_the_burst_leaves_and_the_next_one_waits_for_it(void **state)
{
    struct ub_pace pace = begin_pace(UDPBATCH_RATE_BYTES, 1000, 10);
    (void)state;
    fill_packets(PACKETS, 1200);
    assert_int_equal(leave(&pace, PACKETS, 1200), 1);
    for (int i = 0; i < 5; i++) {
        int64_t wait_ns = delay_ns(&pace);
        assert_in_range(wait_ns, 1200 * MS_NS - 100, 1200 * MS_NS + 100);
        made_up.ns += wait_ns - 100000;
        assert_int_equal(leave(&pace, PACKETS, 1200), 0);
        made_up.ns += 100000;
        assert_int_equal(delay_ns(&pace), 0);
        assert_int_equal(leave(&pace, PACKETS, 1200), 1);
    }
}

static void at_one_packet_in_two_seconds_the_first_leaves_at_once(void **state)
{
    struct ub_pace pace = begin_pace(UDPBATCH_RATE_PACKETS, 0.5, 0);
    (void)state;
    fill_packets(PACKETS, 100);
    assert_int_equal(leave(&pace, PACKETS, 100), 1);
    assert_in_range(delay_ns(&pace), 2 * SECOND_NS - 10, 2 * SECOND_NS + 10);
    for (int i = 0; i < 1999; i++, made_up.ns += MS_NS)
        assert_int_equal(leave(&pace, PACKETS, 100), 0);
    made_up.ns += 2 * MS_NS;
    assert_int_equal(leave(&pace, PACKETS, 100), 1);
}

static void the_slowest_rates_have_a_delay_that_can_be_waited(void **state)
{
    static const double rates[] = { 1e-9, 1e-100, DBL_MIN };
    (void)state;
    fill_packets(PACKETS, 100);
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        struct ub_pace pace = begin_pace(UDPBATCH_RATE_PACKETS, rates[i], 0);
        assert_int_equal(leave(&pace, PACKETS, 100), 1);
        assert_in_range(delay_ns(&pace), 30 * INT64_C(365) * 86400 * SECOND_NS, INT64_MAX / 2);
        assert_int_equal(leave(&pace, PACKETS, 100), 0);
    }
}

/* Between two looks there is less than what a sum next to 1 can show. */
static void looking_often_does_not_stop_the_time(void **state)
{
    struct ub_pace pace = begin_pace(UDPBATCH_RATE_PACKETS, 1e-8, 0);
    const int64_t looks = 1000000;
    (void)state;
    fill_packets(PACKETS, 100);
    assert_int_equal(leave(&pace, PACKETS, 100), 1);
    int64_t before_ns = delay_ns(&pace);
    for (int64_t i = 0; i < looks; i++, made_up.ns++)
        assert_int_equal(leave(&pace, PACKETS, 100), 0);
    assert_in_range(before_ns - delay_ns(&pace), looks - 1000, looks + 1000);
}

static void packets_that_have_a_status_do_not_count(void **state)
{
    struct ub_pace pace = begin_pace(UDPBATCH_RATE_PACKETS, 5000, 0);
    (void)state;
    fill_packets(20, 100);
    for (size_t i = 0; i < 20; i += 2)
        packets[i].status = i % 4 == 0 ? 1 : -EPERM;
    assert_int_equal(ub_pace_allowance(&pace, made_up.ns, packets, 20), 11);
    assert_int_equal(ub_pace_allowance(&pace, made_up.ns, packets, 10), 10);
    for (size_t i = 11; i < 20; i++)
        packets[i].status = 1;
    assert_int_equal(ub_pace_allowance(&pace, made_up.ns, packets, 20), 20);
}

static void payloads_in_pieces_cost_their_sum_and_bad_ones_nothing(void **state)
{
    static const char text[100];
    const struct udpbatch_piece good[] = { { text, 60 }, { NULL, 0 }, { text, 40 } };
    const struct udpbatch_piece bad[] = { { text, 60 }, { NULL, 40 } };
    const struct udpbatch_piece long_one[] = { { text, SIZE_MAX }, { text, 2 } };
    struct ub_pace pace = begin_pace(UDPBATCH_RATE_BYTES, 250000, 0); /* 250 at first */
    (void)state;
    fill_packets(PACKETS, 100);
    packets[0] = (struct udpbatch_packet){ .data = bad, .len = UDPBATCH_PIECES(2) };
    packets[1] = (struct udpbatch_packet){ .data = long_one, .len = UDPBATCH_PIECES(2) };
    packets[2] = (struct udpbatch_packet){ .data = NULL, .len = UDPBATCH_PIECES(3) };
    packets[3] = (struct udpbatch_packet){ .data = text, .len = UDPBATCH_PIECES(1025) };
    packets[4] = (struct udpbatch_packet){ .data = NULL, .len = 100 };
    packets[5] = (struct udpbatch_packet){ .data = text, .len = 65536 };
    packets[6] = (struct udpbatch_packet){ .data = good, .len = UDPBATCH_PIECES(3) };
    packets[7] = (struct udpbatch_packet){ .data = good, .len = UDPBATCH_PIECES(3) };
    assert_int_equal(ub_pace_allowance(&pace, made_up.ns, packets, 20), 8);
}

static void empty_payloads_cost_no_bytes_but_wait_for_debts(void **state)
{
    struct ub_pace pace = begin_pace(UDPBATCH_RATE_BYTES, 1000, 0);
    (void)state;
    fill_packets(PACKETS, 0);
    assert_int_equal(leave(&pace, PACKETS, 0), PACKETS);
    ub_pace_spend(&pace, made_up.ns, 1, 100);
    assert_int_equal(leave(&pace, PACKETS, 0), 0);
    made_up.ns += delay_ns(&pace);
    assert_int_equal(leave(&pace, PACKETS, 0), PACKETS);
}

/* Whatever the rate and whoever asks when. */
static void never_more_than_the_rate_and_a_burst(void **state)
{
    (void)state;
    chance_begin();
    for (int round = 0; round < 2000; round++) {
        enum udpbatch_rate_unit unit = (enum udpbatch_rate_unit)below(2);
        double rate = (double)(1u << below(32)) * (1 + below(1000)) / 1000;
        uint32_t len = 1 + below(one_in(2) ? 65507 : 200);
        struct ub_pace pace = begin_pace(unit, rate, one_in(2) ? 0 : 1 + below(1u << below(30)));
        double price = unit == UDPBATCH_RATE_BYTES ? len : 1, spent = 0;

        fill_packets(PACKETS, len);
        for (int i = 0; i < 50; i++) {
            bool is_time = delay_ns(&pace) == 0;
            size_t count = leave(&pace, one_in(2) ? PACKETS : 1 + below(50), len);
            assert_true(count > 0 || !is_time);
            spent += (double)count * price;
            double due = rate * ((double)(made_up.ns - UPTIME_NS) / 1e9);
            assert_true(spent <= (due + pace.enough) * (1 + 1e-9) + price);
            made_up.ns += one_in(3) ? delay_ns(&pace) : (int64_t)below(1u << below(31));
        }
    }
}

static void rates_and_bursts_that_there_are_not_are_refused(void **state)
{
    static const struct udpbatch_sender_options table[] = {
        { .rate = -1 },
        { .rate = -DBL_MIN },
        { .rate = DBL_MIN / 2 },
        { .rate = (double)INFINITY },
        { .rate = -(double)INFINITY },
        { .rate = (double)NAN },
        { .rate = 1000, .rate_unit = (enum udpbatch_rate_unit)2 },
        { .rate = 0, .rate_unit = (enum udpbatch_rate_unit)2 },
        { .rate = 1000, .rate_unit = (enum udpbatch_rate_unit)(-1) },
        { .rate = 0, .burst = 1 },
    };
    udpbatch_socket fd = socket(AF_INET, SOCK_DGRAM, 0);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct udpbatch_sender_options options = table[i];
        int error = 0;
        options.size = sizeof options;
        assert_null(udpbatch_sender_open(fd, &options, &error));
        assert_int_equal(error, EINVAL);
    }
    close_socket(fd);
}

/* ---- Senders --------------------------------------------------------------------------------- */

static struct script script;

/* A sender on which nothing has left yet. */
static struct sending begin_sending(void **state, struct udpbatch_sender_options options)
{
    const struct way *way = *state;

    begin_time();
    memset(&script, 0, sizeof script);
    options.size = sizeof options;
    options.backend = way->backend;
    return sending_begin_with(socket(AF_INET, SOCK_DGRAM, 0), &options);
}

static struct sending begin_sending_packets(void **state, double per_second)
{
    return begin_sending(state, (struct udpbatch_sender_options){ .rate = per_second });
}

/* Has n packets to be sent, of 8 bytes each, to as many targets. */
static void begin_packets(size_t n)
{
    script.n = n;
    script_packets(packets, n, 0);
    kernel_play(&script);
}

static struct udpbatch_sender_stats stats_of(const struct sending *sending)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    udpbatch_sender_stats(sending->sender, &stats);
    return stats;
}

/* Sends: so many are sent in all by now, and the rest is left for the rate. */
static void expect_paced(struct sending *sending, size_t n, size_t sent)
{
    struct udpbatch_tally tally = sending_send(sending, packets, n);

    assert_int_equal(tally.sent, sent);
    assert_int_equal(tally.unsent, n - sent - tally.refused);
    assert_int_equal(tally.unsent_error, EBUSY);
}

static void expect_each_taken_in_order(size_t n)
{
    expect_status(packets, n, 1);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(kernel_taken[i], 1);
    assert_int_equal(kernel_strange, 0);
    assert_int_equal(kernel_disorder, 0);
}

static void what_is_beyond_the_rate_stays_unsent_without_a_system_call(void **state)
{
    struct sending sending = begin_sending_packets(state, 5000);

    begin_packets(20);
    expect_paced(&sending, 20, 5);
    expect_status(packets, 5, 1);
    expect_status(packets + 5, 15, 0);
    unsigned calls = kernel.calls;
    expect_paced(&sending, 20, 5);
    expect_paced(&sending, 20, 5);
    assert_int_equal(kernel.calls, calls);
    assert_int_equal(sending_system_calls(&sending), calls);
    assert_int_equal(stats_of(&sending).paced, 3);
    sending_end(&sending);
}

static void a_wait_lasts_until_the_rate_allows_more(void **state)
{
    struct sending sending = begin_sending_packets(state, 5000);

    begin_packets(20);
    expect_paced(&sending, 20, 5);
    assert_in_range(udpbatch_sender_delay_ns(sending.sender), MS_NS, MS_NS + 1);
    made_up.ns += MS_NS / 2;
    assert_in_range(udpbatch_sender_delay_ns(sending.sender), MS_NS / 2, MS_NS / 2 + 1);
    assert_int_equal(udpbatch_sender_wait(sending.sender, -1), 0);
    assert_in_range(made_up.slept_ns, MS_NS / 2, MS_NS / 2 + 1);
    assert_int_equal(udpbatch_sender_delay_ns(sending.sender), 0);
    assert_int_equal(udpbatch_sender_wait(sending.sender, 0), 0);
    assert_int_equal(made_up.sleeps, 1);
    expect_paced(&sending, 20, 10);
    assert_int_equal(stats_of(&sending).waits, 2);
    sending_end(&sending);
}

static void a_wait_is_ended_by_its_timeout_or_a_signal(void **state)
{
    struct sending sending = begin_sending_packets(state, 1);

    begin_packets(2);
    expect_paced(&sending, 2, 1);
    assert_int_equal(udpbatch_sender_wait(sending.sender, 0), -ETIMEDOUT);
    assert_int_equal(made_up.sleeps, 0);
    for (int i = 1; i <= 9; i++) {
        assert_int_equal(udpbatch_sender_wait(sending.sender, 100), -ETIMEDOUT);
        assert_int_equal(made_up.slept_ns, i * 100 * MS_NS);
    }
    made_up.interrupting = true;
    assert_int_equal(udpbatch_sender_wait(sending.sender, 1000), -EINTR);
    assert_int_equal(udpbatch_sender_wait(sending.sender, 101), 0);
    assert_in_range(made_up.slept_ns, SECOND_NS - 10, SECOND_NS + 10);
    assert_int_equal(sending_send(&sending, packets, 2).sent, 2);
    sending_end(&sending);
}

static void expect_all_after(struct sending *sending, size_t n, double seconds)
{
    struct udpbatch_tally tally;

    while ((tally = sending_send(sending, packets, n)).unsent > 0) {
        assert_int_equal(tally.unsent_error, EBUSY);
        assert_int_equal(udpbatch_sender_wait(sending->sender, -1), 0);
    }
    expect_each_taken_in_order(n);
    double took = (double)(made_up.ns - UPTIME_NS) / 1e9;
    if (took < seconds * (1 - 1e-6) - 0.001 || took > seconds * (1 + 1e-6) + 0.001)
        fail_msg("it took %g seconds and not %g", took, seconds);
}

static void the_loop_sends_all_at_the_rate(void **state)
{
    static const double rates[] = { 1000, 500000, 333333.3, 1e9, 0.5, 1e12 };
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        struct sending sending = begin_sending_packets(state, rates[i]);
        begin_packets(SCRIPT_PACKETS);
        expect_all_after(&sending, SCRIPT_PACKETS, (SCRIPT_PACKETS - 1) / rates[i]);
        sending_end(&sending);
    }
}

static void the_loop_sends_all_at_a_rate_of_bytes(void **state)
{
    static const double rates[] = { 1, 1000, 1234567.8, 1e9 };
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        struct udpbatch_sender_options options = { .rate_unit = UDPBATCH_RATE_BYTES,
                                                   .rate = rates[i],
                                                   .in_order = 1 };
        struct sending sending = begin_sending(state, options);
        begin_packets(SCRIPT_PACKETS);
        expect_all_after(&sending, SCRIPT_PACKETS, (SCRIPT_PACKETS - 1) * 8 / rates[i]);
        assert_int_equal(kernel_overtaken, 0);
        sending_end(&sending);
    }
}

/* Packets to few targets leave as trains, where the kernel has them, and a part at a time. */
static void trains_are_no_longer_than_the_rate_allows(void **state)
{
    struct sending sending = begin_sending_packets(state, 100000);

    begin_packets(SCRIPT_PACKETS);
    for (size_t i = 0; i < SCRIPT_PACKETS; i++)
        packets[i].to = &script_targets[i % 3];
    kernel_expect(packets, SCRIPT_PACKETS);
    expect_paced(&sending, SCRIPT_PACKETS, 100);
    expect_status(packets, 100, 1);
    expect_status(packets + 100, SCRIPT_PACKETS - 100, 0);
    expect_all_after(&sending, SCRIPT_PACKETS, (SCRIPT_PACKETS - 100) / 1e5);
    sending_end(&sending);
}

static void after_a_pause_a_sender_sends_a_burst(void **state)
{
    struct sending sending =
        begin_sending(state, (struct udpbatch_sender_options){ .rate = 1000, .burst = 30 });

    begin_packets(100);
    expect_paced(&sending, 100, 1);
    made_up.ns += 100 * SECOND_NS;
    expect_paced(&sending, 100, 31);
    sending_end(&sending);
}

static void packets_that_the_kernel_refuses_cost_nothing(void **state)
{
    struct sending sending = begin_sending_packets(state, 5000);

    for (size_t i = 0; i < 20; i++)
        if (i % 2 == 0)
            script.packets[i] = (struct script_packet){ .errors = { EPERM }, .for_good = true };
    begin_packets(20);
    expect_paced(&sending, 20, 5);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(packets[i].status, i >= 10 ? 0 : i % 2 == 0 ? -EPERM : 1);
    sending_end(&sending);
}

static void packets_that_nobody_could_send_cost_nothing(void **state)
{
    struct udpbatch_sender_options options = { .rate_unit = UDPBATCH_RATE_BYTES, .rate = 40000 };
    struct sending sending = begin_sending(state, options);
    const union udpbatch_addr nowhere = { .sa.sa_family = AF_UNIX };

    begin_packets(20);
    for (size_t i = 0; i < 10; i++)
        packets[i].to = &nowhere;
    packets[10].data = NULL;
    packets[11].len = UDPBATCH_PIECES(1025);
    struct udpbatch_tally tally = sending_send(&sending, packets, 20);
    assert_int_equal(tally.refused, 12);
    assert_int_equal(tally.sent, 5);
    assert_int_equal(tally.unsent, 3);
    assert_int_equal(tally.unsent_error, EBUSY);
    sending_end(&sending);
}

static void a_dead_socket_refuses_all_whatever_the_rate(void **state)
{
    for (size_t at = 0; at < 3; at++) {
        struct sending sending = begin_sending_packets(state, 3000);
        script.packets[at] = (struct script_packet){ .errors = { EBADF }, .for_good = true };
        begin_packets(SCRIPT_PACKETS);
        struct udpbatch_tally tally = sending_send(&sending, packets, SCRIPT_PACKETS);
        assert_int_equal(tally.sent, at);
        assert_int_equal(tally.refused, SCRIPT_PACKETS - at);
        assert_int_equal(stats_of(&sending).refused, SCRIPT_PACKETS - at);
        assert_int_equal(stats_of(&sending).paced, 0);
        sending_end(&sending);
    }
}

/* Where trains leave, the packets behind the one that finds out are sent before it, and cost more.
 */
static void a_dead_socket_refuses_all_though_the_rate_is_overdrawn(void **state)
{
    static const char payload[300];
    struct udpbatch_sender_options options = { .rate_unit = UDPBATCH_RATE_BYTES,
                                               .rate = 40000,
                                               .burst = 1000 };
    struct sending sending = begin_sending(state, options);

    made_up.ns += SECOND_NS;
    script.packets[1] = (struct script_packet){ .errors = { EBADF }, .for_good = true };
    begin_packets(20);
    for (size_t i = 0; i < 20; i++)
        if (i != 1)
            packets[i] = (struct udpbatch_packet){ .data = payload,
                                                   .len = sizeof payload,
                                                   .to = &script_targets[0] };
    kernel_expect(packets, 20);
    struct udpbatch_tally tally = sending_send(&sending, packets, 20);
    assert_int_equal(tally.unsent, 0);
    assert_int_equal(tally.first_error, EBADF);
    sending_end(&sending);
}

static void back_pressure_is_told_as_such_and_not_as_the_rate(void **state)
{
    static const int errors[] = { EAGAIN, ENOBUFS, ENOMEM };
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        struct sending sending = begin_sending_packets(state, 5000);
        script.packets[3] = (struct script_packet){ .errors = { errors[i] } };
        script.trains.keep_unseen = true;
        begin_packets(20);
        struct udpbatch_tally tally = sending_send(&sending, packets, 20);
        assert_int_equal(tally.sent, 3);
        assert_int_equal(tally.unsent_error, errors[i]);
        assert_int_equal(stats_of(&sending).paced, 0);
        assert_int_equal(udpbatch_sender_delay_ns(sending.sender), errors[i] == EAGAIN ? 0 : 50000);
        assert_int_equal(udpbatch_sender_wait(sending.sender, -1), 0);
        assert_int_equal(made_up.slept_ns, errors[i] == EAGAIN ? 0 : 50000);
        expect_paced(&sending, 20, 5); /* and it goes on with what is left of the rate */
        sending_end(&sending);
    }
}

static void what_has_all_left_was_not_paced(void **state)
{
    struct sending sending = begin_sending_packets(state, 5000);

    begin_packets(20);
    for (size_t i = 5; i < 20; i++)
        packets[i].status = i % 2 == 0 ? 1 : -EPERM;
    struct udpbatch_tally tally = sending_send(&sending, packets, 20);
    assert_int_equal(tally.unsent, 0);
    assert_int_equal(tally.unsent_error, 0);
    assert_int_equal(udpbatch_sender_delay_ns(sending.sender), 0);
    assert_int_equal(udpbatch_sender_wait(sending.sender, -1), 0);
    assert_int_equal(sending_send(&sending, packets, 0).unsent_error, 0);
    assert_int_equal(stats_of(&sending).paced, 0);
    assert_int_equal(stats_of(&sending).waits, 0);
    assert_int_equal(made_up.sleeps, 0);
    sending_end(&sending);
}

static void once_all_has_left_there_is_no_delay(void **state)
{
    struct sending sending = begin_sending_packets(state, 5000);

    begin_packets(6);
    expect_paced(&sending, 6, 5);
    assert_int_equal(udpbatch_sender_wait(sending.sender, -1), 0);
    assert_int_equal(sending_send(&sending, packets, 6).sent, 6);
    assert_int_equal(udpbatch_sender_delay_ns(sending.sender), 0);
    sending_end(&sending);
}

static void without_a_rate_nobody_looks_at_the_clock(void **state)
{
    struct sending sending =
        begin_sending(state, (struct udpbatch_sender_options){ .rate_unit = UDPBATCH_RATE_BYTES });

    begin_packets(SCRIPT_PACKETS);
    unsigned asked = made_up.asked;
    assert_int_equal(sending_send(&sending, packets, SCRIPT_PACKETS).sent, SCRIPT_PACKETS);
    assert_int_equal(made_up.asked, asked);
    sending_end(&sending);
}

static void options_from_before_there_were_rates_have_none(void **state)
{
    const struct udpbatch_sender_options older = {
        .size = offsetof(struct udpbatch_sender_options, rate_unit), .rate = 1
    };
    udpbatch_socket fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, &older, NULL);

    (void)state;
    memset(&script, 0, sizeof script);
    begin_packets(100);
    assert_int_equal(udpbatch_sender_send(sender, packets, 100).sent, 100);
    udpbatch_sender_close(sender);
    close_socket(fd);
}

/* ---- The back-off ---------------------------------------------------------------------------- */

static void expect_backoff(struct sending *sending, int64_t ns)
{
    assert_int_equal(sending_send(sending, packets, script.n).unsent_error, ENOBUFS);
    assert_int_equal(udpbatch_sender_delay_ns(sending->sender), ns);
}

static struct sending begin_busy(void **state)
{
    struct sending sending = begin_sending_packets(state, 0);

    script.packets[1] = (struct script_packet){ .errors = { ENOBUFS }, .for_good = true };
    begin_packets(2);
    return sending;
}

static void a_call_in_vain_doubles_the_delay_for_who_waits_by_himself(void **state)
{
    struct sending sending = begin_busy(state);
    int64_t delay = 50000;

    for (int i = 0; i < 12; i++, delay = delay < 5 * MS_NS ? 2 * delay : 10 * MS_NS) {
        expect_backoff(&sending, delay);
        made_up.ns += delay / 2; /* what else there is to do does not put it off */
        assert_int_equal(udpbatch_sender_delay_ns(sending.sender), delay - delay / 2);
        made_up.ns += delay;
        assert_int_equal(udpbatch_sender_delay_ns(sending.sender), 0);
    }
    packets[0].status = 0;
    kernel_play(&script);
    expect_backoff(&sending, 50000); /* one was sent */
    sending_end(&sending);
}

static void a_wait_doubles_it_once(void **state)
{
    struct sending sending = begin_busy(state);
    int64_t delay = 50000;

    for (int i = 0; i < 12; i++, delay = delay < 5 * MS_NS ? 2 * delay : 10 * MS_NS) {
        int64_t before = made_up.slept_ns;
        expect_backoff(&sending, delay);
        assert_int_equal(udpbatch_sender_wait(sending.sender, -1), 0);
        assert_int_equal(made_up.slept_ns - before, delay);
        assert_int_equal(udpbatch_sender_delay_ns(sending.sender), 0);
    }
    sending_end(&sending);
}

/* ---- The timeout of waits -------------------------------------------------------------------- */

/* Why nothing more leaves, which a wait is told by. */
static const int reasons[] = { EBUSY, ENOBUFS, EAGAIN };

enum { REASONS = COUNT_OF(reasons) };

/* One packet has left, the other cannot for minutes. */
static struct sending begin_stuck(void **state, int reason)
{
    struct sending sending = begin_sending_packets(state, reason == EBUSY ? 0.001 : 0);

    if (reason != EBUSY)
        script.packets[1] = (struct script_packet){ .errors = { reason }, .for_good = true };
    begin_packets(2);
    made_up.is_full = true;
    assert_int_equal(sending_send(&sending, packets, 2).sent, 1);
    return sending;
}

/* As a user would who gives up when nothing leaves for 50 milliseconds. Returns how long it took.
 */
static int64_t give_up(struct sending *sending, bool is_interrupted)
{
    int64_t begun_ns = made_up.ns;
    int result = 0;

    while (result != -ETIMEDOUT && made_up.ns - begun_ns < SECOND_NS) {
        assert_int_equal(sending_send(sending, packets, 2).unsent, 1);
        made_up.interrupting = is_interrupted;
        result = udpbatch_sender_wait(sending->sender, 50);
    }
    assert_int_equal(result, -ETIMEDOUT);
    return made_up.ns - begun_ns;
}

/* What each wait waited until a signal ended it counts, and no more. */
static void waits_that_signals_end_come_to_the_timeout(void **state)
{
    for (int i = 0; i < REASONS; i++) {
        struct sending sending = begin_stuck(state, reasons[i]);
        made_up.signal_ns = MS_NS / 4;
        assert_in_range(give_up(&sending, true), 50 * MS_NS, 51 * MS_NS);
        assert_in_range(give_up(&sending, true), 50 * MS_NS, 51 * MS_NS); /* and begins anew */
        sending_end(&sending);
    }
}

static void waits_for_several_reasons_come_to_one_timeout(void **state)
{
    struct sending sending = begin_stuck(state, ENOBUFS);

    for (int i = 0; i < 5; i++) { /* 100 + 200 + ... + 1600 us */
        assert_int_equal(sending_send(&sending, packets, 2).unsent_error, ENOBUFS);
        assert_int_equal(udpbatch_sender_wait(sending.sender, 50), 0);
    }
    script.packets[1].errors[0] = EAGAIN;
    made_up.signal_ns = 20 * MS_NS;
    assert_in_range(give_up(&sending, true), 46 * MS_NS, 47 * MS_NS);
    sending_end(&sending);
}

static void a_packet_that_is_sent_begins_the_timeout_anew(void **state)
{
    for (int i = 0; i < REASONS; i++) {
        struct sending sending = begin_stuck(state, reasons[i]);
        made_up.signal_ns = 40 * MS_NS;
        made_up.interrupting = true;
        assert_true(udpbatch_sender_wait(sending.sender, 50) != -ETIMEDOUT);
        made_up.ns += 1000 * SECOND_NS;
        packets[0].status = 0;
        kernel_play(&script);
        assert_int_equal(sending_send(&sending, packets, 2).sent, 1);
        assert_in_range(give_up(&sending, false), 50 * MS_NS, 60 * MS_NS);
        sending_end(&sending);
    }
}

/* Its last packet was refused; that nothing of it was sent is not for want of time. */
static void a_call_that_leaves_nothing_begins_the_timeout_anew(void **state)
{
    for (int i = 1; i < REASONS; i++) { /* but the rate, for which nothing is refused */
        struct sending sending = begin_stuck(state, reasons[i]);
        made_up.signal_ns = 40 * MS_NS;
        made_up.interrupting = true;
        assert_true(udpbatch_sender_wait(sending.sender, 50) != -ETIMEDOUT);
        script.packets[1].errors[0] = EACCES;
        struct udpbatch_tally tally = sending_send(&sending, packets, 2);
        assert_int_equal(tally.refused, 1);
        assert_int_equal(tally.unsent, 0);
        packets[1].status = 0;
        script.packets[1].errors[0] = reasons[i];
        assert_in_range(give_up(&sending, false), 50 * MS_NS, 60 * MS_NS);
        sending_end(&sending);
    }
}

/* A filter of system calls may do that. It is no signal, after which the same may be tried anew. */
static void a_sleep_that_is_refused_is_told_and_comes_to_the_timeout(void **state)
{
    for (int i = 0; i < REASONS; i++) {
        struct sending sending = begin_stuck(state, reasons[i]);
        made_up.refusal = -EPERM;
        assert_int_equal(udpbatch_sender_wait(sending.sender, 50), -EPERM);
        assert_int_equal(udpbatch_sender_wait(sending.sender, 50), -EPERM);
        assert_in_range(give_up(&sending, false), 49 * MS_NS, 50 * MS_NS);
        sending_end(&sending);
    }
}

/* ---- The back-off and the rate --------------------------------------------------------------- */

static void calls_that_end_for_the_rate_do_not_lengthen_it(void **state)
{
    struct sending sending = begin_sending_packets(state, 5000);

    script.packets[5] = (struct script_packet){ .errors = { ENOBUFS }, .for_good = true };
    begin_packets(20);
    for (int i = 0; i < 3; i++)
        expect_paced(&sending, 20, 5);
    made_up.ns += 2 * MS_NS;
    expect_backoff(&sending, 50000);
    sending_end(&sending);
}

static void a_back_end_that_says_busy_is_backed_off_from(void **state)
{
    struct sending sending = begin_sending_packets(state, 5000);

    script.packets[1] = (struct script_packet){ .errors = { EBUSY }, .for_good = true };
    begin_packets(3);
    expect_paced(&sending, 3, 1);
    assert_int_equal(stats_of(&sending).paced, 0);
    assert_int_equal(udpbatch_sender_wait(sending.sender, -1), 0);
    assert_int_equal(made_up.slept_ns, 50000);
    sending_end(&sending);
}

/* ---- Chance ---------------------------------------------------------------------------------- */

static struct script_packet random_packet(void)
{
    static const int for_good[] = { EPERM, EMSGSIZE, EINVAL, ENETUNREACH };
    static const int once[] = { EAGAIN, ENOBUFS, ENOMEM, EINTR };

    if (one_in(3))
        return (struct script_packet){ .errors = { for_good[below(COUNT_OF(for_good))] },
                                       .for_good = true };
    return (struct script_packet){ .errors = { once[below(COUNT_OF(once))] } };
}

static void check_fates(void)
{
    for (size_t i = 0; i < script.n; i++) {
        const struct script_packet *its = &script.packets[i];
        assert_int_equal(packets[i].status, its->for_good ? -its->errors[0] : 1);
        assert_int_equal(kernel_taken[i], its->for_good ? 0 : 1);
    }
    assert_int_equal(kernel_strange, 0);
}

/* Sends all, in calls at any time; at no time was more sent than the rate allows. */
static void send_at_random(struct sending *sending, double rate, double first, double price)
{
    struct udpbatch_tally tally;

    while ((tally = sending_send(sending, packets, script.n)).unsent > 0) {
        double due = rate * ((double)(made_up.ns - UPTIME_NS) / 1e9) + first;
        double spent = (double)tally.sent * price;
        assert_true(spent <= due * (1 + 1e-9) + price);
        assert_true(tally.unsent_error != EBUSY || udpbatch_sender_delay_ns(sending->sender) > 0);
        if (one_in(2))
            assert_int_equal(udpbatch_sender_wait(sending->sender, -1), 0);
        else
            made_up.ns += below(1u << below(26));
    }
}

static void random_scripts_have_their_fates_at_any_rate(void **state)
{
    chance_begin();
    for (int round = 0; round < 500; round++) {
        bool counts_bytes = one_in(2);
        double rate = 10.5 * (1u << below(24));
        struct udpbatch_sender_options options = { .rate_unit = counts_bytes
                                                                    ? UDPBATCH_RATE_BYTES
                                                                    : UDPBATCH_RATE_PACKETS,
                                                   .rate = rate,
                                                   .burst = one_in(2) ? 0 : 1 + below(5000) };
        struct sending sending = begin_sending(state, options);
        unsigned rarity = 2 + below(30);
        size_t n = below(300);
        for (size_t i = 0; i < n; i++)
            if (one_in(rarity))
                script.packets[i] = random_packet();
        begin_packets(n);
        send_at_random(&sending, rate, rate / 1000, counts_bytes ? 8 : 1);
        check_fates();
        sending_end(&sending);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(a_rate_is_kept_over_a_second_however_late_the_waits_are),
        TEST_ONCE(slow_rates_make_up_for_waits_that_are_very_late),
        TEST_ONCE(a_thousand_packets_a_second_do_not_leave_in_pairs),
        TEST_ONCE(a_wait_is_for_a_millisecond_and_not_for_a_packet),
        TEST_ONCE(after_a_pause_a_burst_leaves_and_no_more),
        TEST_ONCE(by_default_it_is_of_so_many_bytes),
        TEST_ONCE(a_burst_of_any_size_is_taken),
        TEST_ONCE(a_packet_beyond_the_burst_leaves_and_the_next_one_waits_for_it),
        TEST_ONCE(at_one_packet_in_two_seconds_the_first_leaves_at_once),
        TEST_ONCE(the_slowest_rates_have_a_delay_that_can_be_waited),
        TEST_ONCE(looking_often_does_not_stop_the_time),
        TEST_ONCE(packets_that_have_a_status_do_not_count),
        TEST_ONCE(payloads_in_pieces_cost_their_sum_and_bad_ones_nothing),
        TEST_ONCE(empty_payloads_cost_no_bytes_but_wait_for_debts),
        TEST_ONCE(rates_and_bursts_that_there_are_not_are_refused),
        TEST_EACH_BACKEND(what_is_beyond_the_rate_stays_unsent_without_a_system_call),
        TEST_EACH_BACKEND(a_wait_lasts_until_the_rate_allows_more),
        TEST_EACH_BACKEND(a_wait_is_ended_by_its_timeout_or_a_signal),
        TEST_EACH_BACKEND(the_loop_sends_all_at_the_rate),
        TEST_EACH_BACKEND(the_loop_sends_all_at_a_rate_of_bytes),
        TEST_EACH_BACKEND(trains_are_no_longer_than_the_rate_allows),
        TEST_EACH_BACKEND(after_a_pause_a_sender_sends_a_burst),
        TEST_EACH_BACKEND(packets_that_the_kernel_refuses_cost_nothing),
        TEST_EACH_BACKEND(packets_that_nobody_could_send_cost_nothing),
        TEST_EACH_BACKEND(a_dead_socket_refuses_all_whatever_the_rate),
        TEST_EACH_BACKEND(a_dead_socket_refuses_all_though_the_rate_is_overdrawn),
        TEST_EACH_BACKEND(back_pressure_is_told_as_such_and_not_as_the_rate),
        TEST_EACH_BACKEND(what_has_all_left_was_not_paced),
        TEST_EACH_BACKEND(once_all_has_left_there_is_no_delay),
        TEST_EACH_BACKEND(without_a_rate_nobody_looks_at_the_clock),
        TEST_ONCE(options_from_before_there_were_rates_have_none),
        TEST_EACH_BACKEND(a_call_in_vain_doubles_the_delay_for_who_waits_by_himself),
        TEST_EACH_BACKEND(a_wait_doubles_it_once),
        TEST_EACH_BACKEND(waits_that_signals_end_come_to_the_timeout),
        TEST_EACH_BACKEND(waits_for_several_reasons_come_to_one_timeout),
        TEST_EACH_BACKEND(a_packet_that_is_sent_begins_the_timeout_anew),
        TEST_EACH_BACKEND(a_call_that_leaves_nothing_begins_the_timeout_anew),
        TEST_EACH_BACKEND(a_sleep_that_is_refused_is_told_and_comes_to_the_timeout),
        TEST_EACH_BACKEND(calls_that_end_for_the_rate_do_not_lengthen_it),
        TEST_EACH_BACKEND(a_back_end_that_says_busy_is_backed_off_from),
        TEST_EACH_BACKEND(random_scripts_have_their_fates_at_any_rate),
        /* What takes longest is last: a fault is seen sooner by a test that is named for it. */
        TEST_ONCE(never_more_than_the_rate_and_a_burst),
        TEST_ONCE(days_of_sending_do_not_change_the_rate),
    };
    return run_all("pace", tests, COUNT_OF(tests));
}
