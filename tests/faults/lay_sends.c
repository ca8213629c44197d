/* lay_sends.c: faults of the calls that send: at each of the first messages, at later ones by
 * chance, lasting ones, and those of one target. */
#define _GNU_SOURCE
#include "acts.h"
#include "lay.h"

#include <errno.h>

enum { LATE = 5, LATE_MOST = 64, TARGETS_TRIED = 8 };

static struct cell begin_send(const struct column *column, const struct what *what,
                              enum place place, enum udpbatch_trains trains, uint32_t at)
{
    struct cell cell = begin_cell(column, what, place);

    cell.trains = trains;
    choose_load(&cell, SMALL, SMALL_COUNT, at);
    return cell;
}

static enum udpbatch_trains every_other(uint32_t i)
{
    return i % 2 == 0 ? UDPBATCH_TRAINS_AUTO : UDPBATCH_TRAINS_OFF;
}

static void lay_early(const struct column *column, const struct what *what)
{
    for (uint32_t i = 0; i < 2 * EARLY; i++) {
        uint32_t at = i / 2 + (what->act == ACT_SHORT); /* there is none before the first */
        enum place place = at < EARLY ? (enum place)at : PLACE_LATER;
        struct cell cell = begin_send(column, what, place, every_other(i), at);
        if (meaning_of(what->error) == UDPBATCH_SOCKET && i % 4 >= 2) /* the next call goes on */
            cell.part = (packets_of(cell.workload) + 1) / 2;
        add_fault(&cell, what, at, what->act == ACT_NO_MMSG ? FOR_EVER : 1);
        lay_cell(&cell);
    }
}

/* Signals that never end, none waits for. */
static uint32_t for_ever(const struct what *what)
{
    return what->error == EINTR || what->act == ACT_NOTHING ? 100 : FOR_EVER;
}

static void lay_lasting(const struct column *column, const struct what *what)
{
    static const uint32_t times[] = { 2, 16, 17, FOR_EVER, FOR_EVER };

    for (uint32_t i = 0; i < COUNT_OF(times); i++) {
        struct cell cell = begin_send(column, what, PLACE_IN_A_ROW, every_other(i), 3 * i);
        add_fault(&cell, what, 3 * i, times[i] == FOR_EVER ? for_ever(what) : times[i]);
        lay_cell(&cell);
    }
}

static uint32_t targets_of(const struct cell *cell)
{
    uint32_t count = cell->workload->targets + cell->is_connected;
    return count < TARGETS_TRIED ? count : TARGETS_TRIED;
}

/* One target refuses, and the others get all of theirs. */
static void lay_of_target(const struct column *column, const struct what *what)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct cell cell = begin_send(column, what, PLACE_OF_TARGET, every_other(i), EARLY);
        if (is_xdp(cell.way)) /* so that each target meets it */
            cell.meta = OF_ALL;
        add_fault(&cell, what, below(targets_of(&cell)), for_ever(what));
        cell.faults[0].is_of_target = true;
        lay_cell(&cell);
    }
}

static void lay_late(const struct column *column, const struct what *what)
{
    for (uint32_t i = 0; i < LATE; i++) {
        struct cell cell = begin_cell(column, what, PLACE_LATER);
        uint32_t at = EARLY + below(LATE_MOST - EARLY);
        cell.trains = one_in(2) ? UDPBATCH_TRAINS_AUTO : UDPBATCH_TRAINS_OFF;
        choose_load(&cell, LARGE, LARGE_COUNT, at);
        add_fault(&cell, what, at, is_done_meanwhile(what->act) ? 1 : 1 + below(3));
        lay_cell(&cell);
    }
}

void lay_sends(const struct column *column, const struct what *what)
{
    if (what->act != ACT_ERROR && !is_done_meanwhile(what->act) && !column->way->has_sendmmsg)
        return;
    lay_early(column, what);
    lay_late(column, what);
    if (what->act != ACT_ERROR)
        return;
    lay_lasting(column, what);
    if (meaning_of(what->error) != UDPBATCH_SOCKET)
        lay_of_target(column, what);
}

/* ---- W8 -------------------------------------------------------------------------------------- */

/* By then the socket's buffer is full: three trains fill it, or 57 packets. */
static uint32_t where_it_presses(enum udpbatch_trains trains)
{
    return trains == UDPBATCH_TRAINS_AUTO ? 4 + below(8) : 64 + below(32);
}

void lay_pressed(const struct column *column, const struct what *what)
{
    bool is_multi = column->way->kind == MULTI_TARGET;

    if (column->call != CALL_SEND || what->act == ACT_NO_MMSG ||
        (what->act != ACT_ERROR && !is_done_meanwhile(what->act) && !column->way->has_sendmmsg))
        return;
    for (uint32_t i = 0; i < 2; i++) {
        struct cell cell = begin_cell(column, what, PLACE_PRESSED);
        cell.trains = is_multi ? UDPBATCH_TRAINS_OFF : every_other(i);
        cell.workload = is_multi ? find_large_workload("W1", 200) : find_large_workload("W2", 129);
        cell.is_pressed = true;
        cell.in_order = false;
        cell.meta = is_xdp(cell.way) ? OF_ALL : NO_META;
        add_fault(&cell, what, where_it_presses(cell.trains), 1);
        lay_cell(&cell);
    }
}
