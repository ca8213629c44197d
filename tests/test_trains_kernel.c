/* test_trains_kernel.c: whatever leaves as a train arrives as the packets that were asked for: by
 * every way to send, over devices that cut trains themselves, have them cut, or are too narrow.
 *
 * The program makes two hosts of its own (two_hosts.h) and looks at the cable between them. It
 * needs root or user namespaces, ip and tc; where these are missing it exits with 77, or fails if
 * CI is set.
 */
#define _GNU_SOURCE
#include "capture.h"
#include "cargo.h"
#include "chance.h"
#include "internal.h"
#include "two_hosts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef UDP_NO_CHECK6_TX
#define UDP_NO_CHECK6_TX 101
#define UDP_NO_CHECK6_RX 102
#endif

static const int FAMILIES[] = { AF_INET, AF_INET6 };

static size_t family_count(void)
{
    return has_in6() ? 2 : 1;
}

/* ---- Receivers at all targets ---------------------------------------------------------------- */

/* One for each port, of all hosts. */
static struct post {
    int fd;
    struct udpbatch_receiver *receiver;
} posts[PORTS];

static void open_post(struct post *post, int family, uint16_t number, const struct way *way,
                      enum udpbatch_trains trains)
{
    struct udpbatch_receiver_options options = { .size = sizeof options,
                                                 .backend = way->backend,
                                                 .batch = 4,
                                                 .trains = trains,
                                                 .meta = UDPBATCH_META_CAME_TO };
    union udpbatch_addr any = address(family, family == AF_INET ? "0.0.0.0" : "::", number);

    post->fd = port_at(FAR, &any).fd;
    make_nonblocking(post->fd);
    post->receiver = udpbatch_receiver_open(post->fd, &options, NULL);
    assert_non_null(post->receiver);
}

static void close_posts(void)
{
    for (size_t i = 0; i < PORTS && posts[i].receiver != NULL; i++) {
        udpbatch_receiver_close(posts[i].receiver);
        close(posts[i].fd);
        posts[i].receiver = NULL;
    }
}

static void open_posts(int family, const struct way *way, enum udpbatch_trains trains)
{
    close_posts(); /* a test that failed has left them */
    for (uint16_t i = 0; i < PORTS; i++)
        open_post(&posts[i], family, (uint16_t)(FIRST_PORT + i), way, trains);
}

static uint64_t trains_received(void)
{
    uint64_t trains = 0;
    for (size_t i = 0; i < PORTS; i++) {
        struct udpbatch_receiver_stats stats = { .size = sizeof stats };
        udpbatch_receiver_stats(posts[i].receiver, &stats);
        trains += stats.trains;
    }
    return trains;
}

/* All that is there already. */
static void collect(size_t post)
{
    struct udpbatch_received received[100];
    int count;

    while ((count = udpbatch_receiver_receive(posts[post].receiver, received, 100)) >= 0) {
        for (int i = 0; i < count; i++) {
            union udpbatch_addr to = received[i].meta->local;
            to.in4.sin_port = htons((uint16_t)(FIRST_PORT + post));
            assert_int_equal(received[i].truncated, 0);
            arrive(&to, received[i].data, received[i].len);
        }
    }
    assert_int_equal(count, -EAGAIN);
}

static void explain_absence(void)
{
    uint64_t dropped = 0;
    for (size_t i = 0; i < PORTS; i++) {
        struct udpbatch_receiver_stats stats = { .size = sizeof stats };
        udpbatch_receiver_stats(posts[i].receiver, &stats);
        dropped += stats.dropped;
    }
    fail_msg("%s: %zu of %zu packets arrived, receive buffers dropped %u", scene, cargo.arrived,
             cargo.shape->count, (unsigned)dropped);
}

static void wait_for_any(void)
{
    struct pollfd waits[PORTS];
    for (size_t i = 0; i < PORTS; i++)
        waits[i] = (struct pollfd){ .fd = posts[i].fd, .events = POLLIN };
    if (poll(waits, PORTS, PATIENCE_MS) < 1)
        explain_absence();
}

static void collect_some(void)
{
    for (size_t i = 0; i < PORTS; i++)
        collect(i);
}

/* All, and nothing beside them. */
static void collect_all(void)
{
    size_t refused = 0;
    for (size_t i = 0; i < cargo.shape->count; i++)
        refused += cargo.packets[i].status < 0;
    collect_some();
    while (cargo.arrived + refused < cargo.shape->count) {
        wait_for_any();
        collect_some();
    }
    collect_some();
}

/* ---- Sending --------------------------------------------------------------------------------- */

static struct sending begin_sending(const struct way *way, int family)
{
    union udpbatch_addr from = on_cable(family, 1, 0);
    return sending_begin(way, port_at(NEAR, &from).fd);
}

/* On level 2 only, with those options. */
static struct sending begin_with(const struct way *way, int family,
                                 struct udpbatch_sender_options options)
{
    union udpbatch_addr from = on_cable(family, 1, 0);
    struct sending sending = { .way = way, .fd = port_at(NEAR, &from).fd };

    options.size = sizeof options;
    options.backend = way->backend;
    sending.sender = udpbatch_sender_open(sending.fd, &options, NULL);
    assert_non_null(sending.sender);
    return sending;
}

static void send_cargo(struct sending *sending)
{
    struct udpbatch_tally tally = sending_send(sending, cargo.packets, cargo.shape->count);
    if (tally.sent != cargo.shape->count)
        fail_msg("%s: %zu sent, %zu refused (the first: %zu, %s), %zu unsent (%s)", scene,
                 tally.sent, tally.refused, tally.first_refused, strerror(tally.first_error),
                 tally.unsent, strerror(tally.unsent_error));
}

/* One payload by the call for it. */
static void fan_out_cargo(struct sending *sending)
{
    static int32_t status[MOST];
    memset(status, 0, sizeof status);
    struct udpbatch_tally tally = sending_fan_out(sending, cargo.payloads[0], cargo.aims[0].len,
                                                  cargo.to, cargo.shape->count, status);
    assert_int_equal(tally.sent, cargo.shape->count);
}

static struct udpbatch_sender_stats stats_of(const struct sending *sending)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    udpbatch_sender_stats(sending->sender, &stats);
    return stats;
}

/* ---- What the statistics have to say --------------------------------------------------------- */

/* Where the kernel has no trains, or not all, there is nothing to count. */
static bool has_trains(void)
{
    struct utsname name;
    struct port port = port_open(AF_INET);
    bool has = ub_socket_has_trains(port.fd) && uname(&name) == 0 &&
               ub_gso_kernel(name.release) == UB_GSO_WELL;
    port_close(&port);
    return has;
}

static void need_trains(void)
{
    if (has_trains())
        return;
    print_message("cannot run here: this kernel has no trains, or not all\n");
    skip();
}

struct model {
    uint32_t count, segment, bytes;
    bool ended;
};

static bool joins(const struct model *train, uint32_t len, uint32_t longest)
{
    uint32_t most = cargo.family == AF_INET ? 65507 : 65527;
    return len > 0 && train->count > 0 && !train->ended && train->segment <= longest &&
           len <= train->segment && train->bytes + len <= most;
}

/* How many trains of two packets and more the cargo is, if packets may be so long. */
static size_t trains_in_cargo(uint32_t longest)
{
    static struct model newest[TARGETS];
    size_t trains = 0;

    memset(newest, 0, sizeof newest);
    for (size_t i = 0; i < cargo.shape->count; i++) {
        struct model *train = &newest[cargo.aims[i].target];
        uint32_t len = cargo.aims[i].len;
        if (!joins(train, len, longest)) {
            *train = (struct model){ 1, len, len, false };
            continue;
        }
        trains += train->count == 1;
        train->count++;
        train->bytes += len;
        train->ended = len < train->segment;
    }
    return trains;
}

static uint32_t longest_at(int mtu, int family)
{
    return (uint32_t)(mtu - (family == AF_INET ? 20 : 40) - 8);
}

static void expect_no_trains(const struct sending *sending)
{
    struct udpbatch_sender_stats stats = stats_of(sending);
    assert_int_equal(stats.trains, 0);
    assert_int_equal(stats.trains_split, 0);
    assert_int_equal(stats.sizes[0], stats.packets);
}

/* Kernels before 6.11 refuse trains where the device makes no checksums. How long a train may be is
 * the kernel's, too. */
static void expect_stats(const struct sending *sending, uint32_t longest, bool may_refuse)
{
    struct udpbatch_sender_stats stats = stats_of(sending);
    size_t trains = trains_in_cargo(longest), more = trains_in_cargo(UINT32_MAX);

    assert_int_equal(stats.packets, cargo.shape->count);
    assert_int_equal(stats.bytes, bytes_of_packets());
    assert_int_equal(stats.refused, 0);
    if (!has_trains() || cargo.shape == &MANY_TO_ONE ||
        (may_refuse && stats.trains == 0 && stats.trains_split > 0))
        return;
    if (stats.trains != trains || stats.trains_split != (more > trains ? 1 : 0))
        fail_msg("%s: %u trains, %u split in place of %zu, %d", scene, (unsigned)stats.trains,
                 (unsigned)stats.trains_split, trains, more > trains);
}

/* ---- The devices ----------------------------------------------------------------------------- */

enum { NARROW_MTU = 1280 };

struct setting {
    const char *name;
    bool cuts; /* trains, by itself */
    bool sums; /* makes checksums, by itself */
    int mtu;
};

static const struct setting AS_THEY_ARE = { "devices as they are", true, true, CABLE_MTU },
                            NOT_CUTTING = { "no segmentation", false, true, CABLE_MTU },
                            NOT_SUMMING = { "no checksums", true, false, CABLE_MTU },
                            TOO_NARROW = { "a narrow MTU", true, true, NARROW_MTU };

/* A device without checksums does not cut either. */
static void set_devices(const struct setting *setting)
{
    cable_feature("tx-checksum-ip-generic", true);
    cable_feature("tx-udp-segmentation", setting->cuts);
    if (!setting->sums)
        cable_feature("tx-checksum-ip-generic", false);
    cable_mtu(setting->mtu);
}

static void set_scene(const struct setting *setting, const char *more)
{
    snprintf(scene, sizeof scene, "%s, IPv%d, %s%s", setting->name, cargo.family == AF_INET ? 4 : 6,
             cargo.shape->name, more);
}

static void the_way_to_the_far_side_is_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++)
        wait_for_cable(FAMILIES[i]);
}

/* ---- All arrive ------------------------------------------------------------------------------ */

static void deliver(const struct way *way, const struct setting *setting, const char *receivers)
{
    struct sending sending = begin_sending(way, cargo.family);
    set_scene(setting, receivers);
    send_cargo(&sending);
    collect_all();
    if (sending.sender != NULL)
        expect_stats(&sending, longest_at(setting->mtu, cargo.family), !setting->sums);
    sending_end(&sending);
}

static void deliver_by_fan_out(const struct way *way, const struct setting *setting,
                               const struct shape *shape, int family)
{
    load(shape, family);
    struct sending sending = begin_sending(way, cargo.family);
    set_scene(setting, " by fan-out");
    fan_out_cargo(&sending);
    collect_all();
    sending_end(&sending);
}

static void deliver_shapes(const struct way *way, const struct setting *setting, int family,
                           enum udpbatch_trains trains)
{
    open_posts(family, way, trains);
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        load(SHAPES[i], family);
        if (trains == UDPBATCH_TRAINS_OFF)
            share_addresses();
        deliver(way, setting, trains == UDPBATCH_TRAINS_OFF ? "" : ", received as trains");
    }
    deliver_by_fan_out(way, setting, &W1, family);
    deliver_by_fan_out(way, setting, &IN_TURN_OF_ONE, family);
    if (trains == UDPBATCH_TRAINS_OFF)
        assert_int_equal(trains_received(), 0);
    else if (setting == &AS_THEY_ARE && has_trains())
        assert_true(trains_received() > 0);
    close_posts();
}

static void deliver_all(const struct way *way, const struct setting *setting)
{
    set_devices(setting);
    for (size_t i = 0; i < family_count(); i++) {
        deliver_shapes(way, setting, FAMILIES[i], UDPBATCH_TRAINS_AUTO);
        deliver_shapes(way, setting, FAMILIES[i], UDPBATCH_TRAINS_OFF);
    }
}

static void all_shapes_arrive(void **state)
{
    deliver_all(*state, &AS_THEY_ARE);
}

static void all_shapes_arrive_by_devices_that_do_not_cut_trains(void **state)
{
    deliver_all(*state, &NOT_CUTTING);
}

static void all_shapes_arrive_by_devices_that_make_no_checksums(void **state)
{
    deliver_all(*state, &NOT_SUMMING);
}

static void all_shapes_arrive_by_devices_with_a_narrow_mtu(void **state)
{
    deliver_all(*state, &TOO_NARROW);
}

static struct sending begin_connected(const struct way *way, int family)
{
    struct sending sending = begin_sending(way, family);
    connect_to(sending.fd, &targets[0]);
    for (size_t i = 0; i < cargo.shape->count; i++)
        cargo.packets[i].to = NULL;
    return sending;
}

static void trains_reach_the_connected_peer(void **state)
{
    static const struct shape *const shapes[] = { &W3, &W5, &PIECES, &ABOVE };

    for (size_t i = 0; i < 2 * COUNT_OF(shapes) * family_count(); i++) {
        const struct setting *setting = i % 2 == 0 ? &AS_THEY_ARE : &TOO_NARROW;
        set_devices(setting);
        load(shapes[i / 2 / family_count()], FAMILIES[i / 2 % family_count()]);
        set_scene(setting, ", connected");
        open_posts(cargo.family, *state, UDPBATCH_TRAINS_AUTO);
        struct sending sending = begin_connected(*state, cargo.family);
        send_cargo(&sending);
        collect_all();
        if (sending.sender != NULL)
            expect_stats(&sending, longest_at(setting->mtu, cargo.family), false);
        sending_end(&sending);
        close_posts();
    }
}

static union udpbatch_addr mapped(const union udpbatch_addr *in4)
{
    union udpbatch_addr in6 = { .in6 = { .sin6_family = AF_INET6,
                                         .sin6_port = in4->in4.sin_port } };
    memset(in6.in6.sin6_addr.s6_addr + 10, 0xff, 2);
    memcpy(in6.in6.sin6_addr.s6_addr + 12, &in4->in4.sin_addr, 4);
    return in6;
}

/* Maps the cargo's addresses, all or some; an IPv6 socket takes both forms. */
static void send_mapped(const struct way *way, const struct shape *shape, bool all)
{
    union udpbatch_addr any = address(AF_INET6, "::", 0);
    struct sending sending = sending_begin(way, port_at(NEAR, &any).fd);

    load(shape, AF_INET);
    set_scene(&AS_THEY_ARE, ", mapped into IPv6");
    for (size_t i = 0; i < shape->count; i++)
        if (all || i / 48 % 2 == 0)
            cargo.to[i] = mapped(&targets[cargo.aims[i].target]);
    send_cargo(&sending);
    collect_all();
    if (sending.sender != NULL && all)
        expect_stats(&sending, UINT32_MAX, false);
    sending_end(&sending);
}

static void trains_reach_mapped_addresses(void **state)
{
    if (!has_in6()) {
        print_message("cannot run here: no IPv6\n");
        skip();
    }
    set_devices(&AS_THEY_ARE);
    open_posts(AF_INET, *state, UDPBATCH_TRAINS_AUTO);
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        send_mapped(*state, SHAPES[i], true);
        send_mapped(*state, SHAPES[i], false);
    }
    close_posts();
}

/* ---- Chance ---------------------------------------------------------------------------------- */

enum { ROUNDS = 60, CHANCE_MOST = 150 };

static unsigned chance_targets;

/* In runs of the same. */
static struct aim of_chance(uint32_t i)
{
    static const uint32_t lens[] = { 0, 1, 50, 400, 400, 400, 1200, 1200, 1300, 1400, LEN_MOST };
    static struct aim aim;

    if (i == 0 || one_in(5))
        aim = (struct aim){ below(chance_targets), 0, lens[below(COUNT_OF(lens))] };
    aim.payload = i;
    return aim;
}

static const struct udpbatch_meta *meta_of_chance(void)
{
    static const struct udpbatch_meta metas[] = {
        { .flags = UDPBATCH_META_TOS, .tos = 0xb8 },
        { .flags = UDPBATCH_META_TOS, .tos = 0x20 },
        { .flags = UDPBATCH_META_CAME_TO },
    };
    static const struct udpbatch_meta bad = { .flags = UDPBATCH_META_TTL };
    unsigned which = below(5);

    if (one_in(20))
        return &bad;
    return which < COUNT_OF(metas) ? &metas[which] : NULL;
}

static void cut_in_pieces(size_t i)
{
    struct udpbatch_packet *packet = &cargo.packets[i];
    const unsigned char *data = packet->data;
    uint32_t part = below(packet->len + 1);

    cargo.pieces[i][0] = (struct udpbatch_piece){ data, part };
    cargo.pieces[i][1] = (struct udpbatch_piece){ data + part, packet->len - part };
    packet->data = cargo.pieces[i];
    packet->len = UDPBATCH_PIECES(2);
}

/* Some in pieces, some with a meta, some that have a status already. */
static void vary_packets(size_t n)
{
    bool has_metas = one_in(2), has_pieces = one_in(2);

    if (one_in(2))
        share_addresses();
    for (size_t i = 0; i < n; i++) {
        if (has_metas)
            cargo.packets[i].meta =
                i == 0 || one_in(4) ? meta_of_chance() : cargo.packets[i - 1].meta;
        if (has_pieces && one_in(2))
            cut_in_pieces(i);
        if (one_in(20))
            cargo.packets[i].status = -EXDEV;
    }
}

static void check_fates(const bool *was_refused)
{
    for (size_t i = 0; i < cargo.shape->count; i++) {
        const struct udpbatch_meta *meta = cargo.packets[i].meta;
        bool is_bad = meta != NULL && meta->flags == UDPBATCH_META_TTL;
        int32_t status = is_bad ? -EINVAL : 1;
        if (cargo.packets[i].status != (was_refused[i] ? -EXDEV : status))
            fail_msg("%s: packet %zu has status %d", scene, i, cargo.packets[i].status);
    }
}

static void send_by_chance(struct sending *sending)
{
    static struct shape shape = { "chance", 0, of_chance, false };
    bool was_refused[CHANCE_MOST];

    shape.count = 1 + below(CHANCE_MOST);
    chance_targets = 1 + below(one_in(2) ? 3 : 40);
    load(&shape, cargo.family);
    vary_packets(shape.count);
    for (size_t i = 0; i < shape.count; i++)
        was_refused[i] = cargo.packets[i].status < 0;
    for (size_t done = 0; done < shape.count;) { /* by one call, or by some */
        size_t part = one_in(2) ? shape.count - done : 1 + below((unsigned)(shape.count - done));
        sending_send(sending, cargo.packets + done, part);
        done += part;
    }
    check_fates(was_refused);
    collect_all();
}

static void arrays_of_chance_arrive(void **state)
{
    static const struct setting *const settings[] = { &AS_THEY_ARE, &NOT_CUTTING, &NOT_SUMMING,
                                                      &TOO_NARROW };
    const struct way *way = *state;

    chance_begin();
    for (size_t i = 0; i < COUNT_OF(settings) * family_count(); i++) {
        int family = FAMILIES[i % family_count()];
        set_devices(settings[i / family_count()]);
        snprintf(scene, sizeof scene, "%s, chance", settings[i / family_count()]->name);
        open_posts(family, way, UDPBATCH_TRAINS_AUTO);
        struct udpbatch_sender_options options = { .in_order = one_in(2) };
        struct sending sending =
            way->backend != NULL ? begin_with(way, family, options) : begin_sending(way, family);
        cargo.family = family;
        for (size_t round = 0; round < ROUNDS; round++)
            send_by_chance(&sending);
        sending_end(&sending);
        close_posts();
    }
}

/* ---- On the wire ----------------------------------------------------------------------------- */

struct marks {
    uint8_t tos, ttl;
};

static void expect_marks(const struct frame *frame, const struct marks *marks)
{
    if (frame->tos != marks->tos || frame->ttl != marks->ttl)
        fail_msg("%s: TOS 0x%02x, TTL %d in place of 0x%02x, %d", scene, frame->tos, frame->ttl,
                 marks->tos, marks->ttl);
}

/* Frame by frame the cargo; in the order of the array, if so asked. */
static void see_cargo(struct capture *capture, const struct marks *marks,
                      const struct setting *setting, bool in_order)
{
    union udpbatch_addr near_end = on_cable(cargo.family, 1, 0);
    struct frame frame;

    for (size_t i = 0; i < cargo.shape->count; i++) {
        if (!capture_next(capture, &frame, PATIENCE_MS))
            fail_msg("%s: %zu of %zu packets were seen", scene, i, cargo.shape->count);
        near_end.in4.sin_port = frame.from.in4.sin_port;
        assert_true(same_address(&frame.from, &near_end));
        size_t packet = arrive(&frame.to, frame.data, frame.len);
        if (in_order && packet != i)
            fail_msg("%s: packet %zu left in place of packet %zu", scene, packet, i);
        expect_marks(&frame, marks);
        assert_true(setting->sums || frame.has_checksum);
    }
    assert_false(capture_next(capture, &frame, 0));
}

static void mark_cargo(const struct udpbatch_meta *meta)
{
    for (size_t i = 0; i < cargo.shape->count; i++)
        cargo.packets[i].meta = meta;
}

static void send_and_see(const struct way *way, const struct setting *setting,
                         struct capture *capture, const struct udpbatch_meta *meta,
                         const struct marks *marks)
{
    struct sending sending = begin_sending(way, cargo.family);

    set_scene(setting, meta != NULL ? ", with marks" : "");
    mark_cargo(meta);
    send_cargo(&sending);
    see_cargo(capture, marks, setting, false);
    if (sending.sender != NULL)
        expect_stats(&sending, longest_at(setting->mtu, cargo.family), !setting->sums);
    sending_end(&sending);
}

static void see_shapes(const struct way *way, const struct setting *setting, int family)
{
    static const struct marks usual = { 0, 64 }, asked = { 0xb8 | 1, 33 };
    const struct udpbatch_meta meta = { .flags = UDPBATCH_META_TOS | UDPBATCH_META_TTL,
                                        .tos = asked.tos,
                                        .ttl = asked.ttl };
    struct capture capture = capture_open();

    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        load(SHAPES[i], family);
        send_and_see(way, setting, &capture, NULL, &usual);
        load(SHAPES[i], family);
        send_and_see(way, setting, &capture, &meta, &asked);
    }
    capture_close(&capture);
}

static void see_all(const struct way *way, const struct setting *setting)
{
    set_devices(setting);
    for (size_t i = 0; i < family_count(); i++)
        see_shapes(way, setting, FAMILIES[i]);
}

static void the_wire_carries_the_packets_that_were_asked_for(void **state)
{
    see_all(*state, &NOT_CUTTING);
}

static void the_wire_carries_the_packets_with_their_checksums(void **state)
{
    see_all(*state, &NOT_SUMMING);
}

/* How many frames the cargo is, trains being whole. */
static size_t count_frames(struct capture *capture)
{
    struct frame frame;
    size_t count = 0, bytes = 0;

    capture->takes_trains = true;
    for (; bytes < bytes_of_packets(); count++) {
        if (!capture_next(capture, &frame, PATIENCE_MS))
            fail_msg("%s: %zu of %zu bytes were seen", scene, bytes, bytes_of_packets());
        bytes += frame.len;
    }
    assert_int_equal(bytes, bytes_of_packets());
    assert_false(capture_next(capture, &frame, 0));
    return count;
}

static size_t send_and_count(struct sending *sending, const struct shape *shape, int family)
{
    set_devices(&AS_THEY_ARE);
    load(shape, family);
    set_scene(&AS_THEY_ARE, "");
    struct capture capture = capture_open();
    send_cargo(sending);
    size_t frames = count_frames(&capture);
    capture_close(&capture);
    return frames;
}

static void trains_reach_the_device_whole(void **state)
{
    need_trains();
    for (size_t i = 0; i < family_count(); i++) {
        struct sending sending = begin_sending(*state, FAMILIES[i]);
        assert_int_equal(send_and_count(&sending, &W3, FAMILIES[i]), 2); /* 64 KiB and the rest */
        assert_int_equal(send_and_count(&sending, &W5, FAMILIES[i]), 1);
        assert_int_equal(send_and_count(&sending, &W6, FAMILIES[i]), 64);
        assert_int_equal(send_and_count(&sending, &PIECES, FAMILIES[i]), 1);
        sending_end(&sending);
    }
}

static void a_sender_without_trains_sends_none(void **state)
{
    struct udpbatch_sender_options options = { .trains = UDPBATCH_TRAINS_OFF };
    for (size_t i = 0; i < family_count(); i++) {
        struct sending sending = begin_with(*state, FAMILIES[i], options);
        assert_int_equal(send_and_count(&sending, &W3, FAMILIES[i]), W3.count);
        expect_no_trains(&sending);
        sending_end(&sending);
    }
}

static void the_environment_switches_trains_off(void **state)
{
    assert_int_equal(setenv("UDPBATCH_GSO", "off", 1), 0);
    struct sending sending = begin_sending(*state, AF_INET);
    size_t frames = send_and_count(&sending, &W3, AF_INET);
    assert_int_equal(unsetenv("UDPBATCH_GSO"), 0);
    assert_int_equal(frames, W3.count);
    if (sending.sender != NULL)
        expect_no_trains(&sending);
    sending_end(&sending);
}

static void the_environment_has_the_last_word(void **state)
{
    struct udpbatch_sender_options options = { .trains = UDPBATCH_TRAINS_ALWAYS };
    assert_int_equal(setenv("UDPBATCH_GSO", "off", 1), 0);
    struct sending sending = begin_with(*state, AF_INET, options);
    size_t frames = send_and_count(&sending, &W3, AF_INET);
    assert_int_equal(unsetenv("UDPBATCH_GSO"), 0);
    assert_int_equal(frames, W3.count);
    expect_no_trains(&sending);
    sending_end(&sending);
}

/* ---- Order ----------------------------------------------------------------------------------- */

static void a_sender_in_order_keeps_that_of_the_array(void **state)
{
    static const struct shape *const shapes[] = { &W2, &W6, &LENGTHS, &IN_TURN };
    static const struct marks usual = { 0, 64 };

    set_devices(&NOT_CUTTING);
    for (size_t i = 0; i < COUNT_OF(shapes) * family_count(); i++) {
        struct udpbatch_sender_options options = { .in_order = 1 };
        load(shapes[i / family_count()], FAMILIES[i % family_count()]);
        set_scene(&NOT_CUTTING, ", in order");
        struct sending sending = begin_with(*state, cargo.family, options);
        struct capture capture = capture_open();
        send_cargo(&sending);
        see_cargo(&capture, &usual, &NOT_CUTTING, true);
        if (cargo.shape == &W6 && has_trains())
            assert_int_equal(stats_of(&sending).trains, trains_in_cargo(UINT32_MAX));
        capture_close(&capture);
        sending_end(&sending);
    }
}

static void the_multi_target_call_keeps_the_order_of_the_targets(void **state)
{
    static const struct way level1 = { "level 1", NULL };
    static const struct marks usual = { 0, 64 };

    (void)state;
    set_devices(&NOT_CUTTING);
    for (size_t i = 0; i < family_count(); i++) {
        load(&IN_TURN_OF_ONE, FAMILIES[i]);
        set_scene(&NOT_CUTTING, " by fan-out");
        struct sending sending = begin_sending(&level1, FAMILIES[i]);
        struct capture capture = capture_open();
        fan_out_cargo(&sending);
        see_cargo(&capture, &usual, &NOT_CUTTING, true);
        capture_close(&capture);
        sending_end(&sending);
    }
}

/* ---- Trains that are refused ----------------------------------------------------------------- */

static void make_unsummed(int fd, int family)
{
    if (family == AF_INET)
        set_option(fd, SOL_SOCKET, SO_NO_CHECK, 1);
    else
        set_option(fd, IPPROTO_UDP, UDP_NO_CHECK6_TX, 1);
}

static void a_socket_without_checksums_sends_all(void **state)
{
    set_devices(&AS_THEY_ARE);
    for (size_t i = 0; i < family_count(); i++) {
        open_posts(FAMILIES[i], *state, UDPBATCH_TRAINS_AUTO);
        if (FAMILIES[i] == AF_INET6)
            for (size_t post = 0; post < PORTS; post++)
                set_option(posts[post].fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1);
        struct sending sending = begin_sending(*state, FAMILIES[i]);
        make_unsummed(sending.fd, FAMILIES[i]);
        load(&W6, FAMILIES[i]);
        set_scene(&AS_THEY_ARE, " from a socket without checksums");
        send_cargo(&sending);
        collect_all();
        if (sending.sender != NULL && has_trains()) {
            assert_int_equal(stats_of(&sending).trains, 0);
            assert_true(stats_of(&sending).trains_split > 0);
        }
        sending_end(&sending);
        close_posts();
    }
}

/* By a route with an MTU of its own; whatever was learned before is forgotten with it. */
static void make_one_way_narrow(int family)
{
    const char *host = family == AF_INET ? "10.98.0.9/32" : "fd98::9/128";
    const char *by = family == AF_INET ? "10.99.0.2" : "fd99::2";
    const char *from = family == AF_INET ? "10.99.0.1" : "fd99::1";
    assert_true(
        run_at(NEAR, "ip route replace %s via %s src %s mtu %d", host, by, from, NARROW_MTU));
}

/* Twice, as the refusal is remembered. */
static void send_by_two_ways(struct sending *sending, int family)
{
    for (size_t round = 1; round <= 2; round++) {
        load(&NARROW_AND_WIDE, family);
        set_scene(&AS_THEY_ARE, "");
        send_cargo(sending);
        collect_all();
        if (sending->sender == NULL || !has_trains())
            continue;
        assert_int_equal(stats_of(sending).trains, round);
        assert_int_equal(stats_of(sending).trains_split, 1);
        assert_int_equal(stats_of(sending).sizes[0], round * NARROW_AND_WIDE.count / 2);
    }
}

static void hear_icmp(int fd, int family)
{
    if (family == AF_INET)
        set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
    else
        set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

static void send_by_narrow_and_wide(const struct way *way, bool hears_icmp)
{
    set_devices(&AS_THEY_ARE);
    for (size_t i = 0; i < family_count(); i++) {
        make_one_way_narrow(FAMILIES[i]);
        open_posts(FAMILIES[i], way, UDPBATCH_TRAINS_AUTO);
        struct sending sending = begin_sending(way, FAMILIES[i]);
        if (hears_icmp)
            hear_icmp(sending.fd, FAMILIES[i]);
        send_by_two_ways(&sending, FAMILIES[i]);
        sending_end(&sending);
        close_posts();
    }
}

static void a_narrow_way_splits_its_own_trains_only(void **state)
{
    send_by_narrow_and_wide(*state, false);
}

static void a_narrow_way_splits_its_own_trains_of_a_socket_that_hears_icmp(void **state)
{
    send_by_narrow_and_wide(*state, true);
}

/* ---- A full socket --------------------------------------------------------------------------- */

static void resume(struct sending *sending)
{
    struct udpbatch_tally tally;
    size_t stops = 0, sent = 0;

    while ((tally = sending_send(sending, cargo.packets, cargo.shape->count)).unsent > 0) {
        assert_int_equal(tally.unsent_error, EAGAIN);
        assert_int_equal(tally.refused, 0);
        assert_true(tally.sent > sent || stops == 0);
        sent = tally.sent;
        stops++;
        collect_some();
        assert_int_equal(sending_wait(sending, &tally, PATIENCE_MS), 0);
    }
    assert_int_equal(tally.sent, cargo.shape->count);
    assert_true(stops > 0);
}

/* The queue goes on at once, but far slower than a sender. */
static void a_socket_that_is_full_amid_trains_is_resumed(void **state)
{
    static const struct shape *const shapes[] = { &W2, &IN_TURN, &LENGTHS };

    set_devices(&AS_THEY_ARE);
    assert_true(
        run_at(NEAR, "tc qdisc replace dev near root tbf rate 40mbit burst 10kb limit 9mb"));
    for (size_t i = 0; i < COUNT_OF(shapes) * family_count(); i++) {
        load(shapes[i / family_count()], FAMILIES[i % family_count()]);
        set_scene(&AS_THEY_ARE, ", from a full socket");
        open_posts(cargo.family, *state, UDPBATCH_TRAINS_AUTO);
        struct sending sending = begin_sending(*state, cargo.family);
        set_option(sending.fd, SOL_SOCKET, SO_SNDBUF, 16 * 1024);
        make_nonblocking(sending.fd);
        resume(&sending);
        collect_all();
        if (sending.sender != NULL && has_trains())
            assert_true(stats_of(&sending).trains > 0);
        sending_end(&sending);
        close_posts();
    }
    assert_true(run_at(NEAR, "tc qdisc del dev near root"));
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_EACH_WAY(all_shapes_arrive),
        TEST_EACH_WAY(all_shapes_arrive_by_devices_that_do_not_cut_trains),
        TEST_EACH_WAY(all_shapes_arrive_by_devices_that_make_no_checksums),
        TEST_EACH_WAY(all_shapes_arrive_by_devices_with_a_narrow_mtu),
        TEST_EACH_WAY(trains_reach_the_connected_peer),
        TEST_EACH_WAY(trains_reach_mapped_addresses),
        TEST_EACH_WAY(arrays_of_chance_arrive),
        TEST_EACH_WAY(the_wire_carries_the_packets_that_were_asked_for),
        TEST_EACH_WAY(the_wire_carries_the_packets_with_their_checksums),
        TEST_EACH_WAY(trains_reach_the_device_whole),
        TEST_EACH_BACKEND(a_sender_without_trains_sends_none),
        TEST_EACH_WAY(the_environment_switches_trains_off),
        TEST_EACH_BACKEND(the_environment_has_the_last_word),
        TEST_EACH_BACKEND(a_sender_in_order_keeps_that_of_the_array),
        TEST_ONCE(the_multi_target_call_keeps_the_order_of_the_targets),
        TEST_EACH_WAY(a_socket_without_checksums_sends_all),
        TEST_EACH_WAY(a_narrow_way_splits_its_own_trains_only),
        TEST_EACH_WAY(a_narrow_way_splits_its_own_trains_of_a_socket_that_hears_icmp),
        TEST_EACH_WAY(a_socket_that_is_full_amid_trains_is_resumed),
    };
    const char *missing = two_hosts_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("trains over the kernel", tests, COUNT_OF(tests));
}
