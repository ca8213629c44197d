/* load.h: the packets of one call, in the shapes that senders have. */
#ifndef LOAD_H
#define LOAD_H

#include "ledger.h"

struct load {
    size_t count;
    uint32_t first;  /* number in the ledger of packet 0; the others follow */
    uint32_t frames; /* of all packets */
    bool is_shared;  /* one payload to all targets: what the multi-target call takes, too */
    struct udpbatch_packet packets[CALL_MOST];
    union udpbatch_addr targets[CALL_MOST], bad_targets[CALL_MOST];
    bool is_nowhere[CALL_MOST]; /* nobody is there, or it is refused */
    struct udpbatch_piece pieces[CALL_MOST][2];
    struct udpbatch_meta meta;
    unsigned char payloads[CALL_MOST][LEN_LONGEST];
};

union udpbatch_addr address_of_spot(int family, struct spot spot);
struct spot any_spot(struct dice *dice);

uint32_t load_bytes(const struct udpbatch_packet *packet);

/* For a socket of this family; some go to the connected peer, if it is there (not NULL). False if
 * the phase has no more numbers. */
bool load_make(struct load *load, unsigned stream, int family, const struct spot *peer,
               struct dice *dice);

#endif
