/* chance.h: random numbers that a printed seed repeats. */
#ifndef CHANCE_H
#define CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/* Takes the seed from UDPBATCH_SEED, or the clock, and prints it. */
void chance_begin(void);
void chance_set(uint64_t seed); /* this one, without a word */

unsigned below(unsigned limit); /* 0 .. limit - 1 */
bool one_in(unsigned n);

#endif
