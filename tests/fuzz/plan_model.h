/* plan_model.h: what has to become of packets, told by the contract alone (udpbatch.h; a back end's
 * in internal.h): an oracle for fuzz_plan, which follows what the engine does. */
#ifndef PLAN_MODEL_H
#define PLAN_MODEL_H

#include "plan_world.h"

/* All packets are yet to have a fate, or have had it before. */
void model_begin(void);

/* A call begins, and in it an array of the world's packets[from .. from + n). */
void model_call(void);
void model_array(size_t from, size_t n);

/* The back end was given this train, the next of those that it may send. */
void model_given(const struct ub_plan *plan, const struct ub_train *train, bool is_first);

/* It took it; refused it for good; or stopped at it. */
void model_taken(const struct ub_plan *plan, const struct ub_train *train);
void model_refused(const struct ub_plan *plan, const struct ub_train *train, int error);
void model_stopped(const struct ub_plan *plan, const struct ub_train *train, int error);

/* The call has ended: each packet has its fate and the engine's counts are right. Whether there is
 * more to be sent. */
bool model_call_ended(const struct ub_engine *engine);

#endif
