/* sink.h: where received payloads are written, one after the other. */
#ifndef SINK_H
#define SINK_H

#include "cli.h"
#include "complain.h"

/* The most packets that one sink_write takes. */
enum { SINK_PACKETS = 64 };

struct sink {
    const char *name;
    int fd;
    bool lines;     /* a newline after each payload */
    bool can_block; /* a pipe, a socket or a terminal, which may take nothing for long */
    unsigned char *buffer;
    uint64_t packets, bytes; /* of payload, wholly written */
    int error;               /* why it cannot go on; EINTR: the time was up */
};

/* Opens the file and empties it; standard output if the name is NULL or "-". */
bool sink_open(struct sink *sink, const char *name, bool lines, struct reason *reason);

/* Writes packets[0 .. n). Returns false if not all could be written, before the deadline or an
 * interrupt if the sink makes it wait. */
bool sink_write(struct sink *sink, const struct udpbatch_received *packets, size_t n,
                uint64_t deadline_ns);

/* Closes it, which can bring an error too. */
void sink_close(struct sink *sink);

/* Says what went wrong. */
void sink_explain(const struct sink *sink, struct reason *reason);

#endif
