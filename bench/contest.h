/* contest.h: the engines that are measured at one workload, and their rounds. */
#ifndef CONTEST_H
#define CONTEST_H

#include "cli.h"
#include "measure.h"
#include "receivers.h"
#include "rounds.h"
#include "workload.h"

/* An engine, and what it has done. */
struct contender {
    const struct engine *engine;
    struct engine_result *result;
    int fd;
    void *self; /* NULL: not open */
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

/* Who is ruled out has no figures, and the reason is told in their place. */
bool contest_is_out(const struct contender *contender);
__attribute__((format(printf, 2, 3))) void contest_rule_out(struct contender *contender,
                                                            const char *format, ...);

/* Opens an engine on a socket of its own, ready to send the workload, or rules it out. One is open
 * at a time: a device queue, for instance, may have no room for two. */
bool contest_open(struct contest *contest, const struct place *place, struct contender *contender);
void contest_close(struct contender *contender);

/* Shows that the engine is at work, and how much of the workload is done, if that is due. */
void contest_show(const struct contest *contest, const struct contender *contender, double part);

/* Part of a round for each, of which no figure is kept. */
void contest_warm_up(struct contest *contest);

/* A round for each engine that is not out. Returns false if it was interrupted. */
bool contest_run_round(struct contest *contest, size_t index);

#endif
