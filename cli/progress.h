/* progress.h: how far the work is, on stderr: a bar on a terminal, now and then a line else. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "cli.h"

/* How far it is. */
struct progress_state {
    double part;   /* of the whole, 0 to 1; below 0: not known */
    char what[64]; /* "12.3 MB 250 kpps" */
    double seconds;
};

struct progress {
    bool quiet;
    bool terminal;
    uint64_t begun_ns;
    uint64_t next_ns; /* when to say more */
    size_t drawn;     /* columns that the bar takes on the terminal */
};

void progress_begin(struct progress *progress, bool quiet, uint64_t now_ns);

/* Whether it is time to show how far it is. */
bool progress_is_due(const struct progress *progress, uint64_t now_ns);

/* Shows it. The seconds of the state are filled in here. */
void progress_show(struct progress *progress, struct progress_state *state, uint64_t now_ns);

/* Takes the bar away. */
void progress_end(struct progress *progress);

#endif
