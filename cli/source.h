/* source.h: where payloads come from: a file, numbered packets, a capture. */
#ifndef SOURCE_H
#define SOURCE_H

#include "cli.h"
#include "complain.h"

/* The longest payload that UDP over IPv4 has room for. */
enum { PAYLOAD_MAX = 65507 };

struct source;

/* A kind of source. Each is one file, with an open of its own. */
struct source_kind {
    /* Waits for more at most so long, and takes it in. What was cut before is gone thereby. */
    void (*fill)(struct source *source, int timeout_ms);

    /* Cuts up to n payloads from what there is, without waiting for more; those cut before are done
     * with. Returns their number. */
    size_t (*cut)(struct source *source, struct udpbatch_packet *payloads, size_t n);

    /* Writes into payloads that are about to leave when they do, those of packets[0 .. n) that are
     * still to be sent; or NULL. */
    void (*stamp)(struct source *source, struct udpbatch_packet *packets, size_t n);

    /* Payloads that are known to be there but were not cut off. */
    uint64_t (*left)(const struct source *source);

    /* Says why it cannot go on. NULL: it always can. */
    void (*explain)(const struct source *source, struct reason *reason);

    void (*close)(struct source *source);
};

/* What all kinds have; each begins with it. */
struct source {
    const struct source_kind *kind;
    const char *name;
    bool addressed;  /* payloads say themselves where they go: `to` is theirs until the next fill */
    bool ended;      /* there is no more to come */
    bool shrunk;     /* and that was less than there was at first */
    int error;       /* why it cannot go on */
    size_t size;     /* of most payloads; 0: they differ */
    uint64_t length; /* how much there is to take, in bytes or what it counts in; 0: not known */
    uint64_t taken;  /* of this */
    uint64_t count;  /* payloads that were cut off */
};

#endif
