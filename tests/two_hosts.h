/* two_hosts.h: two hosts of a test's own, joined by a cable: network namespaces and a pair of veth
 * devices, named as their hosts are. All vanish with the process.
 *
 * Of both address families, near is number 1 of the network that the cable is, and 3 too; far is
 * number 2, and all of a network behind it. Neighbours are permanent, as a queue for an unknown one
 * would lose packets. A test may add a second cable, and a host behind far.
 */
#ifndef TWO_HOSTS_H
#define TWO_HOSTS_H

#include "support.h"

enum host { NEAR, FAR, BEYOND };

enum { CABLE_MTU = 1500, EXIT_SKIP = 77 };

/* Makes them; the process is at near from then on. Returns NULL, or what is missing. */
const char *two_hosts_make(void);

/* A second cable, of two queues, from near2 at near to far2: near is number 1 of its network, far
 * is 2. False if ip cannot make it. */
bool two_hosts_add_cable(void);
/* A host to which far is the router, by a cable from far3 to beyond: it is number 2 of that
 * network, far is 1. */
bool two_hosts_add_beyond(void);

/* Gives the devices of the first cable, which are up, all that they have from the beginning: near
 * loses most of it by going down. */
bool two_hosts_configure(void);

void be_at(enum host host);
bool has_in6(void);

/* An address of the cable, and one behind far; of the second cable, and of the one to beyond. */
union udpbatch_addr on_cable(int family, unsigned number, uint16_t port);
union udpbatch_addr behind_far(int family, unsigned number, uint16_t port);
union udpbatch_addr on_second_cable(int family, unsigned number, uint16_t port);
union udpbatch_addr at_beyond(int family, unsigned number, uint16_t port);

struct port port_at(enum host host, const union udpbatch_addr *addr);

/* Runs a shell command at a host; the rest of the arguments is printf's. */
bool run_at(enum host host, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sees to it that the carrier is up: before that a packet may be lost. */
void wait_for_cable(int family);
void wait_for_way(const union udpbatch_addr *from, const union udpbatch_addr *to); /* to far */
void wait_for_way_to(enum host host, const union udpbatch_addr *from,
                     const union udpbatch_addr *to);

/* Of the devices at both ends. The feature's name is the kernel's; a test is skipped if the device
 * has none of that name. */
void cable_feature(const char *feature, bool on);
void cable_mtu(int mtu);

#endif
