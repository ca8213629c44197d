/* same_address.h: whether two addresses are one, with their ports; of other families than IP only
 * the port counts. */
#ifndef SAME_ADDRESS_H
#define SAME_ADDRESS_H

#include "cli.h"

bool same_address(const union udpbatch_addr *a, const union udpbatch_addr *b);

#endif
