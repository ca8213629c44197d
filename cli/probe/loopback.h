/* loopback.h: two UDP sockets on loopback, so that calls can be tried and nothing leaves the host.
 */
#ifndef PROBE_LOOPBACK_H
#define PROBE_LOOPBACK_H

#include "answer.h"
#include "system.h"

/* Connected to each other, so that nobody else's datagrams come between; they do not block. */
struct loopback {
    udpbatch_socket from, to;
    union udpbatch_addr address; /* of `to` */
};

/* Returns false with the answer given, if only that it cannot be tried. */
bool loopback_open(struct loopback *pair, struct answer *answer);
void loopback_close(struct loopback *pair);

/* Something to try, which gives the answer; and what it takes, opened and closed around it. */
typedef void loopback_trial(const struct loopback *pair, struct answer *answer);
void loopback_try(loopback_trial *trial, struct answer *answer);

/* Waits for a datagram at `to`, for a second at most, which on loopback is as good as none. */
bool loopback_has_arrival(const struct loopback *pair);

/* The answer where it has none: nothing can be told of the call. */
void loopback_blame(struct answer *answer);

/* The next datagram: its length, -1 with errno set if none arrives. */
ssize_t loopback_receive(const struct loopback *pair, void *data, size_t size);

/* Throws away what is at `to`. */
void loopback_drain(const struct loopback *pair);

/* Sets an option of an int. False: errno says why not. */
bool loopback_set(udpbatch_socket fd, int level, int option, int value);

#endif
