/* test_xdp_scripted.c: the back end "xdp" on a device that takes what a script says: each packet
 * goes one way and arrives once, in order, and is told as it went.
 *
 * The socket of AF_XDP is the test's own. What it takes goes to the cable at once, past the queue
 * of the device, so that one port at far sees all in the order in which they left. The hosts are
 * the program's own (past_stack.h): it needs root or user namespaces, and ip; where these are
 * missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "backend/xsk.h"

#include "chance.h"
#include "past_stack.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { FRAMES = 256, FRAME_SIZE = 2048, STEPS = 8, PACKETS = 80, TARGETS = 6, PORT = 7000 };
enum { TOO_LONG = 65530 };
#define FOR_EVER UINT32_MAX

/* ---- The device ------------------------------------------------------------------------------ */

/* One submit: so many frames there are for it, and so many of them it takes. */
struct step {
    uint32_t room, takes;
    int error;
};

static const struct step all = { FRAMES, FRAMES, 0 };

static struct {
    int fd; /* to the cable */
    bool zero_copy;
    struct step steps[STEPS];
    size_t step_count, next_step;
    unsigned char frames[FRAMES][FRAME_SIZE];
    uint32_t lens[FRAMES];
    uint32_t put; /* since the last submit */
    uint32_t submits;
    bool took[PACKETS]; /* of each packet */
    size_t taken;
    uint32_t outstanding; /* frames, of which one is done with at each look; but for FOR_EVER */
    uint32_t wakes, catch_ups;
    int wake_error; /* an errno */
    bool is_stuck;
} device = { .fd = -1 };

static void play(const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        device.steps[i] = steps[i];
    device.step_count = count;
    device.next_step = 0;
    device.submits = 0;
    device.taken = 0;
    memset(device.took, 0, sizeof device.took);
}

static const struct step *this_step(void)
{
    return device.next_step < device.step_count ? &device.steps[device.next_step] : &all;
}

int ub_xsk_open(struct ub_xsk *xsk, const struct ub_xsk_config *config)
{
    struct sockaddr_ll cable = { .sll_family = AF_PACKET,
                                 .sll_ifindex = (int)config->interface_index };

    device.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(device.fd, (struct sockaddr *)&cable, sizeof cable), 0);
    set_option(device.fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
    xsk->zero_copy = device.zero_copy;
    return 0;
}

void ub_xsk_close(struct ub_xsk *xsk)
{
    (void)xsk;
    close(device.fd);
}

void ub_xsk_disown(struct ub_xsk *xsk)
{
    (void)xsk;
}

unsigned char *ub_xsk_frame(struct ub_xsk *xsk)
{
    (void)xsk;
    return device.put < this_step()->room ? device.frames[device.put] : NULL;
}

void ub_xsk_put(struct ub_xsk *xsk, uint32_t len)
{
    (void)xsk;
    device.lens[device.put++] = len;
}

static void take(uint32_t i)
{
    const unsigned char *frame = device.frames[i];
    bool is_in4 = frame[12] == 0x08;
    uint32_t number;

    memcpy(&number, frame + (is_in4 ? 42 : 62), sizeof number);
    assert_true(number < PACKETS && !device.took[number]);
    device.took[number] = true;
    device.taken++;
    assert_int_equal(send(device.fd, frame, device.lens[i], 0), device.lens[i]);
}

size_t ub_xsk_submit(struct ub_xsk *xsk, int *error, uint64_t *system_calls)
{
    const struct step *step = this_step();
    uint32_t count = device.put;

    if (!xsk->zero_copy && step->error != 0 && step->takes < count)
        count = step->takes;
    for (uint32_t i = 0; i < count; i++)
        take(i);
    *error = count < device.put || xsk->zero_copy ? step->error : 0;
    *system_calls += 1;
    device.put = 0;
    device.next_step++;
    device.submits++;
    return count;
}

uint32_t ub_xsk_outstanding(struct ub_xsk *xsk)
{
    (void)xsk;
    if (device.outstanding == 0 || device.outstanding == FOR_EVER)
        return device.outstanding;
    return device.outstanding--;
}

int ub_xsk_wake(const struct ub_xsk *xsk)
{
    (void)xsk;
    device.wakes++;
    return -device.wake_error;
}

void ub_xsk_catch_up(struct ub_xsk *xsk, uint64_t *system_calls)
{
    (void)xsk;
    (void)system_calls;
    device.catch_ups++;
}

bool ub_xsk_is_stuck(const struct ub_xsk *xsk, int error)
{
    (void)xsk;
    assert_int_equal(error, device.wake_error);
    return device.is_stuck;
}

/* ---- What is sent ---------------------------------------------------------------------------- */

static union udpbatch_addr targets[TARGETS], broadcast, without_port, other_family, another;
static union udpbatch_addr mapped; /* the last target's other form, for a socket of IPv6 */
static struct udpbatch_packet packets[PACKETS];
static struct udpbatch_piece pieces[PACKETS][2];
static unsigned char payloads[PACKETS][LEN_MOST], too_long[TOO_LONG];
static uint32_t aims[PACKETS];    /* target, if the packet is to be sent */
static int32_t expected[PACKETS]; /* status */

static void make_targets(int family)
{
    targets[0] = on_cable(family, 2, PORT);
    for (unsigned i = 1; i < TARGETS; i++)
        targets[i] = behind_far(family, i, PORT);
    if (family == AF_INET6)
        targets[TARGETS - 1] = behind_far(AF_INET, 1, PORT);
    mapped = address(AF_INET6, "::ffff:10.98.0.1", PORT);
    broadcast = address(AF_INET, "10.99.0.255", PORT);
    without_port = on_cable(family, 2, 0);
    other_family = on_cable(AF_INET6, 2, PORT);
    another = behind_far(family, 99, PORT);
}

static void make_packet(uint32_t i, uint32_t target, uint32_t len)
{
    make_payload(payloads[i], i, len);
    packets[i] =
        (struct udpbatch_packet){ .data = payloads[i], .len = len, .to = &targets[target] };
    aims[i] = target;
    expected[i] = 1;
}

/* Of different lengths, so that none of them are trains. */
static void make_singles(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        make_packet(i, i % TARGETS, 100 + i);
}

static void refuse(uint32_t i, const union udpbatch_addr *to, int error)
{
    packets[i].to = to;
    expected[i] = -error;
}

static void split_in_pieces(uint32_t i)
{
    size_t first = below(packets[i].len + 1);
    pieces[i][0] = (struct udpbatch_piece){ payloads[i], first };
    pieces[i][1] = (struct udpbatch_piece){ payloads[i] + first, packets[i].len - first };
    packets[i].data = pieces[i];
    packets[i].len = UDPBATCH_PIECES(2);
}

/* ---- Senders --------------------------------------------------------------------------------- */

static struct {
    int family;
    bool in_order, is_connected;
    struct port far;
    struct sending sending;
    struct udpbatch_sender_stats before;
} run = { .far = { .fd = -1 } };

static struct udpbatch_sender_stats stats_now(void)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    udpbatch_sender_stats(run.sending.sender, &stats);
    return stats;
}

static struct port open_far(int family)
{
    union udpbatch_addr any = address(family, family == AF_INET ? "0.0.0.0" : "::", PORT);
    struct port port = port_at(FAR, &any);

    if (family == AF_INET)
        set_option(port.fd, IPPROTO_IP, IP_PKTINFO, 1);
    else
        set_option(port.fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    return port;
}

static void begin(int family, bool in_order, bool is_connected, bool zero_copy)
{
    struct udpbatch_sender_options options = xdp_options("near");
    union udpbatch_addr own = address(family, family == AF_INET ? "10.99.0.1" : "::", 0);
    struct port port = port_open_at(&own);

    make_targets(family);
    device.zero_copy = zero_copy;
    options.in_order = in_order;
    if (is_connected)
        connect_to(port.fd, &targets[0]);
    run.family = family;
    run.in_order = in_order;
    run.is_connected = is_connected;
    if (run.far.fd >= 0) /* left by a test that failed */
        port_close(&run.far);
    run.far = open_far(family);
    run.sending = sending_begin_with(port.fd, &options);
    run.before = stats_now();
}

static void end(void)
{
    sending_end(&run.sending);
    port_close(&run.far);
}

/* ---- What arrives ---------------------------------------------------------------------------- */

static bool is_host(const union udpbatch_addr *addr, const struct in6_addr *host)
{
    struct in6_addr in6 = addr->in6.sin6_addr;

    if (addr->sa.sa_family == AF_INET) { /* as a socket of IPv6 tells it */
        in6 = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
        memcpy(in6.s6_addr + 12, &addr->in4.sin_addr, sizeof addr->in4.sin_addr);
    }
    return memcmp(&in6, host, sizeof in6) == 0;
}

static bool was_sent_to(struct msghdr *message, const union udpbatch_addr *to)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        struct in_pktinfo in4;
        struct in6_pktinfo in6;
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&in4, CMSG_DATA(c), sizeof in4);
            return in4.ipi_addr.s_addr == to->in4.sin_addr.s_addr;
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            memcpy(&in6, CMSG_DATA(c), sizeof in6);
            return is_host(to, &in6.ipi6_addr);
        }
    }
    return false;
}

static uint32_t length_of(uint32_t i)
{
    bool is_in_pieces = (packets[i].len & UDPBATCH_PIECES(0)) != 0;
    return is_in_pieces ? (uint32_t)(pieces[i][0].len + pieces[i][1].len) : packets[i].len;
}

/* The number of the next packet at far, which must be one of them, whole and where it was sent. */
static uint32_t receive(void)
{
    static unsigned char room[LEN_MOST + 1];
    size_t control[32];
    struct iovec whole = { room, sizeof room };
    struct msghdr message = {
        .msg_iov = &whole, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    struct pollfd arrival = { .fd = run.far.fd, .events = POLLIN };
    uint32_t number;

    assert_int_equal(poll(&arrival, 1, PATIENCE_MS), 1);
    ssize_t len = recvmsg(run.far.fd, &message, 0);
    memcpy(&number, room, sizeof number);
    assert_true(len >= 4 && number < PACKETS);
    assert_int_equal(len, length_of(number));
    assert_memory_equal(room, payloads[number], (size_t)len);
    assert_true(was_sent_to(&message, &targets[aims[number]]));
    return number;
}

/* Each that was sent arrives once, and overtakes none to its destination; in order, none at all. */
static void expect_arrivals(uint32_t n)
{
    bool has_come[PACKETS] = { false };
    uint32_t next[TARGETS] = { 0 }, sent = 0;

    for (uint32_t i = 0; i < n; i++)
        sent += packets[i].status == 1;
    for (uint32_t i = 0; i < sent; i++) {
        uint32_t number = receive();
        uint32_t target = run.in_order ? 0 : aims[number];
        assert_true(number < n && packets[number].status == 1 && !has_come[number]);
        has_come[number] = true;
        if (number < next[target])
            fail_msg("packet %u came after %u, by the %s", number, next[target] - 1,
                     device.took[number] ? "ring" : "socket");
        next[target] = number + 1;
    }
    expect_nothing(run.far.fd);
}

static uint64_t sum_of_detours(const struct udpbatch_sender_stats *stats)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < UDPBATCH_DETOURS; i++)
        sum += stats->detours[i];
    return sum;
}

static void check_stats(size_t sent)
{
    struct udpbatch_sender_stats now = stats_now();

    assert_int_equal(now.packets - run.before.packets, sent);
    assert_int_equal(now.xdp_packets - run.before.xdp_packets, device.taken);
    assert_int_equal(sum_of_detours(&now) - sum_of_detours(&run.before), sent - device.taken);
    assert_int_equal(now.detours[UDPBATCH_DETOUR_NONE], 0);
}

/* How many went by the socket for this reason, since the send before the last. */
static uint64_t detours(enum udpbatch_detour reason)
{
    return stats_now().detours[reason] - run.before.detours[reason];
}

/* In one call or several. Returns how many were sent. */
static size_t send_in_calls(uint32_t n, uint32_t calls)
{
    size_t sent = 0;

    for (uint32_t from = 0; calls > 0; calls--) {
        uint32_t part = calls == 1 ? n - from : below(n - from + 1);
        device.catch_ups = 0;
        size_t now = sending_send(&run.sending, packets + from, part).sent;
        assert_true(now == 0 || device.catch_ups > 0); /* by the socket or the ring */
        sent += now;
        from += part;
    }
    return sent;
}

/* Sends them while the device plays the script, and sees each to its end. */
static void send_in_calls_by_script(uint32_t n, uint32_t calls, const struct step *steps,
                                    size_t count)
{
    run.before = stats_now();
    play(steps, count);
    size_t sent = send_in_calls(n, calls);
    for (uint32_t i = 0; i < n; i++)
        if (packets[i].status != expected[i])
            fail_msg("packet %u of %u has the status %d and not %d", i, n, packets[i].status,
                     expected[i]);
    expect_arrivals(n);
    check_stats(sent);
}

static void send_by_script(uint32_t n, const struct step *steps, size_t count)
{
    send_in_calls_by_script(n, 1, steps, count);
}

/* All targets become known. */
static void warm_up(void)
{
    make_singles(TARGETS);
    send_by_script(TARGETS, NULL, 0);
}

/* ---- Each script ----------------------------------------------------------------------------- */

enum { FEW = 6 };

static void without_faults_singles_go_by_the_ring(void **state)
{
    (void)state;
    for (size_t f = 0; f < family_count(); f++)
        for (unsigned in_order = 0; in_order < 2; in_order++) {
            begin(FAMILIES[f], in_order != 0, false, false);
            warm_up();
            for (uint32_t n = 0; n <= PACKETS; n++) {
                make_singles(n);
                send_by_script(n, NULL, 0);
                assert_int_equal(device.taken, n);
            }
            end();
        }
}

static void what_the_device_does_not_take_goes_by_the_socket(void **state)
{
    static const int errors[] = { EAGAIN, EBUSY, ENOBUFS, ENOMEM, ENETDOWN, ENXIO, EIO };

    (void)state;
    for (unsigned in_order = 0; in_order < 2; in_order++) {
        begin(AF_INET, in_order != 0, false, false);
        warm_up();
        for (size_t e = 0; e < COUNT_OF(errors); e++)
            for (uint32_t takes = 0; takes < FEW; takes++) {
                const struct step step = { FRAMES, takes, errors[e] };
                make_singles(FEW);
                send_by_script(FEW, &step, 1);
                assert_int_equal(device.taken, takes);
                assert_int_equal(
                    detours(errors[e] == EAGAIN ? UDPBATCH_DETOUR_RING : UDPBATCH_DETOUR_LINK),
                    FEW - takes);
                assert_int_equal(device.submits, 1);
            }
        end();
    }
}

static void what_the_ring_has_no_room_for_goes_by_the_socket(void **state)
{
    (void)state;
    for (unsigned in_order = 0; in_order < 2; in_order++) {
        begin(AF_INET, in_order != 0, false, false);
        warm_up();
        for (uint32_t first = 0; first < FEW; first++)
            for (uint32_t second = 0; first + second < FEW; second++) {
                const struct step steps[] = { { first, FRAMES, 0 },
                                              { first > 0 ? second : 0, FRAMES, 0 },
                                              { 0, FRAMES, 0 } };
                uint32_t by_ring = first > 0 ? first + second : 0;
                make_singles(FEW);
                send_by_script(FEW, steps, 3);
                assert_int_equal(device.taken, by_ring);
                assert_int_equal(detours(UDPBATCH_DETOUR_RING), FEW - by_ring);
            }
        end();
    }
}

static void room_that_comes_in_time_is_used(void **state)
{
    const struct step steps[] = { { 2, FRAMES, 0 }, { 1, FRAMES, 0 } };

    (void)state;
    begin(AF_INET, false, false, false);
    warm_up();
    make_singles(FEW);
    send_by_script(FEW, steps, 2);
    assert_int_equal(device.taken, FEW);
    assert_int_equal(device.submits, 3);
    end();
}

/* What a driver that reads frames by itself was given it has. */
static void the_error_of_a_driver_is_not_the_packets(void **state)
{
    const struct step steps[] = { { 4, FRAMES, ENETDOWN } };

    (void)state;
    begin(AF_INET, false, false, true);
    assert_int_equal(stats_now().xdp_mode, UDPBATCH_XDP_ZERO_COPY);
    warm_up();
    make_singles(FEW);
    send_by_script(FEW, steps, 1);
    assert_int_equal(device.taken, 4);
    assert_int_equal(detours(UDPBATCH_DETOUR_LINK), FEW - 4);
    end();
}

/* ---- Both ways ------------------------------------------------------------------------------- */

/* A train is the socket's, and what is to the same destination, before or behind it, goes along. */
static void a_single_stays_behind_its_train(void **state)
{
    (void)state;
    for (uint32_t at = 0; at <= 3; at++) {
        begin(AF_INET, false, false, false);
        warm_up();
        for (uint32_t i = 0; i < 4; i++)
            make_packet(i, 1, i == at ? 300 : 100);
        make_packet(4, 2, 100);
        send_by_script(5, NULL, 0);
        assert_int_equal(device.taken, 1);
        assert_true(device.took[4]);
        assert_int_equal(detours(UDPBATCH_DETOUR_TRAIN) + detours(UDPBATCH_DETOUR_ORDER), 4);
        end();
    }
}

static void in_order_a_train_takes_all_with_it(void **state)
{
    (void)state;
    begin(AF_INET, true, false, false);
    warm_up();
    make_singles(4);
    for (uint32_t i = 4; i < 8; i++)
        make_packet(i, 1, 100);
    send_by_script(8, NULL, 0);
    assert_int_equal(device.taken, 0);
    assert_int_equal(detours(UDPBATCH_DETOUR_TRAIN), 4);
    assert_int_equal(detours(UDPBATCH_DETOUR_ORDER), 4);
    end();
}

static void the_peer_and_its_address_are_one_destination(void **state)
{
    (void)state;
    for (unsigned train = 0; train < 2; train++) {
        begin(AF_INET, false, true, false);
        warm_up();
        for (uint32_t i = 0; i < 10; i++) {
            make_packet(i, 0, train ? 100 : 100 + i);
            packets[i].to = i % 3 == 0 ? NULL : &targets[0];
        }
        send_by_script(10, NULL, 0);
        for (uint32_t i = 0; i < 10; i++) {
            make_packet(i, 0, 100 + i);
            packets[i].to = NULL;
        }
        send_by_script(10, NULL, 0);
        assert_int_equal(device.taken, 10);
        end();
    }
}

static void refused_packets_are_refused_wherever_they_are(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < FEW; at++)
        for (uint32_t takes = 0; takes <= FEW; takes++) {
            const struct step step = { FRAMES, takes, EBUSY };
            begin(AF_INET, false, false, false);
            warm_up();
            make_singles(FEW + 4);
            refuse(at, &broadcast, EACCES);
            refuse(at + 1, &without_port, EINVAL);
            refuse(at + 2, &other_family, EAFNOSUPPORT);
            refuse(at + 3, &another, EMSGSIZE);
            packets[at + 3].data = too_long;
            packets[at + 3].len = TOO_LONG;
            send_by_script(FEW + 4, &step, 1);
            assert_int_equal(device.taken, takes);
            end();
        }
}

/* ---- Chance ---------------------------------------------------------------------------------- */

static const struct udpbatch_meta metas[] = { { .flags = UDPBATCH_META_TOS, .tos = 0x20 },
                                              { .flags = UDPBATCH_META_TTL, .ttl = 9 } };

static void make_any_packet(uint32_t i)
{
    uint32_t target = one_in(3) ? 0 : below(TARGETS);

    make_packet(i, target, one_in(2) ? 100 : 20 + below(LEN_MOST - 19));
    if (run.is_connected && target == 0 && one_in(2))
        packets[i].to = NULL;
    if (run.family == AF_INET6 && target == TARGETS - 1 && one_in(2))
        packets[i].to = &mapped;
    if (one_in(6))
        packets[i].meta = &metas[below(COUNT_OF(metas))];
    if (one_in(8))
        split_in_pieces(i);
    if (!one_in(20))
        return;
    if (run.family == AF_INET && one_in(2))
        refuse(i, &broadcast, EACCES);
    else
        refuse(i, &without_port, EINVAL);
}

static void send_anything(void)
{
    static const int errors[] = { EAGAIN, EBUSY, ENETDOWN };
    struct step steps[STEPS];
    size_t count = one_in(2) ? 0 : below(STEPS);
    uint32_t n = one_in(3) ? below(PACKETS + 1) : below(9);

    for (size_t i = 0; i < count; i++)
        steps[i] = (struct step){ .room = one_in(2) ? FRAMES : below(8),
                                  .takes = below(8),
                                  .error = one_in(2) ? 0 : errors[below(COUNT_OF(errors))] };
    for (uint32_t i = 0; i < n; i++)
        make_any_packet(i);
    send_in_calls_by_script(n, one_in(2) ? 1 : 1 + below(5), steps, count);
}

static void send_anything_often(unsigned times)
{
    for (unsigned kind = 0; kind < 8; kind++)
        for (size_t f = 0; f < family_count(); f++) {
            begin(FAMILIES[f], kind % 2 != 0, kind / 2 % 2 != 0, kind / 4 != 0);
            for (unsigned i = 0; i < times; i++)
                send_anything();
            end();
        }
}

static void random_packets_and_scripts_keep_all_promises(void **state)
{
    (void)state;
    send_anything_often(300);
}

/* What goes by the socket waits in the queue of the device; the ring passes it by. */
static void nothing_overtakes_what_waits_in_the_queue(void **state)
{
    (void)state;
    if (!run_at(NEAR, "tc qdisc replace dev near root tbf rate 100mbit burst 2000 limit 4000000")) {
        if (must_be_able("tc cannot make a queue at the device"))
            fail();
        skip();
    }
    send_anything_often(60);
    assert_true(run_at(NEAR, "tc qdisc del dev near root"));
}

/* ---- Flush ----------------------------------------------------------------------------------- */

static int flush_with(uint32_t outstanding, int wake_error, int timeout_ms)
{
    device.outstanding = outstanding;
    device.wake_error = wake_error;
    device.wakes = 0;
    int result = udpbatch_sender_flush(run.sending.sender, timeout_ms);
    device.outstanding = 0;
    device.wake_error = 0;
    return result;
}

static void ignore(int signal)
{
    (void)signal;
}

/* Again and again, as the first may come before anything waits; 0: no more. */
static void interrupt_each(int microseconds)
{
    const struct sigaction action = { .sa_handler = ignore };
    const struct itimerval often = { .it_value.tv_usec = microseconds,
                                     .it_interval.tv_usec = microseconds };
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void flush_waits_until_the_device_is_done(void **state)
{
    (void)state;
    begin(AF_INET, false, false, false);
    assert_int_equal(flush_with(0, 0, 0), 0);
    assert_int_equal(device.wakes, 0);
    assert_int_equal(flush_with(7, 0, -1), 0);
    assert_int_equal(device.wakes, 7);
    assert_int_equal(flush_with(3, EAGAIN, PATIENCE_MS), 0);
    assert_int_equal(device.wakes, 3);
    end();
}

static void flush_does_not_wait_for_ever(void **state)
{
    (void)state;
    begin(AF_INET, false, false, false);
    assert_int_equal(flush_with(FOR_EVER, 0, 0), -ETIMEDOUT);
    assert_int_equal(flush_with(FOR_EVER, 0, 3), -ETIMEDOUT);
    device.is_stuck = true;
    assert_int_equal(flush_with(FOR_EVER, 0, -1), -ENETDOWN);
    assert_int_equal(flush_with(FOR_EVER, EPERM, -1), -ENETDOWN);
    device.is_stuck = false;
    interrupt_each(2000);
    assert_int_equal(flush_with(FOR_EVER, 0, -1), -EINTR);
    interrupt_each(0);
    assert_true(run_at(NEAR, "ip link set near down"));
    assert_int_equal(flush_with(FOR_EVER, 0, -1), -ENETDOWN);
    end();
    assert_true(run_at(NEAR, "ip link set near up"));
    assert_true(two_hosts_configure());
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(without_faults_singles_go_by_the_ring),
        TEST_ONCE(what_the_device_does_not_take_goes_by_the_socket),
        TEST_ONCE(what_the_ring_has_no_room_for_goes_by_the_socket),
        TEST_ONCE(room_that_comes_in_time_is_used),
        TEST_ONCE(the_error_of_a_driver_is_not_the_packets),
        TEST_ONCE(a_single_stays_behind_its_train),
        TEST_ONCE(in_order_a_train_takes_all_with_it),
        TEST_ONCE(the_peer_and_its_address_are_one_destination),
        TEST_ONCE(refused_packets_are_refused_wherever_they_are),
        TEST_ONCE(random_packets_and_scripts_keep_all_promises),
        TEST_ONCE(nothing_overtakes_what_waits_in_the_queue),
        TEST_ONCE(flush_waits_until_the_device_is_done),
        TEST_ONCE(flush_does_not_wait_for_ever),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    chance_begin();
    return run_all("xdp, scripted", tests, COUNT_OF(tests));
}
