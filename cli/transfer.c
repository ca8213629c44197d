/* transfer.c: from the source to all targets, at a pace, with progress. */
#include "transfer.h"

#include <stdio.h>

#include "clock.h"
#include "interrupt.h"
#include "report.h"
#include "units.h"

/* Payloads in a row to one target leave as one train (UDP GSO): as many as a new kernel takes at
 * most, twice what older ones take. */
enum { TRAIN_PACKETS = 128 };

static struct udpbatch_sender_stats stats_of(const struct transfer *transfer)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    udpbatch_sender_stats(transfer->sender, &stats);
    return stats;
}

/* ---- Progress ------------------------------------------------------------------------------ */

/* By the bytes of the source, as lines have no size that is known beforehand. */
static double part_done(const struct transfer *transfer)
{
    const struct source *source = transfer->source;
    double packets = (double)transfer->fanout.payload_count * (double)transfer->targets->count;
    double batch = packets > 0 ? (double)transfer->done / packets : 0;
    double bytes =
        (double)transfer->taken_before + batch * (double)(source->taken - transfer->taken_before);

    if (source->length == 0)
        return -1;
    /* A file can grow while it is read. */
    return bytes < (double)source->length ? bytes / (double)source->length : 1;
}

static void write_figures(const struct transfer *transfer, uint64_t now_ns, char *text, size_t size)
{
    struct udpbatch_sender_stats stats = stats_of(transfer);
    double seconds = clock_seconds(now_ns - transfer->progress.begun_ns);
    char bytes[UNITS_TEXT], rate[UNITS_TEXT];

    units_write_scaled((double)stats.bytes, bytes);
    units_write_scaled(report_ratio((double)stats.packets, seconds), rate);
    snprintf(text, size, "%sB %spps", bytes, rate);
}

static void show_progress(struct transfer *transfer)
{
    uint64_t now_ns = clock_now_ns();

    if (!progress_is_due(&transfer->progress, now_ns))
        return;
    struct progress_state state = { .part = part_done(transfer) };
    write_figures(transfer, now_ns, state.what, sizeof state.what);
    progress_show(&transfer->progress, &state, now_ns);
}

/* ---- Sending ------------------------------------------------------------------------------- */

/* Returns false on an interrupt. */
static bool wait_for_pace(struct transfer *transfer)
{
    const uint64_t tick_ns = (uint64_t)TICK_MS * NS_PER_MS;
    uint64_t wait_ns;

    while (!interrupted() && (wait_ns = pace_wait_ns(&transfer->pace, clock_now_ns())) > 0) {
        show_progress(transfer);
        clock_sleep_ns(wait_ns < tick_ns ? wait_ns : tick_ns);
    }
    return !interrupted();
}

/* Tries packets[0 .. n). Returns whether each has its fate; if not, it is worth another try. */
static bool try_packets(struct transfer *transfer, struct udpbatch_packet *packets, size_t n)
{
    struct udpbatch_sender_stats before = stats_of(transfer);
    struct udpbatch_tally tally = udpbatch_sender_send(transfer->sender, packets, n);
    struct udpbatch_sender_stats after = stats_of(transfer);

    pace_spend(&transfer->pace, after.packets - before.packets, after.bytes - before.bytes);
    if (tally.unsent > 0)
        udpbatch_sender_wait(transfer->sender, TICK_MS);
    show_progress(transfer);
    return tally.unsent == 0;
}

static void note_refusals(struct transfer *transfer, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct udpbatch_packet *packet = &transfer->packets[i];
        if (packet->status < 0)
            refusals_note(transfer->refusals, (size_t)(packet->to - transfer->targets->addresses),
                          -packet->status);
    }
}

static void send_packets(struct transfer *transfer, size_t n)
{
    size_t next = 0;

    while (next < n && wait_for_pace(transfer)) {
        struct udpbatch_packet *packets = &transfer->packets[next];
        size_t count = pace_allowance(&transfer->pace, packets, n - next);
        if (!try_packets(transfer, packets, count))
            continue;
        next += count;
        transfer->done += count;
    }
    note_refusals(transfer, n);
}

static void send_batch(struct transfer *transfer)
{
    /* Whole targets, so that no train is cut in two. */
    const size_t most = TRANSFER_PACKETS - TRANSFER_PACKETS % transfer->fanout.payload_count;
    size_t n;

    transfer->done = 0;
    while (!interrupted() && (n = udpbatch_fanout_fill(&transfer->fanout, transfer->done,
                                                       transfer->packets, most)) > 0)
        send_packets(transfer, n);
}

/* ---- Batch by batch ------------------------------------------------------------------------ */

/* A train has no more bytes than a datagram. */
static size_t packets_per_train(const struct source *source)
{
    size_t room = source->size == 0 ? TRAIN_PACKETS : PAYLOAD_MAX / source->size;
    return room < TRAIN_PACKETS ? room : TRAIN_PACKETS;
}

/* One train to each target, as more would only make the other targets wait; but with few targets
 * as many whole ones as fill a system call. */
static size_t payloads_per_batch(const struct transfer *transfer)
{
    size_t train = packets_per_train(transfer->source);
    size_t trains = TRANSFER_PACKETS / transfer->targets->count / train;
    return trains > 1 ? trains * train : train;
}

static size_t cut_payloads(struct transfer *transfer)
{
    struct source *source = transfer->source;
    size_t n = source->kind->cut(source, transfer->payloads, payloads_per_batch(transfer));
    for (size_t i = 0; i < n; i++)
        transfer->payloads[i].meta = transfer->meta;
    return n;
}

void transfer_run(struct transfer *transfer)
{
    struct source *source = transfer->source;
    struct udpbatch_fanout *fanout = &transfer->fanout;

    *fanout = (struct udpbatch_fanout){ .payloads = transfer->payloads,
                                        .targets = transfer->targets->addresses,
                                        .target_count = transfer->targets->count };
    while (!interrupted()) {
        transfer->taken_before = source->taken;
        fanout->payload_count = cut_payloads(transfer);
        if (fanout->payload_count > 0)
            send_batch(transfer);
        else if (source->ended || source->error != 0)
            break;
        else
            source->kind->fill(source, TICK_MS);
        show_progress(transfer);
    }
    progress_end(&transfer->progress);
}

uint64_t transfer_unsent(const struct transfer *transfer)
{
    struct udpbatch_sender_stats stats = stats_of(transfer);
    uint64_t payloads = transfer->source->count + transfer->source->kind->left(transfer->source);
    return payloads * transfer->targets->count - stats.packets - stats.refused;
}
