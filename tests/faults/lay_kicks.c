/* lay_kicks.c: faults of the call by which AF_XDP's ring is looked at. */
#define _GNU_SOURCE
#include "acts.h"
#include "lay.h"

#include <errno.h>

enum { KICKS_TRIED = 3, LONGEST = 40 };

/* Errors with which the kernel says that it has looked at the ring. It says so for ever only when
 * it has. */
static bool has_looked(int error)
{
    return error == EAGAIN || error == EBUSY || error == ENOBUFS || error == ENOMEM ||
           error == EOVERFLOW;
}

/* After these, once, all is sent; and with EBUSY the kernel has dropped a frame, if it is true. */
static bool may_be_tried_again(int error)
{
    return error == EAGAIN || error == EINTR || error == EBUSY;
}

/* Those that it also gives when all has left, or more of it than it was to take at a time. */
static bool may_come_after(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EINTR;
}

/* Of a part some packets take the socket, and never all: what is to be in order takes one way, and
 * so does what is to one target. */
static struct cell begin_kick(const struct column *column, const struct what *what,
                              enum place place)
{
    struct cell cell = begin_cell(column, what, place);

    cell.trains = UDPBATCH_TRAINS_OFF;
    cell.workload = &SMALL[below((unsigned)SMALL_COUNT)];
    cell.part = PART_OF_KICK;
    if (cell.in_order || cell.workload->form == TO_ONE)
        return cell;
    if (cell.workload->form == EVERY_SECOND_TO_ONE)
        cell.meta = one_in(8) ? OF_EVERY_THIRD : NO_META;
    else
        cell.meta = one_in(4) ? OF_ODD_TARGETS : NO_META;
    return cell;
}

/* A filter does not let it tell what it has passed by. */
static void lay_silent(const struct column *column, const struct what *what)
{
    struct cell cell = begin_kick(column, what, PLACE_SILENT);

    add_fault(&cell, what, 0, 1);
    cell.faults[cell.fault_count++] =
        (struct fault){ .call = CALL_TELL, .error = EPERM, .times = FOR_EVER };
    lay_cell(&cell);
}

static void lay_once(const struct column *column, const struct what *what)
{
    for (uint32_t i = 0; i < KICKS_TRIED; i++) {
        struct cell cell = begin_kick(column, what, (enum place)i);
        add_fault(&cell, what, i, 1);
        lay_cell(&cell);
    }
}

static void lay_lasting(const struct column *column, const struct what *what)
{
    for (uint32_t i = 0; i < KICKS_TRIED; i++) {
        struct cell cell = begin_kick(column, what, PLACE_IN_A_ROW);
        add_fault(&cell, what, i, has_looked(what->error) ? 2 : 1 + below(LONGEST));
        lay_cell(&cell);
    }
}

static void lay_after(const struct column *column, const struct what *what)
{
    const struct what after = { what->name, what->error, ACT_AFTER, what->meaning };

    for (uint32_t i = 0; i < 2 * KICKS_TRIED; i++) {
        struct cell cell = begin_kick(column, what, PLACE_AFTER);
        add_fault(&cell, &after, i % 3, i < KICKS_TRIED ? 1 : 1 + below(LONGEST));
        lay_cell(&cell);
    }
}

void lay_kicks(const struct column *column, const struct what *what)
{
    if (what->act == ACT_ERROR || is_done_meanwhile(what->act))
        lay_once(column, what);
    if (what->act != ACT_ERROR)
        return;
    lay_lasting(column, what);
    if (!may_be_tried_again(what->error))
        lay_silent(column, what);
    if (may_come_after(what->error))
        lay_after(column, what);
}
