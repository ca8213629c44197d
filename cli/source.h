/* source.h: a file or standard input, cut into payloads. */
#ifndef SOURCE_H
#define SOURCE_H

#include "cli.h"
#include "complain.h"

/* The longest payload that UDP over IPv4 has room for. */
enum { PAYLOAD_MAX = 65507 };

struct source {
    const char *name;
    int fd;
    bool lines;           /* a payload is a line; otherwise `size` bytes */
    size_t size;          /* of a payload; the last one may be shorter */
    uint64_t length;      /* bytes there are to read; 0: not known */
    int64_t size_at_open; /* of the file */
    uint64_t taken;       /* bytes that were cut off, newlines included */
    uint64_t count;       /* payloads that were cut off */
    bool ended;           /* all has been read */
    bool shrunk;          /* and that was less than there was at first */
    int error;            /* why it cannot go on; EMSGSIZE: the next line is too long */
    unsigned char *buffer;
    size_t begin, end; /* buffer[begin .. end) is still to be cut */
};

/* Opens the file; standard input if the name is NULL or "-". */
bool source_open(struct source *source, const char *name, bool lines, size_t size,
                 struct reason *reason);

/* Waits for more at most so long, and reads it. What was cut before is gone thereby. */
void source_fill(struct source *source, int timeout_ms);

/* Cuts up to n payloads from what was read, without waiting for more. Returns their number. */
size_t source_cut(struct source *source, struct udpbatch_packet *payloads, size_t n);

/* Payloads that are known to be there but were not cut off. */
uint64_t source_left(const struct source *source);

/* Says why it cannot go on. */
void source_explain(const struct source *source, struct reason *reason);

void source_close(struct source *source);

#endif
