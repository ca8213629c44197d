/* capture_writer.h: the records of a capture, laid side by side in memory, with libpcap. */
#ifndef CAPTURE_WRITER_H
#define CAPTURE_WRITER_H

#include "cli.h"
#include "complain.h"

struct capture_writer;

/* `bound` is the address of the socket. Returns NULL if it cannot be. */
struct capture_writer *capture_writer_open(const union udpbatch_addr *bound, struct reason *reason);
void capture_writer_close(struct capture_writer *writer); /* NULL is allowed */

/* What a receiver has to be asked for. */
enum {
    CAPTURE_WRITER_META = UDPBATCH_META_CAME_AT | UDPBATCH_META_CAME_TO |
                          UDPBATCH_META_CAME_WITH_TOS | UDPBATCH_META_CAME_WITH_TTL
};

/* Adds a record to those since the last take. */
void capture_writer_add(struct capture_writer *writer, const struct udpbatch_received *packet);

/* How long the records since the last take are; with those of the first, what a capture begins
 * with. */
size_t capture_writer_len(struct capture_writer *writer);

/* These bytes, which hold until the next call. NULL if there was no memory for them. */
const unsigned char *capture_writer_take(struct capture_writer *writer);

#endif
