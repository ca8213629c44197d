/* ledger.h: what became of each datagram of a phase: it has a number in the stream of its worker.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "soak.h"

/* What every payload begins with; a pattern follows, by the number. If one payload goes to many
 * targets, the address that it came to tells them apart. */
struct label {
    uint32_t magic, phase, stream;
    uint32_t number; /* to the first address */
    uint32_t len;
    uint16_t first_address;
    uint16_t stride; /* numbers from one address to the next; 0: it is for one address alone */
};

enum fate_mark { SENT = 1, REFUSED = 2, UNSENT = 4, ARRIVED = 8, NOWHERE = 16 };

void ledger_begin(void); /* a phase */

/* Takes so many numbers; false if the phase has no more. */
bool ledger_take(unsigned stream, uint32_t count, uint32_t *first);
/* Writes label and pattern. */
void ledger_write(unsigned char *payload, unsigned stream, uint32_t number, uint32_t len,
                  uint16_t first_address, uint16_t stride);

/* Waits for fewer datagrams under way, and counts these among them. */
void ledger_wait_for_room(uint32_t count);
/* After the last call with it: its status, and whether anybody is where it went. */
void ledger_settle(unsigned stream, uint32_t number, int32_t status, bool is_nowhere);

/* A datagram came to this address number of far's (0: not known). */
void ledger_arrive(const void *data, size_t len, unsigned address);

long ledger_under_way(void);

/* Adds the phase up, into ways[]; `drops` were counted by queues. */
void ledger_close(uint64_t drops);

#endif
