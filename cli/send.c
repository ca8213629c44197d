/* send.c: udpbatch send: its options, and what it opens, reports and closes. */
#include "cli.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "backends.h"
#include "clock.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "socket.h"
#include "statistics.h"
#include "transfer.h"
#include "units.h"

/* Fits any path of IPv6 without fragments (1280 - 40 - 8), with room for a tunnel. */
enum { DEFAULT_SIZE = 1200 };

struct send_settings {
    struct common_settings common;
    struct targets targets;
    const char *targets_file;
    const char *file;
    uint64_t size; /* 0: not given */
    struct rate rate;
    struct udpbatch_meta meta; /* of every datagram */
    const char *interface;     /* NULL: not given */
    uint64_t queue;
    enum udpbatch_xdp_mode xdp_mode;
    const char *xdp_option; /* one of the two above that was given; else NULL */
    bool broadcast;
};

/* ---- Options ------------------------------------------------------------------------------- */

static bool set_to(void *settings, const char *argument, struct reason *reason)
{
    return targets_add(&((struct send_settings *)settings)->targets, argument, reason);
}

static bool set_targets(void *settings, const char *argument, struct reason *reason)
{
    struct send_settings *send = settings;
    if (send->targets_file != NULL)
        return reason_give(reason, "give this option once");
    send->targets_file = argument;
    return true;
}

static bool set_size(void *settings, const char *argument, struct reason *reason)
{
    return units_read_count(argument, 1, PAYLOAD_MAX, &((struct send_settings *)settings)->size) ||
           reason_give(reason, "write a number of bytes from 1 to %d", PAYLOAD_MAX);
}

static bool set_rate(void *settings, const char *argument, struct reason *reason)
{
    return units_read_rate(argument, &((struct send_settings *)settings)->rate) ||
           reason_give(reason, "write a rate above 0 in bit or pps, such as 200Mbit or 50kpps");
}

static bool set_tos(void *settings, const char *argument, struct reason *reason)
{
    struct udpbatch_meta *meta = &((struct send_settings *)settings)->meta;
    meta->flags |= UDPBATCH_META_TOS;
    return units_read_byte(argument, &meta->tos) ||
           reason_give(reason, "write a number from 0 to 255, such as 184 or 0xb8");
}

static bool set_ttl(void *settings, const char *argument, struct reason *reason)
{
    struct udpbatch_meta *meta = &((struct send_settings *)settings)->meta;
    uint64_t ttl;
    if (!units_read_count(argument, 1, UINT8_MAX, &ttl))
        return reason_give(reason, "write a number from 1 to 255");
    meta->flags |= UDPBATCH_META_TTL;
    meta->ttl = (uint8_t)ttl;
    return true;
}

static bool set_from(void *settings, const char *argument, struct reason *reason)
{
    struct udpbatch_meta *meta = &((struct send_settings *)settings)->meta;
    meta->flags |= UDPBATCH_META_LOCAL;
    return address_read_host(argument, &meta->local, reason);
}

/* What it is for is known when the back end is. */
static bool set_interface(void *settings, const char *argument, struct reason *reason)
{
    (void)reason;
    ((struct send_settings *)settings)->interface = argument;
    return true;
}

static bool set_queue(void *settings, const char *argument, struct reason *reason)
{
    struct send_settings *send = settings;
    send->xdp_option = "--queue";
    return units_read_count(argument, 0, UINT32_MAX, &send->queue) ||
           reason_give(reason, "write the number of a queue, the first is 0");
}

static bool set_xdp_mode(void *settings, const char *argument, struct reason *reason)
{
    static const char *const words[] = { [UDPBATCH_XDP_AUTO] = "auto",
                                         [UDPBATCH_XDP_COPY] = "copy",
                                         [UDPBATCH_XDP_ZERO_COPY] = "zero-copy" };
    struct send_settings *send = settings;
    send->xdp_option = "--xdp-mode";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], argument) == 0) {
            send->xdp_mode = (enum udpbatch_xdp_mode)i;
            return true;
        }
    return reason_give(reason, "write auto, copy or zero-copy");
}

static bool set_file(void *settings, const char *argument, struct reason *reason)
{
    struct send_settings *send = settings;
    if (send->file != NULL)
        return reason_give(reason, "one file at a time can be sent");
    send->file = argument;
    return true;
}

static const struct option_row rows[] = {
    { "to", 't', "HOST:PORT", "send to this target; can be given many times", set_to, 0 },
    { "targets", 'T', "FILE", "and to those in FILE, one HOST:PORT per line", set_targets, 0 },
    { "size", 's', "BYTES", "cut into datagrams of BYTES, 1200 by default", set_size, 0 },
    { "lines", 'l', NULL, "send a datagram per line, without the newline", NULL,
      offsetof(struct send_settings, common.lines) },
    { "rate", 'r', "RATE", "send no faster: 200Mbit, 50kpps, 9600bit", set_rate, 0 },
    { "broadcast", 0, NULL, "allow broadcast addresses", NULL,
      offsetof(struct send_settings, broadcast) },
    { "tos", 0, "BYTE", "TOS or traffic class of each, such as 184 or 0xb8", set_tos, 0 },
    { "ttl", 0, "N", "time to live or hop limit of each", set_ttl, 0 },
    { "from", 0, "ADDRESS", "send from this address of this host", set_from, 0 },
    { "interface", 0, "NAME", "send by this network interface", set_interface, 0 },
    { "no-trains", 0, NULL, "hand each datagram to the kernel by itself", NULL,
      offsetof(struct send_settings, common.no_trains) },
    { "backend", 0, "NAME", "send by this back end; by default the best", set_backend, 0 },
    { "queue", 0, "N", "with --backend xdp: by this queue of the interface", set_queue, 0 },
    { "xdp-mode", 0, "MODE", "and so: auto, copy or zero-copy", set_xdp_mode, 0 },
    { "stats", 0, NULL, "print what was counted too, such as trains", NULL,
      offsetof(struct send_settings, common.stats) },
    { "json", 'j', NULL, "print the result as a JSON object", set_json, 0 },
    { "quiet", 'q', NULL, "show no progress", NULL, offsetof(struct send_settings, common.quiet) },
    { 0 },
};

static int send_run(int argc, char **argv);

const struct command send_command = {
    .name = "send",
    .summary = "Sends a file, or what comes in, to one or many targets by UDP.",
    .synopsis = "--to HOST:PORT [OPTION]... [FILE]",
    .rows = rows,
    .set_operand = set_file,
    .run = send_run,
    .notes = "Without FILE, or if it is -, standard input is sent. HOST is a name, an IPv4\n"
             "address or an IPv6 address in brackets, as in [::1]:9000. RATE counts payload,\n"
             "for all targets together. In the FILE of targets, # begins a comment.\n"
             "\n"
             "Exit status: 0 all was sent, 1 something was refused or left over, 2 the\n"
             "arguments are wrong and nothing was begun. Ctrl-C ends with the totals so far.\n",
};

/* ---- What it opens ------------------------------------------------------------------------- */

/* All that a run holds. */
struct sending {
    int fd;
    struct source source;
    struct refusals refusals;
    struct transfer transfer;
    int flush_error; /* 0 or -errno */
};

/* Past the network stack: a meta with the interface would send everything by the stack. */
static bool check_xdp(const struct send_settings *settings, struct reason *reason)
{
    return (settings->interface != NULL && settings->interface[0] != '\0') ||
           reason_give(reason, "--backend xdp needs --interface NAME, such as eth0");
}

/* By the network stack, which each datagram asks for the interface. */
static bool check_stack(struct send_settings *settings, struct reason *reason)
{
    struct udpbatch_meta *meta = &settings->meta;

    if (settings->xdp_option != NULL)
        return reason_give(reason, "%s is for --backend xdp alone", settings->xdp_option);
    if (settings->interface == NULL)
        return true;
    meta->flags |= UDPBATCH_META_INTERFACE;
    meta->interface_index = if_nametoindex(settings->interface);
    return meta->interface_index != 0 ||
           reason_give(reason, "--interface %s: %s", settings->interface, strerror(errno));
}

static bool check(struct send_settings *settings, struct reason *reason)
{
    struct targets *targets = &settings->targets;

    if (settings->targets_file != NULL &&
        !targets_add_file(targets, settings->targets_file, reason))
        return false;
    if (targets->count == 0 && settings->targets_file != NULL)
        return reason_give(reason, "%s names no target", settings->targets_file);
    if (targets->count == 0)
        return reason_give(reason, "no target, give --to HOST:PORT or --targets FILE");
    if (settings->common.lines && settings->size != 0)
        return reason_give(reason, "give either --size or --lines");
    return backend_is_xdp(settings->common.backend) ? check_xdp(settings, reason)
                                                    : check_stack(settings, reason);
}

/* The first send would do it, but past the network stack a socket has to have its port before. */
static bool bind_socket(int fd, int family, struct reason *reason)
{
    const union udpbatch_addr any = { .sa.sa_family = (sa_family_t)family };
    return bind(fd, &any.sa, address_len(&any)) == 0 ||
           reason_give(reason, "cannot bind a socket: %s", strerror(errno));
}

static bool explain_open(const struct send_settings *settings, int error, struct reason *reason)
{
    if (backend_is_xdp(settings->common.backend))
        return reason_give(reason, "cannot send by %s, queue %u: %s", settings->interface,
                           (unsigned)settings->queue, backend_explain_xdp(error));
    return reason_give(reason, "cannot open a sender: %s", strerror(error));
}

static bool open_sender(struct sending *sending, const struct send_settings *settings,
                        struct reason *reason)
{
    struct udpbatch_sender_options options = { .size = sizeof options,
                                               .backend = settings->common.backend,
                                               .xdp_interface = settings->interface,
                                               .xdp_queue = (uint32_t)settings->queue,
                                               .xdp_mode = settings->xdp_mode };
    int error;

    if (settings->common.no_trains)
        options.trains = UDPBATCH_TRAINS_OFF;
    sending->transfer.sender = udpbatch_sender_open(sending->fd, &options, &error);
    return sending->transfer.sender != NULL || explain_open(settings, error, reason);
}

static bool open_all(struct sending *sending, struct send_settings *settings, struct reason *reason)
{
    size_t size = settings->size != 0 ? (size_t)settings->size : DEFAULT_SIZE;

    if (!check(settings, reason) ||
        !source_open(&sending->source, settings->file, settings->common.lines, size, reason))
        return false;
    if (!refusals_begin(&sending->refusals, settings->targets.count))
        return reason_give(reason, "%s", strerror(ENOMEM));
    int family = targets_choose_family(&settings->targets);
    sending->fd = socket_open_sending(family, settings->broadcast, reason);
    return sending->fd >= 0 && bind_socket(sending->fd, family, reason) &&
           open_sender(sending, settings, reason);
}

static void close_all(struct sending *sending)
{
    udpbatch_sender_close(sending->transfer.sender);
    if (sending->fd >= 0)
        close(sending->fd);
    refusals_free(&sending->refusals);
    source_close(&sending->source);
}

/* ---- The run ------------------------------------------------------------------------------- */

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

static struct send_result transfer_all(struct sending *sending,
                                       const struct send_settings *settings)
{
    struct transfer *transfer = &sending->transfer;
    struct send_result result = { .targets = &settings->targets,
                                  .refusals = &sending->refusals,
                                  .stats = { .size = sizeof result.stats } };
    double cpu_before = clock_cpu_seconds();
    uint64_t begun_ns = clock_now_ns();

    transfer->source = &sending->source;
    transfer->targets = &settings->targets;
    transfer->refusals = &sending->refusals;
    transfer->meta = settings->meta.flags != 0 ? &settings->meta : NULL;
    pace_begin(&transfer->pace, &settings->rate, begun_ns);
    progress_begin(&transfer->progress, settings->common.quiet, begun_ns);
    transfer_run(transfer);
    sending->flush_error = flush(transfer->sender);

    result.seconds = clock_seconds(clock_now_ns() - begun_ns);
    result.cpu_seconds = clock_cpu_seconds() - cpu_before;
    result.interrupted = interrupted();
    result.unsent = transfer_unsent(transfer);
    udpbatch_sender_stats(transfer->sender, &result.stats);
    return result;
}

/* Returns false, and complains, if it cannot be reported. */
static bool report(const struct send_result *result, const struct common_settings *how)
{
    if (how->json) {
        if (json_send(result))
            return true;
        complain("cannot write JSON: %s", strerror(ENOMEM));
        return false;
    }
    report_send(result);
    if (how->stats)
        statistics_send(result);
    return true;
}

/* Complains about whatever failed. */
static void explain(const struct sending *sending, const struct send_settings *settings)
{
    const struct source *source = &sending->source;
    struct reason reason;

    if (source->error != 0) {
        source_explain(source, &reason);
        complain("%s", reason.text);
    } else if (source->shrunk) {
        complain("%s became shorter while it was read", source->name);
    }
    if (sending->flush_error != 0)
        complain("%s %s: the last datagrams may not have left", settings->interface,
                 sending->flush_error == -ENETDOWN ? "went down" : "did not take all in time");
}

static int send_all(struct sending *sending, const struct send_settings *settings)
{
    const struct source *source = &sending->source;
    struct send_result result = transfer_all(sending, settings);

    explain(sending, settings);
    bool reported = report(&result, &settings->common);
    /* Lines of a file that were not read are not among the unsent: nobody knows how many. */
    bool all_read = source->length == 0 || (source->ended && !source->shrunk);
    bool all_sent = result.stats.refused == 0 && result.unsent == 0 && source->error == 0 &&
                    sending->flush_error == 0;
    return reported && all_read && all_sent ? STATUS_DONE : STATUS_INCOMPLETE;
}

static int open_and_send(struct send_settings *settings)
{
    struct sending sending = { .fd = -1, .source = { .fd = -1 } };
    struct reason reason;
    int status = STATUS_USAGE;

    if (open_all(&sending, settings, &reason)) {
        interrupt_catch();
        status = send_all(&sending, settings);
    } else {
        complain("%s", reason.text);
    }
    close_all(&sending);
    return status;
}

static int send_run(int argc, char **argv)
{
    struct send_settings settings = { 0 };
    int status = options_parse(&send_command, &settings, argc, argv);

    if (status == OPTIONS_GO_ON)
        status = open_and_send(&settings);
    targets_free(&settings.targets);
    return status;
}
