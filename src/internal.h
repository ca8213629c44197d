/* internal.h: the shapes that all parts share, and the calls between them.
 *
 *   packets[] --plan--> trains[] --back end--> trains[].error --settle--> packets[].status
 *    caller's   pure               kernel                        pure
 */
#ifndef UB_INTERNAL_H
#define UB_INTERNAL_H

#include "platform.h"

#include <assert.h>
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

/* Packets in a train at most: what Linux takes since 6.9 (UDP_MAX_SEGMENTS of linux/udp.h), and
 * what it took before. */
enum { UB_SEGMENTS_MAX = 128, UB_SEGMENTS_OLD = 64 };

/* A payload in more pieces than this goes alone, so that a train never has more than one message
 * can (UB_PIECES_MAX). */
enum { UB_JOIN_PIECES = UB_PIECES_MAX / UB_SEGMENTS_MAX };

/* Packets that leave as one send: one, or several to one destination that the kernel or the device
 * cuts apart again. In the planned array they are `first` and, by plan->next, those behind it. */
struct ub_train {
    const union udpbatch_addr *to;       /* NULL: the connected peer */
    const struct udpbatch_meta *meta;    /* or NULL */
    const struct udpbatch_piece *pieces; /* the payloads, gathered in order */
    unsigned char *control;              /* room for control messages, as much as it needs */
    uint32_t control_size;               /* of that room */
    uint32_t piece_count;
    uint32_t count;   /* of packets; 1: a plain send */
    uint32_t bytes;   /* of all pieces */
    uint32_t segment; /* bytes of each packet, but for a shorter last one */
    uint16_t first, last;
    int error;     /* the back end's answer: 0 or an errno */
    uint8_t asked; /* how often again, for an error that may not have been its own */
    bool is_in4;   /* leaves as IPv4, whatever form the address has */
    bool ended;    /* no packet may join any more */
    uint8_t way;   /* for the back end to note which it chose */
};

/* What a plan has to know of the socket to go on, and who plans is to ask for it. */
enum ub_question {
    UB_ASKS_NOTHING = 0,
    UB_ASKS_GSO = 1,          /* may there be trains? */
    UB_ASKS_PEER = 2,         /* of which family is the connected peer? */
    UB_ASKS_TXTIME = 4,       /* is SO_TXTIME set? */
    UB_ASKS_NO_FRAGMENTS = 8, /* does the socket forbid fragments of IPv4? */
    UB_ASKS_OWN = 16          /* which IPv4 address is it bound to? */
};

/* The answers, and which there are. */
struct ub_facts {
    unsigned known; /* questions that have been answered */
    bool peer_is_in4;
    bool has_txtime;
    bool forbids_fragments;
    struct in_addr own;
};

/* A destination host to which trains were refused. */
struct ub_route {
    unsigned char host[16]; /* IPv6, or IPv4 mapped into it; zero: the connected peer */
    uint32_t segment_most;  /* trains of no longer packets may go; 0: none */
    int64_t until_ns;
};

/* Whether and how packets may leave as trains: what was found out, and what was learned from
 * refusals, to be forgotten after a while. */
struct ub_gso {
    uint32_t segments; /* per train; 1: no trains */
    uint32_t segments_at_best;
    int64_t until_ns; /* `segments` is less than at best until then */
    bool equal_only;  /* a shorter last packet is refused by this kernel */
    uint32_t splits;  /* in this call: trains that were refused */
    struct ub_route *routes;
    size_t route_count, route_capacity;
};

/* What is to leave next, in an order that keeps the array's for each destination. */
struct ub_plan {
    /* Who makes it brings the memory: UB_ROOM. */
    struct ub_train *trains;
    struct udpbatch_piece *pieces;
    unsigned char *control;
    uint16_t *next;   /* the packet behind, of the same train, as an offset from `from` */
    uint32_t *groups; /* hash table: the newest train of a destination, with the plan's stamp */
    uint32_t group_mask;
    size_t capacity, piece_capacity, packet_capacity, control_capacity;

    bool in_order; /* across destinations too: only neighbours in the array join */
    struct ub_gso gso;
    struct ub_facts facts;

    /* The plan itself. */
    size_t from;    /* where in the array it begins */
    size_t count;   /* of trains */
    size_t refused; /* packets that no back end could send: they have their status */
    size_t refusals[UDPBATCH_MEANINGS]; /* the same, by enum udpbatch_meaning; if there are any */
    unsigned asks; /* enum ub_question: not UB_ASKS_NOTHING: answer it, and plan again */
    size_t pieces_used, control_used;
    struct ub_train *recent; /* that of the packet before */
    uint32_t stamp;          /* of what is in the hash table from now on */
};

/* Memory for plans of so many trains and packets, and for the back end's messages. */
#define UB_ROOM(train_most, packet_most, route_most, control_most)                                 \
    struct {                                                                                       \
        struct ub_train trains[train_most];                                                        \
        struct udpbatch_piece pieces[packet_most];                                                 \
        ub_message messages[train_most];                                                           \
        struct ub_route routes[route_most];                                                        \
        uint32_t groups[2 * (train_most)]; /* a power of two */                                    \
        uint16_t next[packet_most];                                                                \
        union {                                                                                    \
            size_t align;                                                                          \
            unsigned char bytes[control_most];                                                     \
        } control;                                                                                 \
    }

/* The plan of that room. */
#define UB_ROOM_PLAN(room)                                                                         \
    {                                                                                              \
        .trains = (room)->trains, .pieces = (room)->pieces, .control = (room)->control.bytes,      \
        .next = (room)->next, .groups = (room)->groups,                                            \
        .group_mask = sizeof(room)->groups / sizeof(room)->groups[0] - 1,                          \
        .capacity = sizeof(room)->trains / sizeof(room)->trains[0],                                \
        .piece_capacity = sizeof(room)->pieces / sizeof(room)->pieces[0],                          \
        .packet_capacity = sizeof(room)->next / sizeof(room)->next[0],                             \
        .control_capacity = sizeof(room)->control.bytes, .gso = {                                  \
            .routes = (room)->routes,                                                              \
            .route_capacity = sizeof(room)->routes / sizeof(room)->routes[0],                      \
        }                                                                                          \
    }

enum ub_known { UB_UNKNOWN, UB_YES, UB_NO };

/* The state of sending on one descriptor; whoever makes it brings the memory. */
struct ub_engine {
    udpbatch_socket fd;
    const struct ub_backend *backend;
    void *own; /* the back end's memory, if it has any */
    enum udpbatch_trains trains;
    struct ub_plan plan;
    ub_message *messages; /* one per train: the back end's, for one plan */
    struct udpbatch_sender_stats stats;
    int unsent_error;   /* back pressure ended this call with this errno; 0: not */
    int socket_error;   /* the socket is of no use, for this errno; 0: not known to be */
    int hears_icmp;     /* 1 yes, 0 no, -1 not asked yet in this call */
    enum ub_known mmsg; /* whether sendmmsg may be called */
};

/* A rate, as a bucket of tokens, each for a packet or a byte. */
struct ub_pace {
    enum udpbatch_rate_unit unit;
    double rate;     /* tokens per second; 0: no limit */
    double burst;    /* that it holds at most */
    double enough;   /* with which a wait ends */
    double tokens;   /* that there were at then_ns; below 0: what left too early */
    int64_t then_ns; /* of ub_clock_ns, as is now_ns below */
};

/* ---- Receiving ---------------------------------------------------------------------------- */

/* Bytes of control messages per slot: 200 are for what a receiver asks for (40 for IPv6's PKTINFO,
 * at most 32 for another), the rest for what the socket's owner has asked for besides. */
enum { UB_SLOT_CONTROL = 512 };

/* Room for one message of the kernel's, a datagram or a train, and what came of it. Who makes it
 * sets `room`, `size` and `asked`. */
struct ub_slot {
    unsigned char *room;
    size_t size; /* of the room */
    union udpbatch_addr from;
    size_t len;       /* bytes in the room */
    uint32_t segment; /* bytes of each packet but for a shorter last one; at least len: just one */
    bool truncated;
    bool has_dropped;
    uint32_t dropped; /* SO_RXQ_OVFL: all that the socket had dropped when this one arrived */
    uint32_t asked;   /* UDPBATCH_META_CAME_*: what is to be read of the control messages */
    struct udpbatch_meta meta;
    ub_buffer buffer; /* the room, as the system is told of it */
    union {           /* the control messages */
        size_t align;
        unsigned char bytes[UB_SLOT_CONTROL];
    } control;
};

/* ---- Back ends ---------------------------------------------------------------------------- */

/* A way into the kernel. Adding one is a file in src/backend/ and its name in backend.c. */
struct ub_backend {
    const char *name;

    /* Gets what it needs for a sender, into engine->own. Returns 0 or -errno. NULL: needs nothing,
     * and has no close. */
    int (*open)(struct ub_engine *engine, const struct udpbatch_sender_options *options);
    void (*close)(struct ub_engine *engine);

    /* Makes trains[from .. ) of the plan ready in engine->messages; once per plan, from 0. It may
     * change their order, but for trains to one destination, and not if the plan is in order. May
     * be NULL. */
    void (*prepare)(struct ub_engine *engine, size_t from);

    /* Sends trains[from .. ) of the plan, of which there is one at least. Returns how many it dealt
     * with: an error that it sets on one of these is the train's own and final. If they are not
     * all, the next train's error says why it stopped, and is judged by the core (0: the back end
     * cannot tell and is to be called again); from there on nothing is touched. */
    size_t (*submit)(struct ub_engine *engine, size_t from);

    /* Waits until nothing that was sent is in its hands; as udpbatch_sender_flush. NULL: nothing
     * ever is. */
    int (*flush)(struct ub_engine *engine, int timeout_ms);

    /* Receives datagrams, or trains if the socket takes them, one into each of slots[0 .. n): waits
     * for the first one only, if the socket blocks. Returns how many, or -errno. There is a message
     * per slot to do it with. NULL: it only sends. */
    int (*receive)(udpbatch_socket fd, struct ub_slot *slots, size_t n, ub_message *messages,
                   uint64_t *system_calls);
};

/* backend.c: NULL is the best; NULL if there is none of that name. */
const struct ub_backend *ub_backend_find(const char *name);

/* One message per system call, for those that send or receive several where that is refused. */
extern const struct ub_backend ub_backend_portable;

/* The way by the socket, for back ends that send part of a plan past it. */
extern const struct ub_backend *const ub_backend_socket;

/* The offset of the packet behind, of the same train. Most trains are neighbours in the array: then
 * the next need not wait for the chain to be read. */
static inline size_t ub_train_next(const struct ub_plan *plan, const struct ub_train *train,
                                   size_t offset)
{
    bool is_run = (uint32_t)(train->last - train->first) + 1 == train->count;
    return is_run ? offset + 1 : plan->next[offset];
}

/* plan.c: makes new memory ready for plans with trains of so many packets at most. */
void ub_plan_open(struct ub_plan *plan, uint32_t segments, bool in_order);

/* Fills the plan from packets[from .. n) with status 0 and returns the index that it came
 * to: packets[from .. result) are planned or have a status. */
size_t ub_plan_make(struct ub_plan *plan, struct udpbatch_packet *packets, size_t from, size_t n);

/* Makes the plan one of a train's packets, each by itself; all else of it is gone. */
void ub_plan_split(struct ub_plan *plan, const struct udpbatch_packet *packets,
                   const struct ub_train *refused);

/* check.c: the packet's bytes, or -errno if no back end could send it; *asks gets what has to be
 * known to tell. */
int32_t ub_check(const struct udpbatch_packet *packet, const struct ub_facts *facts,
                 unsigned *asks);

/* group.c: the newest train to a destination. */
void ub_group_begin(struct ub_plan *plan);
uint32_t *ub_group_find(struct ub_plan *plan, const union udpbatch_addr *to,
                        struct ub_train **train);
void ub_group_put(const struct ub_plan *plan, uint32_t *entry, size_t train);
uint32_t ub_group_hash(const union udpbatch_addr *to);
bool ub_group_is_same(const union udpbatch_addr *a, const union udpbatch_addr *b);

/* gso.c: may packets leave as trains? */
void ub_gso_ask(struct ub_gso *gso, udpbatch_socket fd, enum udpbatch_trains wanted);
void ub_gso_remember(struct ub_gso *gso); /* and forget what is old: once per call */
uint32_t ub_gso_segment_most(const struct ub_gso *gso, const union udpbatch_addr *to);
bool ub_gso_learn(struct ub_gso *gso, const struct ub_train *train);

/* gso_kernel.c: what to make of a kernel, of this one or of that release ("6.6.44-1-amd64"). */
enum ub_gso_kernel { UB_GSO_WELL, UB_GSO_EQUAL_ONLY, UB_GSO_DAMAGES };
enum ub_gso_kernel ub_gso_kernel(const char *release);
enum ub_gso_kernel ub_gso_this_kernel(void);

/* address.c */
socklen_t ub_addr_len(const union udpbatch_addr *addr);
bool ub_addr_is_in4(const union udpbatch_addr *addr); /* IPv4, or mapped into IPv6 */
void ub_addr_host(const union udpbatch_addr *addr, unsigned char host[16]);
bool ub_addr_is_zero(const unsigned char *bytes, size_t len);

/* The flags of a received meta, but for UDPBATCH_META_LOCAL, which a packet to be sent has too. */
#define UB_META_CAME                                                                               \
    (UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_BY | UDPBATCH_META_CAME_WITH_TOS |                 \
     UDPBATCH_META_CAME_WITH_TTL | UDPBATCH_META_CAME_AT)

/* meta_send.c: what is asked for a packet, as control messages. Pure. */
int ub_meta_check(const struct udpbatch_meta *meta, bool is_in4, const struct ub_facts *facts,
                  unsigned *asks);
bool ub_meta_is_same(const struct udpbatch_meta *a, const struct udpbatch_meta *b);
size_t ub_meta_room(const struct udpbatch_meta *meta); /* bytes that its messages take at most */
size_t ub_meta_write(const struct udpbatch_meta *meta, bool is_in4, const struct ub_facts *facts,
                     unsigned char *control);

/* meta_receive.c: what the kernel tells of a datagram. */
int ub_meta_enable(udpbatch_socket fd, uint32_t flags); /* asks it to; 0 or -errno */
/* Adds what one control message tells of what was asked for. */
void ub_meta_read(struct udpbatch_meta *meta, uint32_t flags, const ub_control *control);

/* network_error.c: udpbatch_receiver_network_errors, of a socket. */
int ub_network_errors(udpbatch_socket fd, struct udpbatch_network_error *errors, size_t n);

/* settle.c: what an error means for the train that met it, and the ways to write that down. */
enum ub_verdict {
    UB_DONE,      /* no error */
    UB_ASK_AGAIN, /* not this train's error: the same once more */
    UB_REFUSE,    /* this train's: the next ones go on */
    UB_SPLIT,     /* this train's as a train: its packets are asked one by one */
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
bool ub_settle_is_of_address(int error);
void ub_settle_train(const struct ub_plan *plan, const struct ub_train *train,
                     struct udpbatch_packet *packets);
size_t ub_settle_rest(struct udpbatch_packet *packets, size_t n, int error, bool without_address);
struct udpbatch_tally ub_settle_tally(const struct udpbatch_packet *packets, size_t n,
                                      int unsent_error);

/* send.c: begin once per call, then send any number of arrays. What ended a send early is in the
 * engine and ends those that follow too, without a system call. */
void ub_engine_begin(struct ub_engine *engine);
void ub_engine_send(struct ub_engine *engine, struct udpbatch_packet *packets, size_t n);

/* pace.c: how much of what is to be sent may leave now; where there is a rate. */
int ub_pace_begin(struct ub_pace *pace, const struct udpbatch_sender_options *options,
                  int64_t now_ns); /* 0 or -errno */
size_t ub_pace_allowance(const struct ub_pace *pace, int64_t now_ns,
                         const struct udpbatch_packet *packets, size_t n);
void ub_pace_spend(struct ub_pace *pace, int64_t now_ns, uint64_t packets, uint64_t bytes);
int64_t ub_pace_delay_ns(const struct ub_pace *pace, int64_t now_ns); /* 0: none */

/* control.c: the control messages of trains. */
size_t ub_control_put(unsigned char *control, size_t at, int level, int type, const void *data,
                      size_t len);
const ub_control *ub_control_get(const unsigned char *control, size_t len, size_t *at);
uint32_t ub_control_of_train(const struct ub_train *train, const struct ub_facts *facts);

/* slot.c: what came into a slot, with so many bytes of control messages. Of its members, `from` and
 * `truncated` are the back end's to set. */
void ub_slot_read(struct ub_slot *slot, size_t len, size_t control_len);

#if !UB_HAVE_WINSOCK
/* msghdr.c: trains and slots as the struct msghdr of POSIX. */
void ub_msghdr_of_train(struct msghdr *message, const struct ub_train *train,
                        const struct ub_facts *facts);
void ub_msghdr_of_slot(struct msghdr *message, struct ub_slot *slot);
void ub_msghdr_read(struct ub_slot *slot, const struct msghdr *message, size_t len);
#endif

/* socket.c: what is asked of a descriptor. An int is -errno if it is negative. */
int ub_socket_check(udpbatch_socket fd);
int ub_socket_get(udpbatch_socket fd, int level, int name, void *value, socklen_t *len);
int ub_socket_set(udpbatch_socket fd, int level, int name, int value);
int ub_socket_option(udpbatch_socket fd, int level, int name,
                     int otherwise); /* where there is no such option */
bool ub_socket_has_trains(udpbatch_socket fd);
bool ub_socket_peer_is_in4(udpbatch_socket fd);
bool ub_socket_has_txtime(udpbatch_socket fd);
bool ub_socket_forbids_fragments(udpbatch_socket fd);
struct in_addr ub_socket_own_in4(udpbatch_socket fd);
bool ub_socket_is_connected(udpbatch_socket fd);
bool ub_socket_hears_icmp(udpbatch_socket fd);
bool ub_socket_never_takes(udpbatch_socket fd, uint32_t bytes);
int ub_socket_wait(udpbatch_socket fd, short events,
                   int timeout_ms); /* poll(2)'s revents, if there are any */
bool ub_socket_dropped(udpbatch_socket fd, uint32_t *dropped);

/* socket_posix.c, socket_winsock.c: where the two differ. */
int ub_socket_error(void);                  /* the errno of the call that has just failed */
int ub_socket_family(udpbatch_socket fd);   /* or -errno */
int ub_socket_protocol(udpbatch_socket fd); /* IPPROTO_UDP where it cannot be told */
int ub_socket_poll(struct pollfd *wait, int timeout_ms);
int ub_socket_queued(udpbatch_socket fd); /* bytes in the send buffer; -1 where none tells */
long ub_process(void);                    /* this one's number; any where none is forked off */

/* clock.c, clock_windows.c: the time that no administrator changes. */
int64_t ub_clock_ns(void);
int ub_sleep_ns(int64_t ns); /* 0, or -errno (EINTR); at once if ns is not above 0 */

/* options.c: structures that carry their size. */
int ub_options_take(void *mine, size_t size, const void *theirs);
void ub_stats_give(void *theirs, const void *mine, size_t size);

#endif
