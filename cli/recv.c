/* recv.c: udpbatch recv: what it opens, reports and closes. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "collect.h"
#include "interrupt.h"
#include "json_recv.h"
#include "recv_options.h"
#include "report_recv.h"
#include "socket.h"
#include "statistics_recv.h"

/* ---- What it opens ------------------------------------------------------------------------- */

/* All that a run holds. */
struct receiving {
    int fd;
    union udpbatch_addr address;
    struct sink sink;
    struct collect collect;
    double cpu_before;
    struct recv_interval reported; /* as the last one left it: from the begin up to its end */
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
    if (settings->capture != NULL)
        options.meta |= CAPTURE_WRITER_META;
    *receiver = udpbatch_receiver_open(receiving->fd, &options, &error);
    if (*receiver == NULL && error == EOPNOTSUPP) { /* then nobody learns the delay of packets */
        options.meta &= ~UDPBATCH_META_CAME_AT;
        *receiver = udpbatch_receiver_open(receiving->fd, &options, &error);
    }
    return *receiver != NULL || reason_give(reason, "cannot open a receiver: %s", strerror(error));
}

static bool open_sink(struct receiving *receiving, const struct recv_settings *settings,
                      struct reason *reason)
{
    struct sink_settings sink = { .name = settings->output, .lines = settings->common.lines };
    if (settings->capture != NULL)
        sink = (struct sink_settings){ .name = settings->capture, .bound = &receiving->address };
    return sink_open(&receiving->sink, &sink, reason);
}

static void set_buffer_of(int fd, uint64_t wanted)
{
    size_t granted = wanted > 0 ? socket_set_buffer(fd, (size_t)wanted) : 0;
    if (granted < wanted)
        complain("warning: the receive buffer is %zu bytes, raise net.core.rmem_max for more",
                 granted);
}

/* The file comes after the socket: an address in use must not empty it. */
static bool open_all(struct receiving *receiving, const struct recv_settings *settings,
                     struct reason *reason)
{
    receiving->address = settings->address;
    if (!recv_options_check(settings, reason))
        return false;
    receiving->fd = socket_open_listening(&receiving->address, settings->dual, reason);
    if (receiving->fd < 0)
        return false;
    set_buffer_of(receiving->fd, settings->buffer);
    return open_receiver(receiving, settings, reason) && open_sink(receiving, settings, reason);
}

static void close_all(struct receiving *receiving)
{
    sink_close(&receiving->sink);
    streams_end(&receiving->collect.streams);
    udpbatch_receiver_close(receiving->collect.receiver);
    if (receiving->fd >= 0)
        close(receiving->fd);
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

/* Returns false, and complains, if it cannot be reported. */
static bool report(const struct recv_result *result, const struct common_settings *how)
{
    if (how->json) {
        if (json_recv(result))
            return true;
        complain("cannot write JSON: %s", strerror(ENOMEM));
        return false;
    }
    report_recv(result);
    if (how->stats)
        statistics_recv(result);
    return true;
}

/* What came since the last one. */
static void report_interval(struct receiving *receiving, bool json)
{
    const struct recv_result now = result_of(receiving, false);
    const struct recv_interval *before = &receiving->reported;
    const struct recv_interval interval = {
        .backend = now.stats.backend,
        .from = before->to,
        .to = clock_seconds(clock_now_ns() - receiving->collect.ticker.begun_ns),
        .packets = now.packets - before->packets,
        .bytes = now.bytes - before->bytes,
        .dropped = now.stats.dropped - before->dropped,
    };

    receiving->reported = (struct recv_interval){
        .to = interval.to, .packets = now.packets, .bytes = now.bytes, .dropped = now.stats.dropped
    };
    if (json)
        json_recv_interval(&interval);
    else
        report_recv_interval(&interval);
}

/* ---- The run ------------------------------------------------------------------------------- */

static void begin(struct receiving *receiving, const struct recv_settings *settings)
{
    const uint64_t now_ns = clock_now_ns();
    struct collect *collect = &receiving->collect;

    collect->sink = &receiving->sink;
    collect->most = settings->count > 0 ? settings->count : UINT64_MAX;
    collect->deadline_ns = UINT64_MAX;
    if (settings->seconds > 0)
        collect->deadline_ns = now_ns + (uint64_t)(settings->seconds * NS_PER_SECOND);
    streams_begin(&collect->streams, now_ns);
    ticker_begin(&collect->ticker, settings->interval, now_ns);
    receiving->cpu_before = clock_cpu_seconds();
}

static void collect_all(struct receiving *receiving, const struct recv_settings *settings)
{
    enum tick tick;

    while ((tick = collect_run(&receiving->collect)) != TICK_NONE) {
        if (tick == TICK_INTERVAL) {
            report_interval(receiving, settings->common.json);
        } else {
            const struct recv_result result = result_of(receiving, false);
            report(&result, &settings->common);
        }
    }
    if (settings->interval > 0) /* the last one, which may be shorter */
        report_interval(receiving, settings->common.json);
    sink_close(&receiving->sink);
}

/* Complains about whatever failed. Returns whether nothing did. */
static bool explain(const struct receiving *receiving)
{
    struct reason reason;

    if (receiving->collect.error != 0)
        complain("cannot receive: %s", strerror(receiving->collect.error));
    if (receiving->sink.error != 0) {
        sink_explain(&receiving->sink, &reason);
        complain("%s", reason.text);
    }
    return receiving->collect.error == 0 && receiving->sink.error == 0;
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
    bool reported = report(&result, &settings->common);
    return complete && reported ? STATUS_DONE : STATUS_INCOMPLETE;
}

static int open_and_receive(const struct recv_settings *settings)
{
    struct receiving receiving = { .fd = -1, .sink = { .fd = -1 } };
    struct reason reason;
    int status = STATUS_USAGE;

    interrupt_catch(); /* first, as the open of a named pipe waits for its reader */
    if (open_all(&receiving, settings, &reason))
        status = recv_all(&receiving, settings);
    else
        complain("%s", reason.text);
    close_all(&receiving);
    return status;
}

int recv_run(int argc, char **argv)
{
    struct recv_settings settings = { 0 };
    ticker_hear();
    int status = options_parse(&recv_command, &settings, argc, argv);
    return status == OPTIONS_GO_ON ? open_and_receive(&settings) : status;
}
