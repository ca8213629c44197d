/* cargo.h: what the tests of trains send, in the shapes that senders have, and how it has to
 * arrive.
 *
 * There is one cargo at a time.
 */
#ifndef CARGO_H
#define CARGO_H

#include "support.h"

/* Targets are ports of hosts behind far. The last host is one that a test may make a narrow way
 * to. */
enum {
    PORTS = 64,
    HOSTS = 9,
    TARGETS = PORTS * HOSTS,
    FIRST_PORT = 20000,
    NARROW = TARGETS - PORTS
};

extern union udpbatch_addr targets[TARGETS];

enum { MOST = 2048, SHAPE_COUNT = 13 };

/* What packet i of a shape is. */
struct aim {
    size_t target;
    uint32_t payload, len;
};

struct shape {
    const char *name;
    size_t count;
    struct aim (*aim)(uint32_t i);
    bool in_pieces;
};

extern const struct shape W1, W2, W3, W4, W5, W6, LENGTHS, IN_TURN, IN_TURN_OF_ONE, LIMITS, TINY,
    MANY_TO_ONE, PIECES, ABOVE, NARROW_AND_WIDE;

/* Those that go by any way. */
extern const struct shape *const SHAPES[SHAPE_COUNT];

/* A shape made ready to be sent. */
extern struct cargo {
    const struct shape *shape;
    int family;
    struct udpbatch_packet packets[MOST];
    struct udpbatch_piece pieces[MOST][2];
    union udpbatch_addr to[MOST]; /* each packet's own copy, as content decides */
    struct aim aims[MOST];
    const unsigned char *payloads[MOST];
    size_t payload_count, bytes;
    /* Of what has arrived: */
    size_t reached[TARGETS]; /* the packet behind the last one of a target */
    size_t arrived;
} cargo;

extern char scene[160]; /* for those who read of a failure */

void load(const struct shape *shape, int family);

/* Instead of copies of them: to be the same is then seen at once. */
void share_addresses(void);

size_t bytes_of_packets(void);

/* Takes note of a packet and returns its number. Each target gets its packets in the order of the
 * array, each once and whole, without those refused: so what arrives can only be the next one, and
 * anything else fails the test. */
size_t arrive(const union udpbatch_addr *to, const void *data, size_t len);

#endif
