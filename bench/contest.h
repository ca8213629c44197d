/* contest.h: the engines that are measured at one workload, and their rounds. */
#ifndef CONTEST_H
#define CONTEST_H

#include "cli.h"
#include "feeder.h"
#include "measure.h"
#include "receivers.h"
#include "rounds.h"
#include "workload.h"

/* An engine, and what it has done. */
struct contender {
    const struct engine *engine;
    struct engine_result *result;
    void *self; /* NULL: not open */
    struct rounds rounds;
};

struct contest {
    const struct discipline *discipline;
    const struct measurement *measurement;
    struct workload_result *result;
    struct receivers receivers; /* all; or the one that the open engine receives with */
    int fd;                     /* that the open engine sends from; -1: none */
    struct feeder feeder;       /* of the open engine that receives */
    struct workload workload;
    struct contender contenders[ENGINES_MAX];
    size_t count;
};

/* ---- Sending, and receiving ----------------------------------------------------------------- */

/* What is done to engines of one direction. One is open at a time: a device queue, for instance,
 * may have no room for two. */
struct discipline {
    /* Makes the workload and checks each engine, which is ruled out if it does not as it says. */
    bool (*begin)(struct contest *contest, struct reason *reason);
    void (*end)(struct contest *contest); /* may be NULL */

    /* Opens an engine on sockets of its own, or rules it out; contest_close is due either way. */
    bool (*open)(struct contest *contest, struct contender *contender);
    void (*close)(struct contest *contest);

    /* A round of so long, but with one call at least. The time of each goes into the histogram
     * contender->rounds.latest. */
    void (*run)(struct contest *contest, struct contender *contender, uint64_t round_ns,
                struct round *round);
    /* Rules out who did while timed what no check beforehand could see. */
    void (*judge)(struct contest *contest, struct contender *contender, const struct round *round);

    /* What the system calls of an engine are counted in, the preparation left out, and how many
     * packets it is given there. */
    bool (*prepare)(struct contest *contest); /* may be NULL */
    void (*work)(struct contest *contest, struct contender *contender);
    size_t (*work_packets)(const struct contest *contest);
};

extern const struct discipline discipline_sending, discipline_receiving;

/* ---- What both share ------------------------------------------------------------------------ */

/* Who is ruled out has no figures, and the reason is told in their place. */
bool contest_is_out(const struct contender *contender);
__attribute__((format(printf, 2, 3))) void contest_rule_out(struct contender *contender,
                                                            const char *format, ...);

/* Puts into words what the workload is, for the result. */
void contest_describe(const struct contest *contest);

/* Opens an engine on a descriptor, or rules it out. */
bool contest_open_engine(const struct contest *contest, struct contender *contender, int fd);
/* Closes the engine, and what the discipline has opened for it. */
void contest_close(struct contest *contest, struct contender *contender);

/* Shows that the engine is at work, and how much of the workload is done, if that is due. */
void contest_show(const struct contest *contest, const struct contender *contender, double part);

/* How often an engine that was just opened sends or receives the workload before it is as fast as
 * it will be: some things are done only the first time, and an engine may learn the way to its
 * targets as it goes. The same for all engines. */
size_t contest_calls_to_warm_up(const struct contest *contest);

/* Part of a round for each, of which no figure is kept. */
void contest_warm_up(struct contest *contest);

/* A round for each engine that is not out. Returns false if it was interrupted. */
bool contest_run_round(struct contest *contest, size_t index);

#endif
