/* load.c: the workloads W1 to W8 and their payloads. */
#define _GNU_SOURCE
#include "load.h"

#include <assert.h>
#include <net/if.h>
#include <string.h>

enum { MAGIC = 0x7564620a };

const struct workload SMALL[] = {
    { "W1", TO_EACH, 1, 48, 1228, 0, 48 }, { "W2", EVERY_SECOND_TO_ONE, 64, 33, 1228, 0, 32 },
    { "W6", TO_EACH, 6, 16, 1228, 0, 16 }, { "W4", SCATTERED, 48, 48, 160, 0, 48 },
    { "W3", TO_ONE, 64, 1, 1232, 0, 1 },   { "W5", TO_ONE, 64, 1, 400, 0, 1 },
};
const size_t SMALL_COUNT = sizeof SMALL / sizeof SMALL[0];

/* W7 is W1 and W2 with bad addresses; what makes W8 of W2 is the socket and the queue. */
const struct workload LARGE[] = {
    { "W2", EVERY_SECOND_TO_ONE, 256, 129, 1228, 0, 128 },
    { "W6", TO_EACH, 32, 64, 1228, 0, 64 },
    { "W4", SCATTERED, 512, 512, 160, 0, 512 },
    { "W7", EVERY_SECOND_TO_ONE, 256, 129, 1228, 10, 100 },
    { "W1", TO_EACH, 1, 1024, 1228, 0, 1024 },
    { "W7", EVERY_SECOND_TO_ONE, 256, 129, 1228, 100, 100 },
    { "W3", TO_ONE, 64, 1, 1232, 0, 1 },
    { "W1", TO_EACH, 1, 200, 1228, 0, 200 },
    { "W5", TO_ONE, 64, 1, 400, 0, 1 },
    { "W7", TO_EACH, 1, 200, 1228, 10, 150 },
    { "W7", TO_EACH, 1, 200, 1228, 1, 1 },
};
const size_t LARGE_COUNT = sizeof LARGE / sizeof LARGE[0];

struct load load;

static unsigned char memory[PACKETS_MOST * PAYLOAD_MOST];
static size_t offsets[PACKETS_MOST + 1]; /* of the payloads, which lie side by side */

const struct workload *find_workload(const char *name)
{
    for (size_t i = 0; i < SMALL_COUNT; i++)
        if (strcmp(SMALL[i].name, name) == 0)
            return &SMALL[i];
    assert(false);
    return NULL;
}

const struct workload *find_large_workload(const char *name, uint32_t targets)
{
    for (size_t i = 0; i < LARGE_COUNT; i++)
        if (strcmp(LARGE[i].name, name) == 0 && LARGE[i].targets == targets)
            return &LARGE[i];
    assert(false);
    return NULL;
}

/* ---- Payloads -------------------------------------------------------------------------------- */

/* splitmix64's last step: every bit of the label shows in every word. */
static uint64_t word_of(const struct label *label, size_t i)
{
    uint64_t z = ((uint64_t)label->cell << 32 | label->payload) +
                 (i + label->len) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ (z >> 27);
}

static void write_payload(unsigned char *bytes, const struct label *label)
{
    memcpy(bytes, label, HEAD);
    for (size_t at = HEAD; at < label->len; at += sizeof(uint64_t)) {
        uint64_t word = word_of(label, at);
        size_t rest = label->len - at;
        memcpy(bytes + at, &word, rest < sizeof word ? rest : sizeof word);
    }
}

bool load_read(const unsigned char *bytes, size_t len, struct label *label)
{
    static_assert(sizeof *label == HEAD, "a label is what a payload begins with");
    if (len < HEAD)
        return false;
    memcpy(label, bytes, HEAD);
    if (label->magic != MAGIC || label->len != len)
        return false;
    for (size_t at = HEAD; at < len; at += sizeof(uint64_t)) {
        uint64_t word = word_of(label, at);
        size_t rest = len - at;
        if (memcmp(bytes + at, &word, rest < sizeof word ? rest : sizeof word) != 0)
            return false;
    }
    return true;
}

/* Of the leader's packets half are a little shorter: pairs, so that those to one are of both. */
static uint32_t len_of(size_t payload)
{
    const struct workload *workload = load.workload;
    bool is_shorter = workload->form == EVERY_SECOND_TO_ONE && payload / 16 % 2 == 1;
    return workload->len - (is_shorter ? 25 : 0);
}

static void make_payloads(void)
{
    offsets[0] = 0;
    for (size_t i = 0; i < load.payload_count; i++) {
        struct label label = { MAGIC, load.options.cell, (uint32_t)i, len_of(i) };
        write_payload(memory + offsets[i], &label);
        offsets[i + 1] = offsets[i] + label.len;
    }
}

uint32_t load_len(size_t payload)
{
    return (uint32_t)(offsets[payload + 1] - offsets[payload]);
}

bool load_payload_at(const void *data, size_t *payload, size_t *before)
{
    size_t at = (size_t)((uintptr_t)data - (uintptr_t)memory), low = 0, high = load.payload_count;

    if (at >= offsets[high])
        return false;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (offsets[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    *payload = low;
    *before = at - offsets[low];
    return true;
}

/* ---- Targets --------------------------------------------------------------------------------- */

static uint16_t first_port(int family)
{
    return family == AF_INET ? FIRST_PORT : FIRST_PORT + PORTS;
}

static void make_targets(int family)
{
    static int made_for;

    if (made_for == family)
        return;
    made_for = family;
    for (size_t i = 0; i < TARGETS; i++)
        load.targets[i] = behind_far(family, (unsigned)(1 + i / PORTS),
                                     (uint16_t)(first_port(family) + i % PORTS));
}

size_t load_target_of(const union udpbatch_addr *to)
{
    unsigned host, port;

    if (to == NULL)
        return 0;
    host = to->sa.sa_family == AF_INET ? ntohl(to->in4.sin_addr.s_addr) & 0xff
                                       : to->in6.sin6_addr.s6_addr[15];
    port = ntohs(to->in4.sin_port); /* at the same place in both families */
    /* The numbers of IPv6 addresses are written in decimal digits. */
    if (to->sa.sa_family == AF_INET6)
        host = host / 16 * 10 + host % 16;
    size_t target = ((size_t)host - 1) * PORTS + port - first_port(to->sa.sa_family);
    return target < TARGETS && same_address(to, &load.targets[target]) ? target : NO_TARGET;
}

size_t load_packet_of(size_t payload, const union udpbatch_addr *to)
{
    const struct workload *workload = load.workload;
    size_t target = load_target_of(to), i = payload;

    if (target == NO_TARGET)
        i = (size_t)ntohs(to->in4.sin_port) - BAD_PORT;
    else if (workload->form == TO_EACH)
        i = target * workload->payloads + payload;
    return i < load.count && load.target[i] == target ? i : NO_PACKET;
}

/* ---- Packets --------------------------------------------------------------------------------- */

static size_t choose_target(size_t i)
{
    switch (load.workload->form) {
    case TO_EACH:
        return i / load.workload->payloads;
    case EVERY_SECOND_TO_ONE:
        return i % 2 == 0 ? 0 : 1 + i / 2;
    case SCATTERED:
        return i;
    default:
        return load.options.is_connected ? i % 2 : 0;
    }
}

static void cut(size_t i)
{
    struct udpbatch_packet *packet = &load.packets[i];
    const unsigned char *data = packet->data;

    load.pieces[i][0] = (struct udpbatch_piece){ data, HEAD };
    load.pieces[i][1] = (struct udpbatch_piece){ data + HEAD, packet->len - HEAD };
    packet->data = load.pieces[i];
    packet->len = UDPBATCH_PIECES(2);
}

/* A broadcast address, one without a route, and one that is none. */
static union udpbatch_addr bad_address(size_t i)
{
    static const char *const in4s[] = { "10.99.0.255", "192.0.2.1" };
    static const char *const in6s[] = { "2001:db8::1", "2001:db8::2" };
    int family = load.options.family;
    uint16_t port = (uint16_t)(BAD_PORT + i);

    if (i % 3 == 2)
        return (union udpbatch_addr){ .sa = { .sa_family = AF_UNIX } };
    return address(family, family == AF_INET ? in4s[i % 3] : in6s[i % 3], port);
}

static void spoil(size_t i)
{
    uint32_t one_in = load.workload->bad_one_in;

    if (one_in == 0 || i % one_in != one_in / 2)
        return;
    load.bad[i] = bad_address(i);
    load.packets[i].to = &load.bad[i];
    load.packets[i].meta = NULL; /* by a device that is asked for, all can be reached */
    load.target[i] = NO_TARGET;
}

static bool has_meta(size_t i, size_t target)
{
    switch (load.options.meta) {
    case OF_ODD_TARGETS:
        return target % 2 == 1;
    case OF_EVERY_THIRD:
        return i % 3 == 1;
    default:
        return load.options.meta == OF_ALL;
    }
}

static void make_packet(size_t i)
{
    const struct load_options *options = &load.options;
    size_t payload = load.workload->form == TO_EACH ? i % load.workload->payloads : i;
    size_t target = choose_target(i);

    load.target[i] = (uint16_t)target;
    load.packets[i] = (struct udpbatch_packet){ .data = memory + offsets[payload],
                                                .len = load_len(payload),
                                                .to = &load.targets[target] };
    if (options->is_connected && target == 0)
        load.packets[i].to = NULL;
    if (has_meta(i, target))
        load.packets[i].meta = &load.meta;
    if (options->in_pieces)
        cut(i);
    spoil(i);
}

void load_make(const struct workload *workload, const struct load_options *options)
{
    bool is_product = workload->form == TO_EACH;

    make_targets(options->family);
    load.workload = workload;
    load.options = *options;
    load.payload_count = workload->payloads;
    load.count = is_product ? (size_t)workload->payloads * workload->targets : workload->payloads;
    load.meta = (struct udpbatch_meta){ .flags = UDPBATCH_META_INTERFACE,
                                        .interface_index = if_nametoindex("near") };
    assert_true(load.count <= PACKETS_MOST);
    make_payloads();
    for (size_t i = 0; i < load.count; i++)
        make_packet(i);
}
