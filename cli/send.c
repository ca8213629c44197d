/* send.c: udpbatch send: what it opens, reports and closes. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "backends.h"
#include "interrupt.h"
#include "json_send.h"
#include "send_check.h"
#include "sending.h"
#include "skipped.h"
#include "socket.h"
#include "statistics_send.h"
#include "system.h"

/* ---- What it opens ------------------------------------------------------------------------- */

/* The first send would do it, but past the network stack a socket has to have its port before. */
static bool bind_socket(udpbatch_socket fd, int family, struct reason *reason)
{
    const union udpbatch_addr any = { .sa.sa_family = (sa_family_t)family };
    return bind(fd, &any.sa, address_len(&any)) == 0 ||
           reason_give(reason, "cannot bind a socket: %s", words_of_error(socket_error()));
}

static bool explain_open(const struct send_settings *settings, int error, struct reason *reason)
{
    if (backend_is_xdp(settings->common.backend))
        return reason_give(reason, "cannot send by %s, queue %u: %s", settings->interface,
                           (unsigned)settings->queue, backend_explain_xdp(error));
    return reason_give(reason, "cannot open a sender: %s", words_of_error(error));
}

/* The library counts bytes. */
static void set_rate(struct udpbatch_sender_options *options, const struct send_settings *settings)
{
    const bool bits = settings->rate.unit == RATE_BITS;
    options->rate_unit = bits ? UDPBATCH_RATE_BYTES : UDPBATCH_RATE_PACKETS;
    options->rate = bits ? settings->rate.per_second / 8 : settings->rate.per_second;
    options->burst = settings->burst;
}

static bool open_sender(struct sending *sending, udpbatch_socket fd, struct reason *reason)
{
    const struct send_settings *settings = sending->settings;
    struct udpbatch_sender_options options = { .size = sizeof options,
                                               .backend = settings->common.backend,
                                               .xdp_interface = settings->interface,
                                               .xdp_queue = (uint32_t)settings->queue,
                                               .xdp_mode = settings->xdp_mode };
    int error;

    options.in_order = settings->map.count > 0; /* as captured, also to several addresses */
    if (settings->common.no_trains)
        options.trains = UDPBATCH_TRAINS_OFF;
    set_rate(&options, settings);
    sending->transfer.sender = udpbatch_sender_open(fd, &options, &error);
    return sending->transfer.sender != NULL || explain_open(settings, error, reason);
}

static int choose_family(struct send_settings *settings)
{
    return settings->map.count > 0 ? address_map_choose_family(&settings->map)
                                   : targets_choose_family(&settings->targets);
}

/* What a system has no way to ask for, the library refuses for each datagram: one that is too long,
 * which never leaves, tells beforehand. */
static bool check_meta(udpbatch_socket fd, int family, const struct udpbatch_meta *meta,
                       struct reason *reason)
{
    const union udpbatch_addr to = { .sa.sa_family = (sa_family_t)family };
    struct udpbatch_packet packet = { .data = "", .len = UINT16_MAX + 1, .to = &to, .meta = meta };

    return meta->flags == 0 || udpbatch_send(fd, &packet, 1).first_error != EOPNOTSUPP ||
           reason_give(reason, "this system has no --tos, --ttl, --from or --interface");
}

/* The descriptor stays open on failure. */
static bool open_socket(udpbatch_socket *fd, const struct send_settings *settings, int family,
                        struct reason *reason)
{
    *fd = socket_open_sending(family, settings->broadcast, reason);
    return *fd != NO_SOCKET && bind_socket(*fd, family, reason) &&
           check_meta(*fd, family, &settings->meta, reason);
}

/* Files may take privilege to be opened, which is given up before they are read. */
static bool open_source(struct sending *sending, const struct send_settings *settings,
                        struct reason *reason)
{
    const bool xdp = backend_is_xdp(settings->common.backend);
    return send_source_open(&sending->source, settings, reason) &&
           (xdp ? privilege_drop_but_for_xdp(reason) : privilege_drop(reason));
}

static bool open_list_and_source(struct sending *sending, struct send_settings *settings,
                                 struct reason *reason)
{
    FILE *list = NULL;

    if (settings->targets_file != NULL) {
        list = targets_open_file(settings->targets_file, reason);
        if (list == NULL)
            return false;
    }
    if (open_source(sending, settings, reason))
        return send_check_targets(settings, list, reason);
    if (list != NULL)
        fclose(list);
    return false;
}

static bool open_all(struct sending *sending, udpbatch_socket *fd, struct send_settings *settings,
                     struct reason *reason)
{
    if (!send_check(settings, reason) || !open_list_and_source(sending, settings, reason))
        return false;
    interrupt_catch(); /* a source may wait for its writer */
    int family = choose_family(settings);
    sending->settings = settings;
    return open_socket(fd, settings, family, reason) && open_sender(sending, *fd, reason) &&
           privilege_drop(reason) && send_source_begin(&sending->source, settings, reason);
}

static void close_all(struct sending *sending, udpbatch_socket fd)
{
    udpbatch_sender_close(sending->transfer.sender);
    if (fd != NO_SOCKET)
        socket_close(fd);
    refusals_free(&sending->refusals);
    send_source_close(&sending->source);
}

/* ---- What it reports ------------------------------------------------------------------------ */

/* Returns false, and complains, if it cannot be reported. */
static bool report(const struct send_result *result, const struct common_settings *how)
{
    if (how->json) {
        if (json_send(result))
            return true;
        complain("cannot write JSON: %s", words_of_error(ENOMEM));
        return false;
    }
    report_send(stdout, result);
    if (how->stats)
        statistics_send(result);
    return true;
}

static void explain_source(const struct source *source)
{
    struct reason reason;

    if (source->error != 0) {
        source->kind->explain(source, &reason);
        complain("%s", reason.text);
    } else if (source->shrunk) {
        complain("%s became shorter while it was read", source->name);
    }
}

static void warn_of_skipped(const struct capture_skipped *skipped, const char *name)
{
    char text[SKIPPED_TEXT];
    if (skipped != NULL && skipped_write(skipped, true, text)[0] != '\0')
        complain("warning: skipped of %s: %s", name, text);
}

/* Complains about whatever failed. */
static void explain(const struct sending *sending, const struct send_result *result)
{
    const struct source *source = &sending->source.source;

    explain_source(source);
    warn_of_skipped(result->skipped, source->name);
    if (sending->flush_error != 0)
        complain("%s %s: the last datagrams may not have left", sending->settings->interface,
                 sending->flush_error == -ENETDOWN ? "went down" : "did not take all in time");
    if (sending->is_mute)
        complain("some of the JSON is missing: %s", words_of_error(ENOMEM));
}

/* Lines of a file that were not read are not among the unsent: nobody knows how many. */
static bool is_complete(const struct sending *sending)
{
    const struct source *source = &sending->source.source;

    if (sending->settings->common.seconds > 0)
        return sending->time_is_up || source->ended;
    return source->length == 0 || (source->ended && !source->shrunk);
}

static int send_all(struct sending *sending)
{
    const struct source *source = &sending->source.source;
    struct send_result result;

    sending_run(sending);
    sending_measure(sending, true, &result);
    explain(sending, &result);
    bool reported = report(&result, &sending->settings->common) && !sending->is_mute;
    bool all_sent = result.stats.refused == 0 && result.unsent == 0 && source->error == 0 &&
                    sending->flush_error == 0;
    return reported && all_sent && is_complete(sending) ? STATUS_DONE : STATUS_INCOMPLETE;
}

/* ---- The command ---------------------------------------------------------------------------- */

static void begin_transfer(struct sending *sending)
{
    const struct send_settings *settings = sending->settings;
    struct transfer *transfer = &sending->transfer;

    transfer->source = &sending->source.source;
    transfer->targets = &settings->targets;
    transfer->refusals = &sending->refusals;
    transfer->meta = settings->meta.flags != 0 ? &settings->meta : NULL;
}

static int open_and_send(struct sending *sending, struct send_settings *settings)
{
    struct reason reason;
    udpbatch_socket fd = NO_SOCKET;
    int status = STATUS_USAGE;

    if (open_all(sending, &fd, settings, &reason)) {
        interrupt_catch_at_work();
        begin_transfer(sending);
        status = send_all(sending);
    } else {
        complain("%s", reason.text);
    }
    close_all(sending, fd);
    return status;
}

/* Its arrays of packets are more than a stack of 64 KiB (ulimit -s) has room for. */
static int send_by(struct send_settings *settings)
{
    struct sending *sending = calloc(1, sizeof *sending);
    int status = STATUS_USAGE;

    if (sending != NULL)
        status = open_and_send(sending, settings);
    else
        complain("%s", words_of_error(ENOMEM));
    free(sending);
    return status;
}

int send_run(int argc, char **argv)
{
    struct send_settings settings = { 0 };
    totals_hear();
    int status = options_parse(&send_command, &settings, argc, argv);

    if (status == OPTIONS_GO_ON)
        status = send_by(&settings);
    targets_free(&settings.targets);
    address_map_free(&settings.map);
    return status;
}
