/* ledger.c: what became of each datagram of a phase. */
#define _GNU_SOURCE
#include "ledger.h"

#include "../can_open.h"

#include <inttypes.h>
#include <string.h>

enum { MAGIC = 0x50a450a4, NUMBERS = 1 << 20, PATTERN = 1024, CALM_PATIENCE_US = 10000000 };
enum { CHANGE_PATIENCE_US = 3000, STEP_US = 100, FRAME_PAYLOAD = 1400 };

/* A phase's, and that of the one before, which something may arrive of late. */
static struct record {
    uint32_t phase;
    bool is_calm;
    atomic_uint used[WAYS_MOST];
    atomic_uchar marks[WAYS_MOST][NUMBERS];
} records[2];
static struct record *now = &records[0];

static atomic_long under_way; /* frames */
static unsigned char pattern[PATTERN + LEN_LONGEST];

/* Behind the last that arrived, by the thread of the receivers alone. */
static uint32_t next_number[WAYS_MOST][RECEIVERS][FIRST_ADDRESS + ADDRESSES];

static void make_pattern(void)
{
    struct dice dice = { 1 };
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)roll(&dice, 256);
    memset(records, 0xff, sizeof records); /* the pages are there from now on */
    memset(records, 0, sizeof records);
}

void ledger_begin(void)
{
    uint32_t phase = now->phase + 1;

    if (phase == 1)
        make_pattern();
    now = &records[phase % COUNT_OF(records)];
    now->phase = phase;
    now->is_calm = is_calm;
    for (size_t i = 0; i < WAYS_MOST; i++) {
        memset(now->marks[i], 0, now->used[i]);
        atomic_store(&now->used[i], 0);
    }
    memset(next_number, 0, sizeof next_number);
    atomic_store(&under_way, 0);
}

bool ledger_take(unsigned stream, uint32_t count, uint32_t *first)
{
    *first = atomic_load(&now->used[stream]);
    if (count > NUMBERS - *first)
        return false;
    atomic_store(&now->used[stream], *first + count);
    return true;
}

void ledger_write(unsigned char *payload, unsigned stream, uint32_t number, uint32_t len,
                  struct spot to)
{
    ledger_write_shared(payload, stream, number, len, to, 1, 0);
}

void ledger_write_shared(unsigned char *payload, unsigned stream, uint32_t number, uint32_t len,
                         struct spot to, uint16_t addresses, uint16_t stride)
{
    struct label label = { MAGIC,       now->phase, stream,    number, len,
                           to.receiver, to.address, addresses, stride };

    memcpy(payload, &label, sizeof label);
    memcpy(payload + sizeof label, pattern + number % PATTERN, len - sizeof label);
}

/* ---- What is under way ----------------------------------------------------------------------- */

uint32_t frames_of(uint32_t len)
{
    return 1 + len / FRAME_PAYLOAD;
}

static bool take_room(long frames)
{
    long before = atomic_load(&under_way);

    while (before + frames <= (long)window)
        if (atomic_compare_exchange_weak(&under_way, &before, before + frames))
            return true;
    return false;
}

bool ledger_wait_for_room(uint32_t frames)
{
    unsigned patience_us = is_calm ? CALM_PATIENCE_US : CHANGE_PATIENCE_US;

    for (unsigned us = 0; us < patience_us && !atomic_load(&is_over); us += STEP_US) {
        if (take_room((long)frames))
            return true;
        pause_us(STEP_US);
    }
    atomic_fetch_add(&under_way, (long)frames);
    if (is_calm && !atomic_load(&is_over))
        fault("what is under way does not arrive");
    return !atomic_load(&is_over);
}

void ledger_settle(unsigned stream, uint32_t number, uint32_t frames, int32_t status,
                   bool is_nowhere)
{
    unsigned mark = status == 1 ? SENT : status == 0 ? UNSENT : REFUSED;

    if (status != 1 || is_nowhere)
        atomic_fetch_sub(&under_way, (long)frames);
    if (is_nowhere)
        mark |= NOWHERE;
    atomic_fetch_or(&now->marks[stream][number], (unsigned char)mark);
}

/* ---- Arrival --------------------------------------------------------------------------------- */

static bool is_intact(const struct label *label, const unsigned char *data, size_t len)
{
    return len >= sizeof *label && label->magic == MAGIC && label->len == len &&
           label->stream < WAYS_MOST &&
           memcmp(data + sizeof *label, pattern + label->number % PATTERN, len - sizeof *label) ==
               0;
}

/* Where it was sent to, and is; of those receivers that do not tell the address it is believed. */
static bool came_to_its_target(const struct label *label, struct spot *at)
{
    if (at->address == 0)
        at->address = label->address;
    return at->receiver == label->receiver && at->address >= label->address &&
           at->address - label->address < label->addresses &&
           at->address < FIRST_ADDRESS + ADDRESSES;
}

/* In calm each worker stays on a processor, and nothing that it sends to one target overtakes. */
static void check_order(unsigned stream, uint32_t number, struct spot at)
{
    uint32_t *next = &next_number[stream][at.receiver][at.address];

    if (is_calm && number < *next)
        fault("%s: datagram %" PRIu32 " arrived after %" PRIu32 " of the same target",
              ways[stream].name, number, *next - 1);
    *next = number + 1;
}

/* What waited for a neighbour in a phase of change may arrive when there is one again. In calm
 * nothing waits. */
static void note_late(const struct record *record, unsigned stream, uint32_t number)
{
    unsigned mark = atomic_load(&record->marks[stream][number]);

    atomic_fetch_add(&late_arrivals, 1);
    if (record->is_calm || (mark & SENT) == 0 || (mark & NOWHERE) != 0)
        fault("%s: datagram %" PRIu32 " arrived after its phase (marks 0x%x, in %s)",
              ways[stream].name, number, mark, record->is_calm ? "calm" : "change");
}

static void arrive(struct record *record, const struct label *label, struct spot at)
{
    unsigned stream = label->stream;
    uint32_t number = label->number + (uint32_t)(at.address - label->address) * label->stride;

    if (number >= atomic_load(&record->used[stream])) {
        fault("%s: a datagram arrived that nobody sent", ways[stream].name);
        return;
    }
    if ((atomic_fetch_or(&record->marks[stream][number], ARRIVED) & ARRIVED) != 0)
        fault("%s: datagram %" PRIu32 " arrived twice", ways[stream].name, number);
    if (record != now) {
        note_late(record, stream, number);
        return;
    }
    check_order(stream, number, at);
    atomic_fetch_sub(&under_way, (long)frames_of(label->len));
}

void ledger_arrive(const void *data, size_t len, struct spot at)
{
    struct label label = { 0 };

    memcpy(&label, data, len < sizeof label ? len : sizeof label);
    struct record *record = &records[label.phase % COUNT_OF(records)];
    if (!is_intact(&label, data, len))
        fault("a datagram of %zu bytes arrived that is not intact", len);
    else if (label.phase != record->phase)
        fault("%s: a datagram arrived of phase %" PRIu32, ways[label.stream].name, label.phase);
    else if (!came_to_its_target(&label, &at))
        fault("%s: what was sent to receiver %u, address %u, arrived at receiver %u, address %u",
              ways[label.stream].name, label.receiver, label.address, at.receiver, at.address);
    else
        arrive(record, &label, at);
}

/* ---- The end of a phase ---------------------------------------------------------------------- */

struct sum {
    uint64_t sent, refused, unsent, arrived, nowhere, lost;
};

static void add_mark(struct sum *sum, unsigned way, uint32_t number)
{
    unsigned mark = atomic_load(&now->marks[way][number]);
    unsigned fate = mark & (SENT | REFUSED | UNSENT);

    if (fate != SENT && fate != REFUSED && fate != UNSENT)
        fault("%s: packet %" PRIu32 " has not exactly one fate (marks 0x%x)", ways[way].name,
              number, mark);
    if ((mark & ARRIVED) != 0 && (fate != SENT || (mark & NOWHERE) != 0))
        fault("%s: packet %" PRIu32 " arrived and was not sent (marks 0x%x)", ways[way].name,
              number, mark);
    sum->sent += fate == SENT;
    sum->refused += fate == REFUSED;
    sum->unsent += fate == UNSENT;
    sum->arrived += (mark & ARRIVED) != 0;
    sum->nowhere += fate == SENT && (mark & NOWHERE) != 0;
    sum->lost += fate == SENT && (mark & (NOWHERE | ARRIVED)) == 0;
}

static uint64_t close_way(unsigned way)
{
    struct sum sum = { 0 };
    struct way_total *total = &ways[way];
    uint32_t used = atomic_load(&now->used[way]);

    for (uint32_t i = 0; i < used; i++)
        add_mark(&sum, way, i);
    if (sum.sent + sum.refused + sum.unsent != used ||
        sum.arrived + sum.nowhere + sum.lost != sum.sent)
        fault("%s: the phase does not add up", total->name);
    total->sent += sum.sent;
    total->refused += sum.refused;
    total->unsent += sum.unsent;
    total->arrived += sum.arrived;
    total->nowhere += sum.nowhere;
    total->lost_in_change += is_calm ? 0 : sum.lost;
    total->lost_in_calm += is_calm ? sum.lost : 0;
    return sum.lost;
}

/* In calm nothing may be lost. The kernel's queues of what has arrived are each processor's, and
 * not the namespace's: if another program fills one, nobody can tell whose the lost ones are. */
void ledger_close(uint64_t drops_of_others)
{
    uint64_t lost = 0;

    for (unsigned way = 0; way < way_count; way++)
        lost += close_way(way);
    if (!is_calm || lost == 0)
        return;
    if (drops_of_others == 0 ||
        not_checked("whether anything is lost in calm, as the processors' queues have dropped %u",
                    (unsigned)drops_of_others))
        fault("%" PRIu64 " datagrams were sent and did not arrive", lost);
}
