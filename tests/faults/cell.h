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
    bool asks_for_trains;
};

/* Where faults are: up to EARLY the number of a message, or call. */
enum { EARLY = 8 };
enum place {
    PLACE_LATER = EARLY, /* by chance */
    PLACE_IN_A_ROW,
    PLACE_OPEN, /* while the sender is opened: the same again */
    PLACE_OF_TARGET = 2 * PLACE_OPEN,
    PLACE_AFTER,   /* what was asked for is done all the same */
    PLACE_SILENT,  /* and nothing is told of what was done */
    PLACE_PRESSED, /* W8: behind a slow queue */
    PLACE_SEVERAL,
    PLACES
};

struct cell {
    uint32_t number;
    const struct way_of_cell *way;
    enum call call; /* which is hit */
    const struct what *what;
    enum place place;
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
    bool was_reached; /* each fault was given, or one of several by chance */
    bool used_mmsg;   /* for those who want to know whether there is such a call */
    bool asked;       /* the socket for an option, after it was opened */
    size_t packets, sent, received, refused;
    uint64_t past;    /* the stack */
    uint32_t given;   /* faults */
    uint32_t pressed; /* errors of back pressure that the kernel gave by itself */
    uint32_t calls;   /* of the system, to send */
    char fault[240];  /* empty: green */
};

struct result cell_run(const struct cell *cell);

#endif
