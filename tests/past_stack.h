/* past_stack.h: what the tests of the back end "xdp" share: senders at near, and which way their
 * packets went.
 */
#ifndef PAST_STACK_H
#define PAST_STACK_H

#include "capture.h"
#include "support.h"
#include "two_hosts.h"

extern const int FAMILIES[2];
size_t family_count(void);

/* Prepares the hosts, and leaves the process at near and on one processor, as packets by two of
 * them may overtake each other. Returns NULL, or what is missing. */
const char *past_stack_make(void);
/* The same, for who has no need of AF_XDP. */
const char *all_hosts_make(void);

/* Waits until both cables and the router are ready: before that a packet may be lost. */
void wait_for_all_ways(void);
/* The same as a test, to come first. */
void the_way_to_the_far_side_is_open(void **state);

/* ---- Packets --------------------------------------------------------------------------------- */

/* The most bytes that the cable takes at a time. */
uint32_t longest_payload(int family);

/* Of 0, 1, 2 ... bytes: each longer than the one before, so that none may join another in a train.
 */
void make_lengths(struct udpbatch_packet *packets, uint32_t n, const union udpbatch_addr *to);

/* The number, then bytes that depend on it; at least four. */
void make_payload(unsigned char *payload, uint32_t number, uint32_t len);

/* ---- Senders --------------------------------------------------------------------------------- */

/* A sender and its socket, and what was sent until it was last asked. */
struct xdp {
    struct sending sending;
    union udpbatch_addr own;
    struct udpbatch_sender_stats before;
};

struct udpbatch_sender_options xdp_options(const char *device);

/* On a socket bound to a port of near's: any of its addresses, or this one. */
struct xdp xdp_begin(int family);
struct xdp xdp_begin_at(const union udpbatch_addr *own,
                        const struct udpbatch_sender_options *options);
void xdp_end(struct xdp *xdp);

/* Sends all of them, and each must be sent. */
void xdp_send(struct xdp *xdp, struct udpbatch_packet *packets, size_t n);
/* One packet with so many bytes of anything; returns its status. */
int32_t xdp_send_one(struct xdp *xdp, const union udpbatch_addr *to, uint32_t len);

/* ---- Their ways ------------------------------------------------------------------------------ */

/* The totals; they must add up. */
struct udpbatch_sender_stats xdp_stats(const struct xdp *xdp);

/* All that was sent since the last look: so many past the stack, or so many by the socket for this
 * reason, and nothing else. */
void expect_past(struct xdp *xdp, size_t count);
void expect_detour(struct xdp *xdp, enum udpbatch_detour reason, size_t count);
/* Both; detours[UDPBATCH_DETOUR_NONE] is how many went past the stack. */
void expect_ways(struct xdp *xdp, const uint64_t detours[UDPBATCH_DETOURS]);
/* Whether all went past the stack. */
bool have_gone_past(struct xdp *xdp);
void forget_ways(struct xdp *xdp); /* of what was sent by now */

/* Sends one packet after the other until one goes past the stack. */
void send_until_past(struct xdp *xdp, const union udpbatch_addr *to);

/* ---- What passes the cable ------------------------------------------------------------------- */

/* The frames that have come by now, in order, at most so many. They hold until the next are sent.
 */
size_t capture_all(struct capture *capture, struct frame *frames, size_t most);

/* The frame is this packet, and one that `xdp` sent past the stack. */
void expect_frame(const struct frame *frame, const struct xdp *xdp,
                  const struct udpbatch_packet *packet);

#endif
