/* packets_frames.c: the datagram in a frame of any bytes, and in one that was made. */
#include "packets.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "capture_parse.h"
#include "ip_headers.h"
#include "scoped_address.h"

enum { LINKS = CAPTURE_RAW + 1 };

static const size_t link_lens[LINKS] = { 14, 16, 20, 4, 0 };

/* ---- Any bytes ------------------------------------------------------------------------------ */

/* Where the packet ends by its own header, if nothing is between that and the link's. */
static size_t packet_end(enum capture_link link, const unsigned char *frame, size_t captured)
{
    const bool plain = link == CAPTURE_RAW || link == CAPTURE_FAMILY;
    const unsigned char *ip = frame + link_lens[link];
    const bool in4 = plain && ip[0] >> 4 == 4;
    const size_t len = !plain ? 0 : in4 ? (size_t)ip[2] << 8 | ip[3] : (size_t)ip[4] << 8 | ip[5];

    return len == 0 ? captured : link_lens[link] + len + (in4 ? 0 : 40);
}

/* Of a copy that ends where the bytes do; the datagram's data lies in the bytes themselves. */
static enum capture_verdict parse(enum capture_link link, const uint8_t *bytes, size_t captured,
                                  size_t len, struct captured_datagram *datagram)
{
    unsigned char *copy = malloc(captured > 0 ? captured : 1);
    require(copy != NULL);
    memcpy(copy, bytes, captured);
    const struct captured_frame frame = { copy, captured, len };
    const enum capture_verdict verdict = capture_parse(link, &frame, datagram);

    if (verdict == CAPTURE_DATAGRAM) {
        const size_t at = (size_t)(datagram->data - copy);
        require(at >= link_lens[link] + (datagram->to.sa.sa_family == AF_INET ? 20 : 40) + 8);
        require(at <= captured && datagram->len <= captured - at);
        require(at + datagram->len <= packet_end(link, copy, captured));
        datagram->data = bytes + at;
    }
    free(copy);
    return verdict;
}

static bool is_same(const struct captured_datagram *a, const struct captured_datagram *b)
{
    return a->data == b->data && a->len == b->len && same_scoped_address(&a->to, &b->to);
}

/* The whole frame with its length on the wire, and the verdict on it. */
struct judged {
    enum capture_link link;
    const uint8_t *bytes;
    size_t len;
    enum capture_verdict verdict;
    struct captured_datagram datagram;
};

static void expect_of_part(const struct judged *whole, size_t captured)
{
    struct captured_datagram datagram;
    const enum capture_verdict verdict =
        parse(whole->link, whole->bytes, captured, whole->len, &datagram);

    require(verdict == whole->verdict || verdict == CAPTURE_TRUNCATED);
    require(verdict != CAPTURE_DATAGRAM || is_same(&datagram, &whole->datagram));
}

void try_frame(struct fuzz_input *input)
{
    enum { EACH = 160 };
    struct judged whole = { .link = (enum capture_link)take_below(input, LINKS) };
    const size_t on_wire = take_16(input);
    const size_t captured = input->left;

    whole.bytes = input->at;
    whole.len = on_wire > captured ? on_wire : captured;
    whole.verdict = parse(whole.link, whole.bytes, captured, on_wire, &whole.datagram);
    require(whole.verdict >= CAPTURE_DATAGRAM && whole.verdict <= CAPTURE_DAMAGED);
    require(whole.verdict != CAPTURE_TRUNCATED || on_wire > captured);
    require(whole.verdict != CAPTURE_DATAGRAM || whole.datagram.to.sa.sa_family == AF_INET ||
            whole.datagram.to.sa.sa_family == AF_INET6);
    for (size_t part = 0; part < captured; part += part < EACH ? 1 : EACH)
        expect_of_part(&whole, part);
}

/* ---- Made ----------------------------------------------------------------------------------- */

static union udpbatch_addr take_address(struct fuzz_input *input, bool in6)
{
    union udpbatch_addr address = { .in4 = { .sin_family = AF_INET } };

    if (in6) {
        address = (union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6 } };
        take_bytes(input, &address.in6.sin6_addr, sizeof address.in6.sin6_addr);
    } else {
        take_bytes(input, &address.in4.sin_addr, sizeof address.in4.sin_addr);
    }
    address.in4.sin_port = htons(take_16(input));
    return address;
}

/* Returns the length of the header before that of IP. */
static size_t put_link(enum capture_link link, bool in6, unsigned char *bytes)
{
    static const size_t types_at[] = { 12, 14, 0 };
    const unsigned type = in6 ? 0x86dd : 0x0800;

    memset(bytes, 0, link_lens[link]);
    if (link == CAPTURE_FAMILY)
        bytes[3] = in6 ? 30 : 2;
    if (link < CAPTURE_FAMILY) {
        bytes[types_at[link]] = (unsigned char)(type >> 8);
        bytes[types_at[link] + 1] = (unsigned char)type;
    }
    return link_lens[link];
}

/* A receiver's sum (RFC 768, RFC 1071): right if it is 0xffff. */
static unsigned sum_of(unsigned sum, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (unsigned)bytes[i] << 8 : bytes[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void expect_checksums(const unsigned char *packet, size_t headers, size_t len)
{
    enum { UDP_HEADER = 8, IN4_HEADER = 20 };
    const size_t udp_at = headers - UDP_HEADER, udp_len = len - udp_at;
    const bool in4 = udp_at == IN4_HEADER;
    const size_t hosts_at = in4 ? 12 : 8;
    unsigned sum = sum_of(IPPROTO_UDP + (unsigned)udp_len, packet + hosts_at, udp_at - hosts_at);

    require(sum_of(sum, packet + udp_at, udp_len) == 0xffff);
    require(packet[udp_at + 6] != 0 || packet[udp_at + 7] != 0);
    require(!in4 || sum_of(0, packet, IN4_HEADER) == 0xffff);
}

/* A datagram whose addresses are of one family. */
static bool take_datagram(struct fuzz_input *input, struct ip_datagram *datagram)
{
    const bool in6 = take_bool(input);

    datagram->from = take_address(input, in6);
    datagram->to = take_address(input, in6);
    datagram->tos = take_8(input);
    datagram->ttl = take_8(input);
    datagram->data = input->at;
    datagram->len = (uint32_t)input->left;
    return address_unmap(&datagram->from).sa.sa_family == address_unmap(&datagram->to).sa.sa_family;
}

static void try_behind(enum capture_link link, const struct ip_datagram *datagram)
{
    enum { LINK_MOST = 20, PADDING = 18 };
    const union udpbatch_addr to = address_unmap(&datagram->to);
    unsigned char *frame = malloc(LINK_MOST + IP_HEADERS_MAX + datagram->len + PADDING);
    struct captured_datagram found;

    require(frame != NULL);
    const size_t ip_at = put_link(link, to.sa.sa_family == AF_INET6, frame);
    const size_t headers = ip_headers_write(datagram, frame + ip_at);
    const size_t len = ip_at + headers + datagram->len;
    memcpy(frame + ip_at + headers, datagram->data, datagram->len);
    memset(frame + len, 'p', PADDING);
    expect_checksums(frame + ip_at, headers, headers + datagram->len);
    require(parse(link, frame, len + PADDING, 0, &found) == CAPTURE_DATAGRAM);
    require(found.len == datagram->len && found.data == frame + ip_at + headers);
    require(same_scoped_address(&found.to, &to));
    require(parse(link, frame, len - 1, len, &found) == CAPTURE_TRUNCATED);
    free(frame);
}

void try_headers(struct fuzz_input *input)
{
    struct ip_datagram datagram;

    if (take_datagram(input, &datagram))
        for (int link = 0; link < LINKS; link++)
            try_behind((enum capture_link)link, &datagram);
}
