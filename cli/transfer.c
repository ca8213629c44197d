/* transfer.c: from the source to where its payloads go, a step at a time. */
#include "transfer.h"

#include <string.h>

/* Payloads in a row to one target leave as one train (UDP GSO): as many as a new kernel takes at
 * most, twice what older ones take. */
enum { TRAIN_PACKETS = 128 };

/* ---- A batch of payloads -------------------------------------------------------------------- */

/* Packets per payload. */
static size_t copies(const struct transfer *transfer)
{
    return transfer->source->addressed ? 1 : transfer->targets->count;
}

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
    size_t trains = TRANSFER_PACKETS / copies(transfer) / train;
    return trains > 1 ? trains * train : train;
}

/* Returns false if there is none without waiting. */
static bool cut_batch(struct transfer *transfer)
{
    struct source *source = transfer->source;

    transfer->taken_before = source->taken;
    transfer->begun = 0;
    transfer->next = transfer->count = 0;
    transfer->payload_count =
        source->kind->cut(source, transfer->payloads, payloads_per_batch(transfer));
    for (size_t i = 0; i < transfer->payload_count; i++)
        transfer->payloads[i].meta = transfer->meta;
    return transfer->payload_count > 0;
}

/* ---- Its packets ---------------------------------------------------------------------------- */

static size_t fill_by_targets(struct transfer *transfer)
{
    const struct udpbatch_fanout fanout = { .payloads = transfer->payloads,
                                            .payload_count = transfer->payload_count,
                                            .targets = transfer->targets->addresses,
                                            .target_count = transfer->targets->count };
    /* Whole targets, so that no train is cut in two. */
    const size_t most = TRANSFER_PACKETS - TRANSFER_PACKETS % transfer->payload_count;
    return udpbatch_fanout_fill(&fanout, transfer->begun, transfer->packets, most);
}

static size_t fill_by_addresses(struct transfer *transfer)
{
    size_t n = transfer->payload_count - transfer->begun;
    memcpy(transfer->packets, transfer->payloads + transfer->begun,
           n * sizeof transfer->packets[0]);
    return n;
}

/* Returns false if there is none left in the batch. */
static bool take_packets(struct transfer *transfer)
{
    if (transfer->payload_count == 0)
        return false;
    transfer->begun += transfer->count;
    transfer->next = 0;
    transfer->count =
        transfer->source->addressed ? fill_by_addresses(transfer) : fill_by_targets(transfer);
    return transfer->count > 0;
}

/* ---- Sending -------------------------------------------------------------------------------- */

static void note_refusal(struct transfer *transfer, const struct udpbatch_packet *packet)
{
    if (packet->status < 0)
        refusals_note(transfer->refusals, packet->to, -packet->status);
}

/* Passes by those that have their fate, to the first one that has none. */
static void pass_by(struct transfer *transfer)
{
    for (; transfer->next < transfer->count; transfer->next++) {
        if (transfer->packets[transfer->next].status == 0)
            return;
        note_refusal(transfer, &transfer->packets[transfer->next]);
    }
}

static void try_packets(struct transfer *transfer, int timeout_ms)
{
    struct source *source = transfer->source;
    struct udpbatch_packet *packets = &transfer->packets[transfer->next];
    size_t n = transfer->count - transfer->next;

    if (source->kind->stamp != NULL)
        source->kind->stamp(source, packets, n);
    struct udpbatch_tally tally = udpbatch_sender_send(transfer->sender, packets, n);
    pass_by(transfer);
    if (tally.unsent > 0)
        udpbatch_sender_wait(transfer->sender, timeout_ms);
}

static bool wait_for_source(struct source *source, int timeout_ms)
{
    if (source->ended || source->error != 0)
        return false;
    source->kind->fill(source, timeout_ms);
    return true;
}

bool transfer_step(struct transfer *transfer, int timeout_ms)
{
    bool has_packets = transfer->next < transfer->count || take_packets(transfer) ||
                       (cut_batch(transfer) && take_packets(transfer));
    if (!has_packets)
        return wait_for_source(transfer->source, timeout_ms);
    try_packets(transfer, timeout_ms);
    return true;
}

void transfer_end(struct transfer *transfer)
{
    for (; transfer->next < transfer->count; transfer->next++)
        note_refusal(transfer, &transfer->packets[transfer->next]);
}

/* ---- How far it is -------------------------------------------------------------------------- */

uint64_t transfer_unsent(const struct transfer *transfer)
{
    const struct source *source = transfer->source;
    struct udpbatch_sender_stats stats = { .size = sizeof stats };

    udpbatch_sender_stats(transfer->sender, &stats);
    uint64_t payloads = source->count + source->kind->left(source);
    return payloads * copies(transfer) - stats.packets - stats.refused;
}

/* By what was taken of the source, as not all payloads have a size that is known beforehand. */
double transfer_part(const struct transfer *transfer)
{
    const struct source *source = transfer->source;
    double packets = (double)transfer->payload_count * (double)copies(transfer);
    double batch = packets > 0 ? (double)(transfer->begun + transfer->next) / packets : 0;
    double taken =
        (double)transfer->taken_before + batch * (double)(source->taken - transfer->taken_before);

    if (source->length == 0)
        return -1;
    /* A file can grow while it is read. */
    return taken < (double)source->length ? taken / (double)source->length : 1;
}
