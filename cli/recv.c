/* recv.c: udpbatch recv: its options, and what it opens, reports and closes. */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "collect.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "socket.h"
#include "statistics.h"
#include "units.h"

struct recv_settings {
    struct common_settings common;
    union udpbatch_addr address; /* of family 0: not given */
    bool dual;
    uint64_t count;  /* 0: no limit */
    double seconds;  /* 0: no limit */
    uint64_t buffer; /* 0: the system's default */
    const char *output;
};

/* ---- Options ------------------------------------------------------------------------------- */

static bool set_bind(void *settings, const char *argument, struct reason *reason)
{
    struct recv_settings *recv = settings;
    return address_read_local(argument, &recv->address, &recv->dual, reason);
}

static bool set_count(void *settings, const char *argument, struct reason *reason)
{
    return units_read_count(argument, 1, UINT64_MAX, &((struct recv_settings *)settings)->count) ||
           reason_give(reason, "write a number of packets above 0");
}

static bool set_for(void *settings, const char *argument, struct reason *reason)
{
    return units_read_seconds(argument, &((struct recv_settings *)settings)->seconds) ||
           reason_give(reason, "write a number of seconds above 0, such as 10 or 0.5");
}

/* The kernel halves the largest int, as it doubles what it is asked for. */
static bool set_buffer(void *settings, const char *argument, struct reason *reason)
{
    return units_read_size(argument, INT_MAX / 2, &((struct recv_settings *)settings)->buffer) ||
           reason_give(reason, "write a size below 1G, such as 4M or 65536");
}

static bool set_output(void *settings, const char *argument, struct reason *reason)
{
    (void)reason;
    ((struct recv_settings *)settings)->output = argument;
    return true;
}

static const struct option_row rows[] = {
    { "bind", 'b', "ADDR:PORT", "receive here; port 0: one that is free", NULL, set_bind, 0 },
    { "count", 'n', "N", "end after N packets", NULL, set_count, 0 },
    { "for", 'f', "SECONDS", "end after so long", NULL, set_for, 0 },
    { "output", 'o', "FILE", "write the payloads to FILE", NULL, set_output, 0 },
    { "lines", 'l', NULL, "write a newline after each payload", NULL, NULL,
      offsetof(struct recv_settings, common.lines) },
    { "buffer", 0, "SIZE", "let the kernel hold so much, such as 4M", NULL, set_buffer, 0 },
    { "backend", 0, "NAME", "receive by this back end; by default the best", NULL,
      set_receiving_backend, 0 },
    { "no-trains", 0, NULL, "take each datagram from the kernel by itself", NULL, NULL,
      offsetof(struct recv_settings, common.no_trains) },
    { "stats", 0, NULL, "print what was counted too, such as trains", NULL, NULL,
      offsetof(struct recv_settings, common.stats) },
    { "json", 'j', NULL, "print the result as a JSON object; needs -o", NULL, set_json, 0 },
    { "quiet", 'q', NULL, "do not say which address is listened on", NULL, NULL,
      offsetof(struct recv_settings, common.quiet) },
    { 0 },
};

static int recv_run(int argc, char **argv);

const struct command recv_command = {
    .name = "recv",
    .summary = "Receives UDP and writes the payloads, one after the other.",
    .synopsis = "--bind ADDR:PORT [OPTION]...",
    .rows = rows,
    .run = recv_run,
    .notes = "Without -o, or if FILE is -, the payloads go to standard output. ADDR is as the\n"
             "HOST of udpbatch send; :PORT and *:PORT are all addresses of IPv4 and IPv6.\n"
             "SIZE is in bytes, or with K, M or G in powers of 1024. The report goes to\n"
             "standard error, with --json to standard output.\n"
             "\n"
             "Exit status: 0 ended by --count, --for or Ctrl-C, 1 something could not be\n"
             "received or written, 2 the arguments are wrong and nothing was begun.\n",
};

/* ---- What it opens ------------------------------------------------------------------------- */

/* All that a run holds. */
struct receiving {
    int fd;
    union udpbatch_addr address;
    struct sink sink;
    struct collect collect;
};

static bool check(const struct recv_settings *settings, struct reason *reason)
{
    bool to_stdout = settings->output == NULL || strcmp(settings->output, "-") == 0;

    if (settings->address.sa.sa_family == 0)
        return reason_give(reason, "no address, give --bind ADDR:PORT");
    if (settings->common.json && to_stdout)
        return reason_give(reason,
                           "--json and the payloads cannot share standard output, add -o FILE");
    return true;
}

static bool open_receiver(struct receiving *receiving, const struct recv_settings *settings,
                          struct reason *reason)
{
    struct udpbatch_receiver_options options = { .size = sizeof options,
                                                 .backend = settings->common.backend,
                                                 .batch = SINK_PACKETS };
    int error;

    if (settings->common.no_trains)
        options.trains = UDPBATCH_TRAINS_OFF;
    receiving->collect.receiver = udpbatch_receiver_open(receiving->fd, &options, &error);
    return receiving->collect.receiver != NULL ||
           reason_give(reason, "cannot open a receiver: %s", strerror(error));
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
    if (!check(settings, reason))
        return false;
    receiving->fd = socket_open_listening(&receiving->address, settings->dual, reason);
    if (receiving->fd < 0)
        return false;
    set_buffer_of(receiving->fd, settings->buffer);
    return open_receiver(receiving, settings, reason) &&
           sink_open(&receiving->sink, settings->output, settings->common.lines, reason);
}

static void close_all(struct receiving *receiving)
{
    sink_close(&receiving->sink);
    udpbatch_receiver_close(receiving->collect.receiver);
    if (receiving->fd >= 0)
        close(receiving->fd);
}

/* ---- The run ------------------------------------------------------------------------------- */

static struct recv_result collect_all(struct receiving *receiving,
                                      const struct recv_settings *settings)
{
    struct collect *collect = &receiving->collect;
    struct recv_result result = { .address = &receiving->address,
                                  .stats = { .size = sizeof result.stats } };
    double cpu_before = clock_cpu_seconds();

    collect->sink = &receiving->sink;
    collect->most = settings->count > 0 ? settings->count : UINT64_MAX;
    collect->deadline_ns = UINT64_MAX;
    if (settings->seconds > 0)
        collect->deadline_ns = clock_now_ns() + (uint64_t)(settings->seconds * NS_PER_SECOND);
    collect_run(collect);
    sink_close(&receiving->sink);

    result.cpu_seconds = clock_cpu_seconds() - cpu_before;
    result.seconds = clock_seconds(collect->last_ns - collect->first_ns);
    result.interrupted = interrupted();
    result.packets = receiving->sink.packets;
    result.bytes = receiving->sink.bytes;
    udpbatch_receiver_stats(collect->receiver, &result.stats);
    return result;
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

static int recv_all(struct receiving *receiving, const struct recv_settings *settings)
{
    char text[ADDRESS_TEXT];

    if (!settings->common.quiet)
        fprintf(stderr, "listening on %s\n", address_write(&receiving->address, text));
    struct recv_result result = collect_all(receiving, settings);
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

static int recv_run(int argc, char **argv)
{
    struct recv_settings settings = { 0 };
    int status = options_parse(&recv_command, &settings, argc, argv);
    return status == OPTIONS_GO_ON ? open_and_receive(&settings) : status;
}
