/* matrix.c: back end x error x position. The first positions of each are all there, and others by
 * chance; what they are tried with, loads and kinds of sockets, changes from cell to cell. */
#define _GNU_SOURCE
#include "matrix.h"

#include "../chance.h"

#include <net/if.h>

enum {
    EARLY = 8,
    LATE = 5,
    LATE_MOST = 64,
    EARLY_KICKS = 6,
    EARLY_CALLS = 4,
    LATER_CALLS = 12,
    PART_OF_KICK = 8
};

struct way_of_cell ways[WAYS_MOST];
size_t way_count;
struct column columns[COLUMNS_MOST];
size_t column_count;

static uint64_t seed;
static uint32_t number;
static void (*tell)(const struct cell *cell);

/* ---- Ways and columns ------------------------------------------------------------------------ */

static bool is_xdp(const struct way_of_cell *way)
{
    return way->backend != NULL && strcmp(way->backend, "xdp") == 0;
}

static void add_column(const struct way_of_cell *way, enum call call)
{
    assert_true(column_count < COLUMNS_MOST);
    columns[column_count++] = (struct column){ way, call };
}

static void add_columns(const struct way_of_cell *way)
{
    static const enum call of_xdp[] = { CALL_ASK,        CALL_HEAR,        CALL_IOCTL,
                                        CALL_SETSOCKOPT, CALL_GETSOCKNAME, CALL_GETPEERNAME,
                                        CALL_SOCKET,     CALL_BIND };

    add_column(way, CALL_SEND);
    if (is_xdp(way))
        add_column(way, CALL_KICK);
    if (way->kind != MULTI_TARGET) /* which has no trains to ask for */
        add_column(way, CALL_GETSOCKOPT);
    if (way->kind == SENDER) {
        add_column(way, CALL_POLL);
        add_column(way, CALL_SLEEP);
    }
    for (size_t i = 0; is_xdp(way) && i < COUNT_OF(of_xdp); i++)
        add_column(way, of_xdp[i]);
}

/* By which system call it sends. */
static void look_at(struct way_of_cell *way, bool (*try_it)(const struct cell *cell))
{
    const struct cell cell = { .way = way,
                               .what = &WHATS[0],
                               .workload = &SMALL[0],
                               .family = AF_INET,
                               .meta = way->kind == SENDER ? OF_ALL : NO_META };
    way->has_sendmmsg = try_it(&cell);
}

void matrix_open(uint64_t with_seed, bool (*try_it)(const struct cell *cell))
{
    const char *name;

    seed = with_seed;
    ways[way_count++] = (struct way_of_cell){ "send", LEVEL1, NULL, false };
    ways[way_count++] = (struct way_of_cell){ "multi", MULTI_TARGET, NULL, false };
    for (size_t i = 0; (name = udpbatch_backend_name(i)) != NULL && way_count < WAYS_MOST; i++)
        ways[way_count++] = (struct way_of_cell){ name, SENDER, name, false };
    for (size_t i = 0; i < way_count; i++) {
        look_at(&ways[i], try_it);
        add_columns(&ways[i]);
    }
}

/* ---- Cells ----------------------------------------------------------------------------------- */

/* Each has chances of its own, so that it can be repeated by itself. */
static struct cell begin_cell(const struct column *column, const struct what *what)
{
    struct cell cell = { .number = number, .way = column->way, .call = column->call, .what = what };

    chance_set(seed * UINT64_C(1000003) + number);
    number++;
    cell.family = has_in6() && one_in(3) ? AF_INET6 : AF_INET;
    cell.in_pieces = one_in(5);
    cell.has_error_queue = one_in(8);
    cell.is_pressed = one_in(6);
    cell.in_order = one_in(8);
    cell.workload = &SMALL[0];
    return cell;
}

static void add_fault(struct cell *cell, const struct what *what, uint32_t at, uint32_t times)
{
    if (cell->fault_count < FAULTS_MOST)
        cell->faults[cell->fault_count++] = (struct fault){
            .call = cell->call, .act = what->act, .error = what->error, .at = at, .times = times
        };
}

static bool suits(const struct way_of_cell *way, const struct workload *workload)
{
    return way->kind != MULTI_TARGET ||
           (workload->form == TO_EACH && workload->payloads == 1 && workload->bad_one_in == 0);
}

static uint32_t packets_of(const struct workload *workload)
{
    return workload->form == TO_EACH ? workload->payloads * workload->targets : workload->payloads;
}

/* How many messages there will be at least, for faults to be met by. */
static uint32_t messages_of(const struct cell *cell, const struct workload *workload)
{
    uint32_t count = packets_of(workload);

    if (cell->trains != UDPBATCH_TRAINS_OFF && cell->way->kind != MULTI_TARGET)
        return workload->messages;
    if (workload->bad_one_in == 1)
        return 1;
    return workload->bad_one_in > 0 ? count - count / workload->bad_one_in - 1 : count;
}

/* One that has a message at that place; the first of each table has many. */
static const struct workload *choose(const struct cell *cell, const struct workload *workloads,
                                     size_t count, uint32_t at)
{
    const struct workload *workload;
    int tries = 0;

    do
        workload = &workloads[below((unsigned)count)];
    while ((!suits(cell->way, workload) || messages_of(cell, workload) <= at) && ++tries < 200);
    return tries < 200 ? workload : &SMALL[0];
}

/* So that the socket takes all that the ring could; where it is about something else, some. */
static void choose_way_in(struct cell *cell)
{
    if (cell->way->kind != MULTI_TARGET && (is_xdp(cell->way) || one_in(8)))
        cell->meta = one_in(6) ? OF_EVERY_THIRD : OF_ALL;
    cell->is_connected = cell->workload->form == TO_ONE && one_in(2);
}

/* ---- Sends ----------------------------------------------------------------------------------- */

static struct cell begin_send(const struct column *column, const struct what *what,
                              enum udpbatch_trains trains, uint32_t at)
{
    struct cell cell = begin_cell(column, what);

    cell.trains = trains;
    cell.workload = choose(&cell, SMALL, SMALL_COUNT, at);
    choose_way_in(&cell);
    return cell;
}

static void lay_early(const struct column *column, const struct what *what)
{
    for (uint32_t i = 0; i < 2 * EARLY; i++) {
        enum udpbatch_trains trains = i % 2 == 0 ? UDPBATCH_TRAINS_AUTO : UDPBATCH_TRAINS_OFF;
        uint32_t at = i / 2 + (what->act == ACT_SHORT); /* there is none before the first */
        struct cell cell = begin_send(column, what, trains, at);
        add_fault(&cell, what, at, what->act == ACT_NO_MMSG ? FOR_EVER : 1);
        tell(&cell);
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
        enum udpbatch_trains trains = i % 2 == 0 ? UDPBATCH_TRAINS_AUTO : UDPBATCH_TRAINS_OFF;
        struct cell cell = begin_send(column, what, trains, 3 * i);
        add_fault(&cell, what, 3 * i, times[i] == FOR_EVER ? for_ever(what) : times[i]);
        tell(&cell);
    }
}

/* One target refuses, and the others get all of theirs. */
static void lay_of_target(const struct column *column, const struct what *what)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct cell cell = begin_send(column, what, (enum udpbatch_trains)i, 8);
        add_fault(&cell, what, below(8), for_ever(what));
        cell.faults[0].is_of_target = true;
        tell(&cell);
    }
}

static void lay_late(const struct column *column, const struct what *what)
{
    for (uint32_t i = 0; i < LATE; i++) {
        struct cell cell = begin_cell(column, what);
        uint32_t at = EARLY + below(LATE_MOST - EARLY);
        cell.trains = one_in(2) ? UDPBATCH_TRAINS_AUTO : UDPBATCH_TRAINS_OFF;
        cell.workload = choose(&cell, LARGE, LARGE_COUNT, at);
        cell.is_pressed |= cell.workload == &LARGE[0] && one_in(2);
        choose_way_in(&cell);
        add_fault(&cell, what, at, 1 + below(3));
        tell(&cell);
    }
}

static void lay_sends(const struct column *column, const struct what *what)
{
    if (what->act != ACT_ERROR && !column->way->has_sendmmsg)
        return;
    lay_early(column, what);
    lay_late(column, what);
    if (what->act != ACT_ERROR)
        return;
    lay_lasting(column, what);
    if (meaning_of(what->error) != UDPBATCH_SOCKET)
        lay_of_target(column, what);
}

/* ---- Kicks ----------------------------------------------------------------------------------- */

/* Errors with which the kernel says that it has looked at the ring. It says so for ever only when
 * it has. */
static bool has_looked(int error)
{
    return error == EAGAIN || error == EBUSY || error == ENOBUFS || error == ENOMEM ||
           error == EOVERFLOW;
}

/* Those that it also gives when all has left, or more of it than it was to take at a time. */
static bool may_come_after(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EINTR;
}

static struct cell begin_kick(const struct column *column, const struct what *what)
{
    struct cell cell = begin_cell(column, what);

    cell.trains = UDPBATCH_TRAINS_OFF;
    cell.workload = &SMALL[below((unsigned)SMALL_COUNT)];
    cell.part = PART_OF_KICK;
    cell.meta = one_in(4) ? OF_ODD_TARGETS : NO_META;
    if (cell.workload->form == TO_ONE || cell.workload->form == EVERY_SECOND_TO_ONE)
        cell.meta = one_in(8) ? OF_EVERY_THIRD : NO_META;
    return cell;
}

/* The kernel has not looked, and a filter does not let it tell what it passed by since. */
static void lay_silent_kick(const struct column *column, const struct what *what)
{
    struct cell cell = begin_kick(column, what);

    add_fault(&cell, what, 0, 1);
    cell.faults[cell.fault_count++] =
        (struct fault){ .call = CALL_GETSOCKOPT, .error = EPERM, .times = FOR_EVER };
    tell(&cell);
}

static void lay_kicks(const struct column *column, const struct what *what)
{
    const struct what after = { what->name, what->error, ACT_AFTER, what->meaning };

    if (what->act != ACT_ERROR)
        return;
    for (uint32_t i = 0; i < EARLY_KICKS; i++) {
        struct cell cell = begin_kick(column, what);
        add_fault(&cell, what, i % 3, i < 3 ? 1 : has_looked(what->error) ? 2 : 1 + below(40));
        tell(&cell);
    }
    if (!has_looked(what->error) && what->error != EINTR)
        lay_silent_kick(column, what);
    for (uint32_t i = 0; may_come_after(what->error) && i < EARLY_KICKS; i++) {
        struct cell cell = begin_kick(column, what);
        add_fault(&cell, &after, i % 3, i < 3 ? 1 : 1 + below(40));
        tell(&cell);
    }
}

/* ---- What is asked besides ------------------------------------------------------------------- */

/* Errors of such calls: those that say that something cannot be had, is not there, or is over. */
static bool is_asked_for(const struct what *what)
{
    static const int errors[] = { EAGAIN, ENOBUFS, ENOMEM,      EINTR,  EBADF, EACCES,
                                  EPERM,  EINVAL,  ENOPROTOOPT, ENODEV, ENOSYS };

    for (size_t i = 0; what->act == ACT_ERROR && i < COUNT_OF(errors); i++)
        if (what->error == errors[i])
            return true;
    return what->act == ACT_ERROR && what->error > 1000;
}

/* What the library waits for when it calls that. */
static void add_reason_to_wait(struct cell *cell, uint32_t at)
{
    int error = cell->call == CALL_POLL ? EAGAIN : ENOBUFS;

    cell->faults[cell->fault_count++] =
        (struct fault){ .call = CALL_SEND, .error = error, .at = at, .times = 4 };
    cell->trains = UDPBATCH_TRAINS_OFF;
    cell->meta = is_xdp(cell->way) ? OF_ALL : NO_META;
}

static bool waits(enum call call)
{
    return call == CALL_POLL || call == CALL_SLEEP;
}

static void lay_others(const struct column *column, const struct what *what)
{
    if (!is_asked_for(what) || (column->call == CALL_SLEEP && what->error != EINTR))
        return;
    for (uint32_t i = 0; i < EARLY_CALLS; i++) {
        struct cell cell = begin_cell(column, what);
        uint32_t at = column->way->kind == SENDER ? i / 2 : 0;
        at = i == 3 && is_xdp(column->way) && !waits(column->call) ? below(LATER_CALLS) : at;
        cell.workload = &SMALL[1 + i % 5];
        cell.part = is_xdp(column->way) ? PART_OF_KICK : 0;
        cell.trains = is_xdp(column->way) || i < 2 ? UDPBATCH_TRAINS_OFF : UDPBATCH_TRAINS_AUTO;
        if (waits(column->call))
            add_reason_to_wait(&cell, at);
        if (column->call == CALL_GETPEERNAME || is_xdp(column->way))
            cell.is_connected = cell.workload->form == TO_ONE;
        cell.from_open = !waits(column->call) && column->way->kind == SENDER && i % 2 == 0;
        add_fault(&cell, what, at, i % 3 == 2 ? 20 : 1);
        tell(&cell);
    }
}

/* ---- All of them ----------------------------------------------------------------------------- */

static void lay(const struct column *column, const struct what *what)
{
    if (what->act == ACT_SEVERAL)
        return;
    if (column->call == CALL_SEND)
        lay_sends(column, what);
    else if (column->call == CALL_KICK)
        lay_kicks(column, what);
    else
        lay_others(column, what);
}

void matrix_walk(void (*visit)(const struct cell *cell))
{
    tell = visit;
    number = 1;
    for (size_t i = 0; i < column_count; i++)
        for (size_t j = 0; j < WHAT_COUNT; j++)
            lay(&columns[i], &WHATS[j]);
}

uint32_t matrix_end(void)
{
    return number;
}

static const struct column *column_of(const struct way_of_cell *way)
{
    for (size_t i = 0; i < column_count; i++)
        if (columns[i].way == way && columns[i].call == CALL_SEND)
            return &columns[i];
    return NULL;
}

struct cell matrix_by_chance(uint32_t of)
{
    number = of;
    struct cell cell = begin_cell(column_of(&ways[of % way_count]), &WHATS[WHAT_SEVERAL]);

    cell.trains = one_in(2) ? UDPBATCH_TRAINS_AUTO : UDPBATCH_TRAINS_OFF;
    cell.workload = choose(&cell, LARGE, LARGE_COUNT, 0);
    choose_way_in(&cell);
    for (unsigned i = 2 + below(FAULTS_MOST - 1); i > 0; i--) {
        const struct what *what = &WHATS[below((unsigned)WHAT_SEVERAL)];
        if (what->act != ACT_NO_MMSG)
            add_fault(&cell, what, below(messages_of(&cell, cell.workload)), 1 + below(3));
    }
    return cell;
}
