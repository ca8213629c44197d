/* ip_headers.h: the IP and UDP headers that a datagram had, as far as they are known. Pure. */
#ifndef IP_HEADERS_H
#define IP_HEADERS_H

#include "cli.h"

enum { IP_HEADERS_MAX = 40 + 8 };

/* The addresses are of one family, v4-mapped ones count as IPv4. */
struct ip_datagram {
    union udpbatch_addr from, to;
    uint8_t tos;
    uint8_t ttl;
    const void *data;
    uint32_t len;
};

/* Returns their length. Both checksums are right. What is made up: of IPv4, the identification 0
 * and that fragments are forbidden, as a datagram has it that is none (RFC 6864); of IPv6, the flow
 * label 0. */
size_t ip_headers_write(const struct ip_datagram *datagram, unsigned char headers[IP_HEADERS_MAX]);

#endif
