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
    uint16_t receiver;
    uint16_t address;   /* behind far, of the first target */
    uint16_t addresses; /* so many, one after the other */
    uint16_t stride;    /* numbers from one address to the next */
};

/* Where a datagram is sent to, or came to. */
struct spot {
    uint16_t receiver;
    uint16_t address; /* its number behind far; 0: not known */
};

enum fate_mark { SENT = 1, REFUSED = 2, UNSENT = 4, ARRIVED = 8, NOWHERE = 16 };

void ledger_begin(void); /* a phase */

/* Takes so many numbers; false if the phase has no more. */
bool ledger_take(unsigned stream, uint32_t count, uint32_t *first);
/* Writes label and pattern. */
void ledger_write(unsigned char *payload, unsigned stream, uint32_t number, uint32_t len,
                  struct spot to);
/* The same, of one payload to so many addresses from `to` on. */
void ledger_write_shared(unsigned char *payload, unsigned stream, uint32_t number, uint32_t len,
                         struct spot to, uint16_t addresses, uint16_t stride);

/* How many frames a payload is at most on cables as they are in calm. */
uint32_t frames_of(uint32_t len);
/* Waits for fewer frames under way, and counts these among them; false if the phase is over. */
bool ledger_wait_for_room(uint32_t frames);
/* After the last call with it: its status, and whether anybody is where it went. */
void ledger_settle(unsigned stream, uint32_t number, uint32_t frames, int32_t status,
                   bool is_nowhere);

/* By the thread of the receivers alone. */
void ledger_arrive(const void *data, size_t len, struct spot at);

/* Adds the phase up, into ways[]. `drops_of_others`: queues that all of this machine shares have
 * dropped something meanwhile. */
void ledger_close(uint64_t drops_of_others);

#endif
