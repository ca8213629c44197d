/* engine.h: a way to send an array of packets, to be measured beside others. */
#ifndef ENGINE_H
#define ENGINE_H

#include "cli.h"

/* What came of one call. What is neither was lost: given up, though nothing was wrong with it. */
struct outcome {
    size_t sent, refused;
    int first_error; /* of the refused; 0 if there are none */
};

struct engine {
    const char *name;
    const char *what;                              /* one line */
    const struct udpbatch_sender_options *options; /* of the library's level 2; NULL: its own */
    bool one_payload; /* sends the first packet's payload to all targets: fan-out alone */

    /* Makes ready to send the packets on fd again and again; they and fd stay the caller's. Every
     * packet has an address, and all are to be sent. Returns NULL on failure, with errno set. */
    void *(*open)(const struct engine *engine, int fd, const struct udpbatch_packet *packets,
                  size_t n);
    /* Sends all of them once, and waits where the socket does not. */
    struct outcome (*send)(void *self);
    void (*close)(void *self);
    /* What it has chosen or is built on, "sendmmsg"; may be NULL: nothing to tell. */
    const char *(*uses)(void *self);
};

/* Counts a packet that the kernel did not take: refused, or lost if waiting would have helped. */
void outcome_count_error(struct outcome *outcome, int error);

/* Waits, not for long, for room on a socket that does not wait by itself. Returns false if there is
 * no use in it, as the user wants to end. */
bool engine_wait(int fd);

/* ---- The table ------------------------------------------------------------------------------ */

enum { ENGINES_MAX = 24 };

/* All there are, in the order to show them: those of the table, then one per back end of the
 * library, "udpbatch-NAME". */
size_t engines_list(const struct engine *list[ENGINES_MAX]);

/* The one that all are compared with. */
#define ENGINE_ORIGINAL "original"

/* NULL if there is none of that name. */
const struct engine *engines_find(const char *name);

#endif
