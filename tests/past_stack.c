/* past_stack.c: what the tests of the back end "xdp" share. */
#define _GNU_SOURCE
#include "past_stack.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const int FAMILIES[2] = { AF_INET, AF_INET6 };

size_t family_count(void)
{
    return has_in6() ? 2 : 1;
}

static bool stay_on_one_processor(void)
{
    int here = sched_getcpu();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(here >= 0 ? (size_t)here : 0, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

static bool has_xdp(void)
{
    int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    close(fd);
    return fd >= 0;
}

const char *past_stack_make(void)
{
    const char *missing = all_hosts_make();
    return missing != NULL || has_xdp() ? missing : "this kernel has no AF_XDP";
}

const char *all_hosts_make(void)
{
    const char *missing = two_hosts_make();
    if (missing != NULL)
        return missing;
    if (!two_hosts_add_cable())
        return "ip cannot make a second cable";
    if (!two_hosts_add_beyond())
        return "ip cannot make a router";
    return stay_on_one_processor() ? NULL : "no permission to stay on one processor";
}

void wait_for_all_ways(void)
{
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr from = on_cable(FAMILIES[i], 1, 0), to = at_beyond(FAMILIES[i], 2, 0);
        wait_for_cable(FAMILIES[i]);
        wait_for_way_to(BEYOND, &from, &to);
        from = on_second_cable(FAMILIES[i], 1, 0);
        to = on_second_cable(FAMILIES[i], 2, 0);
        wait_for_way(&from, &to);
    }
}

void the_way_to_the_far_side_is_open(void **state)
{
    (void)state;
    wait_for_all_ways();
}

/* ---- Packets --------------------------------------------------------------------------------- */

uint32_t longest_payload(int family)
{
    return CABLE_MTU - (family == AF_INET ? 20 : 40) - 8;
}

void make_lengths(struct udpbatch_packet *packets, uint32_t n, const union udpbatch_addr *to)
{
    make_packets(packets, n, LEN_MOST, to);
    for (uint32_t i = 0; i < n; i++)
        packets[i].len = i;
}

void make_payload(unsigned char *payload, uint32_t number, uint32_t len)
{
    memcpy(payload, &number, sizeof number);
    for (uint32_t i = sizeof number; i < len; i++)
        payload[i] = (unsigned char)(number * 7 + i);
}

/* ---- Senders --------------------------------------------------------------------------------- */

struct udpbatch_sender_options xdp_options(const char *device)
{
    return (struct udpbatch_sender_options){ .size = sizeof(struct udpbatch_sender_options),
                                             .backend = "xdp",
                                             .xdp_interface = device };
}

struct xdp xdp_begin_at(const union udpbatch_addr *own,
                        const struct udpbatch_sender_options *options)
{
    struct port port = port_at(NEAR, own);
    struct xdp xdp = { .sending = sending_begin_with(port.fd, options), .own = port.addr };
    forget_ways(&xdp);
    return xdp;
}

struct xdp xdp_begin(int family)
{
    struct udpbatch_sender_options options = xdp_options("near");
    union udpbatch_addr any = address(family, family == AF_INET ? "0.0.0.0" : "::", 0);
    struct xdp xdp = xdp_begin_at(&any, &options);
    xdp.own = on_cable(family, 1, ntohs(xdp.own.in4.sin_port));
    return xdp;
}

void xdp_end(struct xdp *xdp)
{
    sending_end(&xdp->sending);
}

void xdp_send(struct xdp *xdp, struct udpbatch_packet *packets, size_t n)
{
    struct udpbatch_tally tally = sending_send(&xdp->sending, packets, n);
    if (tally.sent != n)
        fail_msg("%zu of %zu sent, %zu refused: the first is %zu, %s", tally.sent, n, tally.refused,
                 tally.first_refused, strerror(tally.first_error));
}

int32_t xdp_send_one(struct xdp *xdp, const union udpbatch_addr *to, uint32_t len)
{
    static const unsigned char anything[UINT16_MAX] = "anything";
    struct udpbatch_packet packet = { .data = anything, .len = len, .to = to };
    sending_send(&xdp->sending, &packet, 1);
    return packet.status;
}

/* ---- Their ways ------------------------------------------------------------------------------ */

static const char *const REASONS[UDPBATCH_DETOURS] = { "past the stack", "train", "device",
                                                       "group",          "route", "neighbour",
                                                       "size",           "meta",  "socket",
                                                       "order",          "ring",  "link" };

struct udpbatch_sender_stats xdp_stats(const struct xdp *xdp)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    uint64_t packets = 0;

    udpbatch_sender_stats(xdp->sending.sender, &stats);
    for (size_t i = 0; i < UDPBATCH_DETOURS; i++)
        packets += stats.detours[i];
    assert_int_equal(stats.detours[UDPBATCH_DETOUR_NONE], 0);
    assert_int_equal(stats.packets, stats.xdp_packets + packets);
    assert_string_equal(stats.backend, "xdp");
    return stats;
}

static uint64_t count_since(const struct xdp *xdp, const struct udpbatch_sender_stats *now,
                            size_t reason)
{
    return reason == UDPBATCH_DETOUR_NONE ? now->xdp_packets - xdp->before.xdp_packets
                                          : now->detours[reason] - xdp->before.detours[reason];
}

void expect_ways(struct xdp *xdp, const uint64_t detours[UDPBATCH_DETOURS])
{
    struct udpbatch_sender_stats now = xdp_stats(xdp);
    bool are_same = true;

    for (size_t i = 0; i < UDPBATCH_DETOURS; i++) {
        uint64_t count = count_since(xdp, &now, i);
        if (count != detours[i])
            print_message("by the way \"%s\" went %u packets in place of %u\n", REASONS[i],
                          (unsigned)count, (unsigned)detours[i]);
        are_same = are_same && count == detours[i];
    }
    xdp->before = now;
    assert_true(are_same);
}

void expect_detour(struct xdp *xdp, enum udpbatch_detour reason, size_t count)
{
    uint64_t detours[UDPBATCH_DETOURS] = { 0 };
    detours[reason] = count;
    expect_ways(xdp, detours);
}

void expect_past(struct xdp *xdp, size_t count)
{
    expect_detour(xdp, UDPBATCH_DETOUR_NONE, count);
}

bool have_gone_past(struct xdp *xdp)
{
    struct udpbatch_sender_stats now = xdp_stats(xdp);
    bool past = now.packets - xdp->before.packets == count_since(xdp, &now, UDPBATCH_DETOUR_NONE);
    xdp->before = now;
    return past;
}

void forget_ways(struct xdp *xdp)
{
    xdp->before = xdp_stats(xdp);
}

void send_until_past(struct xdp *xdp, const union udpbatch_addr *to)
{
    int64_t begun = now_ms();

    do {
        if (now_ms() - begun > PATIENCE_MS)
            fail_msg("nothing goes past the stack");
        forget_ways(xdp);
    } while (xdp_send_one(xdp, to, 1) != 1 || !have_gone_past(xdp));
}

/* ---- What passes the cable ------------------------------------------------------------------- */

enum { FENCE_PORT = 9 };

/* What is sent after all that is looked for comes after it. */
static void send_fence(void)
{
    union udpbatch_addr any = address(AF_INET, "0.0.0.0", 0), to = on_cable(AF_INET, 2, FENCE_PORT);
    struct port port = port_at(NEAR, &any);
    assert_int_equal(sendto(port.fd, "fence", 5, 0, &to.sa, sizeof to.in4), 5);
    port_close(&port);
}

size_t capture_all(struct capture *capture, struct frame *frames, size_t most)
{
    struct frame frame;
    size_t count = 0;

    send_fence();
    while (true) {
        assert_true(capture_next(capture, &frame, PATIENCE_MS));
        if (ntohs(frame.to.in4.sin_port) == FENCE_PORT)
            return count;
        if (count == most)
            fail_msg("more than %zu frames came", most);
        frames[count++] = frame;
    }
}

static void expect_bytes(const struct frame *frame, size_t *at, const void *data, size_t len)
{
    assert_true(frame->len - *at >= len);
    if (len > 0)
        assert_memory_equal(frame->data + *at, data, len);
    *at += len;
}

static void expect_payload_of(const struct frame *frame, const struct udpbatch_packet *packet)
{
    const struct udpbatch_piece whole = { packet->data, packet->len }, *pieces = &whole;
    uint32_t count = 1;
    size_t at = 0;

    if ((packet->len & UDPBATCH_PIECES(0)) != 0) {
        pieces = packet->data;
        count = packet->len & ~UDPBATCH_PIECES(0);
    }
    for (uint32_t i = 0; i < count; i++)
        expect_bytes(frame, &at, pieces[i].data, pieces[i].len);
    assert_int_equal(frame->len, at);
}

/* Frames of the stack have no checksum yet, as the device makes it, and so tell the way. */
void expect_frame(const struct frame *frame, const struct xdp *xdp,
                  const struct udpbatch_packet *packet)
{
    static const unsigned char near_mac[MAC] = { 2, 0, 0, 0, 0, 1 };
    union udpbatch_addr own = address_plain(&xdp->own);

    assert_true(frame->has_checksum);
    assert_memory_equal(frame->from_mac, near_mac, MAC);
    assert_true(same_address(&frame->from, &own));
    if (packet->to != NULL) {
        union udpbatch_addr to = address_plain(packet->to);
        assert_true(same_address(&frame->to, &to));
    }
    expect_payload_of(frame, packet);
}
