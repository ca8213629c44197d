/* matrix.c: back end x error x position. The first positions of each are all there, and others by
 * chance; what they are tried with, loads and kinds of sockets, changes from cell to cell. */
#define _GNU_SOURCE
#include "acts.h"
#include "lay.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

struct way_of_cell ways[WAYS_MOST];
size_t way_count;
struct column columns[COLUMNS_MOST];
size_t column_count;

static uint64_t seed;
static uint32_t number;
static void (*tell)(const struct cell *cell);

/* ---- Ways and columns ------------------------------------------------------------------------ */

bool is_xdp(const struct way_of_cell *way)
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
    if (way->asks_for_trains || is_xdp(way))
        add_column(way, CALL_GETSOCKOPT);
    if (way->kind == SENDER) {
        add_column(way, CALL_POLL);
        add_column(way, CALL_SLEEP);
    }
    for (size_t i = 0; is_xdp(way) && i < COUNT_OF(of_xdp); i++)
        add_column(way, of_xdp[i]);
}

/* By which system call it sends, and whether it asks for trains, which it does not of kernels that
 * are known to damage them. */
static void look_at(struct way_of_cell *way, struct result (*try_it)(const struct cell *cell))
{
    const struct cell single = { .way = way,
                                 .what = &WHATS[0],
                                 .workload = &SMALL[0],
                                 .family = AF_INET,
                                 .meta = way->kind == SENDER ? OF_ALL : NO_META };
    struct cell trains = single;

    way->has_sendmmsg = try_it(&single).used_mmsg;
    if (way->kind == MULTI_TARGET)
        return;
    trains.workload = find_workload("W6");
    trains.meta = NO_META;
    way->asks_for_trains = try_it(&trains).asked;
}

/* Whether this machine can open it. */
static bool can_open(const char *backend)
{
    const struct udpbatch_sender_options options = { .size = sizeof options,
                                                     .backend = backend,
                                                     .xdp_interface = "near" };
    int error = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, &options, &error);

    if (sender == NULL)
        printf("not checked: the back end %s: %s\n", backend, strerror(error));
    udpbatch_sender_close(sender);
    close_socket(fd);
    return sender != NULL;
}

bool matrix_open(uint64_t with_seed, struct result (*try_it)(const struct cell *cell))
{
    const char *name;
    bool has_all = true;

    seed = with_seed;
    ways[way_count++] = (struct way_of_cell){ .name = "send", .kind = LEVEL1 };
    ways[way_count++] = (struct way_of_cell){ .name = "multi", .kind = MULTI_TARGET };
    for (size_t i = 0; (name = udpbatch_backend_name(i)) != NULL && way_count < WAYS_MOST; i++)
        if (can_open(name))
            ways[way_count++] = (struct way_of_cell){ name, SENDER, name, false, false };
        else
            has_all = false;
    for (size_t i = 0; i < way_count; i++) {
        look_at(&ways[i], try_it);
        add_columns(&ways[i]);
    }
    return has_all;
}

/* ---- Cells ----------------------------------------------------------------------------------- */

struct cell begin_cell(const struct column *column, const struct what *what, enum place place)
{
    struct cell cell = {
        .number = number, .way = column->way, .call = column->call, .what = what, .place = place
    };

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

void lay_cell(const struct cell *cell)
{
    tell(cell);
}

void add_fault(struct cell *cell, const struct what *what, uint32_t at, uint32_t times)
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

uint32_t packets_of(const struct workload *workload)
{
    return workload->form == TO_EACH ? workload->payloads * workload->targets : workload->payloads;
}

uint32_t messages_of(const struct cell *cell, const struct workload *workload)
{
    uint32_t count = packets_of(workload);

    if (cell->trains != UDPBATCH_TRAINS_OFF && cell->way->kind != MULTI_TARGET)
        count = workload->messages;
    else if (workload->bad_one_in > 0)
        count -= count / workload->bad_one_in + (workload->bad_one_in > 1);
    if (is_xdp(cell->way) && cell->meta == OF_EVERY_THIRD)
        count /= 4; /* the others may take the ring */
    return count > 0 ? count : 1;
}

/* One that has such a message; the first of each table has many. */
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

/* By AF_XDP so that the socket takes what the ring could. */
void choose_load(struct cell *cell, const struct workload *workloads, size_t count, uint32_t at)
{
    cell->workload = choose(cell, workloads, count, at);
    cell->is_connected = cell->workload->form == TO_ONE && one_in(2);
    if (cell->way->kind == MULTI_TARGET || (!is_xdp(cell->way) && !one_in(8)))
        return;
    cell->meta = one_in(6) ? OF_EVERY_THIRD : OF_ALL;
    if (messages_of(cell, cell->workload) <= at)
        cell->meta = OF_ALL;
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
    for (size_t i = 0; i < column_count; i++)
        for (size_t j = 0; j < WHAT_SEVERAL; j++)
            lay_pressed(&columns[i], &WHATS[j]);
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

/* One that concerns a message, and leaves something to be met by the others. An error is met
 * wherever it is; there is no short count of one message, nor before the first. */
static const struct what *any_what(bool may_be_short)
{
    const struct what *what;

    do
        what = &WHATS[below((unsigned)WHAT_SEVERAL)];
    while (what->act == ACT_NO_MMSG || is_done_meanwhile(what->act) ||
           (what->act != ACT_ERROR && !may_be_short));
    return what;
}

struct cell matrix_by_chance(uint32_t of)
{
    number = of;
    struct cell cell =
        begin_cell(column_of(&ways[of % way_count]), &WHATS[WHAT_SEVERAL], PLACE_SEVERAL);

    cell.trains = one_in(2) ? UDPBATCH_TRAINS_AUTO : UDPBATCH_TRAINS_OFF;
    choose_load(&cell, LARGE, LARGE_COUNT, 0);
    for (unsigned i = 2 + below(FAULTS_MOST - 1); i > 0; i--) {
        const struct what *what = any_what(cell.way->has_sendmmsg && cell.fault_count > 0);
        add_fault(&cell, what, below(messages_of(&cell, cell.workload)), 1 + below(3));
    }
    return cell;
}
