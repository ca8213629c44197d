/* scripted_kernel.h: a kernel that answers the calls that send by a script.
 *
 * A program linked with --wrap=sendmmsg,--wrap=sendmsg,--wrap=getsockopt sends through it; on
 * Windows one with scripted_winsock.c. It knows the packets that are to come (kernel_expect), cuts
 * each message into datagrams as the real one does, and finds each among them: what it took can be
 * told from what it was given. */
#ifndef SCRIPTED_KERNEL_H
#define SCRIPTED_KERNEL_H

#include "platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCRIPT_PACKETS = 1100,
    SCRIPT_ERRORS = 3,
    SCRIPT_COUNTS = 8,
    SCRIPT_FAULTS = 3,
    SCRIPT_SEGMENTS = 128, /* datagrams that a message is cut into at most */
    SCRIPT_FIRST_PORT = 1000,
    SCRIPT_SHARED = 0xffff
};

/* How often the library asks again before it blames a packet for an error that may be another's:
 * one that no packet earns itself, and one that it may have earned. */
enum { SCRIPT_PENDING_AGAIN = 16, SCRIPT_PERHAPS_AGAIN = 1 };

/* The same, for this error on a socket that hears ICMP or not. */
unsigned script_asked_again(int error, bool hears_icmp);

/* The errors that the tries of one packet meet, one each, up to the first 0: then it is taken.
 * If `for_good`, the last error stays. */
struct script_packet {
    int errors[SCRIPT_ERRORS + 1];
    bool for_good;
};

/* An error that only trains meet. */
struct script_fault {
    int error;        /* 0: no fault */
    bool at_one_port; /* trains to `port` only */
    uint16_t port;    /* above SCRIPT_FIRST_PORT */
    unsigned spared;  /* such trains that pass before it begins */
    unsigned times;   /* that it is met; UINT_MAX: for good */
};

/* What befalls messages of several datagrams besides what befalls their packets. A train is refused
 * with the first error that one of its packets has to come. That leaves the error to the packet,
 * unless it is EAGAIN or EINTR: so a packet that is sent alone meets the errors of its own script,
 * and no other packet does, whatever trains it was in. */
struct script_trains {
    bool keep_unseen;       /* an error that the caller does not get to see is met again */
    unsigned segments_most; /* more datagrams are refused with EINVAL; 0: SCRIPT_SEGMENTS */
    uint32_t segment_most;  /* longer ones with EMSGSIZE; 0: none */
    struct script_fault faults[SCRIPT_FAULTS];
    uint64_t bad_ports; /* a bit for each of the first 64 ports: nothing may go there, trains or */
    int bad_port_error; /* not, for this error */
};

struct script {
    size_t n;
    struct script_packet packets[SCRIPT_PACKETS];
    unsigned most[SCRIPT_COUNTS]; /* messages that the first system calls take; 0: all */
    struct script_trains trains;
};

/* How far a script has been played: the kernel has one, and so has each reference. */
struct script_state {
    const struct script *script;
    unsigned tries[SCRIPT_PACKETS];
    unsigned fault_tries[SCRIPT_FAULTS];
    unsigned calls;
    unsigned asked; /* whether there is a sendmmsg, besides */
};

/* A message as the kernel saw it. */
struct script_message {
    size_t packets[SCRIPT_SEGMENTS]; /* that it is cut into */
    size_t count;
    uint32_t bytes;   /* of all of them */
    uint32_t segment; /* bytes of the first */
    int error;        /* 0: taken */
};

/* The error that comes of one that the system gives: on Windows another, if the packet has no
 * address, or one that is none for the sockets of IPv4 that the tests have. */
int script_told(int error, size_t packet);

/* The error that the next try of a packet meets; 0: it is taken. */
int script_next_error(struct script_state *state, size_t packet);

/* How many messages the next system call takes at most, of so many. */
unsigned script_next_count(struct script_state *state, unsigned messages);

/* Fills packets[0 .. n) with one to each target, and expects them. Those whose index
 * without_address divides have no address; 0: all have. */
void script_packets(struct udpbatch_packet *packets, size_t n, unsigned without_address);

extern union udpbatch_addr script_targets[SCRIPT_PACKETS];
extern const uint32_t script_shared_payload[2]; /* any packet may have it */

/* Tells the kernel what is to come. Each destination has its own port, of the SCRIPT_PACKETS from
 * SCRIPT_FIRST_PORT on. A packet whose script has errors has a payload that no other has. */
void kernel_expect(const struct udpbatch_packet *packets, size_t n);

/* Sends the shared payload to the targets, by level 1, as far as the packets are to be sent; they
 * get the statuses. */
struct udpbatch_tally script_multi_target_send(udpbatch_socket fd, struct udpbatch_packet *packets,
                                               size_t n);

/* Begins to play; what the kernel took is counted from here. */
void kernel_play(const struct script *script);

extern struct script_state kernel;
extern unsigned kernel_taken[SCRIPT_PACKETS];
extern bool kernel_given_up[SCRIPT_PACKETS]; /* set by the test: it is not to come any more */
extern unsigned kernel_strange;   /* messages that are no packets of the script, or damaged ones */
extern unsigned kernel_disorder;  /* datagrams that overtook another to their destination */
extern unsigned kernel_overtaken; /* and to any */
extern uint16_t kernel_peer_port; /* where packets without an address go */
extern bool kernel_has_peer;      /* whether the socket in use is connected; set by the test */

/* The errno of asking the socket for trains (UDP_SEGMENT, UDP_SEND_MSG_SIZE); 0: it has them. */
extern int kernel_no_segment_option;

/* Is shown every message that was taken, or whose error the caller got to see. May be NULL. */
extern void (*kernel_watch)(const struct script_message *message);

/* ---- For who has the system's calls --------------------------------------------------------- */

/* A message as it is handed over: its payload is gathered, its control messages are read. */
struct script_request {
    const void *to; /* NULL: none */
    socklen_t to_len;
    size_t len;         /* of the payload */
    ub_segment segment; /* 0: it is one datagram */
    int tos;            /* -1: as the socket is set */
    bool is_strange;    /* too long, or it says what no packet asks for */
};

struct script_request script_request_to(const void *to, socklen_t to_len);
void script_add_bytes(struct script_request *request, const void *bytes, size_t len);
void script_add_control(struct script_request *request, int level, int type, const void *value,
                        size_t len);

/* Takes one message: 0, or an errno, which the caller gets to see if it is the call's first. */
int kernel_take(const struct script_request *request, bool is_first);

#endif
