/* internal.h: the shapes that all parts share, and the calls between them.
 *
 *   packets[] --plan--> trains[] --back end--> trains[].error --settle--> packets[].status
 *    caller's   pure               kernel                        pure
 */
#ifndef UB_INTERNAL_H
#define UB_INTERNAL_H

#include "platform.h"

#include "udpbatch.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UDP's length field has 16 bits (RFC 768); how many of them IP leaves, the kernel knows. */
enum { UB_PAYLOAD_MAX = 65535 };

/* Linux refuses a message of more pieces than this (UIO_MAXIOV), and takes no more messages than
 * this in one sendmmsg or recvmmsg. */
enum { UB_PIECES_MAX = 1024, UB_MESSAGES_MAX = 1024 };

/* The bit in a packet's len that says "in pieces". */
#define UB_IN_PIECES UDPBATCH_PIECES(0)

/* ---- Sending ------------------------------------------------------------------------------ */

/* Packets that leave as one send: packets[first .. first + count) of the planned array. */
struct ub_train {
    const union udpbatch_addr *to;       /* NULL: the connected peer */
    const struct udpbatch_piece *pieces; /* the payloads, gathered in order */
    uint32_t piece_count;
    uint32_t count; /* of packets; 1: a plain send */
    uint32_t bytes; /* of all pieces */
    int error;      /* the back end's answer: 0 or an errno */
    bool asked;     /* once more, for an error that may not have been its own */
    size_t first;
};

/* What is to leave next, in an order that keeps the array's for each destination. */
struct ub_plan {
    struct ub_train *trains;
    struct udpbatch_piece *pieces; /* one per train, for a payload that is not in pieces */
    size_t count;                  /* of trains */
    size_t capacity;
    size_t refused; /* packets that no back end could send: they have their status */
};

/* The state of sending on one descriptor; whoever makes it brings the memory. */
struct ub_engine {
    int fd;
    const struct ub_backend *backend;
    struct ub_plan plan;
    ub_message *messages; /* one per train: the back end's, for one plan */
    struct udpbatch_sender_stats stats;
    int unsent_error; /* back pressure ended this call with this errno; 0: not */
    int socket_error; /* the socket is of no use, for this errno; 0: not known to be */
    int hears_icmp;   /* 1 yes, 0 no, -1 not asked yet in this call */
};

/* Room for one received datagram, and what came of it. */
struct ub_slot {
    struct iovec room;
    union udpbatch_addr from;
    size_t len;
    bool truncated;
    bool has_dropped;
    uint32_t dropped; /* SO_RXQ_OVFL: all that the socket had dropped when this one arrived */
    union {           /* the control messages */
        size_t align;
        unsigned char bytes[64];
    } control;
};

/* A way into the kernel. Adding one is a file in src/backend/ and its name in backend.c. */
struct ub_backend {
    const char *name;

    /* Makes the plan's trains ready in engine->messages; once per plan. May be NULL. */
    void (*prepare)(struct ub_engine *engine);

    /* Sends trains[from .. ) of the plan, of which there is one at least. Returns how many it dealt
     * with: an error that it sets on one of these is the train's own and final. If they are not
     * all, the next train's error says why it stopped, and is judged by the core (0: the back end
     * cannot tell and is to be called again); from there on nothing is touched. */
    size_t (*submit)(struct ub_engine *engine, size_t from);

    /* Receives into slots[0 .. n): waits for the first one only, if the socket blocks. Returns
     * how many, or -errno. There is a message per slot to do it with. */
    int (*receive)(int fd, struct ub_slot *slots, size_t n, ub_message *messages,
                   uint64_t *system_calls);
};

/* backend.c: NULL is the best; NULL if there is none of that name. */
const struct ub_backend *ub_backend_find(const char *name);

/* plan.c: fills the plan from packets[from .. n) with status 0 and returns the index that it came
 * to: packets[from .. result) are planned or have a status. */
size_t ub_plan_make(struct ub_plan *plan, struct udpbatch_packet *packets, size_t from, size_t n);

/* settle.c: what an error means for the train that met it, and the ways to write that down. */
enum ub_verdict {
    UB_DONE,      /* no error */
    UB_ASK_AGAIN, /* not this train's error: the same once more */
    UB_REFUSE,    /* this train's: the next ones go on */
    UB_STOP,      /* back pressure: the rest stays unsent */
    UB_NO_PEER,   /* all packets without an address are refused */
    UB_DEAD       /* all that remains is refused */
};
enum ub_pending {
    UB_ITS_OWN,        /* the train's that met it */
    UB_MAY_BE_PENDING, /* or an earlier one's, if the socket hears ICMP */
    UB_PENDING         /* an earlier one's */
};
enum ub_verdict ub_settle_error(int error);
enum ub_pending ub_settle_pending(int error);
bool ub_settle_has_event(int error);
void ub_settle_train(const struct ub_train *train, struct udpbatch_packet *packets);
size_t ub_settle_rest(struct udpbatch_packet *packets, size_t n, int error, bool without_address);
struct udpbatch_tally ub_settle_tally(const struct udpbatch_packet *packets, size_t n,
                                      int unsent_error);

/* send.c: begin once per call, then send any number of arrays. What ended a send early is in the
 * engine and ends those that follow too, without a system call. */
void ub_engine_begin(struct ub_engine *engine);
void ub_engine_send(struct ub_engine *engine, struct udpbatch_packet *packets, size_t n);

/* message.c: trains as the struct msghdr of the socket interface. */
void ub_message_of_train(struct msghdr *message, const struct ub_train *train);

/* slot.c: slots as the struct msghdr of the socket interface. */
void ub_message_of_slot(struct msghdr *message, struct ub_slot *slot);
void ub_slot_read(struct ub_slot *slot, struct msghdr *message, size_t len);

/* socket.c: what is asked of a descriptor. An int is -errno if it is negative. */
int ub_socket_check(int fd);
bool ub_socket_hears_icmp(int fd);
bool ub_socket_never_takes(int fd, uint32_t bytes);
int ub_socket_wait(int fd, short events, int timeout_ms); /* poll(2)'s revents, if there are any */
bool ub_socket_dropped(int fd, uint32_t *dropped);

/* options.c: structures that carry their size. */
int ub_options_take(void *mine, size_t size, const void *theirs);
void ub_stats_give(void *theirs, const void *mine, size_t size);

#endif
