/* ledger.c: what became of each datagram of a phase. */
#define _GNU_SOURCE
#include "ledger.h"

#include <inttypes.h>
#include <string.h>

enum { MAGIC = 0x50a450a4, NUMBERS = 1 << 20, PATTERN = 1024, CALM_PATIENCE_US = 10000000 };
enum { CHANGE_PATIENCE_US = 3000, STEP_US = 100 };

static atomic_uchar marks[WAYS_MOST][NUMBERS];
static uint32_t used[WAYS_MOST]; /* by its worker alone, until that has ended */
static atomic_long under_way;
static uint32_t phase;
static unsigned char pattern[PATTERN + LEN_LONGEST];

static void make_pattern(void)
{
    struct dice dice = { 1 };
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)roll(&dice, 256);
    memset(marks, 0xff, sizeof marks); /* the pages are there from now on */
    memset(marks, 0, sizeof marks);
}

void ledger_begin(void)
{
    if (phase++ == 0)
        make_pattern();
    for (size_t i = 0; i < WAYS_MOST; i++) {
        memset(marks[i], 0, used[i]);
        used[i] = 0;
    }
    atomic_store(&under_way, 0);
}

bool ledger_take(unsigned stream, uint32_t count, uint32_t *first)
{
    *first = used[stream];
    if (count > NUMBERS - used[stream])
        return false;
    used[stream] += count;
    return true;
}

void ledger_write(unsigned char *payload, unsigned stream, uint32_t number, uint32_t len,
                  uint16_t first_address, uint16_t stride)
{
    struct label label = { MAGIC, phase, stream, number, len, first_address, stride };

    memcpy(payload, &label, sizeof label);
    memcpy(payload + sizeof label, pattern + number % PATTERN, len - sizeof label);
}

void ledger_wait_for_room(uint32_t count)
{
    unsigned patience_us = is_calm ? CALM_PATIENCE_US : CHANGE_PATIENCE_US;

    for (unsigned us = 0; us < patience_us && !atomic_load(&is_over); us += STEP_US) {
        if (atomic_load(&under_way) + (long)count <= WINDOW)
            break;
        pause_us(STEP_US);
    }
    atomic_fetch_add(&under_way, (long)count);
}

void ledger_settle(unsigned stream, uint32_t number, int32_t status, bool is_nowhere)
{
    unsigned mark = status == 1 ? SENT : status == 0 ? UNSENT : REFUSED;

    if (status != 1 || is_nowhere)
        atomic_fetch_sub(&under_way, 1);
    if (is_nowhere)
        mark |= NOWHERE;
    atomic_fetch_or(&marks[stream][number], (unsigned char)mark);
}

long ledger_under_way(void)
{
    return atomic_load(&under_way);
}

/* ---- Arrival --------------------------------------------------------------------------------- */

static bool is_intact(const struct label *label, const unsigned char *data, size_t len)
{
    return len >= sizeof *label && label->magic == MAGIC && label->len == len &&
           label->stream < WAYS_MOST &&
           memcmp(data + sizeof *label, pattern + label->number % PATTERN, len - sizeof *label) ==
               0;
}

/* Which number it is; NUMBERS if there is none such. */
static uint32_t number_of(const struct label *label, unsigned address)
{
    if (label->stride == 0)
        return label->number < NUMBERS ? label->number : NUMBERS;
    if (address < label->first_address)
        return NUMBERS;
    uint64_t number = label->number + (uint64_t)(address - label->first_address) * label->stride;
    return number < NUMBERS ? (uint32_t)number : NUMBERS;
}

void ledger_arrive(const void *data, size_t len, unsigned address)
{
    struct label label = { 0 };

    memcpy(&label, data, len < sizeof label ? len : sizeof label);
    if (!is_intact(&label, data, len)) {
        fault("a datagram of %zu bytes arrived that is not intact", len);
        return;
    }
    if (label.phase != phase) {
        atomic_fetch_add(&late_arrivals, 1);
        return;
    }
    uint32_t number = number_of(&label, address);
    if (number == NUMBERS) {
        fault("%s: a datagram arrived at an address that it was not sent to",
              ways[label.stream].name);
        return;
    }
    if ((atomic_fetch_or(&marks[label.stream][number], ARRIVED) & ARRIVED) != 0)
        fault("%s: datagram %" PRIu32 " arrived twice", ways[label.stream].name, number);
    atomic_fetch_sub(&under_way, 1);
}

/* ---- The end of a phase ---------------------------------------------------------------------- */

struct sum {
    uint64_t sent, refused, unsent, arrived, nowhere, lost;
};

static void add_mark(struct sum *sum, unsigned way, uint32_t number)
{
    unsigned mark = atomic_load(&marks[way][number]);
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

    for (uint32_t i = 0; i < used[way]; i++)
        add_mark(&sum, way, i);
    if (sum.sent + sum.refused + sum.unsent != used[way] ||
        sum.arrived + sum.nowhere + sum.lost != sum.sent)
        fault("%s: the phase does not add up", total->name);
    total->sent += sum.sent;
    total->refused += sum.refused;
    total->unsent += sum.unsent;
    total->arrived += sum.arrived;
    total->nowhere += sum.nowhere;
    total->lost_in_change += is_calm ? 0 : sum.lost;
    total->dropped += is_calm ? sum.lost : 0;
    return sum.lost;
}

/* In calm something may be lost if another program on this machine fills the kernel's queues, which
 * count that; a train is one to them. */
void ledger_close(uint64_t drops)
{
    uint64_t lost = 0;

    for (unsigned way = 0; way < way_count; way++)
        lost += close_way(way);
    if (is_calm && (drops == 0 ? lost > 0 : lost > drops * 128))
        fault("%" PRIu64 " datagrams were sent in calm and did not arrive, and %" PRIu64
              " drops were counted",
              lost, drops);
}
