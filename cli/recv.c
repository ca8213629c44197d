/* recv.c: udpbatch recv: what it opens, reports and closes. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "collect.h"
#include "interrupt.h"
#include "interval.h"
#include "json_recv.h"
#include "recv_check.h"
#include "report_recv.h"
#include "socket.h"
#include "statistics_recv.h"
#include "system.h"

/* ---- What it opens ------------------------------------------------------------------------- */

/* All that a run holds. */
struct receiving {
    udpbatch_socket fd;
    union udpbatch_addr address;
    struct sink sink;
    struct collect collect;
    double cpu_before;

    /* What is told while it goes on. */
    struct recv_result told; /* when the last interval ended */
    bool is_mute;            /* something could not be told for want of memory */
};

static bool open_receiver(struct receiving *receiving, const struct recv_settings *settings,
                          struct reason *reason)
{
    struct udpbatch_receiver_options options = { .size = sizeof options,
                                                 .backend = settings->common.backend,
                                                 .batch = SINK_PACKETS,
                                                 .meta = UDPBATCH_META_CAME_AT };
    struct udpbatch_receiver **receiver = &receiving->collect.receiver;
    int error;

    if (settings->common.no_trains)
        options.trains = UDPBATCH_TRAINS_OFF;
    if (settings->common.capture != NULL)
        options.meta |= CAPTURE_WRITER_META;
    *receiver = udpbatch_receiver_open(receiving->fd, &options, &error);
    if (*receiver == NULL && error == EOPNOTSUPP) { /* then nobody learns the delay of packets */
        options.meta &= ~UDPBATCH_META_CAME_AT;
        *receiver = udpbatch_receiver_open(receiving->fd, &options, &error);
    }
    return *receiver != NULL ||
           reason_give(reason, "cannot open a receiver: %s", words_of_error(error));
}

static bool open_sink(struct receiving *receiving, const struct recv_settings *settings,
                      struct reason *reason)
{
    struct sink_settings sink = { .name = settings->output, .lines = settings->common.lines };
    if (settings->common.capture != NULL)
        sink = (struct sink_settings){ .name = settings->common.capture,
                                       .bound = &receiving->address };
    return sink_open(&receiving->sink, &sink, reason);
}

static void set_buffer_of(udpbatch_socket fd, uint64_t wanted)
{
    size_t granted = wanted > 0 ? socket_set_buffer(fd, (size_t)wanted) : 0;
    if (granted < wanted)
        complain("warning: the receive buffer is %zu bytes%s", granted,
                 ON_LINUX ? ", raise net.core.rmem_max for more" : "");
}

/* The file comes after the socket: an address in use must not empty it. */
static bool open_all(struct receiving *receiving, const struct recv_settings *settings,
                     struct reason *reason)
{
    receiving->address = settings->address;
    if (!recv_check(settings, reason))
        return false;
    receiving->fd = socket_open_listening(&receiving->address, settings->dual, reason);
    if (receiving->fd == NO_SOCKET)
        return false;
    set_buffer_of(receiving->fd, settings->buffer);
    return open_receiver(receiving, settings, reason) && open_sink(receiving, settings, reason) &&
           privilege_drop(reason);
}

static void close_all(struct receiving *receiving)
{
    sink_close(&receiving->sink);
    streams_end(&receiving->collect.streams);
    udpbatch_receiver_close(receiving->collect.receiver);
    if (receiving->fd != NO_SOCKET)
        socket_close(receiving->fd);
}

/* ---- What there is to report ----------------------------------------------------------------- */

static struct recv_result result_of(const struct receiving *receiving, bool ended)
{
    const struct collect *collect = &receiving->collect;
    struct recv_result result = {
        .address = &receiving->address,
        .streams = &collect->streams,
        .stats = { .size = sizeof result.stats },
        .packets = receiving->sink.packets,
        .bytes = receiving->sink.bytes,
        .seconds = clock_seconds(collect->last_ns - collect->first_ns),
        .cpu_seconds = clock_cpu_seconds() - receiving->cpu_before,
        .ended = ended,
        .interrupted = interrupted(),
    };
    udpbatch_receiver_stats(collect->receiver, &result.stats);
    return result;
}

/* Returns false if there is no memory for it. */
static bool report(const struct recv_result *result, const struct common_settings *how)
{
    if (how->json)
        return json_recv(result);
    report_recv(result);
    if (how->stats)
        statistics_recv(result);
    return true;
}

/* ---- Intervals and totals -------------------------------------------------------------------- */

static double seconds_at(const struct receiving *receiving, uint64_t time_ns)
{
    return clock_seconds(time_ns - receiving->collect.ticker.begun_ns);
}

/* What came since the last interval ended. */
static struct interval end_interval(struct receiving *receiving)
{
    const struct ticker *ticker = &receiving->collect.ticker;
    const struct recv_result before = receiving->told;
    const struct recv_result *after = &receiving->told;

    receiving->told = result_of(receiving, false);
    return (struct interval){ .backend = after->stats.backend,
                              .from = seconds_at(receiving, ticker->from_ns),
                              .to = seconds_at(receiving, ticker->to_ns),
                              .packets = after->packets - before.packets,
                              .bytes = after->bytes - before.bytes,
                              .count_name = "dropped",
                              .count = after->stats.dropped - before.stats.dropped,
                              .system_calls =
                                  after->stats.system_calls - before.stats.system_calls };
}

static void tell_interval(struct receiving *receiving, bool json)
{
    const struct interval interval = end_interval(receiving);
    if (!json)
        interval_report(stderr, &interval);
    else if (!interval_print_json(&interval))
        receiving->is_mute = true;
}

static void tell_totals(struct receiving *receiving, const struct common_settings *how)
{
    const struct recv_result result = result_of(receiving, false);
    if (!report(&result, how))
        receiving->is_mute = true;
}

/* ---- The run ------------------------------------------------------------------------------- */

static void begin(struct receiving *receiving, const struct recv_settings *settings)
{
    const uint64_t now_ns = clock_now_ns();
    struct collect *collect = &receiving->collect;

    collect->sink = &receiving->sink;
    collect->most = settings->common.count > 0 ? settings->common.count : UINT64_MAX;
    collect->deadline_ns = clock_deadline_ns(now_ns, settings->common.seconds);
    streams_begin(&collect->streams, now_ns);
    ticker_begin(&collect->ticker, settings->common.interval, now_ns);
    receiving->cpu_before = clock_cpu_seconds();
}

static void collect_all(struct receiving *receiving, const struct recv_settings *settings)
{
    const struct common_settings *how = &settings->common;
    enum tick tick;

    while ((tick = collect_run(&receiving->collect)) != TICK_NONE) {
        if (tick == TICK_INTERVAL)
            tell_interval(receiving, how->json);
        else
            tell_totals(receiving, how);
    }
    if (ticker_end(&receiving->collect.ticker, clock_now_ns())) /* the last one may be shorter */
        tell_interval(receiving, how->json);
    sink_close(&receiving->sink);
}

/* Complains about whatever failed. Returns whether nothing did. */
static bool explain(const struct receiving *receiving)
{
    struct reason reason;

    if (receiving->collect.error != 0)
        complain("cannot receive: %s", words_of_error(receiving->collect.error));
    if (receiving->sink.error != 0) {
        sink_explain(&receiving->sink, &reason);
        complain("%s", reason.text);
    }
    if (receiving->is_mute)
        complain("some of the JSON is missing: %s", words_of_error(ENOMEM));
    return receiving->collect.error == 0 && receiving->sink.error == 0 && !receiving->is_mute;
}

/* The report alone decides: a line that was missed hours ago, on a disk that was full then, does
 * not. Of one for people, which goes to stderr, nobody else sees that it could not be written. */
static bool report_last(const struct recv_result *result, const struct common_settings *how)
{
    clearerr(stderr);
    if (!report(result, how)) {
        complain("cannot write JSON: %s", words_of_error(ENOMEM));
        return false;
    }
    return how->json || ferror(stderr) == 0;
}

static int recv_all(struct receiving *receiving, const struct recv_settings *settings)
{
    char text[ADDRESS_TEXT];

    begin(receiving, settings); /* first, as who sees the line below may ask for the totals */
    if (!settings->common.quiet)
        fprintf(stderr, "listening on %s\n", address_write(&receiving->address, text));
    collect_all(receiving, settings);
    const struct recv_result result = result_of(receiving, true);
    bool complete = explain(receiving);
    bool reported = report_last(&result, &settings->common);
    return complete && reported ? STATUS_DONE : STATUS_INCOMPLETE;
}

static int open_and_receive(const struct recv_settings *settings)
{
    struct receiving receiving = { .fd = NO_SOCKET, .sink = { .fd = -1 } };
    struct reason reason;
    int status = STATUS_USAGE;

    interrupt_catch(); /* first, as the open of a named pipe waits for its reader */
    if (open_all(&receiving, settings, &reason)) {
        interrupt_catch_at_work();
        status = recv_all(&receiving, settings);
    } else {
        complain("%s", reason.text);
    }
    close_all(&receiving);
    return status;
}

int recv_run(int argc, char **argv)
{
    struct recv_settings settings = { 0 };
    totals_hear();
    int status = options_parse(&recv_command, &settings, argc, argv);
    return status == OPTIONS_GO_ON ? open_and_receive(&settings) : status;
}
