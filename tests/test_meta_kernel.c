/* test_meta_kernel.c: what is asked for a packet is what leaves, for this packet alone; and what
 * cannot be done is refused for it alone.
 *
 * The program makes two hosts of its own (two_hosts.h), and hears of what arrives by recvmsg(2):
 * the library's receiver has no part in it. It needs root or user namespaces, and ip; where these
 * are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "capture.h"
#include "internal.h"
#include "two_hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { SOME = 100 }; /* bytes of a packet */

static struct udpbatch_packet packets[MANY];
static struct udpbatch_meta metas[MANY];

/* ---- Paths ----------------------------------------------------------------------------------- */

/* From a socket at near to one at either host. */
struct path {
    const char *name;
    int family; /* of the socket that sends */
    enum host host;
    const char *to;        /* as it is given to the library */
    const char *listener;  /* the same as it is to who listens there */
    const char *usual;     /* this host's address, if none is asked for */
    const char *others[2]; /* more of this host's addresses */
    const char *device;
};

static const struct path PATHS[] = {
    { "loopback, IPv4",
      AF_INET,
      NEAR,
      "127.0.0.1",
      "127.0.0.1",
      "127.0.0.1",
      { "127.0.0.2", "127.0.0.3" },
      "lo" },
    { "cable, IPv4",
      AF_INET,
      FAR,
      "10.99.0.2",
      "10.99.0.2",
      "10.99.0.1",
      { "10.99.0.1", "10.99.0.3" },
      "near" },
    { "loopback, IPv6", AF_INET6, NEAR, "::1", "::1", "::1", { "fd97::1", "fd97::3" }, "lo" },
    { "cable, IPv6",
      AF_INET6,
      FAR,
      "fd99::2",
      "fd99::2",
      "fd99::1",
      { "fd99::1", "fd99::3" },
      "near" },
    { "loopback, mapped IPv4",
      AF_INET6,
      NEAR,
      "::ffff:127.0.0.1",
      "127.0.0.1",
      "127.0.0.1",
      { "127.0.0.2", "::ffff:127.0.0.3" },
      "lo" },
    { "cable, mapped IPv4",
      AF_INET6,
      FAR,
      "::ffff:10.99.0.2",
      "10.99.0.2",
      "10.99.0.1",
      { "::ffff:10.99.0.1", "10.99.0.3" },
      "near" }
};

static const struct path *const CABLE_IN4 = &PATHS[1], *const CABLE_IN6 = &PATHS[3],
                                *const CABLE_MAPPED = &PATHS[5];

static size_t path_count(void)
{
    return has_in6() ? COUNT_OF(PATHS) : 2;
}

static bool is_in4(const struct path *path)
{
    return strchr(path->listener, ':') == NULL;
}

static union udpbatch_addr text_address(const char *text, uint16_t port)
{
    return address(strchr(text, ':') != NULL ? AF_INET6 : AF_INET, text, port);
}

/* ---- The two ends ---------------------------------------------------------------------------- */

enum { OWN_TOS = 0x10, OWN_TTL = 50 }; /* of the socket, where nothing is asked */

struct ends {
    const struct path *path;
    struct sending sending;
    struct port listener;
    union udpbatch_addr to;
};

static void listen_for_more(int fd, int family)
{
    if (family == AF_INET) {
        set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
        set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
        set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
    } else {
        set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
        set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    }
}

/* An IPv6 socket has settings for what it sends as IPv4, too. */
static void set_own(int fd, int family)
{
    set_option(fd, IPPROTO_IP, IP_TOS, OWN_TOS);
    set_option(fd, IPPROTO_IP, IP_TTL, OWN_TTL);
    if (family == AF_INET)
        return;
    set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, OWN_TOS);
    set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, OWN_TTL);
}

static struct ends begin(const struct way *way, const struct path *path)
{
    union udpbatch_addr any = address(path->family, path->family == AF_INET ? "0.0.0.0" : "::", 0);
    union udpbatch_addr at = text_address(path->listener, 0);
    struct ends ends = { .path = path, .listener = port_at(path->host, &at) };

    listen_for_more(ends.listener.fd, at.sa.sa_family);
    ends.sending = sending_begin(way, port_at(NEAR, &any).fd);
    set_own(ends.sending.fd, path->family);
    ends.to = text_address(path->to, ntohs(ends.listener.addr.in4.sin_port));
    return ends;
}

static void end(struct ends *ends)
{
    port_close(&ends->listener);
    sending_end(&ends->sending);
}

/* SO_TXTIME of CLOCK_MONOTONIC takes no privilege. */
static void allow_departure(int fd)
{
    struct sock_txtime txtime = { .clockid = CLOCK_MONOTONIC };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_TXTIME, &txtime, sizeof txtime), 0);
}

static void forbid_fragments(int fd)
{
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
}

static struct udpbatch_sender_stats stats_of(const struct ends *ends)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    udpbatch_sender_stats(ends->sending.sender, &stats);
    return stats;
}

/* ---- What arrives ---------------------------------------------------------------------------- */

struct told {
    uint32_t number;
    size_t len;
    union udpbatch_addr from;
    int tos, ttl;
    uint32_t device; /* that it came by */
};

static bool is_of(const struct cmsghdr *control, int level, int type)
{
    return control->cmsg_level == level && control->cmsg_type == type;
}

static void read_control(struct told *told, const struct cmsghdr *control)
{
    const void *data = CMSG_DATA(control);
    struct in_pktinfo in4;
    struct in6_pktinfo in6;

    if (is_of(control, IPPROTO_IP, IP_TOS)) {
        told->tos = *(const unsigned char *)data;
    } else if (is_of(control, IPPROTO_IPV6, IPV6_TCLASS)) {
        memcpy(&told->tos, data, sizeof told->tos);
    } else if (is_of(control, IPPROTO_IP, IP_TTL) || is_of(control, IPPROTO_IPV6, IPV6_HOPLIMIT)) {
        memcpy(&told->ttl, data, sizeof told->ttl);
    } else if (is_of(control, IPPROTO_IP, IP_PKTINFO)) {
        memcpy(&in4, data, sizeof in4);
        told->device = (uint32_t)in4.ipi_ifindex;
    } else if (is_of(control, IPPROTO_IPV6, IPV6_PKTINFO)) {
        memcpy(&in6, data, sizeof in6);
        told->device = in6.ipi6_ifindex;
    }
}

static struct told hear(const struct ends *ends)
{
    unsigned char room[LEN_MOST + 1];
    _Alignas(struct cmsghdr) unsigned char control[256];
    struct told told = { .tos = -1, .ttl = -1 };
    struct iovec piece = { room, sizeof room };
    struct msghdr message = { .msg_name = &told.from,
                              .msg_namelen = sizeof told.from,
                              .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
    struct pollfd wait = { .fd = ends->listener.fd, .events = POLLIN };

    if (poll(&wait, 1, PATIENCE_MS) != 1)
        fail_msg("%s: nothing more arrived", ends->path->name);
    ssize_t len = recvmsg(ends->listener.fd, &message, MSG_DONTWAIT);
    assert_true(len >= (ssize_t)sizeof told.number);
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at != NULL; at = CMSG_NXTHDR(&message, at))
        read_control(&told, at);
    memcpy(&told.number, room, sizeof told.number);
    told.len = (size_t)len;
    return told;
}

static bool asks(const struct udpbatch_meta *meta, uint32_t flag)
{
    return meta != NULL && (meta->flags & flag) != 0;
}

static void check_told(const struct ends *ends, const struct told *told)
{
    const struct udpbatch_meta *meta = packets[told->number].meta;
    int tos = asks(meta, UDPBATCH_META_TOS) ? meta->tos : OWN_TOS;
    int ttl = asks(meta, UDPBATCH_META_TTL) ? meta->ttl : OWN_TTL;
    union udpbatch_addr from = text_address(ends->path->usual, 0);

    if (asks(meta, UDPBATCH_META_LOCAL))
        from = address_plain(&meta->local);
    from.in4.sin_port = told->from.in4.sin_port;
    if (told->tos != tos || told->ttl != ttl)
        fail_msg("%s: packet %u came with TOS 0x%02x, TTL %d in place of 0x%02x, %d",
                 ends->path->name, told->number, (unsigned)told->tos, told->ttl, (unsigned)tos,
                 ttl);
    if (!same_address(&told->from, &from))
        fail_msg("%s: packet %u came from another address", ends->path->name, told->number);
    assert_int_equal(told->len, packets[told->number].len);
}

/* What was sent of the packets arrives with what was asked, in order; and nothing else. */
static void hear_packets(const struct ends *ends, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (packets[i].status != 1)
            continue;
        struct told told = hear(ends);
        if (told.number != i)
            fail_msg("%s: packet %u arrived in place of %zu", ends->path->name, told.number, i);
        check_told(ends, &told);
    }
    expect_nothing(ends->listener.fd);
}

static void expect_sent(const struct ends *ends, const struct udpbatch_tally *tally, size_t n)
{
    if (tally->sent != n)
        fail_msg("%s: %zu of %zu sent; refused %zu, the first %zu: %s", ends->path->name,
                 tally->sent, n, tally->refused, tally->first_refused,
                 strerror(tally->first_error));
}

static void send_and_hear(struct ends *ends, size_t n)
{
    struct udpbatch_tally tally = sending_send(&ends->sending, packets, n);
    expect_sent(ends, &tally, n);
    hear_packets(ends, n);
}

/* Packets of which each has a meta of its own; `to` may be NULL. */
static void make_with_metas(size_t n, const union udpbatch_addr *to)
{
    make_packets(packets, n, SOME, to);
    for (size_t i = 0; i < n; i++)
        packets[i].meta = &metas[i];
}

/* ---- What leaves ----------------------------------------------------------------------------- */

static size_t add_meta(size_t n, struct udpbatch_meta meta)
{
    metas[n] = meta;
    return n + 1;
}

static size_t add_numbers(size_t n)
{
    static const uint8_t foss[] = { 0, 1, 2, 3, 0x10, 0xb8, 0xb8 | 1, 0xb8 | 2, 0xe0, 0xff };
    static const uint8_t ttls[] = { 1, 2, 64, 128, 255 };

    for (size_t i = 0; i < COUNT_OF(foss); i++)
        n = add_meta(n, (struct udpbatch_meta){ .flags = UDPBATCH_META_TOS, .tos = foss[i] });
    for (size_t i = 0; i < COUNT_OF(ttls); i++)
        n = add_meta(n, (struct udpbatch_meta){ .flags = UDPBATCH_META_TTL, .ttl = ttls[i] });
    return n;
}

static size_t add_origins(size_t n, const struct path *path)
{
    uint32_t device = if_nametoindex(path->device);
    for (size_t i = 0; i < COUNT_OF(path->others); i++) {
        struct udpbatch_meta meta = { .flags = UDPBATCH_META_LOCAL,
                                      .interface_index = device,
                                      .local = text_address(path->others[i], 0) };
        n = add_meta(n, meta);
        meta.flags |= UDPBATCH_META_INTERFACE;
        n = add_meta(n, meta);
    }
    return add_meta(
        n, (struct udpbatch_meta){ .flags = UDPBATCH_META_INTERFACE, .interface_index = device });
}

/* Flags of a received packet, and members that no flag is for. */
static size_t add_nothings(size_t n)
{
    static const uint32_t nothing[] = { 0, UB_META_CAME, UDPBATCH_META_CAME_TO,
                                        UDPBATCH_META_CAME_WITH_TOS };
    for (size_t i = 0; i < COUNT_OF(nothing); i++)
        n = add_meta(n, (struct udpbatch_meta){ .flags = nothing[i],
                                                .tos = 0xff,
                                                .interface_index = 77,
                                                .time_ns = 1,
                                                .local = text_address("192.0.2.1", 9) });
    return n;
}

static size_t make_metas(const struct path *path)
{
    assert_true(if_nametoindex(path->device) > 0);
    return add_nothings(add_origins(add_numbers(0), path));
}

static void what_is_asked_is_what_leaves(void **state)
{
    for (size_t i = 0; i < path_count(); i++) {
        struct ends ends = begin(*state, &PATHS[i]);
        size_t n = make_metas(ends.path);
        make_with_metas(n, &ends.to);
        send_and_hear(&ends, n);
        end(&ends);
    }
}

static void what_is_asked_leaves_to_the_connected_peer(void **state)
{
    for (size_t i = 0; i < path_count(); i++) {
        struct ends ends = begin(*state, &PATHS[i]);
        size_t n = make_metas(ends.path);
        connect_to(ends.sending.fd, &ends.to);
        make_with_metas(n, NULL);
        send_and_hear(&ends, n);
        end(&ends);
    }
}

/* All that can be asked of a packet, and other than for its neighbours. */
static void ask_all(const struct path *path, size_t i)
{
    metas[i] = (struct udpbatch_meta){
        .flags = UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE | UDPBATCH_META_TOS |
                 UDPBATCH_META_TTL | UDPBATCH_META_DEPARTURE | UDPBATCH_META_DONT_FRAGMENT,
        .interface_index = if_nametoindex(path->device),
        .time_ns = 1 + i, /* long ago */
        .local = text_address(path->others[i % 2], 0),
        .tos = (uint8_t)i,
        .ttl = (uint8_t)(1 + i % 255),
    };
}

/* Of runs of so many packets each has a meta of the same content. */
static void send_with_all(const struct way *way, const struct path *path, size_t run)
{
    enum { COUNT = 300 }; /* more than a plan has room for */
    struct ends ends = begin(way, path);

    allow_departure(ends.sending.fd);
    forbid_fragments(ends.sending.fd);
    for (size_t i = 0; i < COUNT; i++) {
        ask_all(path, i);
        metas[i] = metas[i - i % run];
    }
    make_with_metas(COUNT, &ends.to);
    send_and_hear(&ends, COUNT);
    end(&ends);
}

static void many_packets_leave_with_all_that_can_be_asked(void **state)
{
    for (size_t i = 0; i < path_count(); i++) {
        send_with_all(*state, &PATHS[i], 1);
        send_with_all(*state, &PATHS[i], 5);
    }
}

/* ---- What is refused ------------------------------------------------------------------------- */

/* Where it is refused, and for which errno: the kernel's own differs from release to release. */
struct refusal {
    const char *name;
    struct udpbatch_meta meta;
    const char *local[2]; /* for IPv4, for IPv6; NULL: of no family */
    int errors[3];
    bool in4_only;
};

#define NOWHERE                                                                                    \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

static const struct refusal REFUSALS[] = {
    { "an unknown flag", { .flags = UINT32_C(1) << 6 }, NOWHERE, { EOPNOTSUPP }, false },
    { "the highest flag", { .flags = UINT32_C(1) << 31 }, NOWHERE, { EOPNOTSUPP }, false },
    { "an unknown flag beside a known one",
      { .flags = UDPBATCH_META_TOS | UINT32_C(1) << 15 },
      NOWHERE,
      { EOPNOTSUPP },
      false },
    { "no TTL", { .flags = UDPBATCH_META_TTL }, NOWHERE, { EINVAL }, false },
    { "no interface", { .flags = UDPBATCH_META_INTERFACE }, NOWHERE, { EINVAL }, false },
    { "an interface that there is not",
      { .flags = UDPBATCH_META_INTERFACE, .interface_index = 9999 },
      NOWHERE,
      { ENODEV, EINVAL },
      false },
    { "a departure",
      { .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 },
      NOWHERE,
      { EOPNOTSUPP },
      false },
    { "no fragments", { .flags = UDPBATCH_META_DONT_FRAGMENT }, NOWHERE, { EOPNOTSUPP }, true },
    { "a local address of no family",
      { .flags = UDPBATCH_META_LOCAL },
      NOWHERE,
      { EAFNOSUPPORT },
      false },
    { "a local address of the other family",
      { .flags = UDPBATCH_META_LOCAL },
      { "fd99::1", "10.99.0.1" },
      { EAFNOSUPPORT },
      false },
    { "a local address of another host",
      { .flags = UDPBATCH_META_LOCAL },
      { "192.0.2.1", "2001:db8::1" },
      { EINVAL, ENETUNREACH, EADDRNOTAVAIL },
      false },
};

static bool is_among(int32_t status, const struct refusal *refusal)
{
    for (size_t i = 0; i < COUNT_OF(refusal->errors); i++)
        if (refusal->errors[i] != 0 && status == -refusal->errors[i])
            return true;
    return false;
}

/* Pairs, that could be trains: one with it, one without. */
static void refuse_alone(const struct way *way, const struct path *path,
                         const struct refusal *refusal)
{
    enum { COUNT = 24 };
    struct ends ends = begin(way, path);
    const char *local = refusal->local[is_in4(path) ? 0 : 1];

    metas[0] = refusal->meta;
    if (local != NULL)
        metas[0].local = text_address(local, 0);
    make_packets(packets, COUNT, SOME, &ends.to);
    for (size_t i = 0; i < COUNT; i++)
        packets[i].meta = i / 2 % 2 == 1 ? &metas[0] : NULL;
    sending_send(&ends.sending, packets, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        int32_t status = packets[i].status;
        if (packets[i].meta == NULL ? status != 1 : !is_among(status, refusal))
            fail_msg("%s, %s: packet %zu has status %d", path->name, refusal->name, i, status);
    }
    hear_packets(&ends, COUNT);
    end(&ends);
}

static void what_cannot_be_done_is_refused_alone(void **state)
{
    for (size_t i = 0; i < path_count(); i++)
        for (size_t refusal = 0; refusal < COUNT_OF(REFUSALS); refusal++)
            if (is_in4(&PATHS[i]) || !REFUSALS[refusal].in4_only)
                refuse_alone(*state, &PATHS[i], &REFUSALS[refusal]);
}

static void what_cannot_be_done_is_refused_to_the_connected_peer(void **state)
{
    for (size_t i = 0; i < path_count(); i++) {
        struct ends ends = begin(*state, &PATHS[i]);
        connect_to(ends.sending.fd, &ends.to);
        memset(metas, 0, 3 * sizeof metas[0]);
        metas[0].flags = UDPBATCH_META_LOCAL;
        metas[0].local = text_address(is_in4(&PATHS[i]) ? "fd99::1" : "10.99.0.1", 0);
        metas[1].flags = UDPBATCH_META_DEPARTURE;
        make_with_metas(3, NULL);
        sending_send(&ends.sending, packets, 3);
        assert_int_equal(packets[0].status, -EAFNOSUPPORT);
        assert_int_equal(packets[1].status, -EOPNOTSUPP);
        assert_int_equal(packets[2].status, 1);
        hear_packets(&ends, 3);
        end(&ends);
    }
}

/* ---- Departure ------------------------------------------------------------------------------- */

static void a_departure_time_leaves_with_a_socket_that_has_them(void **state)
{
    for (size_t i = 0; i < path_count(); i++) {
        struct ends ends = begin(*state, &PATHS[i]);
        allow_departure(ends.sending.fd);
        for (size_t k = 0; k < 8; k++)
            metas[k] =
                (struct udpbatch_meta){ .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 + k / 2 };
        make_with_metas(8, &ends.to);
        send_and_hear(&ends, 8);
        end(&ends);
    }
}

/* The socket is asked in each call. */
static void a_socket_may_be_given_departure_times_between_calls(void **state)
{
    struct ends ends = begin(*state, CABLE_IN4);
    metas[0] = (struct udpbatch_meta){ .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 };
    make_with_metas(1, &ends.to);
    assert_int_equal(sending_send(&ends.sending, packets, 1).first_error, EOPNOTSUPP);
    allow_departure(ends.sending.fd);
    make_with_metas(1, &ends.to);
    send_and_hear(&ends, 1);
    end(&ends);
}

/* ---- Don't fragment -------------------------------------------------------------------------- */

enum { FITS = 1400, EXCEEDS = 1490 };

/* Above the MTU only what may be cut into fragments goes. */
static void send_around_mtu(struct ends *ends)
{
    static const struct udpbatch_meta whole = { .flags = UDPBATCH_META_DONT_FRAGMENT };
    enum { COUNT = 24 };

    make_packets(packets, COUNT, EXCEEDS, &ends->to);
    for (size_t i = 0; i < COUNT; i++) {
        packets[i].meta = i / 2 % 2 == 0 ? &whole : NULL;
        packets[i].len = i / 4 % 2 == 0 ? FITS : EXCEEDS;
    }
    sending_send(&ends->sending, packets, COUNT);
}

static void an_ipv6_packet_above_the_mtu_is_refused_if_it_must_be_whole(void **state)
{
    need_family(AF_INET6);
    struct ends ends = begin(*state, CABLE_IN6);
    send_around_mtu(&ends);
    for (size_t i = 0; i < 24; i++) {
        bool refused = packets[i].meta != NULL && packets[i].len == EXCEEDS;
        assert_int_equal(packets[i].status, refused ? -EMSGSIZE : 1);
    }
    hear_packets(&ends, 24);
    end(&ends);
}

static void see_whole(const struct way *way, const struct path *path)
{
    struct ends ends = begin(way, path);
    struct capture capture = capture_open();
    struct frame frame;

    capture.takes_trains = true;
    forbid_fragments(ends.sending.fd);
    send_around_mtu(&ends);
    for (size_t i = 0; i < 24; i++)
        assert_int_equal(packets[i].status, packets[i].len == EXCEEDS ? -EMSGSIZE : 1);
    hear_packets(&ends, 24);
    while (capture_next(&capture, &frame, 0))
        assert_true(frame.forbids_fragments);
    capture_close(&capture);
    end(&ends);
}

static void an_ipv4_packet_must_be_whole_as_its_socket_says(void **state)
{
    see_whole(*state, CABLE_IN4);
    if (has_in6())
        see_whole(*state, CABLE_MAPPED);
}

/* ---- The interface --------------------------------------------------------------------------- */

/* A second cable, with link-local addresses as at the first. */
static bool add_second_cable(void)
{
    return run_at(FAR,
                  "ip link add far2 type veth peer name near2 netns %d &&"
                  " ip link set far2 up && ip addr add 10.96.0.2/24 dev far2",
                  (int)getpid()) &&
           run_at(NEAR, "ip link set near2 up && ip addr add 10.96.0.1/24 dev near2") &&
           (!has_in6() || (run_at(FAR, "ip addr add fe80::2/64 dev far2 nodad") &&
                           run_at(NEAR, "ip addr add fe80::1/64 dev near2 nodad")));
}

static uint32_t device_at(enum host host, const char *name)
{
    be_at(host);
    uint32_t device = if_nametoindex(name);
    be_at(NEAR);
    assert_true(device > 0);
    return device;
}

static void join_group(int fd, const struct in_addr *group, const char *device)
{
    struct ip_mreqn request = { .imr_multiaddr = *group,
                                .imr_ifindex = (int)device_at(FAR, device) };
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request), 0);
}

/* The other end of the device that the packet is to leave by. */
static uint32_t other_end(const struct udpbatch_meta *meta)
{
    return device_at(FAR, meta->interface_index == if_nametoindex("near") ? "far" : "far2");
}

/* To an address that does not say by which device: by the one and the other in turn. */
static void send_by_devices(struct ends *ends)
{
    enum { COUNT = 16 };

    for (size_t i = 0; i < COUNT; i++)
        metas[i] = (struct udpbatch_meta){ .flags = UDPBATCH_META_INTERFACE | UDPBATCH_META_TTL,
                                           .interface_index =
                                               if_nametoindex(i / 2 % 2 == 0 ? "near" : "near2"),
                                           .ttl = 9 };
    make_with_metas(COUNT, &ends->to);
    struct udpbatch_tally tally = sending_send(&ends->sending, packets, COUNT);
    expect_sent(ends, &tally, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct told told = hear(ends);
        assert_int_equal(told.device, other_end(&metas[told.number]));
        assert_int_equal(told.ttl, 9);
    }
    expect_nothing(ends->listener.fd);
}

/* As begin, but with a listener at all addresses of far. */
static struct ends begin_everywhere(const struct way *way, const struct path *path, const char *to)
{
    union udpbatch_addr any = address(path->family, path->family == AF_INET ? "0.0.0.0" : "::", 0);
    struct ends ends = begin(way, path);

    port_close(&ends.listener);
    ends.listener = port_at(FAR, &any);
    listen_for_more(ends.listener.fd, path->family);
    ends.to = text_address(to, ntohs(ends.listener.addr.in4.sin_port));
    return ends;
}

static void a_group_is_reached_by_the_interface(void **state)
{
    struct ends ends = begin_everywhere(*state, CABLE_IN4, "224.0.0.251");
    join_group(ends.listener.fd, &ends.to.in4.sin_addr, "far");
    join_group(ends.listener.fd, &ends.to.in4.sin_addr, "far2");
    send_by_devices(&ends);
    end(&ends);
}

static void a_link_local_address_is_reached_by_the_interface(void **state)
{
    need_family(AF_INET6);
    struct ends ends = begin_everywhere(*state, CABLE_IN6, "fe80::2");
    send_by_devices(&ends);
    end(&ends);
}

/* ---- Trains ---------------------------------------------------------------------------------- */

static void need_trains(const struct ends *ends)
{
    struct utsname name;
    if (ub_socket_has_trains(ends->sending.fd) && uname(&name) == 0 &&
        ub_gso_kernel(name.release) == UB_GSO_WELL)
        return;
    print_message("cannot run here: this kernel has no trains, or not all\n");
    skip();
}

enum { IN_TRAINS = 32 };

/* Sends them with the metas that are, and counts the trains. */
static void expect_trains(const struct way *way, const struct path *path, size_t trains)
{
    struct ends ends = begin(way, path);
    need_trains(&ends);
    allow_departure(ends.sending.fd);
    make_with_metas(IN_TRAINS, &ends.to);
    send_and_hear(&ends, IN_TRAINS);
    if (stats_of(&ends).trains != trains)
        fail_msg("%s: %u trains in place of %zu", path->name, (unsigned)stats_of(&ends).trains,
                 trains);
    assert_int_equal(stats_of(&ends).trains_split, 0);
    end(&ends);
}

static void metas_of_one_content_make_one_train(void **state)
{
    for (size_t i = 0; i < path_count(); i++) {
        ask_all(&PATHS[i], 1);
        metas[1].flags &= ~UDPBATCH_META_DONT_FRAGMENT;
        for (size_t k = 0; k < IN_TRAINS; k++) {
            metas[k] = metas[1];
            metas[k].flags |= k % 2 == 0 ? UDPBATCH_META_CAME_TO : 0; /* which means nothing */
        }
        expect_trains(*state, &PATHS[i], 1);
    }
}

/* Also if what parts them is one member alone. */
static void metas_of_other_content_part_trains(void **state)
{
    for (size_t i = 0; i < path_count() * 5; i++) {
        const struct path *path = &PATHS[i / 5];
        ask_all(path, 2);
        for (size_t k = 0; k < IN_TRAINS; k++) {
            size_t run = k / 8;
            struct udpbatch_meta *meta = &metas[k];
            *meta = metas[IN_TRAINS] = k == 0 ? metas[2] : metas[IN_TRAINS];
            meta->flags &= ~UDPBATCH_META_DONT_FRAGMENT;
            meta->tos = (uint8_t)(i % 5 == 0 ? 0xb8 | run : 0);
            meta->ttl = (uint8_t)(i % 5 == 1 ? 60 + run : 64);
            meta->time_ns = i % 5 == 2 ? 1 + run : 1;
            meta->local = text_address(path->others[i % 5 == 3 ? run % 2 : 0], 0);
            if (i % 5 == 4 && run % 2 == 1)
                meta->flags &= ~(uint32_t)UDPBATCH_META_INTERFACE;
        }
        expect_trains(*state, path, 4);
    }
}

/* Whichever of them is the first. */
static void a_packet_without_meta_joins_one_that_asks_nothing(void **state)
{
    struct ends ends = begin(*state, CABLE_IN4);
    need_trains(&ends);
    add_nothings(0);
    for (size_t without = 0; without < 2; without++) {
        make_with_metas(4, &ends.to);
        packets[without].meta = packets[without + 2].meta = NULL;
        send_and_hear(&ends, 4);
        assert_int_equal(stats_of(&ends).trains, without + 1);
    }
    end(&ends);
}

/* It was what they asked for, and not that they were a train. */
static void a_train_refused_for_its_meta_does_not_part_the_next_one(void **state)
{
    for (size_t i = 0; i < path_count(); i++) {
        struct ends ends = begin(*state, &PATHS[i]);
        need_trains(&ends);
        metas[0] = (struct udpbatch_meta){
            .flags = UDPBATCH_META_LOCAL,
            .local = text_address(is_in4(&PATHS[i]) ? "192.0.2.1" : "2001:db8::1", 0),
        };
        make_packets(packets, 2, SOME, &ends.to);
        packets[0].meta = packets[1].meta = &metas[0];
        assert_int_equal(sending_send(&ends.sending, packets, 2).refused, 2);
        make_packets(packets, IN_TRAINS, SOME, &ends.to);
        send_and_hear(&ends, IN_TRAINS);
        assert_int_equal(stats_of(&ends).trains, 1);
        end(&ends);
    }
}

static void the_way_to_the_far_side_is_open(void **state)
{
    union udpbatch_addr from = address(AF_INET, "10.96.0.1", 0);
    union udpbatch_addr to = address(AF_INET, "10.96.0.2", 0);

    (void)state;
    wait_for_way(&from, &to);
    wait_for_cable(AF_INET);
    if (has_in6())
        wait_for_cable(AF_INET6);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_EACH_WAY(what_is_asked_is_what_leaves),
        TEST_EACH_WAY(what_is_asked_leaves_to_the_connected_peer),
        TEST_EACH_WAY(many_packets_leave_with_all_that_can_be_asked),
        TEST_EACH_WAY(what_cannot_be_done_is_refused_alone),
        TEST_EACH_WAY(what_cannot_be_done_is_refused_to_the_connected_peer),
        TEST_EACH_WAY(a_departure_time_leaves_with_a_socket_that_has_them),
        TEST_EACH_WAY(a_socket_may_be_given_departure_times_between_calls),
        TEST_EACH_WAY(an_ipv6_packet_above_the_mtu_is_refused_if_it_must_be_whole),
        TEST_EACH_WAY(an_ipv4_packet_must_be_whole_as_its_socket_says),
        TEST_EACH_WAY(a_group_is_reached_by_the_interface),
        TEST_EACH_WAY(a_link_local_address_is_reached_by_the_interface),
        TEST_EACH_BACKEND(metas_of_one_content_make_one_train),
        TEST_EACH_BACKEND(metas_of_other_content_part_trains),
        TEST_EACH_BACKEND(a_packet_without_meta_joins_one_that_asks_nothing),
        TEST_EACH_BACKEND(a_train_refused_for_its_meta_does_not_part_the_next_one),
    };
    const char *missing = two_hosts_make();
    if (missing == NULL && !add_second_cable())
        missing = "ip cannot make a second cable";
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("meta over the kernel", tests, COUNT_OF(tests));
}
