/* messages.h: packets as the messages of sendmmsg(2), for the engines that call it themselves. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "cli.h"

#include <sys/uio.h>

struct messages {
    struct mmsghdr *headers;
    struct iovec *rooms;
    union udpbatch_addr *addresses;
};

/* Memory for n of them. Returns false, with nothing to free, if there is none. */
bool messages_allocate(struct messages *messages, size_t n);
void messages_free(struct messages *messages);

/* Builds the headers; payloads are pointed at, addresses are copied, as the original does. */
void messages_build(struct messages *messages, const struct udpbatch_packet *packets, size_t n);

#endif
