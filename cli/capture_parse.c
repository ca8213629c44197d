/* capture_parse.c: the UDP datagram in a captured frame, or why there is none. Pure. */
#include "capture_parse.h"

#include <string.h>

/* Of Ethernet, and two that it does not have: below 0x600 they are lengths. */
enum { TYPE_ANY_IP = 0, TYPE_OTHER = 1, TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd };

/* Protocols, which are also the kinds of IPv6's extension headers (IANA, "protocol numbers"). */
enum {
    HOP_BY_HOP = 0,
    UDP = 17,
    ROUTING = 43,
    FRAGMENT = 44,
    AUTHENTICATION = 51,
    DESTINATION_OPTIONS = 60
};

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8 };

/* What is left of a frame behind the headers that were read. */
struct rest {
    const unsigned char *bytes;
    size_t captured;
    size_t len; /* by what the wire and the headers before say: at least as many */
};

static unsigned read_16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static bool has(const struct rest *rest, size_t len)
{
    return rest->captured >= len;
}

/* Why `len` bytes are not there. */
static enum capture_verdict missing(const struct rest *rest, size_t len)
{
    return rest->len < len ? CAPTURE_DAMAGED : CAPTURE_TRUNCATED;
}

static void skip(struct rest *rest, size_t len)
{
    rest->bytes += len;
    rest->captured -= len;
    rest->len -= len;
}

/* Leaves off what follows behind `len` bytes, such as the padding of a short Ethernet frame. */
static void limit(struct rest *rest, size_t len)
{
    rest->len = len;
    if (rest->captured > len)
        rest->captured = len;
}

/* ---- UDP ----------------------------------------------------------------------------------- */

static enum capture_verdict parse_udp(struct rest rest, struct captured_datagram *datagram)
{
    if (!has(&rest, UDP_HEADER))
        return missing(&rest, UDP_HEADER);
    const size_t len = read_16(rest.bytes + 4);
    /* 0 is that of a jumbogram (RFC 2675), whose length an IPv6 option has. */
    if (len < UDP_HEADER || len > rest.len)
        return CAPTURE_DAMAGED;
    if (!has(&rest, len))
        return CAPTURE_TRUNCATED;
    /* The port is at the same place in both families. */
    memcpy(&datagram->to.in4.sin_port, rest.bytes + 2, sizeof datagram->to.in4.sin_port);
    datagram->data = rest.bytes + UDP_HEADER;
    datagram->len = len - UDP_HEADER;
    return CAPTURE_DATAGRAM;
}

/* ---- IP ------------------------------------------------------------------------------------ */

/* A length of 0 is what a capture has of a packet that the device was to cut apart (segmentation
 * offload): the frame says how long it is. */
static size_t given_or_rest(size_t given, const struct rest *rest)
{
    return given != 0 ? given : rest->len;
}

static enum capture_verdict parse_ipv4(struct rest rest, struct captured_datagram *datagram)
{
    if (!has(&rest, IPV4_HEADER))
        return missing(&rest, IPV4_HEADER);
    const unsigned char *header = rest.bytes;
    const size_t header_len = (size_t)(header[0] & 0xf) * 4;
    const size_t total_len = given_or_rest(read_16(header + 2), &rest);
    if (header_len < IPV4_HEADER || header_len > total_len || total_len > rest.len)
        return CAPTURE_DAMAGED;
    if (header[9] != UDP)
        return CAPTURE_OTHER;
    /* More fragments follow, or it is not the first. */
    if ((read_16(header + 6) & 0x3fff) != 0)
        return CAPTURE_FRAGMENT;
    if (!has(&rest, header_len))
        return CAPTURE_TRUNCATED;
    limit(&rest, total_len);
    skip(&rest, header_len);
    datagram->to = (union udpbatch_addr){ .in4 = { .sin_family = AF_INET } };
    memcpy(&datagram->to.in4.sin_addr, header + 16, sizeof datagram->to.in4.sin_addr);
    return parse_udp(rest, datagram);
}

static bool is_extension(unsigned kind)
{
    return kind == HOP_BY_HOP || kind == ROUTING || kind == FRAGMENT || kind == AUTHENTICATION ||
           kind == DESTINATION_OPTIONS;
}

/* Each counts in units of its own (RFC 8200 section 4; RFC 4302 section 2.2). */
static size_t extension_len(unsigned kind, const unsigned char *header)
{
    if (kind == FRAGMENT)
        return 8;
    return kind == AUTHENTICATION ? ((size_t)header[1] + 2) * 4 : ((size_t)header[1] + 1) * 8;
}

/* All but an atomic one, which is whole (RFC 6946). */
static bool is_fragment(unsigned kind, const unsigned char *header)
{
    return kind == FRAGMENT && (read_16(header + 2) & 0xfff9) != 0;
}

static enum capture_verdict parse_extensions(struct rest rest, unsigned kind,
                                             struct captured_datagram *datagram)
{
    enum { SHORTEST = 8 };
    bool fragment = false;

    while (is_extension(kind) && !fragment) {
        if (!has(&rest, SHORTEST))
            return missing(&rest, SHORTEST);
        const unsigned char *header = rest.bytes;
        const size_t len = extension_len(kind, header);
        fragment = is_fragment(kind, header);
        if (!has(&rest, len))
            return missing(&rest, len);
        skip(&rest, len);
        kind = header[0];
    }
    if (kind != UDP && !(fragment && is_extension(kind)))
        return CAPTURE_OTHER;
    return fragment ? CAPTURE_FRAGMENT : parse_udp(rest, datagram);
}

static enum capture_verdict parse_ipv6(struct rest rest, struct captured_datagram *datagram)
{
    if (!has(&rest, IPV6_HEADER))
        return missing(&rest, IPV6_HEADER);
    const unsigned char *header = rest.bytes;
    skip(&rest, IPV6_HEADER);
    const size_t len = given_or_rest(read_16(header + 4), &rest);
    if (len > rest.len)
        return CAPTURE_DAMAGED;
    limit(&rest, len);
    datagram->to = (union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6 } };
    memcpy(&datagram->to.in6.sin6_addr, header + 24, sizeof datagram->to.in6.sin6_addr);
    return parse_extensions(rest, header[6], datagram);
}

static enum capture_verdict parse_ip(struct rest rest, unsigned type,
                                     struct captured_datagram *datagram)
{
    if (type != TYPE_ANY_IP && type != TYPE_IPV4 && type != TYPE_IPV6)
        return CAPTURE_OTHER;
    if (!has(&rest, 1))
        return missing(&rest, 1);
    const unsigned version = rest.bytes[0] >> 4;
    if (version == 4 && type != TYPE_IPV6)
        return parse_ipv4(rest, datagram);
    if (version == 6 && type != TYPE_IPV4)
        return parse_ipv6(rest, datagram);
    return type == TYPE_ANY_IP ? CAPTURE_OTHER : CAPTURE_DAMAGED;
}

/* ---- Links --------------------------------------------------------------------------------- */

static bool is_vlan(unsigned type)
{
    return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

/* A header of `len` bytes, with an Ethernet type at `at`, and any number of VLAN tags behind it. */
static enum capture_verdict parse_typed(struct rest rest, size_t len, size_t at,
                                        struct captured_datagram *datagram)
{
    enum { TAG = 4 };

    if (!has(&rest, len))
        return missing(&rest, len);
    unsigned type = read_16(rest.bytes + at);
    skip(&rest, len);
    while (is_vlan(type)) {
        if (!has(&rest, TAG))
            return missing(&rest, TAG);
        type = read_16(rest.bytes + 2);
        skip(&rest, TAG);
    }
    return type < 0x600 ? CAPTURE_OTHER : parse_ip(rest, type, datagram);
}

/* AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on
 * macOS. */
static unsigned type_of_family(const unsigned char *bytes)
{
    const unsigned high = read_16(bytes), low = read_16(bytes + 2);
    const unsigned family = high == 0 ? low : low == 0 ? high >> 8 | (high & 0xff) << 8 : 0;

    if (family == 2)
        return TYPE_IPV4;
    return family == 10 || family == 24 || family == 28 || family == 30 ? TYPE_IPV6 : TYPE_OTHER;
}

static enum capture_verdict parse_family(struct rest rest, struct captured_datagram *datagram)
{
    enum { FAMILY = 4 };

    if (!has(&rest, FAMILY))
        return missing(&rest, FAMILY);
    const unsigned type = type_of_family(rest.bytes);
    skip(&rest, FAMILY);
    return parse_ip(rest, type, datagram);
}

enum capture_verdict capture_parse(enum capture_link link, const struct captured_frame *frame,
                                   struct captured_datagram *datagram)
{
    const size_t len = frame->len > frame->captured ? frame->len : frame->captured;
    const struct rest rest = { frame->bytes, frame->captured, len };

    switch (link) {
    case CAPTURE_ETHERNET:
        return parse_typed(rest, 14, 12, datagram);
    case CAPTURE_COOKED:
        return parse_typed(rest, 16, 14, datagram);
    case CAPTURE_COOKED_2:
        return parse_typed(rest, 20, 0, datagram);
    case CAPTURE_FAMILY:
        return parse_family(rest, datagram);
    case CAPTURE_RAW:
        break;
    }
    return parse_ip(rest, TYPE_ANY_IP, datagram);
}
