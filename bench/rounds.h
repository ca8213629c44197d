/* rounds.h: what one engine has done in each round, and the figures that follow. */
#ifndef ROUNDS_H
#define ROUNDS_H

#include "cli.h"
#include "histogram.h"
#include "result.h"

/* One engine, one round. */
struct round {
    uint64_t packets, sent, refused; /* given to it; and what it says of them */
    uint64_t vanished;               /* that were sent and never arrived, */
    bool vanished_known;             /* if that could be told */
    int first_error;                 /* of those refused */
    double seconds, cpu_seconds;
};

/* One engine, all rounds. */
struct rounds {
    struct round *list;
    struct histogram *calls;  /* time of a call, in ns */
    struct histogram *latest; /* the same, of the round that is not yet one of all engines' */
};

/* Gets memory for n rounds; false: there is none. Close it in either case. */
bool rounds_open(struct rounds *rounds, size_t n);
void rounds_close(struct rounds *rounds);

/* Minimum, median and maximum of values[0 .. n), which are put in order. */
struct spread spread_of(double *values, size_t n);

/* Fills in the figures of rounds [0 .. n); `baseline` is what to compare with, or NULL. `room` has
 * place for n values. */
void rounds_sum_up(const struct rounds *rounds, const struct rounds *baseline, size_t n,
                   double *room, struct engine_result *result);

#endif
