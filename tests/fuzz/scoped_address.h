/* scoped_address.h: whether two addresses are one, with their ports and scopes, as what is read of
 * text has both; support.h takes any scope, which what arrives may have got on its way. Of other
 * families than IP only the port counts. */
#ifndef SCOPED_ADDRESS_H
#define SCOPED_ADDRESS_H

#include "cli.h"

bool same_scoped_address(const union udpbatch_addr *a, const union udpbatch_addr *b);

#endif
