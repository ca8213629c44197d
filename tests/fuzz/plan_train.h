/* plan_train.h: the packets of a train, and what a train may be, by the contract alone. */
#ifndef PLAN_TRAIN_H
#define PLAN_TRAIN_H

#include "plan_world.h"

/* Its packets, as numbers of the world's, one after the other. */
struct walk {
    const struct ub_plan *plan;
    const struct ub_train *train;
    size_t offset;
    uint32_t left;
};

struct walk walk_of(const struct ub_plan *plan, const struct ub_train *train);
bool walk_on(struct walk *walk, size_t *packet); /* false: there is none any more */

/* It is one of the packets at hand that are still to be sent, and such as may leave together. */
void check_train(const struct ub_plan *plan, const struct ub_train *train);

#endif
