/* numbered.h: the header by which `udpbatch recv` follows what `udpbatch send --count` sends.
 *
 * 32 bytes in network byte order at the begin of a payload: the magic number (4), the stream (4), a
 * random number per run of the sender; the packet's number, from 0 (8); how many there will be, 0
 * if that is not known (8); when it left, in ns of CLOCK_REALTIME (8). */
#ifndef NUMBERED_H
#define NUMBERED_H

#include "cli.h"

enum { NUMBERED_BYTES = 32 };

struct numbered {
    uint32_t stream;
    uint64_t number;
    uint64_t total;
    uint64_t sent_ns;
};

void numbered_write(const struct numbered *header, unsigned char bytes[NUMBERED_BYTES]);

/* Only the time. */
void numbered_stamp(unsigned char bytes[NUMBERED_BYTES], uint64_t sent_ns);

/* Returns false if these are not the first bytes of a numbered packet. */
bool numbered_read(struct numbered *header, const void *data, size_t len);

#endif
