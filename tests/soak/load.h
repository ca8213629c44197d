/* load.h: the packets of one call, in the shapes that senders have. */
#ifndef LOAD_H
#define LOAD_H

#include "ledger.h"

struct load {
    size_t count;
    uint32_t first; /* number in the ledger of packet 0; the others follow */
    bool is_shared; /* one payload to all targets: what the multi-target call takes, too */
    struct udpbatch_packet packets[CALL_MOST];
    union udpbatch_addr targets[CALL_MOST], bad_targets[CALL_MOST];
    bool is_nowhere[CALL_MOST]; /* nobody is there, or it is refused */
    struct udpbatch_piece pieces[CALL_MOST][2];
    struct udpbatch_meta meta;
    unsigned char payloads[CALL_MOST][LEN_LONGEST];
};

/* An address behind far, by its number. */
union udpbatch_addr far_address(int family, unsigned number, uint16_t port);

/* For a socket of this family; `has_peer`: some go to the connected peer. False if the phase has no
 * more numbers. */
bool load_make(struct load *load, unsigned stream, int family, bool has_peer, struct dice *dice);

#endif
