/* link.h: the device that frames leave by. */
#ifndef UB_LINK_H
#define UB_LINK_H

#include "../frame.h"

struct ub_link {
    uint32_t index;
    bool is_up; /* with carrier */
    unsigned char mac[UB_MAC];
    uint32_t mtu;
    /* Of IPv6; 0: it could not be read. */
    uint32_t mtu_in6, hop_limit;
    uint32_t usual_hop_limit; /* what a socket tells that has none of its own */
};

/* Any socket's descriptor will do. Returns 0 or -errno, as udpbatch_sender_open says of "xdp". */
int ub_link_open(struct ub_link *link, const char *device, int fd);

/* Reads all but the index anew; one that is gone is down. */
void ub_link_read(struct ub_link *link, int fd);

#endif
