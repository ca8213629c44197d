/* send.c: udpbatch send: what it opens, reports and closes. */
#include "cli.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "backends.h"
#include "clock.h"
#include "file_source.h"
#include "interrupt.h"
#include "json.h"
#include "report.h"
#include "send_options.h"
#include "socket.h"
#include "statistics.h"
#include "transfer.h"

/* Fits any path of IPv6 without fragments (1280 - 40 - 8), with room for a tunnel. */
enum { DEFAULT_SIZE = 1200 };

/* ---- What it opens ------------------------------------------------------------------------- */

/* All that a run holds. */
struct sending {
    int fd;
    struct file_source file;
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
        !file_source_open(&sending->file, settings->file, settings->common.lines, size, reason))
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
    struct source *source = &sending->file.source;
    if (source->kind != NULL)
        source->kind->close(source);
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

    transfer->source = &sending->file.source;
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
    const struct source *source = &sending->file.source;
    struct reason reason;

    if (source->error != 0) {
        source->kind->explain(source, &reason);
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
    const struct source *source = &sending->file.source;
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
    struct sending sending = {
        .fd = -1,
    };
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

int send_run(int argc, char **argv)
{
    struct send_settings settings = { 0 };
    int status = options_parse(&send_command, &settings, argc, argv);

    if (status == OPTIONS_GO_ON)
        status = open_and_send(&settings);
    targets_free(&settings.targets);
    return status;
}
