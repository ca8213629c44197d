/* capture.h: the UDP frames that arrive at the far device, checked as a network would check them.
 *
 * That is where a train can be seen: whole, if the near device leaves it so, or as the packets that
 * the kernel cut it into.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "support.h"

enum { CAPTURE_MOST = 4096 }; /* frames that wait to be looked at */

struct capture {
    int fd;
    unsigned char *ring;
    size_t next;
    bool takes_trains; /* frames need not be whole */
};

enum { MAC = 6 };

struct frame {
    unsigned char from_mac[MAC], to_mac[MAC];
    union udpbatch_addr from, to;
    uint8_t tos, ttl;
    uint16_t id;               /* IPv4's */
    size_t options;            /* bytes of IPv4's */
    bool forbids_fragments;    /* IPv4's bit */
    bool has_checksum;         /* of UDP, and it is right; else it is left to the device */
    const unsigned char *data; /* the payload, until the next ones are sent */
    size_t len;
};

struct capture capture_open(void);
void capture_close(struct capture *capture);

/* The next frame; false if none comes for so long. Fails the test if the frame is not as it has to
 * be: the lengths of IP and UDP, the checksums. */
bool capture_next(struct capture *capture, struct frame *frame, int timeout_ms);

#endif
