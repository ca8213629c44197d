/* contest.h: the engines that are measured at one workload, and their rounds. */
#ifndef CONTEST_H
#define CONTEST_H

#include "cli.h"
#include "measure.h"
#include "receivers.h"
#include "rounds.h"
#include "workload.h"

/* An engine, ready to send the workload, and what it has done. */
struct contender {
    const struct engine *engine;
    struct engine_result *result;
    int fd;
    void *self; /* NULL: it does not take part */
    struct rounds rounds;
};

struct contest {
    const struct measurement *measurement;
    struct workload_result *result;
    struct receivers receivers;
    struct workload workload;
    struct contender contenders[ENGINES_MAX];
    size_t count;
};

/* A first part of a round for each, of which no figure is kept. */
void contest_warm_up(struct contest *contest);

/* A round for each engine that takes part. Returns false if it was interrupted. */
bool contest_run_round(struct contest *contest, size_t index);

#endif
