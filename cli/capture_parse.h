/* capture_parse.h: the UDP datagram in a captured frame, or why there is none. Pure. */
#ifndef CAPTURE_PARSE_H
#define CAPTURE_PARSE_H

#include "cli.h"

/* What stands before the IP header. */
enum capture_link {
    CAPTURE_ETHERNET,
    CAPTURE_COOKED,   /* Linux, device "any", version 1 */
    CAPTURE_COOKED_2, /* version 2 */
    CAPTURE_FAMILY,   /* loopback of the BSDs: the family in 4 bytes, in either byte order */
    CAPTURE_RAW       /* nothing */
};

struct captured_frame {
    const unsigned char *bytes;
    size_t captured; /* bytes that are there */
    size_t len;      /* that there were on the wire */
};

enum capture_verdict {
    CAPTURE_DATAGRAM,
    CAPTURE_OTHER,     /* not UDP over IPv4 or IPv6 */
    CAPTURE_FRAGMENT,  /* of what is UDP, as far as can be seen */
    CAPTURE_TRUNCATED, /* the capture has not all of it */
    CAPTURE_DAMAGED    /* lengths that contradict each other */
};

struct captured_datagram {
    const unsigned char *data; /* in the frame */
    size_t len;
    union udpbatch_addr to;
};

/* Fills in the datagram if the verdict is that there is one. */
enum capture_verdict capture_parse(enum capture_link link, const struct captured_frame *frame,
                                   struct captured_datagram *datagram);

#endif
