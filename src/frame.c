/* frame.c: UDP datagrams as Ethernet frames, checksums and all. Pure.
 *
 * All sums are of words as they lie in memory, whatever its byte order: the sum comes out in the
 * same order (RFC 1071, 2(B)), and is stored as it is. */
#include "frame.h"

#include <string.h>

enum { ETHERTYPE_IN4 = 0x0800, ETHERTYPE_IN6 = 0x86dd, PROTOCOL_UDP = 17 };

/* Where things are in a frame: Ethernet's, then IPv4's, IPv6's, and from UDP's header on. */
enum { TO_MAC = 0, FROM_MAC = 6, ETHERTYPE = 12, IP = UB_FRAME_ETHERNET };
enum {
    IN4_VERSION = IP,
    IN4_TOS = IP + 1,
    IN4_LENGTH = IP + 2,
    IN4_ID = IP + 4,
    IN4_FRAGMENT = IP + 6,
    IN4_TTL = IP + 8,
    IN4_PROTOCOL = IP + 9,
    IN4_CHECKSUM = IP + 10,
    IN4_FROM = IP + 12,
    IN4_TO = IP + 16,
    IN4_UDP = IP + UB_FRAME_IN4
};
enum {
    IN6_VERSION = IP,
    IN6_LENGTH = IP + 4,
    IN6_PROTOCOL = IP + 6,
    IN6_HOP_LIMIT = IP + 7,
    IN6_FROM = IP + 8,
    IN6_TO = IP + 24,
    IN6_UDP = IP + UB_FRAME_IN6
};
enum { FROM_PORT = 0, TO_PORT = 2, LENGTH = 4, CHECKSUM = 6 };

static void put(unsigned char *at, uint16_t word)
{
    memcpy(at, &word, sizeof word);
}

/* ---- Sums ------------------------------------------------------------------------------------ */

/* Words of 64 bits, and with their carry, are as good as those of 16 (RFC 1071, 2(C)). */
static inline uint64_t add(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

static inline uint64_t halves(uint64_t sum)
{
    return (sum & UINT32_MAX) + (sum >> 32);
}

static inline uint16_t fold_32(uint32_t sum)
{
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint16_t)((sum & UINT16_MAX) + (sum >> 16));
}

static inline uint16_t fold(uint64_t sum)
{
    return fold_32((uint32_t)halves(halves(sum)));
}

static inline uint64_t word_64(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* A tree, so that few additions wait for the one before. It alone was fast under gcc and clang: of
 * arrays of sums one of them makes vectors, and the other is slow. */
static inline uint64_t sum_of_64_bytes(const unsigned char *at)
{
    uint64_t a = add(add(word_64(at), word_64(at + 8)), add(word_64(at + 16), word_64(at + 24)));
    at += 32;
    uint64_t b = add(add(word_64(at), word_64(at + 8)), add(word_64(at + 16), word_64(at + 24)));
    return halves(add(a, b));
}

/* Of fewer than eight bytes; the last odd one has a zero behind it. */
static uint64_t sum_of_rest(const unsigned char *at, size_t len)
{
    uint64_t sum = 0;
    uint32_t word_32;
    uint16_t word_16;

    if (len & 4) {
        memcpy(&word_32, at, sizeof word_32);
        sum += word_32;
        at += 4;
    }
    if (len & 2) {
        memcpy(&word_16, at, sizeof word_16);
        sum += word_16;
        at += 2;
    }
    if (len & 1)
        sum += htons((uint16_t)(*at << 8));
    return sum;
}

static uint16_t sum_of_bytes(const unsigned char *at, size_t len)
{
    uint64_t sum = 0;

    for (; len >= 64; len -= 64, at += 64)
        sum += sum_of_64_bytes(at);
    for (; len >= 8; len -= 8, at += 8)
        sum += halves(word_64(at));
    return fold(sum + sum_of_rest(at, len));
}

/* Behind an odd number of bytes all words are put together the other way (RFC 1071, 2(B)). */
static uint16_t swapped(uint16_t sum)
{
    return (uint16_t)(sum << 8 | sum >> 8);
}

uint16_t ub_frame_join(uint16_t sum, uint16_t part, size_t bytes_before)
{
    return fold_32((uint32_t)sum + (bytes_before % 2 == 0 ? part : swapped(part)));
}

uint16_t ub_frame_sum(const struct udpbatch_piece *pieces, uint32_t count)
{
    uint16_t total = 0;
    size_t behind = 0; /* bytes before the piece at hand */

    for (uint32_t i = 0; i < count; i++) {
        total = ub_frame_join(total, sum_of_bytes(pieces[i].data, pieces[i].len), behind);
        behind += pieces[i].len;
    }
    return total;
}

/* ---- What all datagrams of a flow share ------------------------------------------------------ */

/* What a datagram adds is zero here. The sum of the pseudo header is that of addresses, protocol
 * and length: in both families the addresses lie side by side. */
static void prepare_in4(struct ub_frame_headers *headers, const struct ub_frame_flow *flow)
{
    unsigned char *bytes = headers->bytes;

    put(bytes + ETHERTYPE, htons(ETHERTYPE_IN4));
    bytes[IN4_VERSION] = 0x45; /* a header of five words */
    bytes[IN4_PROTOCOL] = PROTOCOL_UDP;
    memcpy(bytes + IN4_FROM, flow->from, 4);
    memcpy(bytes + IN4_TO, flow->to, 4);
    headers->len = IN4_UDP + UB_FRAME_UDP;
    headers->ip_sum = sum_of_bytes(bytes + IP, UB_FRAME_IN4);
    headers->udp_sum = sum_of_bytes(bytes + IN4_FROM, 8);
}

static void prepare_in6(struct ub_frame_headers *headers, const struct ub_frame_flow *flow)
{
    unsigned char *bytes = headers->bytes;

    put(bytes + ETHERTYPE, htons(ETHERTYPE_IN6));
    bytes[IN6_PROTOCOL] = PROTOCOL_UDP;
    memcpy(bytes + IN6_FROM, flow->from, 16);
    memcpy(bytes + IN6_TO, flow->to, 16);
    headers->len = IN6_UDP + UB_FRAME_UDP;
    headers->udp_sum = sum_of_bytes(bytes + IN6_FROM, 32);
}

void ub_frame_prepare(struct ub_frame_headers *headers, const struct ub_frame_flow *flow)
{
    *headers = (struct ub_frame_headers){ .is_in4 = flow->is_in4 };
    memcpy(headers->bytes + TO_MAC, flow->to_mac, UB_MAC);
    memcpy(headers->bytes + FROM_MAC, flow->from_mac, UB_MAC);
    if (flow->is_in4)
        prepare_in4(headers, flow);
    else
        prepare_in6(headers, flow);

    unsigned char *udp = headers->bytes + headers->len - UB_FRAME_UDP;
    put(udp + FROM_PORT, flow->from_port);
    put(udp + TO_PORT, flow->to_port);
    headers->udp_sum += htons(PROTOCOL_UDP);
    headers->udp_sum += (uint32_t)flow->from_port + flow->to_port;
}

/* ---- One datagram ---------------------------------------------------------------------------- */

static inline uint16_t udp_len(const struct ub_frame_datagram *datagram)
{
    return htons((uint16_t)(UB_FRAME_UDP + datagram->len));
}

/* Zero stands for no checksum, so one that comes out as it is sent as its other form (RFC 768). */
static inline uint16_t udp_checksum(const struct ub_frame_headers *headers,
                                    const struct ub_frame_datagram *datagram)
{
    /* The length is in the pseudo header and in UDP's. */
    uint32_t sum = headers->udp_sum + 2 * (uint32_t)udp_len(datagram) + datagram->sum;
    uint16_t checksum = (uint16_t)~fold_32(sum);
    return checksum != 0 ? checksum : UINT16_MAX;
}

static inline void write_in4(unsigned char *frame, const struct ub_frame_headers *headers,
                             const struct ub_frame_datagram *datagram)
{
    const uint16_t tos = htons(datagram->tos), ttl = htons((uint16_t)(datagram->ttl << 8));
    const uint16_t len = htons((uint16_t)(UB_FRAME_IN4 + UB_FRAME_UDP + datagram->len));
    const uint16_t fragment = htons(datagram->forbids_fragments ? 0x4000 : 0);
    const uint32_t sum = headers->ip_sum + tos + len + datagram->id + fragment + ttl;
    const uint16_t checksum = udp_checksum(headers, datagram);

    memcpy(frame, headers->bytes, IN4_UDP + UB_FRAME_UDP);
    frame[IN4_TOS] = datagram->tos;
    put(frame + IN4_LENGTH, len);
    put(frame + IN4_ID, datagram->id);
    put(frame + IN4_FRAGMENT, fragment);
    frame[IN4_TTL] = datagram->ttl;
    put(frame + IN4_CHECKSUM, (uint16_t)~fold_32(sum));
    put(frame + IN4_UDP + LENGTH, udp_len(datagram));
    put(frame + IN4_UDP + CHECKSUM, checksum);
}

static inline void write_in6(unsigned char *frame, const struct ub_frame_headers *headers,
                             const struct ub_frame_datagram *datagram)
{
    const uint16_t version_and_class = htons((uint16_t)(0x6000 | datagram->tos << 4));
    const uint16_t checksum = udp_checksum(headers, datagram);

    memcpy(frame, headers->bytes, IN6_UDP + UB_FRAME_UDP);
    put(frame + IN6_VERSION, version_and_class);
    put(frame + IN6_LENGTH, udp_len(datagram));
    frame[IN6_HOP_LIMIT] = datagram->ttl;
    put(frame + IN6_UDP + LENGTH, udp_len(datagram));
    put(frame + IN6_UDP + CHECKSUM, checksum);
}

static inline unsigned char *gather_payload(unsigned char *end,
                                            const struct ub_frame_datagram *datagram)
{
    for (uint32_t i = 0; i < datagram->piece_count; i++) {
        const struct udpbatch_piece *piece = &datagram->pieces[i];
        if (piece->len == 0) /* its data may be NULL, of which memcpy wants to know nothing */
            continue;
        memcpy(end, piece->data, piece->len);
        end += piece->len;
    }
    return end;
}

size_t ub_frame_write(unsigned char *frame, const struct ub_frame_headers *headers,
                      const struct ub_frame_datagram *datagram)
{
    assert(datagram->len <= UINT16_MAX - UB_FRAME_UDP - (headers->is_in4 ? UB_FRAME_IN4 : 0));
    if (headers->is_in4)
        write_in4(frame, headers, datagram);
    else
        write_in6(frame, headers, datagram);

    unsigned char *end = gather_payload(frame + headers->len, datagram);
    const size_t len = (size_t)(end - frame);
    assert(len == (size_t)headers->len + datagram->len);
    return len;
}
