/* udpbatch - many UDP datagrams per call, and the fate of each.
 *
 * SPDX-License-Identifier: MIT
 *
 * The rules that hold for every call below:
 *
 * - Errors are values: -errno where a result is an int or a status, a plain errno where a member
 *   says so. errno itself means nothing afterwards. Nothing is ever printed.
 * - Nothing of the caller's is retained after a call returns, but for the file descriptor of a
 *   sender or receiver, which stays the caller's to close, after the handle.
 * - Level 1 calls may run in any number of threads, on one socket too. A handle belongs to one
 *   thread at a time, to tell its statistics, too; senders and a receiver may share a socket, each
 *   in a thread of its own.
 *
 * Manual: udpbatch(3) names the pages; udpbatch(7) explains how it works.
 */
#ifndef UDPBATCH_H
#define UDPBATCH_H

#include <stddef.h>
#include <stdint.h>

#define UDPBATCH_VERSION "0.1.0"

/* A UDP socket, as socket(2) of the system gives it. Below, "fd". */
#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET udpbatch_socket;
#else
#include <netinet/in.h>
#include <sys/socket.h>
typedef int udpbatch_socket;
#endif

/* Who has the library within one of his own, and does not show it, defines this as nothing. */
#ifdef UDPBATCH_API
#elif defined(_WIN32) && defined(UDPBATCH_EXPORT) /* while the library itself is built */
#define UDPBATCH_API __declspec(dllexport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define UDPBATCH_API __attribute__((visibility("default")))
#else
#define UDPBATCH_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- What is sent ------------------------------------------------------------------------- */

/* An IPv4 or IPv6 address with its port; sa.sa_family says which. */
union udpbatch_addr {
    struct sockaddr sa;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
};

/* A part of a payload. */
struct udpbatch_piece {
    const void *data;
    size_t len;
};

/* What more there is to say about a datagram than its payload and its peer: for one to be sent,
 * what to ask of the kernel; for one received, what the kernel told. `flags` says which members
 * count. One meta may serve any number of packets. */
struct udpbatch_meta {
    uint32_t flags;           /* UDPBATCH_META_*, or-ed */
    uint32_t interface_index; /* sent by it, or came in by it */
    uint64_t time_ns; /* SO_TXTIME's clock: not to leave before; or CLOCK_REALTIME: came at */
    union udpbatch_addr local; /* this host's: sent from it, or was sent to it; without its port */
    uint8_t tos;               /* the TOS byte or traffic class: DSCP << 2 | ECN */
    uint8_t ttl;               /* time to live, or hop limit */
};

/* For a packet to be sent. What the system or the socket cannot do is refused for that packet with
 * EOPNOTSUPP, and never left out: DEPARTURE needs SO_TXTIME set on the socket, and DONT_FRAGMENT of
 * IPv4 a socket that forbids fragments for all (IP_MTU_DISCOVER), as there is no way to say it for
 * one. */
#define UDPBATCH_META_LOCAL         (UINT32_C(1) << 0)
#define UDPBATCH_META_INTERFACE     (UINT32_C(1) << 1)
#define UDPBATCH_META_TOS           (UINT32_C(1) << 2)
#define UDPBATCH_META_TTL           (UINT32_C(1) << 3)
#define UDPBATCH_META_DEPARTURE     (UINT32_C(1) << 4) /* time_ns */
#define UDPBATCH_META_DONT_FRAGMENT (UINT32_C(1) << 5)

/* Of a packet received. They mean nothing to a send, but for LOCAL, which stands beside CAME_TO if
 * that address is this host's own and no group. So this answers from the address asked:
 *     answer.to = question.from;
 *     answer.meta = question.meta; */
#define UDPBATCH_META_CAME_TO       (UINT32_C(1) << 16) /* local */
#define UDPBATCH_META_CAME_BY       (UINT32_C(1) << 17) /* interface_index */
#define UDPBATCH_META_CAME_WITH_TOS (UINT32_C(1) << 18) /* tos */
#define UDPBATCH_META_CAME_WITH_TTL (UINT32_C(1) << 19) /* ttl */
#define UDPBATCH_META_CAME_AT       (UINT32_C(1) << 20) /* time_ns */

/* One datagram. A zeroed packet with data and len filled in is one to be sent. */
struct udpbatch_packet {
    const void *data;                 /* the payload; may be NULL if len is 0 */
    uint32_t len;                     /* its bytes, or UDPBATCH_PIECES(count) */
    int32_t status;                   /* 0: to be sent; 1: sent; < 0: refused, -errno */
    const union udpbatch_addr *to;    /* NULL: the peer that the socket is connected to */
    const struct udpbatch_meta *meta; /* NULL: as the socket is set */
};

/* As `len`: the payload lies in pieces, `data` is an array of `count` struct udpbatch_piece (at
 * most 1024), and they leave as one datagram without being copied together first. So a header of
 * its own goes before a body that many packets share. */
#define UDPBATCH_PIECES(count) (UINT32_C(0x80000000) | (uint32_t)(count))

/* What became of an array of packets: sent + refused + unsent == n. */
struct udpbatch_tally {
    size_t sent;          /* taken by the kernel, which is not yet "arrived": see udpbatch(7) */
    size_t refused;       /* failed for good; each packet's status says why */
    size_t unsent;        /* still to be sent: back pressure ended the call */
    size_t first_refused; /* index of the first refused packet; n if there is none */
    int first_error;      /* its errno; 0 if there is none */
    int unsent_error;     /* why packets are unsent: EAGAIN, ENOBUFS, ENOMEM, or EBUSY, which is the
                           * sender's own rate; 0 if none are */
};

/* ---- Level 1: any UDP socket, nothing to set up, nothing allocated -------------------------- */

/* Sends every packet whose status is 0, and gives each its status. One system call takes as many
 * packets as the system allows; the trouble of one packet is its own and the rest go on. A full
 * socket or device ends the call and loses nothing: call again with the same arguments, when
 * poll(2) says so, and it goes on where it stopped. A blocking socket waits by itself. A call
 * looks at all n statuses: of very large arrays, pass a part at a time.
 *
 * Packets to one destination leave in the order of the array. Across destinations they may be
 * regrouped: packets of one length and meta to one destination, wherever they are in the array,
 * leave as a train (UDP segmentation offload) that the device or the kernel cuts into datagrams
 * again. UDPBATCH_GSO=off in the environment turns that off. It takes up to 16 KiB of stack, on
 * Windows 32. */
UDPBATCH_API struct udpbatch_tally udpbatch_send(udpbatch_socket fd,
                                                 struct udpbatch_packet *packets, size_t n);

/* Sends one payload to each of n targets. `status` has one member per target, with the meaning of
 * udpbatch_packet.status, to be zeroed first; or it is NULL, then all n are sent to, and those
 * unsent are the last `unsent` of the array. `len` may be UDPBATCH_PIECES(count). */
UDPBATCH_API struct udpbatch_tally udpbatch_multi_target_send(udpbatch_socket fd,
                                                              const void *payload, uint32_t len,
                                                              const union udpbatch_addr *targets,
                                                              size_t n, int32_t *status);

/* ---- Level 2: a handle that chooses a back end, remembers, counts and waits ------------------ */

struct udpbatch_sender;

/* Whether packets leave as trains (UDP GSO), and received ones come as such (UDP GRO). */
enum udpbatch_trains {
    UDPBATCH_TRAINS_AUTO,  /* where the kernel can, and is not known to damage them */
    UDPBATCH_TRAINS_OFF,   /* never */
    UDPBATCH_TRAINS_ALWAYS /* also where the kernel is known to damage them */
};

/* How the back end "xdp" gives frames to the device. */
enum udpbatch_xdp_mode {
    UDPBATCH_XDP_AUTO,     /* the one that leaves alone what arrives: COPY */
    UDPBATCH_XDP_COPY,     /* with the driver of any Ethernet device */
    UDPBATCH_XDP_ZERO_COPY /* may take the receive queue of that number, too: see udpbatch_xdp(3) */
};

/* In what a sender's rate and burst count. */
enum udpbatch_rate_unit {
    UDPBATCH_RATE_PACKETS,
    UDPBATCH_RATE_BYTES /* of payload */
};

/* Zero is the default of each. `size` is sizeof(struct udpbatch_sender_options), so that the
 * structure may grow; so it is in all structures below that have it. */
struct udpbatch_sender_options {
    size_t size;
    const char *backend; /* NULL: the best here; or a name that udpbatch_backend_name gives */
    enum udpbatch_trains trains; /* UDPBATCH_GSO=off in the environment has the last word */
    uint32_t in_order; /* 1: all leave in the order of the array, also to several destinations */

    /* Of the back end "xdp" alone: packets leave past the network stack, see udpbatch_xdp(3). */
    const char *xdp_interface; /* the device's name, "eth0"; has to be given */
    uint32_t xdp_queue;        /* of that device; each is one sender's */
    enum udpbatch_xdp_mode xdp_mode;

    /* A pace, by every back end: what is beyond it stays unsent, with EBUSY, until
     * udpbatch_sender_wait or udpbatch_sender_delay_ns says that it may leave. */
    enum udpbatch_rate_unit rate_unit;
    double rate; /* per second, on average, for all targets together; 0: no limit */
    /* Most that leaves at once after a pause; 0: what 4 ms are worth, of a slow rate up to 20 ms,
     * 16 packets or 24,000 bytes. One packet may always leave, whatever its size: the next waits
     * for what it took too much. Needs a rate. */
    uint64_t burst;
};

/* A sender on a UDP socket. This is the only call of a sender that allocates. `options` may be
 * NULL. Returns NULL on failure, and the errno in *error (may be NULL): EBADF, ENOTSOCK,
 * EPROTOTYPE (no datagram socket), EAFNOSUPPORT (neither IPv4 nor IPv6), EPROTONOSUPPORT (not
 * UDP), ENOENT (no back end of that name), EINVAL or E2BIG (options of no size, with values that
 * there are not, or with members that this version does not know), ENOMEM.
 *
 * Of "xdp" besides: ENODEV (no such interface, or none given), ECHRNG (no such queue), EBUSY (the
 * queue is another's), EPERM (no CAP_NET_RAW), ENOBUFS (more than may be locked in memory,
 * RLIMIT_MEMLOCK), ENOSYS (a kernel without AF_XDP), EOPNOTSUPP (the driver refuses the mode),
 * EMEDIUMTYPE (no Ethernet device), ENETDOWN (the device is down), EXDEV (the socket is of another
 * network namespace than the calling thread). */
UDPBATCH_API struct udpbatch_sender *udpbatch_sender_open(
    udpbatch_socket fd, const struct udpbatch_sender_options *options, int *error);

/* Frees the sender; the socket stays open. NULL is allowed. */
UDPBATCH_API void udpbatch_sender_close(struct udpbatch_sender *sender);

/* As udpbatch_send. To send all of an array, whatever the socket:
 *     while (udpbatch_sender_send(s, packets, n).unsent) udpbatch_sender_wait(s, timeout_ms); */
UDPBATCH_API struct udpbatch_tally udpbatch_sender_send(struct udpbatch_sender *sender,
                                                        struct udpbatch_packet *packets, size_t n);

/* Waits until sending is worth another try: for the socket after EAGAIN, a short and growing time
 * after ENOBUFS and ENOMEM, for which there is no event, after EBUSY until the rate allows more;
 * not at all if nothing was left unsent. Returns 0 (try again), -EINTR, -EBADF, or -ETIMEDOUT: no
 * room came for timeout_ms, or that much time was waited, in this call and those before it, without
 * a packet being sent. A negative timeout is none. */
UDPBATCH_API int udpbatch_sender_wait(struct udpbatch_sender *sender, int timeout_ms);

/* For programs that wait for several things at once: in so many ns another try is worth it, which
 * no event of the socket tells. 0: now, or after EAGAIN, when poll(2) says POLLOUT. */
UDPBATCH_API uint64_t udpbatch_sender_delay_ns(const struct udpbatch_sender *sender);

/* Waits until the device is done with all that went to it past the network stack, so that nothing
 * of it is lost by closing the sender or ending the program. Returns 0, at once for all other back
 * ends, or -ETIMEDOUT, -EINTR, or -ENETDOWN: the link went down, and what it still had may not have
 * left. A negative timeout is none. */
UDPBATCH_API int udpbatch_sender_flush(struct udpbatch_sender *sender, int timeout_ms);

/* The kinds of udpbatch_error_meaning, and sizes of trains: 1, 2, 3 to 4, 5 to 8 ... 65 to 128. */
#define UDPBATCH_MEANINGS    5
#define UDPBATCH_TRAIN_SIZES 8

/* Why a packet went by the socket, though the back end is "xdp". */
enum udpbatch_detour {
    UDPBATCH_DETOUR_NONE,      /* it did not */
    UDPBATCH_DETOUR_TRAIN,     /* in a train, which the socket sends faster */
    UDPBATCH_DETOUR_DEVICE,    /* by another interface, or to this host itself */
    UDPBATCH_DETOUR_GROUP,     /* to a multicast or broadcast address */
    UDPBATCH_DETOUR_ROUTE,     /* no route, none that is known yet, or one with more to it */
    UDPBATCH_DETOUR_NEIGHBOUR, /* its link address is not known, or to be confirmed */
    UDPBATCH_DETOUR_SIZE,      /* too long for the path without fragments */
    UDPBATCH_DETOUR_META,      /* its meta asks for what only the stack does */
    UDPBATCH_DETOUR_SOCKET,    /* the socket is no way to send it, or not bound yet */
    UDPBATCH_DETOUR_ORDER,     /* not to overtake what is in the socket's queue */
    UDPBATCH_DETOUR_RING,      /* the device has as many as it can take */
    UDPBATCH_DETOUR_LINK       /* the device is down, or did not take it */
};
#define UDPBATCH_DETOURS 12

struct udpbatch_sender_stats {
    size_t size;
    uint64_t packets;                     /* sent */
    uint64_t bytes;                       /* of payload, sent */
    uint64_t trains;                      /* of two packets and more, sent */
    uint64_t sizes[UDPBATCH_TRAIN_SIZES]; /* trains by their number of packets; sizes[0]: single */
    uint64_t trains_split;                /* refused as trains, and asked again without */
    uint64_t refused;                     /* packets */
    uint64_t refusals[UDPBATCH_MEANINGS]; /* the same, by enum udpbatch_meaning */
    uint64_t system_calls;                /* made to send, failed ones included */
    uint64_t waits;       /* calls of udpbatch_sender_wait while packets were unsent */
    const char *backend;  /* the name of the back end in use */
    uint64_t xdp_packets; /* of `packets`, those past the network stack */
    uint64_t detours[UDPBATCH_DETOURS]; /* the others of "xdp", by enum udpbatch_detour */
    enum udpbatch_xdp_mode xdp_mode;    /* in use; UDPBATCH_XDP_AUTO: none */
    uint32_t xdp_queue;
    uint64_t paced; /* calls that left packets unsent for the rate */
};

/* Totals since open. The caller sets stats->size; without it nothing is written. */
UDPBATCH_API void udpbatch_sender_stats(const struct udpbatch_sender *sender,
                                        struct udpbatch_sender_stats *stats);

/* The names of the back ends in this library, best first; NULL at the end. "xdp" is the last: it is
 * chosen by its name alone, as it also passes by packet filters, queueing disciplines and IPsec. */
UDPBATCH_API const char *udpbatch_backend_name(size_t index);

/* ---- Fan-out: payloads x targets ------------------------------------------------------------ */

/* Every payload to every target. Of a payload's packet, data, len and meta count. */
struct udpbatch_fanout {
    const struct udpbatch_packet *payloads;
    size_t payload_count;
    const union udpbatch_addr *targets;
    size_t target_count;
};

/* Fills packets[0 .. n), ready to be sent, from index `from` of the product on, target by target:
 * index i is payload i % payload_count to target i / payload_count. Returns how many it filled:
 * fewer than n at the end of the product, 0 beyond it. The packets point at the fan-out's own
 * payloads and targets. */
UDPBATCH_API size_t udpbatch_fanout_fill(const struct udpbatch_fanout *fanout, size_t from,
                                         struct udpbatch_packet *packets, size_t n);

/* ---- Receiving ------------------------------------------------------------------------------ */

struct udpbatch_receiver;

struct udpbatch_receiver_options {
    size_t size;
    const char *backend;  /* NULL: the best here; ENOENT for one that only sends, as "xdp" */
    uint32_t batch;       /* most messages of the kernel per system call; 0: 64; at most 1024 */
    uint32_t packet_size; /* longest payload that is kept whole; 0: 65535, all there are */
    enum udpbatch_trains
        trains;              /* let the kernel hand over trains, which are given out as packets */
    uint32_t meta;           /* UDPBATCH_META_CAME_*, or-ed: what is to be told of each */
    uint32_t network_errors; /* 1: let the socket keep what the network reports about datagrams that
                              * it has sent, for udpbatch_receiver_network_errors */
    uint32_t reserved;       /* 0 */
};

/* One datagram received. The pointers are into the receiver's memory and hold until its next
 * receive or close. */
struct udpbatch_received {
    const void *data;
    uint32_t len;       /* bytes at data */
    uint32_t truncated; /* 1: the datagram was longer, and its end is lost */
    const union udpbatch_addr *from;
    const struct udpbatch_meta *meta; /* what was asked for and told; NULL: nothing was asked for */
};

/* A receiver on a UDP socket, on which it turns on what it needs: SO_RXQ_OVFL; UDP_GRO for trains
 * and IP_RECVERR for network errors, which close sets back as they were; IP_PKTINFO and the like
 * for meta. Trains that are still in the socket at close come to its next reader as one datagram:
 * receive until -EAGAIN first. For the same reason nobody else reads the socket while a receiver is
 * open. Failure as in
 * udpbatch_sender_open; EINVAL also for a batch or packet_size beyond its limit, EOPNOTSUPP for
 * meta or network errors that this system does not tell. */
UDPBATCH_API struct udpbatch_receiver *udpbatch_receiver_open(
    udpbatch_socket fd, const struct udpbatch_receiver_options *options, int *error);
UDPBATCH_API void udpbatch_receiver_close(struct udpbatch_receiver *receiver);

/* Receives what is there, at most n datagrams, by one system call if the back end can; a blocking
 * socket waits for the first. Returns their number, or -errno: -EAGAIN (nothing there), -EINTR,
 * -EPIPE (a blocking socket was shut down for reading), or an error that ICMP brought to a
 * connected socket, on Windows to any (-ECONNREFUSED ...), which is reported at most once.
 *
 * A train may hold more than n: the rest is given out by the calls that follow, without a system
 * call. So who polls the descriptor himself receives until -EAGAIN first. */
UDPBATCH_API int udpbatch_receiver_receive(struct udpbatch_receiver *receiver,
                                           struct udpbatch_received *packets, size_t n);

/* Waits for a datagram, or an error to be read (with network_errors: read those, too, or this
 * returns at once). Returns 0, at once if packets of a train are still to be given out, or
 * -ETIMEDOUT, -EINTR or -EBADF. */
UDPBATCH_API int udpbatch_receiver_wait(struct udpbatch_receiver *receiver, int timeout_ms);

/* What the network, or this host's own stack, reported about a datagram sent before. */
struct udpbatch_network_error {
    union udpbatch_addr to; /* where the datagram was sent; the port may be 0, if not known */
    union udpbatch_addr by; /* who reported it, without a port; of family 0: this host itself */
    int error;              /* ECONNREFUSED, EHOSTUNREACH, EMSGSIZE ... */
    uint32_t mtu;           /* of the path, with EMSGSIZE; else 0 */
};

/* Reads what is there, at most n, and does not wait. Returns their number, 0 if there is nothing,
 * or -errno. What else is in the socket's error queue (times of sending, ends of zero copy) is
 * dropped. The socket may be one that another handle sends on; the error that such a report
 * leaves for the next call on the socket is not the datagram's of that call: senders know. */
UDPBATCH_API int udpbatch_receiver_network_errors(struct udpbatch_receiver *receiver,
                                                  struct udpbatch_network_error *errors, size_t n);

struct udpbatch_receiver_stats {
    size_t size;
    uint64_t packets;
    uint64_t bytes;     /* of payload, as given out */
    uint64_t trains;    /* of two packets and more, from the kernel */
    uint64_t truncated; /* packets */
    uint64_t
        dropped; /* by the kernel since open, for want of receive buffer; a train counts as one */
    uint64_t system_calls; /* made to receive, failed ones included */
    const char *backend;
    uint64_t held; /* no total: packets that came with others, and are to be given out next */
};

/* Totals since open; as udpbatch_sender_stats. */
UDPBATCH_API void udpbatch_receiver_stats(struct udpbatch_receiver *receiver,
                                          struct udpbatch_receiver_stats *stats);

/* ---- Errors --------------------------------------------------------------------------------- */

/* Whose trouble an error is, and so what to do about it. */
enum udpbatch_meaning {
    UDPBATCH_NO_ERROR,
    UDPBATCH_BUSY,   /* nobody's: wait and call again (EAGAIN, EBUSY, ENOBUFS, ENOMEM, EINTR) */
    UDPBATCH_PACKET, /* this packet's: its size or its memory; others to the same target may go */
    UDPBATCH_TARGET, /* this target's: address, route, permission; other targets may do */
    UDPBATCH_SOCKET  /* this socket's: closed, no socket, shut down, without the peer that is asked
                      * for */
};

/* Takes an errno, or -errno as a refused packet's status has it. */
UDPBATCH_API enum udpbatch_meaning udpbatch_error_meaning(int error);

/* The version of the library in use; UDPBATCH_VERSION is that of this header. */
UDPBATCH_API const char *udpbatch_version(void);

#ifdef __cplusplus
}
#endif

#endif
