/* fuzz_frame.c: datagrams of any addresses and payloads as frames, which are read again byte by
 * byte as RFC 768, 791, 1071 and 8200 say. */
#include "frame.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum {
    PIECES = 8,
    DATAGRAMS = 4,
    FROM_16_BITS = 252,
    PAYLOAD_MOST_IN4 = 65507,
    PAYLOAD_MOST_IN6 = 65527
};

/* ---- The payload ----------------------------------------------------------------------------- */

/* Each piece lies in memory of its own, which ends with it, at any address. */
struct payload {
    struct udpbatch_piece pieces[PIECES];
    void *homes[PIECES];
    uint32_t count;
    size_t len;
};

/* Long ones are of bytes that carries come of, short ones are the input's. */
static void fill(unsigned char *bytes, size_t len, uint8_t kind, struct fuzz_input *input)
{
    if (len <= 64)
        take_bytes(input, bytes, len);
    else if (kind % 4 == 0)
        fill_by(bytes, len, kind);
    else
        memset(bytes, kind % 4 == 1 ? 0xff : kind % 4 == 2 ? 0 : kind, len);
}

static void add_piece(struct payload *payload, size_t len, uint8_t kind, struct fuzz_input *input)
{
    const size_t misalignment = kind / 4 % 8;
    unsigned char *home = malloc(misalignment + len > 0 ? misalignment + len : 1);

    require(home != NULL);
    fill(home + misalignment, len, kind, input);
    payload->homes[payload->count] = home;
    payload->pieces[payload->count++] = (struct udpbatch_piece){ home + misalignment, len };
    payload->len += len;
}

static struct payload take_payload(struct fuzz_input *input, size_t most)
{
    struct payload payload = { .count = 0 };

    for (unsigned pieces = take_below(input, PIECES + 1); pieces > 0; pieces--) {
        const uint8_t kind = take_8(input);
        size_t len = kind < FROM_16_BITS ? take_8(input) : take_16(input);
        if (len > most - payload.len)
            len = most - payload.len;
        add_piece(&payload, len, kind, input);
    }
    return payload;
}

static void free_payload(struct payload *payload)
{
    for (uint32_t i = 0; i < payload->count; i++)
        free(payload->homes[i]);
}

/* ---- Sums, as RFC 1071 has them -------------------------------------------------------------- */

struct sum {
    uint32_t sum;
    size_t len;
};

/* The first byte of each pair is the higher one. */
static void add_bytes(struct sum *sum, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++, sum->len++) {
        sum->sum += sum->len % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
        if (sum->sum > 0xffff)
            sum->sum -= 0xffff;
    }
}

static uint32_t sum_of(const void *data, size_t len)
{
    struct sum sum = { 0 };
    add_bytes(&sum, data, len);
    return sum.sum;
}

static uint16_t checked_sum(const struct payload *payload)
{
    struct sum sum = { 0 };
    uint16_t joined = 0;

    for (uint32_t i = 0; i < payload->count; i++) {
        const uint16_t part = ub_frame_sum(&payload->pieces[i], 1);
        joined = ub_frame_join(joined, part, sum.len);
        add_bytes(&sum, payload->pieces[i].data, payload->pieces[i].len);
    }
    const uint16_t whole = ub_frame_sum(payload->pieces, payload->count);
    require(ntohs(whole) == sum.sum && joined == whole);
    return whole;
}

/* ---- A frame that is read -------------------------------------------------------------------- */

static unsigned word_at(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* With the checksum in it the sum is all ones; and no checksum is not an IPv6 datagram's right. */
static void check_udp(const unsigned char *udp, const unsigned char *addresses, size_t address_size,
                      const struct ub_frame_flow *flow, const struct ub_frame_datagram *datagram)
{
    const size_t len = 8 + datagram->len;
    const unsigned char pseudo[4] = { 0, 17, (unsigned char)(len >> 8), (unsigned char)len };
    struct sum sum = { 0 };
    size_t at = 8;

    require(memcmp(udp, &flow->from_port, 2) == 0 && memcmp(udp + 2, &flow->to_port, 2) == 0);
    require(word_at(udp + 4) == len);
    require(word_at(udp + 6) != 0);
    add_bytes(&sum, addresses, 2 * address_size);
    add_bytes(&sum, pseudo, sizeof pseudo);
    add_bytes(&sum, udp, len);
    require(sum.sum == 0xffff);
    for (uint32_t i = 0; i < datagram->piece_count; i++) {
        require(memcmp(udp + at, datagram->pieces[i].data, datagram->pieces[i].len) == 0);
        at += datagram->pieces[i].len;
    }
    require(at == len);
}

static void check_in4(const unsigned char *ip, const struct ub_frame_flow *flow,
                      const struct ub_frame_datagram *datagram)
{
    require(ip[0] == 0x45 && ip[1] == datagram->tos);
    require(word_at(ip + 2) == 28 + datagram->len);
    require(memcmp(ip + 4, &datagram->id, 2) == 0);
    require(word_at(ip + 6) == (datagram->forbids_fragments ? 0x4000u : 0u));
    require(ip[8] == datagram->ttl && ip[9] == 17);
    require(sum_of(ip, 20) == 0xffff);
    require(memcmp(ip + 12, flow->from, 4) == 0 && memcmp(ip + 16, flow->to, 4) == 0);
    check_udp(ip + 20, ip + 12, 4, flow, datagram);
}

static void check_in6(const unsigned char *ip, const struct ub_frame_flow *flow,
                      const struct ub_frame_datagram *datagram)
{
    require(word_at(ip) == (0x6000u | (unsigned)datagram->tos << 4));
    require(word_at(ip + 2) == 0);
    require(word_at(ip + 4) == 8 + datagram->len);
    require(ip[6] == 17 && ip[7] == datagram->ttl);
    require(memcmp(ip + 8, flow->from, 16) == 0 && memcmp(ip + 24, flow->to, 16) == 0);
    check_udp(ip + 40, ip + 8, 16, flow, datagram);
}

static void check_frame(const unsigned char *frame, const struct ub_frame_flow *flow,
                        const struct ub_frame_datagram *datagram)
{
    require(memcmp(frame, flow->to_mac, 6) == 0 && memcmp(frame + 6, flow->from_mac, 6) == 0);
    require(word_at(frame + 12) == (flow->is_in4 ? 0x0800u : 0x86ddu));
    if (flow->is_in4)
        check_in4(frame + 14, flow, datagram);
    else
        check_in6(frame + 14, flow, datagram);
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static struct ub_frame_flow take_flow(struct fuzz_input *input)
{
    struct ub_frame_flow flow = { .is_in4 = take_bool(input) };

    take_bytes(input, flow.from_mac, sizeof flow.from_mac);
    take_bytes(input, flow.to_mac, sizeof flow.to_mac);
    take_bytes(input, flow.from, sizeof flow.from);
    take_bytes(input, flow.to, sizeof flow.to);
    flow.from_port = htons(take_16(input));
    flow.to_port = htons(take_16(input));
    return flow;
}

static void write_frame(const struct ub_frame_headers *headers, const struct ub_frame_flow *flow,
                        const struct ub_frame_datagram *datagram)
{
    const size_t size = (flow->is_in4 ? 42 : 62) + (size_t)datagram->len;
    unsigned char *frame = malloc(size);

    require(frame != NULL);
    memset(frame, 0xa5, size);
    require(ub_frame_write(frame, headers, datagram) == size);
    check_frame(frame, flow, datagram);
    free(frame);
}

static void one_datagram(const struct ub_frame_headers *headers, const struct ub_frame_flow *flow,
                         struct fuzz_input *input)
{
    struct ub_frame_datagram datagram = { .tos = take_8(input) };
    datagram.ttl = take_8(input);
    datagram.id = htons(take_16(input));
    datagram.forbids_fragments = take_bool(input);
    struct payload payload =
        take_payload(input, flow->is_in4 ? PAYLOAD_MOST_IN4 : PAYLOAD_MOST_IN6);

    datagram.pieces = payload.pieces;
    datagram.piece_count = payload.count;
    datagram.len = (uint32_t)payload.len;
    datagram.sum = checked_sum(&payload);
    write_frame(headers, flow, &datagram);
    free_payload(&payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const struct ub_frame_flow flow = take_flow(&input);
    struct ub_frame_headers headers;

    ub_frame_prepare(&headers, &flow);
    for (int i = 0; i < DATAGRAMS && (i == 0 || input.left > 0); i++)
        one_datagram(&headers, &flow, &input);
    return 0;
}
