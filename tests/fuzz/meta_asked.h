/* meta_asked.h: what control messages ask the kernel for, read as it does. */
#ifndef META_ASKED_H
#define META_ASKED_H

#include "internal.h"

#include "fuzz.h"

struct asked {
    unsigned origins, tos, ttl, departures, dont_fragment; /* messages */
    struct in_pktinfo in4;
    struct in6_pktinfo in6;
    int tos_value, ttl_value, dont_fragment_value;
    uint64_t time_ns;
};

struct asked read_control(unsigned char *control, size_t len, bool is_in4);

/* It is just what the meta says. */
void check_asked(const struct asked *asked, const struct udpbatch_meta *meta, bool is_in4,
                 const struct ub_facts *facts);

bool says(const struct udpbatch_meta *meta, uint32_t flags);
bool is_mapped(const union udpbatch_addr *addr);

#endif
