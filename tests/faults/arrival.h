/* arrival.h: what arrives at far, told by each datagram itself and by the address that it came to.
 */
#ifndef FAULTS_ARRIVAL_H
#define FAULTS_ARRIVAL_H

#include "load.h"

/* Receivers at all ports of both families. */
void arrival_open(void);

/* Waits until as many as are said to be sent are there, and takes what is there besides. Each of
 * them must be one of the load, intact, at its target, once, and behind those before it. Returns
 * NULL, or what is wrong. */
const char *arrival_check(size_t count);

size_t arrival_count(void); /* datagrams, by that check */

/* When nothing is sent any more: whether one came late, or once more. */
const char *arrival_check_end(void);

/* Whether this packet has come. */
bool has_arrived(size_t packet);

#endif
