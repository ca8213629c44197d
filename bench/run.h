/* run.h: all the workloads that were asked for, one after the other. */
#ifndef RUN_H
#define RUN_H

#include "cli.h"
#include "complain.h"
#include "measure.h"
#include "place.h"

enum { ROUNDS_MOST = 1000 };

struct run_settings {
    enum direction direction;
    struct place_settings place;
    struct layout layout;
    struct workload_specs workloads;
    const struct engine *engines[ENGINES_MAX]; /* none: all that open here */
    size_t engine_count;
    size_t rounds;
    double seconds; /* of a round; 0: such that all takes no more than about half a minute */
    bool quiet;
};

/* Measures them and fills in the report, whose memory run_free frees. Ends early, with what is
 * done, on an interrupt. Returns false, and the reason, if nothing could be begun. */
bool run_all(const struct run_settings *settings, struct report *report, struct reason *reason);
void run_free(struct report *report);

#endif
