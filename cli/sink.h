/* sink.h: where received packets are written, one after the other: as payloads or as a capture. */
#ifndef SINK_H
#define SINK_H

#include "capture_writer.h"
#include "cli.h"
#include "complain.h"

/* The most packets that one sink_write takes. */
enum { SINK_PACKETS = 64 };

struct sink_settings {
    const char *name; /* of the file; NULL or "-": standard output */
    bool lines;       /* a newline after each payload */
    const union udpbatch_addr
        *bound; /* write a capture of packets to this socket; NULL: payloads */
};

struct sink {
    const char *name;
    int fd;
    bool lines;
    bool can_block;   /* a pipe, a socket or a terminal, which may take nothing for long */
    bool is_terminal; /* it gets text alone, as all else may be orders */

    /* A batch as it is to be written; packet i of it ends at ends[i]. */
    const unsigned char *laid;
    size_t ends[SINK_PACKETS];
    unsigned char *buffer;          /* of payloads */
    struct capture_writer *capture; /* NULL: payloads */

    uint64_t packets, bytes; /* of payload, wholly written */
    int error;               /* why it cannot go on; EINTR: the time was up */
};

/* Opens the file and empties it. */
bool sink_open(struct sink *sink, const struct sink_settings *settings, struct reason *reason);

/* Writes packets[0 .. n). Returns false if not all could be written, before the deadline or an
 * interrupt if the sink makes it wait. A file has no part of a packet then. */
bool sink_write(struct sink *sink, const struct udpbatch_received *packets, size_t n,
                uint64_t deadline_ns);

/* Closes it, which can bring an error too: then no packet counts as written. */
void sink_close(struct sink *sink);

/* Says what went wrong. */
void sink_explain(const struct sink *sink, struct reason *reason);

#endif
