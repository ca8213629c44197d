/* errors.h: what may be done to a system call. */
#ifndef FAULTS_ERRORS_H
#define FAULTS_ERRORS_H

#include "pending.h"

#include "udpbatch.h"

#include <stdbool.h>

enum act {
    ACT_ERROR,   /* nothing is done, and the error told */
    ACT_AFTER,   /* it is done, and the error told all the same */
    ACT_SHORT,   /* of several messages only the first ones are sent */
    ACT_NOTHING, /* nothing is done, and 0 told */
    ACT_NO_MMSG, /* sendmmsg is refused altogether, as old kernels and filters do */
    ACT_CLOSE,   /* the socket's descriptor is closed before the call is made */
    ACT_REPLACE, /* it becomes another file: a pipe, or another UDP socket */
    ACT_FORK,    /* another thread forks */
    ACT_SEVERAL  /* several of these at once, by chance */
};

/* A row of the matrix. */
struct what {
    const char *name;
    int error;
    enum act act;
    enum udpbatch_meaning meaning; /* by udpbatch_error(3) */
};

extern const struct what WHATS[];
extern const size_t WHAT_COUNT, WHAT_SEVERAL;

const struct what *find_what(const char *name); /* NULL: there is none */

/* By the table, which does not ask the library. */
enum udpbatch_meaning meaning_of(int error);

#endif
