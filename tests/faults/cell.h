/* cell.h: one cell of the matrix: a load sent by one way while one fault is given, and whether all
 * that was promised is kept. */
#ifndef FAULTS_CELL_H
#define FAULTS_CELL_H

#include "deputy.h"

/* A way to send, as who uses the library has it. */
struct way_of_cell {
    const char *name;
    enum { LEVEL1, MULTI_TARGET, SENDER } kind;
    const char *backend; /* of a sender */
    bool has_sendmmsg;   /* or else sendmsg */
};

struct cell {
    uint32_t number;
    const struct way_of_cell *way;
    enum call call; /* which is hit */
    const struct what *what;
    const struct workload *workload;
    int family;
    enum udpbatch_trains trains;
    uint32_t in_order;
    bool is_connected, in_pieces, has_error_queue, is_pressed;
    enum who_has_meta meta;
    size_t part; /* so many packets per call of the library; 0: all */
    struct fault faults[FAULTS_MOST];
    size_t fault_count;
    bool from_open; /* the faults begin while the sender is opened */
};

/* What came of it. */
struct result {
    bool was_reached; /* the fault was given */
    bool used_mmsg;   /* for those who want to know whether there is such a call */
    size_t packets, sent, received, refused;
    uint64_t past;   /* the stack */
    uint32_t given;  /* faults */
    uint32_t calls;  /* of the system, to send */
    char fault[240]; /* empty: green */
};

struct result cell_run(const struct cell *cell);

#endif
