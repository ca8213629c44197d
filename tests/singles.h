/* singles.h: packets that go past the network stack one by one, to far.
 */
#ifndef SINGLES_H
#define SINGLES_H

#include "past_stack.h"

struct port far_port(void);

/* Of lengths that let none join another, so that they go past the stack. */
void make_singles(struct udpbatch_packet *packets, size_t n, const union udpbatch_addr *to);

/* The sender is well: so they go, and arrive. */
void expect_all_past(struct xdp *xdp, const struct port *port);

#endif
