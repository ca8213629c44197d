/* frame.h: UDP datagrams as Ethernet frames, checksums and all. Pure. */
#ifndef UB_FRAME_H
#define UB_FRAME_H

#include "internal.h"

enum {
    UB_MAC = 6,
    UB_FRAME_ETHERNET = 14,
    UB_FRAME_IN4 = 20, /* RFC 791, without options */
    UB_FRAME_IN6 = 40, /* RFC 8200 */
    UB_FRAME_UDP = 8,  /* RFC 768 */
    UB_FRAME_HEADERS_MOST = UB_FRAME_ETHERNET + UB_FRAME_IN6 + UB_FRAME_UDP
};

/* From where to where. Addresses and ports are as they are on the wire. */
struct ub_frame_flow {
    bool is_in4;
    unsigned char from_mac[UB_MAC], to_mac[UB_MAC];
    unsigned char from[16], to[16]; /* of IPv4 the first four bytes */
    uint16_t from_port, to_port;
};

/* The headers that all datagrams of a flow share, and the sums of what is in them. */
struct ub_frame_headers {
    unsigned char bytes[UB_FRAME_HEADERS_MOST];
    bool is_in4;
    uint8_t len;      /* of bytes in use */
    uint32_t ip_sum;  /* of IPv4's header, without what each datagram adds */
    uint32_t udp_sum; /* of the pseudo header and the ports, without length and payload */
};

/* What a datagram adds. */
struct ub_frame_datagram {
    const struct udpbatch_piece *pieces; /* the payload */
    uint32_t piece_count;
    uint32_t len; /* of all pieces */
    uint16_t sum; /* ub_frame_sum of them */
    uint16_t id;  /* IPv4's identification; any byte order will do */
    uint8_t tos, ttl;
    bool forbids_fragments; /* IPv4's DF bit */
};

/* The ones' complement sum of RFC 1071, not complemented, of the bytes of all pieces in a row, of
 * whatever lengths; in the byte order of memory, as the checksum fields are. Zero only if all bytes
 * are. */
uint16_t ub_frame_sum(const struct udpbatch_piece *pieces, uint32_t count);

/* The sum of what `sum` is of, and behind so many bytes of it what `part` is of. */
uint16_t ub_frame_join(uint16_t sum, uint16_t part, size_t bytes_before);

void ub_frame_prepare(struct ub_frame_headers *headers, const struct ub_frame_flow *flow);

/* Writes headers->len + datagram->len bytes, which it returns, and none behind them. IPv4 has no
 * options, IPv6 no flow label and no extension headers. */
size_t ub_frame_write(unsigned char *frame, const struct ub_frame_headers *headers,
                      const struct ub_frame_datagram *datagram);

#endif
