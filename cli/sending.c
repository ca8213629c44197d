/* sending.c: one run of `udpbatch send`, and what is told while it goes on. */
#include "sending.h"

#include <errno.h>
#include <stdio.h>

#include "clock.h"
#include "interrupt.h"
#include "interval.h"
#include "json_send.h"
#include "units.h"

static void get_stats(const struct sending *sending, struct udpbatch_sender_stats *stats)
{
    *stats = (struct udpbatch_sender_stats){ .size = sizeof *stats };
    udpbatch_sender_stats(sending->transfer.sender, stats);
}

static double seconds_at(const struct sending *sending, uint64_t time_ns)
{
    return clock_seconds(time_ns - sending->begun_ns);
}

/* What was made for a time, and did not leave in it, was not to be sent. */
static uint64_t unsent(const struct sending *sending)
{
    return sending->settings->common.seconds > 0 ? 0 : transfer_unsent(&sending->transfer);
}

void sending_measure(const struct sending *sending, bool ended, struct send_result *result)
{
    *result = (struct send_result){
        .targets = sending->settings->targets.count,
        .refusals = &sending->refusals,
        .skipped = send_source_skipped(&sending->source, sending->settings),
        .unsent = unsent(sending),
        .seconds = seconds_at(sending, sending->now_ns),
        .cpu_seconds = clock_cpu_seconds() - sending->cpu_before,
        .ended = ended,
        .interrupted = interrupted(),
    };
    get_stats(sending, &result->stats);
}

/* ---- Progress ------------------------------------------------------------------------------ */

/* Whichever ends it first. */
static double part_done(const struct sending *sending)
{
    double part = transfer_part(&sending->transfer);
    double part_of_time =
        seconds_at(sending, sending->now_ns) / seconds_at(sending, sending->deadline_ns);

    if (sending->deadline_ns == UINT64_MAX || part > part_of_time)
        return part;
    return part_of_time < 1 ? part_of_time : 1;
}

static void write_figures(const struct sending *sending, char *text, size_t size)
{
    struct udpbatch_sender_stats stats;
    char bytes[UNITS_TEXT], rate[UNITS_TEXT];

    get_stats(sending, &stats);
    units_write_scaled((double)stats.bytes, bytes);
    units_write_scaled(units_ratio((double)stats.packets, seconds_at(sending, sending->now_ns)),
                       rate);
    snprintf(text, size, "%sB %spps", bytes, rate);
}

static void show_progress(struct sending *sending)
{
    if (!progress_is_due(&sending->progress, sending->now_ns))
        return;
    struct progress_state state = { .part = part_done(sending) };
    write_figures(sending, state.what, sizeof state.what);
    progress_show(&sending->progress, &state, sending->now_ns);
}

/* ---- Intervals and totals -------------------------------------------------------------------- */

/* What was done since the last interval ended. */
static struct interval end_interval(struct sending *sending)
{
    const struct udpbatch_sender_stats before = sending->told;
    struct udpbatch_sender_stats *after = &sending->told;

    get_stats(sending, after);
    return (struct interval){ .sending = true,
                              .backend = after->backend,
                              .from = seconds_at(sending, sending->ticker.from_ns),
                              .to = seconds_at(sending, sending->ticker.to_ns),
                              .packets = after->packets - before.packets,
                              .bytes = after->bytes - before.bytes,
                              .count_name = "refused",
                              .count = after->refused - before.refused,
                              .system_calls = after->system_calls - before.system_calls,
                              .waits = after->waits - before.waits };
}

static void tell_interval(struct sending *sending, const struct interval *interval)
{
    if (!sending->settings->common.json)
        interval_report(stdout, interval);
    else if (!interval_print_json(interval))
        sending->is_mute = true;
}

static void tell_totals(struct sending *sending)
{
    struct send_result result;

    sending_measure(sending, false, &result);
    if (!sending->settings->common.json)
        report_send(stderr, &result);
    else if (!json_send(&result))
        sending->is_mute = true;
}

static void tell(struct sending *sending, enum tick tick)
{
    progress_end(&sending->progress); /* until it is drawn again, below what is told */
    if (tick == TICK_TOTALS) {
        tell_totals(sending);
    } else {
        const struct interval interval = end_interval(sending);
        tell_interval(sending, &interval);
    }
}

/* Of an interval in which nothing was done any more there is nothing to tell. */
static void tell_last_interval(struct sending *sending)
{
    if (!ticker_end(&sending->ticker, sending->now_ns))
        return;
    const struct interval interval = end_interval(sending);
    if (interval.packets > 0 || interval.count > 0)
        tell_interval(sending, &interval);
}

static void look_around(struct sending *sending)
{
    enum tick tick;

    sending->now_ns = clock_now_ns();
    while ((tick = ticker_due(&sending->ticker, sending->now_ns)) != TICK_NONE)
        tell(sending, tick);
    show_progress(sending);
}

/* ---- The run -------------------------------------------------------------------------------- */

/* A device that does nothing for so long will not do it later. */
enum { FLUSH_MS = 5000 };

/* Returns 0 if nothing is left in the device, which closing the sender would lose; else -errno. */
static int flush(struct udpbatch_sender *sender)
{
    int waited_ms = 0, error;
    do {
        error = udpbatch_sender_flush(sender, TICK_MS);
        waited_ms += TICK_MS;
    } while ((error == -ETIMEDOUT || error == -EINTR) && waited_ms < FLUSH_MS && !interrupted());
    return error;
}

/* Without intervals a line of progress every few seconds tells as much. */
static void begin(struct sending *sending)
{
    const struct send_settings *settings = sending->settings;
    const uint64_t now_ns = clock_now_ns();

    sending->cpu_before = clock_cpu_seconds();
    sending->begun_ns = sending->now_ns = now_ns;
    sending->deadline_ns = clock_deadline_ns(now_ns, settings->common.seconds);
    progress_begin(&sending->progress, settings->common.quiet, now_ns);
    if (settings->common.interval > 0 && !sending->progress.terminal)
        sending->progress.quiet = true;
    ticker_begin(&sending->ticker, settings->common.interval, now_ns);
}

static void end(struct sending *sending)
{
    transfer_end(&sending->transfer);
    progress_end(&sending->progress);
    sending->flush_error = flush(sending->transfer.sender);
    sending->now_ns = clock_now_ns();
    tell_last_interval(sending);
}

/* To when something is to be done on time, rounded up. */
static int timeout_ms(const struct sending *sending)
{
    const uint64_t now_ns = sending->now_ns;
    uint64_t due_ns = now_ns + (uint64_t)TICK_MS * NS_PER_MS;

    if (sending->deadline_ns < due_ns)
        due_ns = sending->deadline_ns;
    if (sending->ticker.interval_ns > 0 && sending->ticker.next_ns < due_ns)
        due_ns = sending->ticker.next_ns;
    return due_ns > now_ns ? (int)((due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS) : 0;
}

void sending_run(struct sending *sending)
{
    begin(sending);
    while (!interrupted() && !sending->time_is_up &&
           transfer_step(&sending->transfer, timeout_ms(sending))) {
        look_around(sending);
        sending->time_is_up = sending->now_ns >= sending->deadline_ns;
    }
    end(sending);
}
