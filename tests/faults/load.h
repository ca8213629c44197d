/* load.h: what a cell sends: the workloads that senders have, each datagram of which says whose it
 * is, to its last byte. There is one load at a time. */
#ifndef FAULTS_LOAD_H
#define FAULTS_LOAD_H

#include "../two_hosts.h"

/* Of a bad address the port tells the packet. Targets are ports of hosts behind far; those of IPv6
 * are other ports, behind those of IPv4. */
enum {
    PORTS = 16,
    HOSTS = 64,
    TARGETS = PORTS * HOSTS,
    FIRST_PORT = 20000,
    BAD_PORT = 30000,
    NO_TARGET = TARGETS
};

enum { PACKETS_MOST = 2048, HEAD = 16, PAYLOAD_MOST = 1232, NO_PACKET = PACKETS_MOST };

/* How the packets of a workload are made. */
enum form { TO_EACH, EVERY_SECOND_TO_ONE, TO_ONE, SCATTERED };

struct workload {
    const char *name;
    enum form form;
    uint32_t payloads; /* TO_EACH: to so many targets each; otherwise the number of packets */
    uint32_t targets;
    uint32_t len;
    uint32_t bad_one_in; /* of the packets have an address to which nothing can go; 0: none */
    uint32_t messages;   /* that it has at least, if packets leave as trains */
};

/* Small ones, each of whose positions can be tried, and those of the real size. */
extern const struct workload SMALL[], LARGE[];
extern const size_t SMALL_COUNT, LARGE_COUNT;

/* Whose meta asks for the device, which only the network stack does. */
enum who_has_meta { NO_META, OF_ODD_TARGETS, OF_EVERY_THIRD, OF_ALL };

/* What a cell asks for besides. */
struct load_options {
    uint32_t cell;
    int family;
    bool is_connected; /* TO_ONE: every second one is to the peer and has no address */
    bool in_pieces;
    enum who_has_meta meta;
};

extern struct load {
    struct udpbatch_packet packets[PACKETS_MOST];
    uint16_t target[PACKETS_MOST]; /* NO_TARGET: a bad one */
    struct udpbatch_piece pieces[PACKETS_MOST][2];
    union udpbatch_addr targets[TARGETS], bad[PACKETS_MOST];
    struct udpbatch_meta meta;
    size_t count, payload_count;
    const struct workload *workload;
    struct load_options options;
} load;

const struct workload *find_workload(const char *name); /* a small one */
const struct workload *find_large_workload(const char *name, uint32_t targets);

void load_make(const struct workload *workload, const struct load_options *options);

size_t load_target_of(const union udpbatch_addr *to); /* NULL: the peer; NO_TARGET: a bad one */
/* The packet of that payload to there, or NO_PACKET. */
size_t load_packet_of(size_t payload, const union udpbatch_addr *to);
uint32_t load_len(size_t payload);

/* The payload that begins or goes on there, and how much of it is before. False: none. */
bool load_payload_at(const void *data, size_t *payload, size_t *before);

/* What datagrams say of themselves. */
struct label {
    uint32_t magic, cell, payload, len;
};
/* Whether they are one of ours, and intact. */
bool load_read(const unsigned char *bytes, size_t len, struct label *label);

#endif
