/* ip_headers.c: the IP and UDP headers that a datagram had. */
#include "ip_headers.h"

#include <string.h>

#include "address.h"
#include "system.h"

enum { IN4_BYTES = 20, IN6_BYTES = 40, UDP_BYTES = 8 };

/* ---- The internet checksum (RFC 1071) -------------------------------------------------------- */

/* In the byte order of memory, in which it comes out right: the sum of 16-bit words is the same in
 * both orders, but for the order of its own bytes. */
static uint64_t add_words(uint64_t sum, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    uint32_t word = 0;

    for (; len >= sizeof word; len -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        sum += word;
    }
    word = 0;
    if (len > 0)
        memcpy(&word, bytes, len);
    return sum + word;
}

static uint16_t checksum(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* ---- Headers --------------------------------------------------------------------------------- */

static unsigned char *put16(unsigned char *at, size_t value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
    return at + 2;
}

static unsigned char *put(unsigned char *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static void put_checksum(unsigned char *at, uint16_t sum)
{
    memcpy(at, &sum, sizeof sum);
}

/* `hosts` are both addresses, side by side as in the header before. */
static void write_udp(const struct ip_datagram *datagram, uint16_t from_port, uint16_t to_port,
                      const unsigned char *hosts, size_t hosts_len, unsigned char *udp)
{
    const size_t len = UDP_BYTES + datagram->len;
    const uint32_t pseudo[] = { htonl((uint32_t)len), htonl(IPPROTO_UDP) };

    put16(put16(put(put(udp, &from_port, 2), &to_port, 2), len), 0);
    uint64_t sum = add_words(0, hosts, hosts_len);
    sum = add_words(sum, pseudo, sizeof pseudo);
    sum = add_words(sum, udp, UDP_BYTES);
    sum = add_words(sum, datagram->data, datagram->len);
    /* 0 means that there is none, which IPv6 forbids (RFC 8200, 8.1). */
    const uint16_t folded = checksum(sum);
    put_checksum(udp + 6, folded != 0 ? folded : 0xffff);
}

static size_t write_in4(const struct ip_datagram *datagram, const struct sockaddr_in *from,
                        const struct sockaddr_in *to, unsigned char *headers)
{
    enum { VERSION_AND_LENGTH = 0x45, DONT_FRAGMENT = 0x4000, CHECKSUM_AT = 10, HOSTS_AT = 12 };
    unsigned char *at = headers;

    *at++ = VERSION_AND_LENGTH;
    *at++ = datagram->tos;
    at = put16(at, IN4_BYTES + UDP_BYTES + datagram->len);
    at = put16(put16(at, 0), DONT_FRAGMENT);
    *at++ = datagram->ttl;
    *at++ = IPPROTO_UDP;
    at = put(put16(at, 0), &from->sin_addr, sizeof from->sin_addr);
    put(at, &to->sin_addr, sizeof to->sin_addr);
    put_checksum(headers + CHECKSUM_AT, checksum(add_words(0, headers, IN4_BYTES)));
    write_udp(datagram, from->sin_port, to->sin_port, headers + HOSTS_AT, IN4_BYTES - HOSTS_AT,
              headers + IN4_BYTES);
    return IN4_BYTES + UDP_BYTES;
}

static size_t write_in6(const struct ip_datagram *datagram, const struct sockaddr_in6 *from,
                        const struct sockaddr_in6 *to, unsigned char *headers)
{
    enum { VERSION = 6, HOSTS_AT = 8 };
    unsigned char *at = headers;

    *at++ = (unsigned char)(VERSION << 4 | datagram->tos >> 4);
    *at++ = (unsigned char)(datagram->tos << 4);
    at = put16(put16(at, 0), UDP_BYTES + datagram->len);
    *at++ = IPPROTO_UDP;
    *at++ = datagram->ttl;
    at = put(at, &from->sin6_addr, sizeof from->sin6_addr);
    put(at, &to->sin6_addr, sizeof to->sin6_addr);
    write_udp(datagram, from->sin6_port, to->sin6_port, headers + HOSTS_AT, IN6_BYTES - HOSTS_AT,
              headers + IN6_BYTES);
    return IN6_BYTES + UDP_BYTES;
}

size_t ip_headers_write(const struct ip_datagram *datagram, unsigned char headers[IP_HEADERS_MAX])
{
    const union udpbatch_addr from = address_unmap(&datagram->from);
    const union udpbatch_addr to = address_unmap(&datagram->to);

    return from.sa.sa_family == AF_INET6 ? write_in6(datagram, &from.in6, &to.in6, headers)
                                         : write_in4(datagram, &from.in4, &to.in4, headers);
}
