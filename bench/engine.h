/* engine.h: a way to send an array of packets, or to take packets from a socket, to be measured
 * beside others. */
#ifndef ENGINE_H
#define ENGINE_H

#include "cli.h"

enum direction { SENDING, RECEIVING };

/* What came of one call. What is neither was lost: given up, though nothing was wrong with it. */
struct outcome {
    size_t sent, refused;
    int first_error; /* of the refused; 0 if there are none */
};

struct engine {
    const char *name;
    const char *what;            /* one line */
    const char *backend;         /* of the library's handle; NULL: its own choice */
    enum udpbatch_trains trains; /* of the library's handle */
    bool one_payload; /* sends the first packet's payload to all targets: fan-out alone */

    /* Makes ready to send the packets on fd again and again, or to receive such packets from it;
     * they and fd stay the caller's. Every packet has an address, and all are to be sent. Returns
     * NULL on failure, with errno set. */
    void *(*open)(const struct engine *engine, int fd, const struct udpbatch_packet *packets,
                  size_t n);

    /* It has one of the two. */

    /* Sends all of them once, and waits where the socket does not. */
    struct outcome (*send)(void *self);
    /* Takes what is there, at most n, without waiting, by one system call if it can. Returns their
     * number or -errno. What they point to holds until the next call. */
    int (*receive)(void *self, struct udpbatch_received *packets, size_t n);

    void (*close)(void *self);
    /* What it has chosen or is built on, "sendmmsg"; may be NULL: nothing to tell. */
    const char *(*uses)(void *self);
};

enum direction engine_direction(const struct engine *engine);

/* Whether it sends past the network stack, by the device of the route to the first packet. There is
 * no such device on loopback, and no packet filter is asked. */
bool engine_is_past_the_stack(const struct engine *engine);

/* What it means that it could not be opened for this errno. */
const char *engine_explain(const struct engine *engine, int error);

/* Counts a packet that the kernel did not take: refused, or lost if waiting would have helped. */
void outcome_count_error(struct outcome *outcome, int error);

/* Waits, not for long, for room on a socket that does not wait by itself. Returns false if there is
 * no use in it, as the user wants to end. */
bool engine_wait(int fd);

/* ---- The table ------------------------------------------------------------------------------ */

enum { ENGINES_MAX = 24 };

/* All of that direction, in the order to show them: those of the table, then one per back end of
 * the library that does it, "udpbatch-NAME" or "udpbatch-receiver-NAME". */
size_t engines_list(enum direction direction, const struct engine *list[ENGINES_MAX]);

/* The library's own choice, which also puts packets into the sockets of those that receive. */
extern const struct engine engine_udpbatch;

/* The one that all of its direction are compared with. */
#define ENGINE_ORIGINAL "original"
#define ENGINE_RECVMMSG "recvmmsg"
const char *engines_baseline(enum direction direction);

/* NULL if there is none of that name. */
const struct engine *engines_find(const char *name);

#endif
