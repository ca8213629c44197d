/* plan_packet.h: which of an input's packets nobody could send, told by the contract alone. */
#ifndef PLAN_PACKET_H
#define PLAN_PACKET_H

#include "plan_world.h"

/* Whether it may be refused with this errno before it is sent; 0: whether it is to be refused. */
bool packet_may_be_refused(const struct udpbatch_packet *packet, int error);

/* Of its payload, if it is none to be refused. */
uint32_t packet_bytes(const struct udpbatch_packet *packet);

#endif
