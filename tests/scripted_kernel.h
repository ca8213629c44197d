/* scripted_kernel.h: a kernel that answers sendmmsg and sendmsg by a script.
 *
 * A program linked with --wrap=sendmmsg,--wrap=sendmsg sends through it. A packet is known by its
 * payload (script_packets), so that what the kernel took can be told from what it was given. */
#ifndef SCRIPTED_KERNEL_H
#define SCRIPTED_KERNEL_H

#include "udpbatch.h"

#include <stdbool.h>

enum { SCRIPT_PACKETS = 1100, SCRIPT_ERRORS = 3, SCRIPT_COUNTS = 8, SCRIPT_SHARED = 0xffff };

/* The errors that the tries of one packet meet, one each, up to the first 0: then it is taken.
 * If `for_good`, the last error stays. */
struct script_packet {
    int errors[SCRIPT_ERRORS + 1];
    bool for_good;
};

struct script {
    size_t n;
    struct script_packet packets[SCRIPT_PACKETS];
    unsigned most[SCRIPT_COUNTS]; /* messages that the first system calls take; 0: all */
};

/* How far a script has been played: the kernel has one, and so has each reference. */
struct script_state {
    const struct script *script;
    unsigned tries[SCRIPT_PACKETS];
    unsigned calls;
};

/* The error that the next try of a packet meets; 0: it is taken. */
int script_next_error(struct script_state *state, size_t packet);

/* How many messages the next system call takes at most, of so many. */
unsigned script_next_count(struct script_state *state, unsigned messages);

/* Fills packets[0 .. script->n) with what the kernel will know them by. Those whose index
 * without_address divides have no address; 0: all have. */
void script_packets(struct udpbatch_packet *packets, size_t n, unsigned without_address);

extern union udpbatch_addr script_targets[SCRIPT_PACKETS]; /* of packets that have an address */
extern const uint32_t script_shared_payload[2];            /* any packet may have it */

/* Begins to play; what the kernel took is counted from here. */
void kernel_play(const struct script *script);

extern struct script_state kernel;
extern unsigned kernel_taken[SCRIPT_PACKETS];
extern unsigned kernel_strange; /* messages that are no packet of the script, or a damaged one */

#endif
