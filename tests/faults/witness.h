/* witness.h: whose the bytes of a message are, and what their packets have met. */
#ifndef FAULTS_WITNESS_H
#define FAULTS_WITNESS_H

#include "deputy.h"

#include <sys/socket.h>

/* One call, of one message or several. */
struct attempt {
    int fd;
    struct mmsghdr *messages;
    struct msghdr *message; /* of a sendmsg */
    size_t count;
    int flags;
};

const struct msghdr *message_of(const struct attempt *attempt, size_t i);

/* The kernel took the messages in front of that one; or the first was refused, with that error. */
void witness_taken(const struct attempt *attempt, size_t count, struct record *record);
void witness_refused(const struct attempt *attempt, int error, struct record *record);

#endif
