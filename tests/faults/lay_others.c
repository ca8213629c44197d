/* lay_others.c: faults of the calls by which the library asks, waits and opens. */
#define _GNU_SOURCE
#include "acts.h"
#include "lay.h"

#include <errno.h>

enum { FIRST_CALLS = 3, IN_A_ROW = 20, BY_POLL = 2 };

/* How many calls there are at the least: fewer than by any kernel or family that is known. */
struct reach {
    enum call call;
    uint32_t in_open, amid;
};

static const struct reach OF_XDP[] = {
    { CALL_ASK, 0, 32 },       { CALL_HEAR, 0, 8 },        { CALL_IOCTL, 8, 6 },
    { CALL_SETSOCKOPT, 8, 0 }, { CALL_GETSOCKNAME, 0, 8 }, { CALL_GETPEERNAME, 0, 8 },
    { CALL_SOCKET, 3, 0 },     { CALL_BIND, 2, 0 },        { CALL_GETSOCKOPT, 6, 12 },
};

static struct reach reach_of(const struct column *column)
{
    bool is_of_xdp = is_xdp(column->way);

    if (column->call == CALL_POLL || column->call == CALL_SLEEP)
        return (struct reach){ column->call, 0, BY_POLL };
    for (size_t i = 0; is_of_xdp && i < COUNT_OF(OF_XDP); i++)
        if (OF_XDP[i].call == column->call)
            return OF_XDP[i];
    return (struct reach){ column->call, column->way->kind == SENDER ? 2 : 0, 1 };
}

/* Errors of such calls: those that say that something cannot be had, is not there, or is over. */
static bool is_asked_for(const struct what *what)
{
    static const int errors[] = { EAGAIN, ENOBUFS, ENOMEM,      EINTR,  EBADF, EACCES,
                                  EPERM,  EINVAL,  ENOPROTOOPT, ENODEV, ENOSYS };

    if (is_done_meanwhile(what->act))
        return true;
    for (size_t i = 0; what->act == ACT_ERROR && i < COUNT_OF(errors); i++)
        if (what->error == errors[i])
            return true;
    return what->act == ACT_ERROR && what->error > 1000;
}

/* What the library waits for when it calls that. */
static void add_reason_to_wait(struct cell *cell)
{
    int error = cell->call == CALL_POLL ? EAGAIN : ENOBUFS;

    cell->faults[cell->fault_count++] =
        (struct fault){ .call = CALL_SEND, .error = error, .times = 2 * BY_POLL };
    cell->trains = UDPBATCH_TRAINS_OFF;
    cell->meta = is_xdp(cell->way) ? OF_ALL : NO_META;
}

/* Past the stack: who is asked for a way, many have to be sent to; for a peer, one. */
static void choose_load_of_ring(struct cell *cell)
{
    enum { TO_MANY = 4, TO_A_PEER = 2 };

    cell->part = PART_OF_KICK;
    cell->trains = UDPBATCH_TRAINS_OFF;
    if (cell->call == CALL_GETPEERNAME)
        cell->workload = &SMALL[TO_MANY + below(TO_A_PEER)];
    else
        cell->workload = &SMALL[below(TO_MANY)];
    cell->is_connected = cell->workload->form == TO_ONE;
}

/* Trains are asked for if there may be one. */
static void choose_load_of_trains(struct cell *cell)
{
    static const char *const names[] = { "W2", "W3", "W5", "W6" };

    cell->trains = UDPBATCH_TRAINS_AUTO;
    cell->workload = find_workload(names[below(COUNT_OF(names))]);
    cell->in_order = false; /* in which W2 has no two packets to one target */
}

static void lay_one(const struct column *column, const struct what *what, enum place place,
                    uint32_t at)
{
    struct cell cell = begin_cell(column, what, place);

    cell.from_open = place >= PLACE_OPEN;
    if (is_xdp(column->way))
        choose_load_of_ring(&cell);
    else
        choose_load_of_trains(&cell);
    if (column->call == CALL_POLL || column->call == CALL_SLEEP)
        add_reason_to_wait(&cell);
    add_fault(&cell, what, at, place % PLACE_OPEN == PLACE_IN_A_ROW ? IN_A_ROW : 1);
    lay_cell(&cell);
}

static void lay_part(const struct column *column, const struct what *what, enum place first,
                     uint32_t count)
{
    for (uint32_t at = 0; at < count && at < FIRST_CALLS; at++)
        lay_one(column, what, first + at, at);
    if (count > FIRST_CALLS)
        lay_one(column, what, first + PLACE_LATER, FIRST_CALLS + below(count - FIRST_CALLS));
    if (count > 0 && what->act == ACT_ERROR)
        lay_one(column, what, first + PLACE_IN_A_ROW, 0);
}

void lay_others(const struct column *column, const struct what *what)
{
    const struct reach reach = reach_of(column);

    if (!is_asked_for(what) ||
        (column->call == CALL_SLEEP && what->act == ACT_ERROR && what->error != EINTR))
        return;
    if (what->act == ACT_ERROR)
        lay_part(column, what, PLACE_OPEN, reach.in_open);
    lay_part(column, what, 0, reach.amid);
}
