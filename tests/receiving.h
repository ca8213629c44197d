/* receiving.h: a receiver at a port and a socket that sends to it, for the tests of receiving.
 *
 * `state` is that of a test that runs for each back end.
 */
#ifndef RECEIVING_H
#define RECEIVING_H

#include "support.h"

/* All that a receiver can tell. */
#define META_ALL                                                                                   \
    (UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_BY | UDPBATCH_META_CAME_WITH_TOS |                 \
     UDPBATCH_META_CAME_WITH_TTL | UDPBATCH_META_CAME_AT)

struct receiving {
    struct port port; /* does not block */
    struct port from;
    struct udpbatch_receiver *receiver;
};

/* Of `options`, size and back end are filled in. */
struct udpbatch_receiver *receiver_open(void **state, udpbatch_socket fd,
                                        struct udpbatch_receiver_options options);
struct receiving receiving_begin(void **state, int family,
                                 struct udpbatch_receiver_options options);
struct receiving receiving_begin_at(void **state, struct port port,
                                    struct udpbatch_receiver_options options);
void receiving_end(struct receiving *receiving);

/* Both see to it that the datagram or train is there, or dropped, before the next step. (Where the
 * system does not tell: what goes over loopback is there when it has been sent.) */
void receiving_send(struct receiving *receiving, const void *data, size_t len);
#ifndef _WIN32
void receiving_send_by(struct receiving *receiving, udpbatch_socket fd,
                       const struct msghdr *message);
#endif

/* Receives once, after a wait for it. */
int receiving_receive(struct receiving *receiving, struct udpbatch_received *packets, size_t n);

struct udpbatch_receiver_stats receiver_stats(struct udpbatch_receiver *receiver);

/* Checks that no receiver is opened, for this errno. */
void expect_no_receiver(udpbatch_socket fd, const struct udpbatch_receiver_options *options,
                        int error);

int option_of(udpbatch_socket fd, int level, int option);

#endif
