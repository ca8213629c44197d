/* measure.h: one workload by several engines, in rounds that alternate. */
#ifndef MEASURE_H
#define MEASURE_H

#include "cli.h"
#include "place.h"
#include "progress.h"
#include "result.h"

struct measurement {
    enum direction direction;  /* of all engines */
    struct place *place;       /* where it is timed */
    struct place *check_place; /* where it is checked: the same, if there are receivers */
    const struct workload_spec *spec;
    const struct layout *layout;
    size_t rounds;
    uint64_t round_ns;
    struct progress *progress;
    double part_done, part; /* of the whole run: before this workload, and this workload */
};

/* Measures what result->engines[0 .. engine_count) name and fills in their figures, or their
 * faults. Returns early on an interrupt, with the rounds that all engines have done. */
void measure_workload(const struct measurement *measurement, struct workload_result *result);

#endif
