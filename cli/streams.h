/* streams.h: what is known of each sender of numbered packets. Pure: the packets come from anybody,
 * and whatever their headers say, memory and work have a bound. */
#ifndef STREAMS_H
#define STREAMS_H

#include "cli.h"
#include "histogram.h"
#include "numbered.h"

/* How many senders are followed, and of each how many numbers up to the highest one are known to
 * have come or not. Together less than 40 MB, of which a sender of one packet touches little. */
enum { STREAMS_MAX = 1024, STREAM_WINDOW = 65536 };

/* One run of a sender. */
struct stream {
    union udpbatch_addr from;
    uint32_t id;
    uint64_t received; /* all of it: distinct + duplicated + old */
    uint64_t distinct, duplicated;
    uint64_t reordered; /* of the distinct: below a number that came before (RFC 4737, 3.3) */
    uint64_t old;       /* so far below it that nobody knows whether they came before */
    uint64_t highest;   /* number */
    uint64_t total;     /* that there will be; 0: not known */

    uint64_t stamped;  /* packets that say when they left */
    uint64_t too_soon; /* those of them that came before they left: two clocks */
    uint64_t least_ns, most_ns;
    struct histogram delays; /* of the others, in ns */

    uint64_t window[STREAM_WINDOW / 64]; /* a bit per number, at the number modulo the window */
};

/* The first ones that sent. */
struct streams {
    struct stream *list[STREAMS_MAX];
    size_t count;
    uint64_t not_followed;           /* packets of senders beyond these */
    uint16_t slots[2 * STREAMS_MAX]; /* by hash: 1 + the index in the list; 0: free */
    uint64_t seed;
    struct stream *latest;
};

/* The seed is one that those who send do not know, else they could choose what collides. */
void streams_begin(struct streams *streams, uint64_t seed);

/* A packet that came at a time of CLOCK_REALTIME; 0: not known. */
void streams_take(struct streams *streams, const union udpbatch_addr *from,
                  const struct numbered *header, uint64_t came_ns);

void streams_end(struct streams *streams);

/* Those that did not come, the old ones among them: of the total, if it is known and nothing more
 * is waited for, otherwise of the numbers up to the highest. */
uint64_t stream_lost(const struct stream *stream, bool ended);

/* Whether each packet came after it left, by the clocks of both ends. */
bool stream_has_delays(const struct stream *stream);

/* The delay that this part of the packets, 0 to 1, does not exceed. */
uint64_t stream_delay_ns(const struct stream *stream, double part);

#endif
