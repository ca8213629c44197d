/* cargo.c: numbered payloads to many targets, and the one next packet that each may get. */
#define _GNU_SOURCE
#include "cargo.h"

#include "two_hosts.h"

#include <string.h>

/* ---- The shapes of what is sent -------------------------------------------------------------- */

static struct aim one_payload_to_each(uint32_t i)
{
    return (struct aim){ i, 0, 1228 };
}

static struct aim one_payload_to_each_in_turn(uint32_t i)
{
    return (struct aim){ i % 16 * 9, 0, 1228 };
}

/* To the one and to the others, of either length. */
static struct aim every_second_to_one(uint32_t i)
{
    return (struct aim){ i % 2 == 0 ? 0 : 1 + i / 2, i, i / 2 % 2 == 0 ? 1203 : 1228 };
}

static struct aim long_ones_to_one(uint32_t i)
{
    return (struct aim){ 0, i, 1232 };
}

/* 52 of them are as many bytes as IPv6 takes at a time, and more than IPv4 does. */
static struct aim limits_to_one(uint32_t i)
{
    return (struct aim){ 0, i, 1260 };
}

static struct aim short_ones_to_each(uint32_t i)
{
    return (struct aim){ i, i, 160 };
}

static struct aim short_ones_to_one(uint32_t i)
{
    return (struct aim){ 0, i, 400 };
}

static struct aim many_payloads_to_each(uint32_t i)
{
    return (struct aim){ i / 32, i % 32, 1228 };
}

static struct aim in_turn_of_many_lengths(uint32_t i)
{
    return (struct aim){ i * 7 % 16 * 9, i, 100 + i * 37 % 5 / 3 * 50 };
}

static struct aim in_turn_of_one_length(uint32_t i)
{
    return (struct aim){ i % 16 * 9, i, 1000 };
}

/* Of no bytes, too, which no train can have. */
static struct aim tiny_ones_in_turn(uint32_t i)
{
    static const uint32_t lens[] = { 0, 2, 2, 1, 1, 3 };
    return (struct aim){ i % 4, i, lens[i / 4 % COUNT_OF(lens)] };
}

static struct aim more_than_narrow(uint32_t i)
{
    return (struct aim){ 0, i, 1400 };
}

static struct aim to_narrow_and_wide(uint32_t i)
{
    return (struct aim){ i % 2 == 0 ? NARROW : 0, i, 1400 };
}

const struct shape W1 = { "one payload to 64 targets", 64, one_payload_to_each, false },
                   W2 = { "every second packet to one target", 256, every_second_to_one, false },
                   W3 = { "64 long ones to one target", 64, long_ones_to_one, false },
                   W4 = { "512 to 512 targets", 512, short_ones_to_each, false },
                   W5 = { "64 short ones to one target", 64, short_ones_to_one, false },
                   W6 = { "32 payloads to 64 targets", 32 * 64, many_payloads_to_each, false },
                   LENGTHS = { "to 16 targets in turn, of many lengths", 1024,
                               in_turn_of_many_lengths, false },
                   IN_TURN = { "to 16 targets in turn", 512, in_turn_of_one_length, false },
                   IN_TURN_OF_ONE = { "one payload to 16 targets in turn", 64,
                                      one_payload_to_each_in_turn, false },
                   LIMITS = { "64 to one target, of which 52 are too many for IPv4", 64,
                              limits_to_one, false },
                   TINY = { "tiny and empty ones to 4 targets in turn", 256, tiny_ones_in_turn,
                            false },
                   MANY_TO_ONE = { "300 short ones to one target", 300, short_ones_to_one, false },
                   PIECES = { "64 in pieces to one target", 64, short_ones_to_one, true },
                   ABOVE = { "64 above the narrow MTU to one target", 64, more_than_narrow, false },
                   NARROW_AND_WIDE = { "64 by two ways in turn", 64, to_narrow_and_wide, false };

const struct shape *const SHAPES[SHAPE_COUNT] = { &W1,          &W2,      &W3,      &W4,     &W5,
                                                  &W6,          &LENGTHS, &IN_TURN, &LIMITS, &TINY,
                                                  &MANY_TO_ONE, &PIECES,  &ABOVE };

/* ---- The cargo: a shape made ready ----------------------------------------------------------- */

enum { HEAD = 12 }; /* bytes of a payload in pieces that are its own */

char scene[160];

static unsigned char memory[MOST * LEN_MOST];
union udpbatch_addr targets[TARGETS];
struct cargo cargo;

/* Payloads lie side by side: they may leave as one piece of memory. In those that come in pieces
 * the body is the same. */
static void make_payload(const struct shape *shape, uint32_t number, uint32_t len)
{
    unsigned char *payload = memory + cargo.bytes;
    for (uint32_t i = 0; i < len; i++)
        payload[i] =
            (unsigned char)((shape->in_pieces && i >= HEAD ? 0 : number * 7) + i * 13 + (i >> 8));
    memcpy(payload, &number, len < sizeof number ? len : sizeof number);
    cargo.payloads[cargo.payload_count++] = payload;
    cargo.bytes += len;
}

static void make_packet(const struct shape *shape, size_t i)
{
    struct udpbatch_packet *packet = &cargo.packets[i];
    struct aim aim = shape->aim((uint32_t)i);
    const unsigned char *body = memory + HEAD;

    if (aim.payload == cargo.payload_count)
        make_payload(shape, aim.payload, aim.len);
    cargo.aims[i] = aim;
    cargo.to[i] = targets[aim.target];
    *packet = (struct udpbatch_packet){ .data = cargo.payloads[aim.payload],
                                        .len = aim.len,
                                        .to = &cargo.to[i] };
    if (!shape->in_pieces)
        return;
    cargo.pieces[i][0] = (struct udpbatch_piece){ packet->data, HEAD };
    cargo.pieces[i][1] = (struct udpbatch_piece){ body, aim.len - HEAD };
    packet->data = cargo.pieces[i];
    packet->len = UDPBATCH_PIECES(2);
}

void load(const struct shape *shape, int family)
{
    assert_true(shape->count <= MOST);
    for (size_t i = 0; i < TARGETS; i++)
        targets[i] = behind_far(family, (unsigned)(1 + i / PORTS), FIRST_PORT + i % PORTS);
    memset(&cargo, 0, sizeof cargo);
    cargo.shape = shape;
    cargo.family = family;
    for (size_t i = 0; i < shape->count; i++)
        make_packet(shape, i);
}

void share_addresses(void)
{
    for (size_t i = 0; i < cargo.shape->count; i++)
        cargo.packets[i].to = &targets[cargo.aims[i].target];
}

size_t bytes_of_packets(void)
{
    size_t bytes = 0;
    for (size_t i = 0; i < cargo.shape->count; i++)
        bytes += cargo.aims[i].len;
    return bytes;
}

/* ---- What arrives ---------------------------------------------------------------------------- */

static size_t find_target(const union udpbatch_addr *to)
{
    for (size_t i = 0; i < TARGETS; i++)
        if (same_address(&targets[i], to))
            return i;
    fail_msg("%s: something arrived at a target that there is not", scene);
    return 0;
}

static size_t next_of(size_t target)
{
    size_t i = cargo.reached[target];
    while (i < cargo.shape->count &&
           (cargo.aims[i].target != target || cargo.packets[i].status < 0))
        i++;
    return i;
}

static bool is_packet(size_t i, const void *data, size_t len)
{
    return len == cargo.aims[i].len &&
           memcmp(data, cargo.payloads[cargo.aims[i].payload], len) == 0;
}

size_t arrive(const union udpbatch_addr *to, const void *data, size_t len)
{
    size_t target = find_target(to), i = next_of(target);

    if (i == cargo.shape->count)
        fail_msg("%s: target %zu got %zu bytes more than all", scene, target, len);
    if (!is_packet(i, data, len)) {
        size_t other = 0;
        while (other < cargo.shape->count && !is_packet(other, data, len))
            other++;
        fail_msg("%s: target %zu got %zu bytes in place of packet %zu of %u bytes: %s %zu", scene,
                 target, len, i, cargo.aims[i].len,
                 other < cargo.shape->count ? "they are packet" : "they are none of", other);
    }
    cargo.reached[target] = i + 1;
    cargo.arrived++;
    return i;
}
