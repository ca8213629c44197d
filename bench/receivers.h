/* receivers.h: the sockets that the packets of a workload are for. */
#ifndef RECEIVERS_H
#define RECEIVERS_H

#include "cli.h"
#include "complain.h"

struct receivers {
    int *fds;
    union udpbatch_addr *targets; /* their addresses */
    size_t count;
    size_t buffer; /* bytes that the smallest receive buffer holds, the kernel's part included */
};

/* Memory for so many, none of them open. */
bool receivers_allocate(struct receivers *receivers, size_t count, struct reason *reason);

/* Adds a socket at targets[i], whose port may be 0 and becomes the one that is bound. The socket
 * belongs to the receivers, on failure too. */
bool receivers_add(struct receivers *receivers, size_t i, int fd, struct reason *reason);
void receivers_close(struct receivers *receivers);

/* How many datagrams of so many bytes fit into the smallest buffer, whatever the kernel adds to
 * each. */
size_t receivers_hold(const struct receivers *receivers, size_t bytes);

/* From here on they take the payloads with numbers from `first` to below `last` only. */
bool receivers_take(const struct receivers *receivers, uint32_t first, uint32_t last);

/* From here on each drops what arrives, before it is queued, and the kernel counts that. */
bool receivers_drop(const struct receivers *receivers);

/* How many packets they have dropped so far. Each receiver's counter has 32 bits. Returns false if
 * the kernel does not tell. */
bool receivers_dropped(const struct receivers *receivers, uint64_t *packets);

/* Forgets what is queued. */
void receivers_drain(const struct receivers *receivers);

#endif
