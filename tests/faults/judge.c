/* judge.c: the oracle. It knows what each packet has met at the kernel's door, and what came out at
 * the other end. */
#define _GNU_SOURCE
#include "judge.h"

#include "arrival.h"

#include <inttypes.h>

static const struct cell *cell;
static int fates[PACKETS_MOST]; /* the statuses after the call before */

void judge_begin(const struct cell *which)
{
    cell = which;
    memset(fates, 0, sizeof fates);
}

/* ---- A refusal ------------------------------------------------------------------------------- */

static bool hears_icmp(void)
{
    return cell->is_connected || cell->has_error_queue;
}

/* How often the packet has to have been tried before it is refused for that. */
static uint16_t tries_before(int error)
{
    enum { ALWAYS = 17, PERHAPS = 2 };

    if (is_always_pending(error))
        return ALWAYS;
    return hears_icmp() && may_be_pending(error) ? PERHAPS : 1;
}

/* Whether the packet may be refused for what it met itself. */
static bool has_earned(const struct met *met, int error)
{
    return met->last_error == error && met->refusals >= tries_before(error) &&
           (met->was_alone || is_of_all_in_train(error, hears_icmp()));
}

static bool is_for_want_of_peer(int error)
{
    return error == EDESTADDRREQ || error == ENOTCONN;
}

/* Whether it may be refused for the socket's sake. */
static bool is_of_socket(size_t i, int error, const struct record *record)
{
    if (is_for_want_of_peer(error) && load.packets[i].to != NULL)
        return false;
    return meaning_of(error) == UDPBATCH_SOCKET && record->socket_errors[error];
}

static void judge_refusal(size_t i, const struct record *record)
{
    const struct met *met = &record->packets[i];
    const int error = -load.packets[i].status;

    if (load.target[i] == NO_TARGET && (error == EAFNOSUPPORT || met->last_error == error))
        return;
    if (meaning_of(error) == UDPBATCH_BUSY)
        cell_complain("packet %zu was refused for back pressure, %d", i, error);
    else if (!has_earned(met, error) && !is_of_socket(i, error, record))
        cell_complain("packet %zu was refused by %d; it has met %u errors, the last %d%s", i, error,
                      met->refusals, met->last_error, met->was_alone ? " alone" : "");
}

/* A packet that has met enough by itself is not tried until it leaves. But sendmmsg may be a call
 * that this system has not, which is found out by what it says of the first packet. */
static void judge_sent(size_t i, const struct record *record)
{
    const struct met *met = &record->packets[i];
    const int error = met->last_error;

    if (met->alone == 0 || meaning_of(error) == UDPBATCH_BUSY ||
        (error == ENOSYS && cell->way->has_sendmmsg))
        return;
    if (met->alone >= tries_before(error))
        cell_complain("packet %zu met error %d by itself %u times, and was sent", i, error,
                      met->alone);
}

/* What has a fate keeps it. */
static void judge_fates(const struct udpbatch_packet *packets, size_t n,
                        const struct record *record)
{
    for (size_t i = (size_t)(packets - load.packets), end = i + n; i < end; i++) {
        const int status = load.packets[i].status;
        if (fates[i] != 0 && status != fates[i])
            cell_complain("packet %zu had the status %d, and has %d", i, fates[i], status);
        if (fates[i] == 0 && status < 0)
            judge_refusal(i, record);
        if (fates[i] == 0 && status == 1)
            judge_sent(i, record);
        fates[i] = status;
    }
}

/* ---- A call ---------------------------------------------------------------------------------- */

static struct udpbatch_tally count(const struct udpbatch_packet *packets, size_t n)
{
    struct udpbatch_tally tally = { .first_refused = n };

    for (size_t i = 0; i < n; i++) {
        tally.sent += packets[i].status == 1;
        tally.unsent += packets[i].status == 0;
        if (packets[i].status > 1)
            cell_complain("packet %zu has the status %d", i, (int)packets[i].status);
        if (packets[i].status >= 0 || tally.refused++ > 0)
            continue;
        tally.first_refused = i;
        tally.first_error = -packets[i].status;
    }
    return tally;
}

/* Whether the last system call of the library's ended with what has to end its call, too: back
 * pressure that a packet met by itself, or that poll(2) knows the end of. */
static bool has_to_end(const struct record *record)
{
    return meaning_of(record->send_error) == UDPBATCH_BUSY && record->send_error != EINTR &&
           (record->was_alone || record->send_error == EAGAIN);
}

static void judge_pressure(const struct udpbatch_tally *tally, const struct record *record)
{
    const int last = record->send_error;

    if (tally->unsent > 0 && (tally->unsent_error == 0 || tally->unsent_error != last))
        cell_complain("%zu unsent for error %d, but the last was %d", tally->unsent,
                      tally->unsent_error, last);
    if (tally->unsent > 0 &&
        (meaning_of(tally->unsent_error) != UDPBATCH_BUSY || tally->unsent_error == EINTR))
        cell_complain("%zu unsent for error %d", tally->unsent, tally->unsent_error);
    if (tally->unsent == 0 && (tally->unsent_error != 0 || has_to_end(record)))
        cell_complain("none unsent for error %d, and the last was %d", tally->unsent_error, last);
}

void judge_tally(const struct udpbatch_tally *tally, const struct udpbatch_packet *packets,
                 size_t n, const struct record *record)
{
    struct udpbatch_tally counted = count(packets, n);

    if (tally->sent + tally->refused + tally->unsent != n)
        cell_complain("%zu sent, %zu refused and %zu unsent of %zu", tally->sent, tally->refused,
                      tally->unsent, n);
    if (tally->sent != counted.sent || tally->refused != counted.refused ||
        tally->unsent != counted.unsent)
        cell_complain("the tally has %zu, %zu and %zu, the statuses %zu, %zu and %zu", tally->sent,
                      tally->refused, tally->unsent, counted.sent, counted.refused, counted.unsent);
    if (tally->first_refused != counted.first_refused || tally->first_error != counted.first_error)
        cell_complain("the first refused is %zu by %d, not %zu by %d", counted.first_refused,
                      counted.first_error, tally->first_refused, tally->first_error);
    judge_pressure(tally, record);
    judge_fates(packets, n, record);
    if (record->was_endless)
        cell_complain("it would not stop making system calls");
    if (record->was_unreadable)
        cell_complain("it sent what is no packet's");
}

/* ---- The end --------------------------------------------------------------------------------- */

/* By the ring a packet leaves without having been seen at the door. */
static void judge_packet(size_t i, const struct record *record)
{
    const struct met *met = &record->packets[i];
    const int status = load.packets[i].status;
    bool is_by_socket = cell->way->backend == NULL || strcmp(cell->way->backend, "xdp") != 0;

    if (status == 0)
        cell_complain("packet %zu is unsent at the end", i);
    if (met->taken > 1)
        cell_complain("packet %zu was given to the kernel %u times", i, met->taken);
    if (status == 1 && !has_arrived(i))
        cell_complain("packet %zu is said to be sent, and did not arrive", i);
    if (status != 1 && has_arrived(i))
        cell_complain("packet %zu arrived, and has the status %d", i, status);
    if (status == 1 && is_by_socket && met->taken != 1)
        cell_complain("packet %zu is said to be sent, and the kernel took it not", i);
}

static void judge_stats(const struct udpbatch_sender *sender, struct result *result)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    uint64_t refusals[UDPBATCH_MEANINGS] = { 0 }, bytes = 0, ways = 0;

    udpbatch_sender_stats(sender, &stats);
    for (size_t i = 0; i < load.count; i++) {
        size_t payload = load.workload->form == TO_EACH ? i % load.workload->payloads : i;
        if (load.packets[i].status == 1)
            bytes += load_len(payload);
        else if (load.packets[i].status < 0)
            refusals[meaning_of(-load.packets[i].status)]++;
    }
    for (size_t i = 0; i < UDPBATCH_DETOURS; i++)
        ways += stats.detours[i];
    if (stats.packets != result->sent || stats.refused != result->refused || stats.bytes != bytes)
        cell_complain("the totals have %" PRIu64 " sent of %" PRIu64 " bytes, %" PRIu64
                      " refused; it were %zu, %" PRIu64 ", %zu",
                      stats.packets, stats.bytes, stats.refused, result->sent, bytes,
                      result->refused);
    if (memcmp(stats.refusals, refusals, sizeof refusals) != 0)
        cell_complain("the totals have other meanings of the refusals");
    if (strcmp(stats.backend, "xdp") == 0 && stats.xdp_packets + ways != stats.packets)
        cell_complain("the totals of the ways do not add up");
    if (stats.system_calls != result->calls)
        cell_complain("the totals have %" PRIu64 " system calls, and %u were made",
                      stats.system_calls, result->calls);
    result->past = stats.xdp_packets;
}

void judge_end(const struct udpbatch_sender *sender, const struct record *record,
               struct result *result)
{
    struct udpbatch_tally tally = count(load.packets, load.count);
    const char *fault = arrival_check(tally.sent);

    result->packets = load.count;
    result->sent = tally.sent;
    result->received = arrival_count();
    result->refused = tally.refused;
    if (fault != NULL)
        cell_complain("%s", fault);
    for (size_t i = 0; i < load.count; i++)
        judge_packet(i, record);
    if (sender != NULL)
        judge_stats(sender, result);
}
