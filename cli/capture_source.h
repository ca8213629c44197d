/* capture_source.h: the payloads of the UDP datagrams in a capture, with libpcap. */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "address_map.h"
#include "source.h"

/* Packets of the capture that are not sent, and why. */
struct capture_skipped {
    uint64_t other;     /* not UDP over IPv4 or IPv6 */
    uint64_t fragments; /* of a datagram */
    uint64_t truncated; /* the capture has not all of it */
    uint64_t damaged;   /* lengths that contradict each other */
    uint64_t unmapped;  /* with a map: to an address that it does not have */
};

/* The name and the map have to last until the source is closed, the map unchanged from the first
 * fill on: another thread reads it. */
struct capture_settings {
    const char *name;              /* of the file; "-": standard input */
    double speed;                  /* 0: as fast as possible; 1: as captured; 2: twice as fast */
    const struct address_map *map; /* NULL: payloads have no address of their own */
};

struct capture_source {
    struct source source;
    struct capture_skipped skipped;
    struct capture_reading *reading; /* what is libpcap's, and the packets at hand */
};

/* Whether this command was built with libpcap. */
bool capture_is_built_in(void);

/* Opens the file, and reads nothing of it. */
bool capture_source_open(struct capture_source *capture, const struct capture_settings *settings,
                         struct reason *reason);

/* Reads what the capture begins with, and waits for it. To be called before anything is taken. */
bool capture_source_begin(struct capture_source *capture, struct reason *reason);

#endif
