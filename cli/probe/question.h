/* question.h: what can be asked of a machine. Adding a question is a function here, in a file of
 * its mechanism, and a line in the table in questions.c. */
#ifndef PROBE_QUESTION_H
#define PROBE_QUESTION_H

#include "answer.h"
#include "device.h"
#include "system.h"

/* What the questions are about, besides the machine. */
struct subject {
    union udpbatch_addr to; /* of family 0: no host was named */
    const char *interface;  /* as given; NULL: none was */
    struct device device;   /* that interface, or the one that the route to the host takes */
};

bool subject_has_host(const struct subject *subject);
bool subject_has_device(const struct subject *subject);

/* Finds the device. */
void subject_complete(struct subject *subject);

/* Whether commands can be given that name the device. */
bool subject_can_name_device(const struct subject *subject);

typedef void question(const struct subject *subject, struct answer *answer);

/* The calls of the kernel, tried over loopback. */
question ask_sendmmsg, ask_recvmmsg;                       /* messages.c */
question ask_udp_segment, ask_udp_gro;                     /* segmentation.c */
question ask_trains;                                       /* trains.c */
question ask_txtime, ask_departure;                        /* timing.c */
question ask_zerocopy;                                     /* zerocopy.c */
question ask_uring, ask_uring_sendmsg, ask_uring_zerocopy; /* uring.c */

/* What is given up. */
question ask_privilege; /* privilege.c */

/* Past the network stack. */
question ask_af_xdp, ask_locked_memory, ask_queues, ask_xdp_zero_copy; /* xdp.c */

/* Room, and the way to a host. */
question ask_send_buffer, ask_receive_buffer; /* buffers.c */
question ask_route, ask_mtu;                  /* route.c */
question ask_link, ask_udp_segmentation, ask_generic_segmentation, ask_checksum,
    ask_scatter_gather; /* link.c */

/* One of the library's back ends. */
void ask_backend(const char *backend, const struct subject *subject, struct answer *answer);

/* Asks all that applies to the subject. */
void questions_ask(const struct subject *subject, struct answers *answers);

#endif
