/* receive_kernel.h: what an input of fuzz_receive lets the kernel say, and what it has said. */
#ifndef RECEIVE_KERNEL_H
#define RECEIVE_KERNEL_H

#include "internal.h"

#include "fuzz.h"

enum { BATCH_MOST = 4, FD = 1000 };

/* A message that it put into a slot. */
struct came {
    const unsigned char *room;
    size_t size; /* of the room */
    size_t len;  /* that came into it */
    bool is_datagram;
    bool truncated;
    bool is_told;     /* its control messages are well-formed, so that the next holds: */
    uint32_t segment; /* bytes of each packet in it */
    size_t given;     /* how far it is given out */
    size_t packets;   /* that were */
};

struct receive_kernel {
    struct came came[BATCH_MOST]; /* by the last calls to receive */
    size_t count, current;
    uint32_t packet_size;
    uint64_t calls;      /* to receive */
    int error;           /* that it gave last */
    bool has_no_queue;   /* what it said last of errors was not from their queue */
    unsigned asked_then; /* times that it was asked again after that */
};

extern struct fuzz_input input;
extern struct receive_kernel kernel;

/* Fills in a message of the kernel's, and notes it as one more that came; returns the length that
 * it claims. */
size_t message_come(struct msghdr *message);

/* And what is no datagram: a name, whether it is the whole address of a peer, and control messages.
 */
bool write_name(struct msghdr *message);
void write_control(struct msghdr *message, struct came *came);

#endif
