/* address.h: HOST:PORT, read, resolved and written. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "cli.h"
#include "complain.h"

/* HOST:PORT or [IPV6]:PORT of something to send to. A name stands for its first address. */
bool address_read_target(const char *text, union udpbatch_addr *address, struct reason *reason);

/* The same, or the host alone, which gets the default port. */
bool address_read_host_or_target(const char *text, uint16_t default_port,
                                 union udpbatch_addr *address, struct reason *reason);

/* ADDRESS, ADDRESS:PORT, :PORT or *, with ADDRESS in digits, of IPv6 in brackets. Family 0: any
 * address; port 0: any port. A v4-mapped address is the IPv4 one. */
bool address_read_pattern(const char *text, union udpbatch_addr *pattern, struct reason *reason);

/* As address_read_target, to listen on: the port may be 0. An empty host or "*" is every address of
 * both families, which is the unspecified address of IPv6 and *dual true. */
bool address_read_local(const char *text, union udpbatch_addr *address, bool *dual,
                        struct reason *reason);

/* An IPv4 or IPv6 address alone, in digits and without brackets. Its port is 0. */
bool address_read_host(const char *text, union udpbatch_addr *address, struct reason *reason);

/* The address as an IPv6 socket needs it: one of IPv4 becomes v4-mapped. */
void address_map(union udpbatch_addr *address);

/* The opposite: a v4-mapped address as the IPv4 one, any other as it is. */
union udpbatch_addr address_unmap(const union udpbatch_addr *address);

union udpbatch_addr address_in4(uint32_t host, uint16_t port); /* in host byte order */

socklen_t address_len(const union udpbatch_addr *address);

enum { ADDRESS_TEXT = 96 };

/* As address_read_target reads it; a v4-mapped address as the IPv4 one. Returns text. */
const char *address_write(const union udpbatch_addr *address, char text[ADDRESS_TEXT]);

#endif
