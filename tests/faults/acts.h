/* acts.h: what another thread may do to a descriptor while it is sent by, or to the process. */
#ifndef FAULTS_ACTS_H
#define FAULTS_ACTS_H

#include "errors.h"

bool is_done_meanwhile(enum act act);

/* Does it, to the socket of that family. Returns whether the descriptor is closed now. */
bool acts_do(enum act act, int error, int fd, int family);

/* Ends what it began: a child, and a pipe. Returns whether something was written into the pipe. */
bool acts_end(void);

#endif
