/* crowd.h: threads that all send at once, and whether what they sent has arrived: each packet once,
 * intact, and in the order of its thread and its target.
 *
 * What arrives is taken meanwhile, and no more is on its way than any receive buffer holds. So
 * nothing is lost but by the library.
 */
#ifndef CROWD_H
#define CROWD_H

#include "support.h"

enum { CROWD_MOST = 8, CROWD_PACKETS = 2000, CROWD_TARGETS = 3 };

/* A thread that sends. */
struct member {
    /* To be set: */
    udpbatch_socket fd;
    const struct udpbatch_sender_options *options; /* NULL: level 1 */
    struct udpbatch_sender *sender;   /* to use this one; NULL: one of its own, by the options */
    const struct udpbatch_meta *meta; /* of each packet, or NULL */
    uint32_t from, count;             /* of packets: numbers [from .. from + count) */

    /* What came of it, once it has ended: */
    int error; /* of open; or what must not be */
    struct udpbatch_sender_stats stats;
    int32_t fates[CROWD_PACKETS]; /* of its packets, by their number */
};

struct crowd {
    struct member members[CROWD_MOST];
    size_t count;                       /* of them */
    struct port targets[CROWD_TARGETS]; /* each packet goes to one of them, in turns of a few */
    size_t target_count;
};

/* Targets on loopback, and so many members, with nothing but their way set. */
void crowd_begin(struct crowd *crowd, const struct way *way, size_t count);
void crowd_end(struct crowd *crowd); /* closes the targets, and each socket of the members once */

/* Lets all of them send at once, and checks what arrived against the fates. */
void crowd_send(struct crowd *crowd);

/* All packets of all members were sent, and counted. */
void crowd_expect_all_sent(const struct crowd *crowd);

/* Runs a function in so many threads at once, each with a number of its own; their results are
 * added up. */
unsigned run_in_threads(unsigned count, unsigned (*function)(unsigned number));

#endif
