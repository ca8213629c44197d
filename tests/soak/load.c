/* load.c: the packets of one call, in the shapes that senders have. */
#define _GNU_SOURCE
#include "load.h"

#include <netinet/in.h>
#include <string.h>

union udpbatch_addr address_of_spot(int family, struct spot spot)
{
    union udpbatch_addr addr =
        address(family, family == AF_INET ? "10.98.0.0" : "fd98::", receiver_ports[spot.receiver]);

    if (family == AF_INET)
        addr.in4.sin_addr.s_addr |= htonl(spot.address);
    else
        addr.in6.sin6_addr.s6_addr[15] = (unsigned char)spot.address;
    return addr;
}

static uint16_t any_address(struct dice *dice)
{
    return (uint16_t)(FIRST_ADDRESS + roll(dice, ADDRESSES));
}

struct spot any_spot(struct dice *dice)
{
    uint16_t address = any_address(dice);
    return (struct spot){ (uint16_t)roll(dice, RECEIVERS), address };
}

uint32_t load_bytes(const struct udpbatch_packet *packet)
{
    const struct udpbatch_piece *pieces = packet->data;
    return packet->len == UDPBATCH_PIECES(2) ? (uint32_t)(pieces[0].len + pieces[1].len)
                                             : packet->len;
}

/* What a shape is made with. */
struct maker {
    struct load *load;
    unsigned stream;
    int family;
    const struct spot *peer; /* or NULL */
    struct dice *dice;
};

static void aim(struct maker *maker, size_t i, struct spot to)
{
    struct load *load = maker->load;
    load->targets[i] = address_of_spot(maker->family, to);
    load->packets[i].to = &load->targets[i];
}

/* A packet with a payload of its own. */
static void make_packet(struct maker *maker, size_t i, struct spot to, uint32_t len)
{
    struct load *load = maker->load;

    if (len < sizeof(struct label))
        len = sizeof(struct label);
    aim(maker, i, to);
    ledger_write(load->payloads[i], maker->stream, load->first + (uint32_t)i, len, to);
    load->packets[i].data = load->payloads[i];
    load->packets[i].len = len;
}

static void make_burst(struct maker *maker, uint32_t len)
{
    struct spot to = maker->peer != NULL ? *maker->peer : any_spot(maker->dice);

    for (size_t i = 0; i < maker->load->count; i++) {
        make_packet(maker, i, to, len);
        if (maker->peer != NULL)
            maker->load->packets[i].to = NULL;
    }
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* `payloads` x targets, target by target. */
static void make_fan_out(struct maker *maker, uint32_t payloads, uint32_t len)
{
    struct load *load = maker->load;
    uint16_t targets = (uint16_t)(load->count / payloads), stride = (uint16_t)payloads;
    struct spot first = { (uint16_t)roll(maker->dice, META_RECEIVERS),
                          (uint16_t)(FIRST_ADDRESS + roll(maker->dice, ADDRESSES - targets)) };
    struct udpbatch_packet originals[CALL_MOST] = { 0 };
    struct udpbatch_fanout fanout = { originals, payloads, load->targets, targets };

    load->count = (size_t)targets * payloads;
    for (uint16_t i = 0; i < targets; i++)
        aim(maker, i, (struct spot){ first.receiver, (uint16_t)(first.address + i) });
    for (uint32_t i = 0; i < payloads; i++) {
        ledger_write_shared(load->payloads[i], maker->stream, load->first + i, len, first, targets,
                            stride);
        originals[i] = (struct udpbatch_packet){ .data = load->payloads[i], .len = len };
    }
    if (udpbatch_fanout_fill(&fanout, 0, load->packets, load->count) != load->count)
        fault("a fan-out is not filled");
    load->is_shared = payloads == 1;
}

static void make_broadcast(struct maker *maker)
{
    uint16_t one = any_address(maker->dice);

    for (size_t i = 0; i < maker->load->count; i++) {
        struct spot to = { (uint16_t)(i % RECEIVERS), i % 2 == 0 ? one : any_address(maker->dice) };
        make_packet(maker, i, to, roll_one_in(maker->dice, 2) ? 1203 : 1228);
    }
}

static void make_scatter(struct maker *maker)
{
    for (size_t i = 0; i < maker->load->count; i++) {
        struct spot to = { (uint16_t)(i / ADDRESSES), (uint16_t)(FIRST_ADDRESS + i % ADDRESSES) };
        make_packet(maker, i, to, 160);
    }
}

static void make_anything(struct maker *maker)
{
    uint32_t longest = roll_one_in(maker->dice, 4) ? LEN_LONGEST : 1452;
    unsigned most = 1 + roll(maker->dice, 10), len = 0;

    for (size_t i = 0; i < maker->load->count; i++) {
        struct spot to = any_spot(maker->dice);
        to.address = (uint16_t)(FIRST_ADDRESS + to.address % most);
        if (i == 0 || roll_one_in(maker->dice, 3))
            len = roll(maker->dice, longest);
        make_packet(maker, i, to, len);
    }
}

enum shape { W1, W2, W3, W4, W5, W6, ANYTHING, SHAPES };

static size_t usual_count(enum shape shape, struct dice *dice)
{
    static const size_t fan_outs[] = { 1, 9, 64, 200 };

    switch (shape) {
    case W1:
        return fan_outs[roll(dice, COUNT_OF(fan_outs))];
    case W2:
        return 256;
    case W4:
    case W6:
        return CALL_MOST;
    case ANYTHING:
        return 1 + roll(dice, 100);
    default:
        return 64;
    }
}

/* All of a call's may be under way at once. */
static size_t count_of(enum shape shape, struct dice *dice)
{
    size_t count = usual_count(shape, dice);
    size_t most = window / (shape == ANYTHING ? frames_of(LEN_LONGEST) : 1);

    return count < most ? count : most;
}

static void make_shape(struct maker *maker, enum shape shape)
{
    switch (shape) {
    case W1:
        make_fan_out(maker, 1, 1228);
        return;
    case W2:
        make_broadcast(maker);
        return;
    case W3:
        make_burst(maker, 1232);
        return;
    case W4:
        make_scatter(maker);
        return;
    case W5:
        make_burst(maker, 400);
        return;
    case W6:
        make_fan_out(maker, 32, 1228);
        return;
    default:
        make_anything(maker);
    }
}

/* ---- What more there is to a packet ---------------------------------------------------------- */

/* W7: nobody is there, or it is refused. */
static union udpbatch_addr bad_target(struct maker *maker)
{
    static const char *const in4s[] = { "10.93.1.1", "10.93.2.1", "255.255.255.255", "10.98.0.5" };
    static const char *const in6s[] = { "fd93:1::1", "fd93:2::1", "fd98::5", "fd98::6" };
    unsigned which = roll(maker->dice, COUNT_OF(in4s) + 1);

    if (which == COUNT_OF(in4s))
        return (union udpbatch_addr){ .sa = { .sa_family = AF_UNIX } };
    return address(maker->family, maker->family == AF_INET ? in4s[which] : in6s[which], 9);
}

static void spoil_some(struct maker *maker)
{
    static const unsigned one_ins[] = { 100, 10, 10, 1 };
    struct load *load = maker->load;
    unsigned one_in = one_ins[roll(maker->dice, COUNT_OF(one_ins))];

    for (size_t i = 0; i < load->count; i++)
        if (roll_one_in(maker->dice, one_in)) {
            union udpbatch_addr *to = load->is_shared ? &load->targets[i] : &load->bad_targets[i];
            *to = bad_target(maker);
            load->packets[i].to = to;
            load->is_nowhere[i] = true;
        }
}

/* A label of its own before a body. */
static void cut_all(struct load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        const unsigned char *data = load->packets[i].data;
        load->pieces[i][0] = (struct udpbatch_piece){ data, sizeof(struct label) };
        load->pieces[i][1] = (struct udpbatch_piece){ data + sizeof(struct label),
                                                      load->packets[i].len - sizeof(struct label) };
        load->packets[i].data = load->pieces[i];
        load->packets[i].len = UDPBATCH_PIECES(2);
    }
}

static void add_meta(struct maker *maker)
{
    struct load *load = maker->load;

    load->meta = (struct udpbatch_meta){ .flags = UDPBATCH_META_TOS,
                                         .tos = (uint8_t)roll(maker->dice, 256),
                                         .ttl = 64 };
    if (roll_one_in(maker->dice, 2))
        load->meta.flags |= UDPBATCH_META_TTL;
    if (roll_one_in(maker->dice, 3)) {
        load->meta.flags |= UDPBATCH_META_LOCAL;
        load->meta.local = on_cable(maker->family, 3, 0);
    }
    for (size_t i = 0; i < load->count; i++)
        load->packets[i].meta = &load->meta;
    load->is_shared = false;
}

static uint32_t count_frames(const struct load *load)
{
    uint32_t frames = 0;
    for (size_t i = 0; i < load->count; i++)
        frames += frames_of(load_bytes(&load->packets[i]));
    return frames;
}

bool load_make(struct load *load, unsigned stream, int family, const struct spot *peer,
               struct dice *dice)
{
    struct maker maker = { load, stream, family, peer, dice };
    enum shape shape = (enum shape)roll(dice, SHAPES);

    load->count = count_of(shape, dice);
    if (!ledger_take(stream, (uint32_t)load->count, &load->first))
        return false;
    load->is_shared = false;
    memset(load->packets, 0, sizeof load->packets);
    memset(load->is_nowhere, 0, sizeof load->is_nowhere);
    make_shape(&maker, shape);
    load->frames = count_frames(load);
    if (peer == NULL && roll_one_in(dice, 4))
        spoil_some(&maker);
    if (!load->is_shared && roll_one_in(dice, 4))
        cut_all(load);
    if (roll_one_in(dice, 4))
        add_meta(&maker);
    return true;
}
