/* test_kernel.c: what a real kernel answers when it is full, forbids, or hears from the network.
 *
 * The program makes two network namespaces of its own, `near` and `far`, joined by a pair of veth
 * devices; all vanish with it. It needs root or user namespaces, ip, tc and nft; where these are
 * missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "own_space.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- The world ------------------------------------------------------------------------------- */

enum { MTU = 1400, FORBIDDEN_PORT = 4444, EXIT_SKIP = 77, MAX_COMMAND = 512 };

static int near_space, far_space;

/* A queue that goes on at once, but far slower than a sender; and one that as good as stands. Their
 * limits are for the socket to meet its own first. */
#define FLOWING  "tbf rate 10mbit burst 10kb limit 10mb"
#define STANDING "tbf rate 48bit burst 1500b limit 10mb"

/* Runs a shell command in a namespace, with the path of those who configure networks. */
static bool command(int space, const char *text)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        const char *path = getenv("PATH");
        char longer[4096];
        snprintf(longer, sizeof longer, "%s:/usr/sbin:/sbin",
                 path != NULL ? path : "/usr/bin:/bin");
        setenv("PATH", longer, 1);
        if (setns(space, CLONE_NEWNET) == 0)
            execl("/bin/sh", "sh", "-c", text, (char *)NULL);
        _exit(126);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int open_own_space(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static bool make_spaces(void)
{
    if (unshare(CLONE_NEWNET) < 0 && (!become_root_of_own() || unshare(CLONE_NEWNET) < 0))
        return false;
    near_space = open_own_space();
    if (unshare(CLONE_NEWNET) < 0)
        return false;
    far_space = open_own_space();
    return near_space >= 0 && far_space >= 0 && setns(near_space, CLONE_NEWNET) == 0;
}

static bool join_spaces(void)
{
    char link[MAX_COMMAND];
    snprintf(link, sizeof link,
             "ip link add far address 02:00:00:00:00:02 mtu %d type veth"
             " peer name near address 02:00:00:00:00:01 mtu %d netns %d",
             MTU, MTU, (int)getpid());
    return command(far_space, link);
}

/* Neighbours are permanent, as a queue for an unknown one would lose packets. */
static bool configure(int space, const char *self, const char *own, const char *peer)
{
    char text[MAX_COMMAND];
    snprintf(text, sizeof text,
             "ip link set lo up && ip link set %s up && ip addr add 10.99.0.%s/24 dev %s &&"
             " ip neigh replace 10.99.0.%s lladdr 02:00:00:00:00:0%s dev %s nud permanent &&"
             " if test -d /proc/sys/net/ipv6; then ip addr add fd99::%s/64 dev %s nodad &&"
             " ip neigh replace fd99::%s lladdr 02:00:00:00:00:0%s dev %s nud permanent; fi",
             self, own, self, peer, peer, self, own, self, peer, peer, self);
    return command(space, text);
}

static bool set_qdisc(const char *verb, const char *qdisc)
{
    char text[MAX_COMMAND];
    snprintf(text, sizeof text, "tc qdisc %s dev near root %s", verb, qdisc);
    return command(near_space, text);
}

static bool forbid_port(void)
{
    char text[MAX_COMMAND];
    snprintf(text, sizeof text,
             "nft add table inet test &&"
             " nft add chain inet test output '{ type filter hook output priority 0; }' &&"
             " nft add rule inet test output udp dport %d drop",
             FORBIDDEN_PORT);
    return command(near_space, text);
}

/* NULL, or what is missing. */
static const char *make_world(void)
{
    if (!make_spaces())
        return "no permission to make network namespaces";
    if (!join_spaces())
        return "ip cannot make veth devices";
    if (!configure(near_space, "near", "1", "2") || !configure(far_space, "far", "2", "1"))
        return "ip cannot configure the devices";
    if (!set_qdisc("add", STANDING) || !set_qdisc("del", ""))
        return "tc cannot make a tbf queue";
    return forbid_port() ? NULL : "nft cannot make a rule";
}

/* ---- Ports in it ----------------------------------------------------------------------------- */

static struct udpbatch_packet packets[MANY];
static struct arrivals arrivals;

static struct port near_port(int family)
{
    union udpbatch_addr addr = address(family, family == AF_INET ? "10.99.0.1" : "fd99::1", 0);
    return port_open_at(&addr);
}

static struct port far_port(int family)
{
    union udpbatch_addr addr = address(family, family == AF_INET ? "10.99.0.2" : "fd99::2", 0);
    assert_int_equal(setns(far_space, CLONE_NEWNET), 0);
    struct port port = port_open_at(&addr);
    assert_int_equal(setns(near_space, CLONE_NEWNET), 0);
    return port;
}

/* The devices' carrier comes up in its own time: until then a packet may be lost. */
static void wait_for_path(int family)
{
    struct port port = near_port(family), peer = far_port(family);
    struct pollfd arrival = { .fd = peer.fd, .events = POLLIN };
    int64_t begun = now_ms();
    do {
        make_packets(packets, 1, 4, &peer.addr);
        udpbatch_send(port.fd, packets, 1);
        assert_true(now_ms() - begun < PATIENCE_MS);
    } while (poll(&arrival, 1, 10) == 0);
    port_close(&port);
    port_close(&peer);
}

static void the_way_to_the_far_side_is_open(void **state)
{
    (void)state;
    wait_for_path(AF_INET);
    if (access("/proc/sys/net/ipv6", F_OK) == 0)
        wait_for_path(AF_INET6);
}

/* Leaves the device without a queue: what is sent arrives at once. */
static void clear_qdisc(void)
{
    assert_true(set_qdisc("replace", STANDING)); /* there may be none to delete */
    assert_true(set_qdisc("del", ""));
}

/* Each packet is longer than the one before, so that none can join another in a train. */
static void keep_apart(size_t n)
{
    for (size_t i = 0; i < n; i++)
        packets[i].len = 100 + (uint32_t)i;
}

/* A non-blocking sender with a small buffer, on the near side of a new queue. */
static struct sending begin_with_queue(void **state, int family, const char *qdisc)
{
    assert_true(set_qdisc("replace", FLOWING)); /* none of an earlier test's packets is left */
    clear_qdisc();
    assert_true(set_qdisc("replace", qdisc));
    struct sending sending = sending_begin(*state, near_port(family).fd);
    set_option(sending.fd, SOL_SOCKET, SO_SNDBUF, 16 * 1024);
    make_nonblocking(sending.fd);
    arrivals = (struct arrivals){ 0 };
    return sending;
}

/* Lets a standing queue flow. It looks at its new rate when the next packet comes. */
static void let_flow(int family)
{
    struct port port = near_port(family), elsewhere = far_port(family);
    assert_true(set_qdisc("change", FLOWING));
    struct udpbatch_packet packet = { .data = "next", .len = 4, .to = &elsewhere.addr };
    assert_int_equal(udpbatch_send(port.fd, &packet, 1).sent, 1);
    port_close(&port);
    port_close(&elsewhere);
}

static void hear_icmp(int fd, int family)
{
    if (family == AF_INET)
        set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
    else
        set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

/* The socket may be full in between, though nothing stands in the way: what has left counts for it
 * until the kernel's thread for incoming packets (ksoftirqd) comes to run on the far side. */
static void send_all(struct sending *sending, size_t n)
{
    int64_t begun = now_ms();
    struct udpbatch_tally tally;

    while ((tally = sending_send(sending, packets, n)).unsent > 0) {
        assert_int_equal(tally.unsent_error, EAGAIN);
        assert_int_equal(sending_wait(sending, &tally, PATIENCE_MS), 0);
        assert_true(now_ms() - begun < PATIENCE_MS);
    }
    assert_int_equal(tally.sent, n);
}

static void expect_each_once(const struct port *peer, size_t n)
{
    arrivals_wait(&arrivals, peer->fd, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(arrivals.seen[i], 1);
    assert_int_equal(arrivals.total, n);
}

/* ---- A full socket --------------------------------------------------------------------------- */

enum { SEVERAL_THOUSAND = 3000 };

static void resume(void **state, int family)
{
    struct sending sending = begin_with_queue(state, family, STANDING);
    struct port peer = far_port(family);
    struct udpbatch_tally tally;
    size_t full = 0;

    make_packets(packets, SEVERAL_THOUSAND, 100, &peer.addr);
    while ((tally = sending_send(&sending, packets, SEVERAL_THOUSAND)).unsent > 0) {
        assert_int_equal(tally.unsent_error, EAGAIN);
        assert_int_equal(tally.refused, 0);
        assert_true(full < SEVERAL_THOUSAND);
        if (full++ == 0)
            let_flow(family);
        assert_int_equal(sending_wait(&sending, &tally, PATIENCE_MS), 0);
        arrivals_take(&arrivals, peer.fd);
    }
    assert_true(full > 0);
    expect_each_once(&peer, SEVERAL_THOUSAND);
    expect_status(packets, SEVERAL_THOUSAND, 1);
    /* Each system call sends a packet at least, or is the one of its call that finds it full. */
    assert_true(sending_system_calls(&sending) <= SEVERAL_THOUSAND + full);
    port_close(&peer);
    sending_end(&sending);
}

static void a_full_socket_is_resumed_until_nothing_is_unsent(void **state)
{
    resume(state, AF_INET);
}

static void a_full_ipv6_socket_is_resumed_until_nothing_is_unsent(void **state)
{
    need_family(AF_INET6);
    resume(state, AF_INET6);
}

/* Takes payloads that are all the same; how many there are by now. */
static size_t count_payloads(int fd, size_t count)
{
    unsigned char room[16];
    while (recv(fd, room, sizeof room, MSG_DONTWAIT) == 7) {
        assert_memory_equal(room, "payload", 7);
        count++;
    }
    return count;
}

static void expect_payloads(int fd, size_t count, size_t n)
{
    for (; count < n; count++)
        expect_payload(fd, "payload", 7);
    assert_int_equal(count_payloads(fd, count), n);
}

static void a_full_socket_is_resumed_to_all_targets(void **state)
{
    static union udpbatch_addr targets[SEVERAL_THOUSAND];
    static int32_t status[SEVERAL_THOUSAND];
    struct sending sending = begin_with_queue(state, AF_INET, STANDING);
    struct port peer = far_port(AF_INET);
    struct udpbatch_tally tally;
    size_t arrived = 0, full = 0;

    memset(status, 0, sizeof status);
    for (size_t i = 0; i < SEVERAL_THOUSAND; i++)
        targets[i] = peer.addr;
    while ((tally = sending_fan_out(&sending, "payload", 7, targets, SEVERAL_THOUSAND, status))
               .unsent > 0) {
        assert_int_equal(tally.unsent_error, EAGAIN);
        assert_true(full < SEVERAL_THOUSAND);
        if (full++ == 0)
            let_flow(AF_INET);
        assert_int_equal(sending_wait(&sending, &tally, PATIENCE_MS), 0);
        arrived = count_payloads(peer.fd, arrived);
    }
    assert_true(full > 0);
    assert_int_equal(tally.sent, SEVERAL_THOUSAND);
    expect_payloads(peer.fd, arrived, SEVERAL_THOUSAND);
    port_close(&peer);
    sending_end(&sending);
}

static void without_statuses_the_unsent_targets_are_the_last(void **state)
{
    static const struct way level1 = { "level 1", NULL };
    static union udpbatch_addr targets[SEVERAL_THOUSAND];
    void *way = (void *)(uintptr_t)&level1;
    struct sending sending = begin_with_queue(&way, AF_INET, STANDING);
    struct port peer = far_port(AF_INET);
    size_t arrived = 0, from = 0, full = 0;

    (void)state;
    for (size_t i = 0; i < SEVERAL_THOUSAND; i++)
        targets[i] = peer.addr;
    while (from < SEVERAL_THOUSAND) {
        size_t n = SEVERAL_THOUSAND - from;
        struct udpbatch_tally tally =
            udpbatch_multi_target_send(sending.fd, "payload", 7, &targets[from], n, NULL);
        assert_int_equal(tally.sent + tally.unsent, n);
        assert_int_equal(tally.unsent_error, tally.unsent > 0 ? EAGAIN : 0);
        from = SEVERAL_THOUSAND - tally.unsent;
        assert_true(full < SEVERAL_THOUSAND);
        if (tally.unsent > 0 && full++ == 0)
            let_flow(AF_INET);
        assert_int_equal(sending_wait(&sending, &tally, PATIENCE_MS), 0);
        arrived = count_payloads(peer.fd, arrived);
    }
    assert_true(full > 0);
    expect_payloads(peer.fd, arrived, SEVERAL_THOUSAND);
    port_close(&peer);
    sending_end(&sending);
}

static void a_full_socket_costs_one_system_call_a_call(void **state)
{
    enum { COUNT = 500 };
    struct sending sending = begin_with_queue(state, AF_INET, STANDING);
    struct port peer = far_port(AF_INET);

    make_packets(packets, COUNT, 100, &peer.addr);
    struct udpbatch_tally tally = sending_send(&sending, packets, COUNT);
    size_t sent = tally.sent;
    assert_in_range(sent, 1, COUNT - 1);
    assert_int_equal(tally.unsent_error, EAGAIN);
    uint64_t before = sending_system_calls(&sending);
    for (size_t calls = 1; calls <= 5; calls++) {
        tally = sending_send(&sending, packets, COUNT);
        assert_int_equal(tally.sent, sent);
        assert_int_equal(tally.unsent_error, EAGAIN);
        if (sending.sender != NULL)
            assert_int_equal(sending_system_calls(&sending), before + calls);
    }
    assert_int_equal(sending_wait(&sending, &tally, 0), -ETIMEDOUT);

    assert_true(set_qdisc("del", "")); /* what it holds is lost, and the socket has room */
    assert_int_equal(sending_wait(&sending, &tally, PATIENCE_MS), 0);
    send_all(&sending, COUNT);
    arrivals_take(&arrivals, peer.fd);
    while (arrivals.seen[COUNT - 1] == 0)
        arrivals_wait(&arrivals, peer.fd, arrivals.total + 1);
    for (size_t i = 0; i < COUNT; i++)
        assert_in_range(arrivals.seen[i], i < sent ? 0 : 1, 1);
    port_close(&peer);
    sending_end(&sending);
}

static void a_blocking_socket_waits_by_itself(void **state)
{
    enum { COUNT = 400 }; /* which fit into any receive buffer */
    struct sending sending = begin_with_queue(state, AF_INET, FLOWING);
    struct port peer = far_port(AF_INET);

    assert_int_equal(fcntl(sending.fd, F_SETFL, 0), 0);
    make_packets(packets, COUNT, 100, &peer.addr);
    struct udpbatch_tally tally = sending_send(&sending, packets, COUNT);
    assert_int_equal(tally.sent, COUNT);
    expect_each_once(&peer, COUNT);
    port_close(&peer);
    sending_end(&sending);
}

/* An error in a queue that nobody reads ends every poll at once: the wait is then one by time. */
static void an_unread_error_does_not_make_a_wait_spin(void **state)
{
    enum { COUNT = 500, WAITS = 6, AT_LEAST_MS = 2 }; /* 50 + 100 + ... + 1600 us */
    struct sending sending = begin_with_queue(state, AF_INET, STANDING);
    struct port peer = far_port(AF_INET);
    union udpbatch_addr nobody = closed_port(AF_INET);
    struct pollfd error = { .fd = sending.fd };
    struct udpbatch_sender_stats stats = { .size = sizeof stats };

    hear_icmp(sending.fd, AF_INET);
    make_packets(packets, 1, 100, &nobody);
    sending_send(&sending, packets, 1);
    assert_int_equal(poll(&error, 1, PATIENCE_MS), 1);
    make_packets(packets, COUNT, 100, &peer.addr);
    struct udpbatch_tally tally = sending_send(&sending, packets, COUNT);
    assert_int_equal(tally.refused, 0);
    assert_int_equal(tally.unsent_error, EAGAIN);
    int64_t before = now_ms();
    for (int i = 0; i < WAITS; i++)
        assert_int_equal(udpbatch_sender_wait(sending.sender, PATIENCE_MS), 0);
    assert_true(now_ms() - before >= AT_LEAST_MS);
    assert_int_equal(udpbatch_sender_wait(sending.sender, 0), -ETIMEDOUT);
    udpbatch_sender_stats(sending.sender, &stats);
    assert_int_equal(stats.waits, WAITS + 1);
    port_close(&peer);
    sending_end(&sending);
}

static void a_wait_for_a_socket_that_was_closed_gives_ebadf(void **state)
{
    enum { COUNT = 500 };
    struct sending sending = begin_with_queue(state, AF_INET, STANDING);
    struct port peer = far_port(AF_INET);

    make_packets(packets, COUNT, 100, &peer.addr);
    assert_true(sending_send(&sending, packets, COUNT).unsent > 0);
    close(sending.fd);
    assert_int_equal(udpbatch_sender_wait(sending.sender, PATIENCE_MS), -EBADF);
    assert_int_equal(sending_send(&sending, packets, COUNT).first_error, EBADF);
    assert_int_equal(udpbatch_sender_wait(sending.sender, PATIENCE_MS), 0);
    port_close(&peer);
    sending_end(&sending);
}

/* ---- A full device --------------------------------------------------------------------------- */

/* With IP_RECVERR a packet that the device's queue drops is ENOBUFS. */
static void drop_at_device(void **state, int family)
{
    enum { COUNT = 300, WAITS = 6, AT_LEAST_MS = 2 };
    const char *standing = "tbf rate 48bit burst 1500b limit 4000b";
    const char *flowing = "tbf rate 10mbit burst 10kb limit 4000b";
    struct sending sending = begin_with_queue(state, family, standing);
    struct port peer = far_port(family);
    int64_t begun = now_ms();

    set_option(sending.fd, SOL_SOCKET, SO_SNDBUF, 200 * 1024);
    hear_icmp(sending.fd, family);
    make_packets(packets, COUNT, LEN_MOST, &peer.addr);
    keep_apart(COUNT); /* tbf cuts a train itself, and says nothing of the parts that it drops */
    struct udpbatch_tally tally = sending_send(&sending, packets, COUNT);
    assert_in_range(tally.sent, 1, COUNT - 1);
    assert_int_equal(tally.refused, 0);
    assert_int_equal(tally.unsent_error, ENOBUFS);
    uint64_t before = sending_system_calls(&sending);
    assert_int_equal(sending_send(&sending, packets, COUNT).sent, tally.sent);
    if (sending.sender != NULL) {
        assert_int_equal(sending_system_calls(&sending), before + 1);
        assert_int_equal(udpbatch_sender_wait(sending.sender, 0), -ETIMEDOUT);
        begun = now_ms();
        for (int i = 0; i < WAITS; i++)
            assert_int_equal(udpbatch_sender_wait(sending.sender, PATIENCE_MS), 0);
        assert_true(now_ms() - begun >= AT_LEAST_MS);
    }

    assert_true(set_qdisc("change", flowing)); /* and what it holds goes on */
    while ((tally = sending_send(&sending, packets, COUNT)).unsent > 0) {
        assert_int_equal(tally.unsent_error, ENOBUFS);
        assert_int_equal(sending_wait(&sending, &tally, PATIENCE_MS), 0);
        assert_true(now_ms() - begun < PATIENCE_MS);
    }
    assert_int_equal(tally.sent, COUNT);
    expect_each_once(&peer, COUNT);
    port_close(&peer);
    sending_end(&sending);
}

static void what_the_device_drops_is_unsent_and_resumed(void **state)
{
    drop_at_device(state, AF_INET);
}

static void what_the_device_drops_of_ipv6_is_unsent_and_resumed(void **state)
{
    need_family(AF_INET6);
    drop_at_device(state, AF_INET6);
}

/* A queue that has room for packets, but never for a train. */
static void offer_trains_to_a_small_queue(void **state, int family)
{
    enum { COUNT = 300 };
    struct sending sending = begin_with_queue(state, family, "bfifo limit 1000");
    struct port peer = far_port(family);

    hear_icmp(sending.fd, family);
    make_packets(packets, COUNT, 100, &peer.addr);
    send_all(&sending, COUNT);
    expect_each_once(&peer, COUNT);
    if (sending.sender != NULL) {
        struct udpbatch_sender_stats stats = { .size = sizeof stats };
        udpbatch_sender_stats(sending.sender, &stats);
        assert_true(stats.trains_split > 0);
    }
    port_close(&peer);
    sending_end(&sending);
}

static void trains_that_the_device_never_takes_go_as_packets(void **state)
{
    offer_trains_to_a_small_queue(state, AF_INET);
}

static void ipv6_trains_that_the_device_never_takes_go_as_packets(void **state)
{
    need_family(AF_INET6);
    offer_trains_to_a_small_queue(state, AF_INET6);
}

/* ---- One packet's trouble -------------------------------------------------------------------- */

enum { MIXED = 60 };

/* Sends to a good and a bad address in turn, by both calls: the first as single packets, the second
 * on level 2 as trains. */
static void send_mixed(struct sending *sending, const struct port *good,
                       const union udpbatch_addr *bad, int error)
{
    union udpbatch_addr targets[MIXED];
    int32_t status[MIXED] = { 0 };

    make_packets(packets, MIXED, LEN_MOST, &good->addr);
    keep_apart(MIXED);
    for (size_t i = 0; i < MIXED; i++) {
        targets[i] = i % 3 == 1 ? *bad : good->addr;
        packets[i].to = &targets[i];
    }
    struct udpbatch_tally tally = sending_send(sending, packets, MIXED);
    assert_int_equal(tally.sent, MIXED / 3 * 2);
    assert_int_equal(tally.refused, MIXED / 3);
    for (size_t i = 0; i < MIXED; i++)
        assert_int_equal(packets[i].status, i % 3 == 1 ? -error : 1);
    expect_arrival(good, packets, MIXED);

    tally = sending_fan_out(sending, "payload", 7, targets, MIXED, status);
    assert_int_equal(tally.sent, MIXED / 3 * 2);
    assert_int_equal(tally.first_refused, 1);
    for (size_t i = 0; i < MIXED; i++)
        assert_int_equal(status[i], i % 3 == 1 ? -error : 1);
    expect_payloads(good->fd, 0, MIXED / 3 * 2);
}

static void forbid(void **state, int family)
{
    clear_qdisc();
    struct sending sending = sending_begin(*state, near_port(family).fd);
    struct port peer = far_port(family);
    union udpbatch_addr forbidden = peer.addr;

    forbidden.in4.sin_port = htons(FORBIDDEN_PORT); /* at the same place in both families */
    send_mixed(&sending, &peer, &forbidden, EPERM);
    port_close(&peer);
    sending_end(&sending);
}

static void what_the_packet_filter_drops_is_refused_alone(void **state)
{
    forbid(state, AF_INET);
}

static void what_the_packet_filter_drops_of_ipv6_is_refused_alone(void **state)
{
    need_family(AF_INET6);
    forbid(state, AF_INET6);
}

static void leave_unrouted(void **state, int family, bool hears_icmp)
{
    const char *nowhere = family == AF_INET ? "192.0.2.1" : "2001:db8::1";
    clear_qdisc();
    struct sending sending = sending_begin(*state, near_port(family).fd);
    struct port peer = far_port(family);
    union udpbatch_addr unrouted = address(family, nowhere, 9);

    if (hears_icmp)
        hear_icmp(sending.fd, family);
    send_mixed(&sending, &peer, &unrouted, ENETUNREACH);
    /* A train to nowhere is refused at once, but where the error may have been an earlier packet's:
     * there it is asked once more, and then each of its packets twice. */
    unsigned singles = MIXED + (hears_icmp ? MIXED / 3 : 0);
    unsigned trains = hears_icmp ? 1 + 2 + 2 * MIXED / 3 : 2;
    if (sending.sender != NULL && strcmp(sending.way->name, "portable") == 0)
        assert_int_equal(sending_system_calls(&sending), singles + trains);
    port_close(&peer);
    sending_end(&sending);
}

static void an_unrouted_destination_is_refused_alone(void **state)
{
    leave_unrouted(state, AF_INET, false);
}

static void an_unrouted_ipv6_destination_is_refused_alone(void **state)
{
    need_family(AF_INET6);
    leave_unrouted(state, AF_INET6, false);
}

static void a_socket_that_hears_icmp_asks_once_more_before_it_refuses(void **state)
{
    leave_unrouted(state, AF_INET, true);
}

static void an_ipv6_socket_that_hears_icmp_asks_once_more_before_it_refuses(void **state)
{
    need_family(AF_INET6);
    leave_unrouted(state, AF_INET6, true);
}

/* By the device's MTU, as fragments are forbidden. */
static void exceed_mtu(void **state, int family, uint32_t longest)
{
    clear_qdisc();
    struct sending sending = sending_begin(*state, near_port(family).fd);
    struct port peer = far_port(family);
    const uint32_t lens[] = { longest, longest + 1, 10, LEN_MOST };

    if (family == AF_INET)
        set_option(sending.fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    else
        set_option(sending.fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
    make_packets(packets, MIXED, LEN_MOST, &peer.addr);
    for (size_t i = 0; i < MIXED; i++)
        packets[i].len = lens[i % 4];
    struct udpbatch_tally tally = sending_send(&sending, packets, MIXED);
    assert_int_equal(tally.sent, MIXED / 2);
    assert_int_equal(tally.refused, MIXED / 2);
    for (size_t i = 0; i < MIXED; i++)
        assert_int_equal(packets[i].status, i % 2 == 1 ? -EMSGSIZE : 1);
    expect_arrival(&peer, packets, MIXED);
    port_close(&peer);
    sending_end(&sending);
}

/* In fragments it needs more than twice the buffer, though that be empty. */
static void exceed_send_buffer(void **state, int family, bool hears_icmp)
{
    static const char large[60000];
    clear_qdisc();
    struct sending sending = sending_begin(*state, near_port(family).fd);
    struct port peer = far_port(family);

    set_option(sending.fd, SOL_SOCKET, SO_SNDBUF, 8 * 1024);
    make_nonblocking(sending.fd);
    if (hears_icmp)
        hear_icmp(sending.fd, family);
    make_packets(packets, 3, 100, &peer.addr);
    packets[1].data = large;
    packets[1].len = sizeof large;
    struct udpbatch_tally tally = sending_send(&sending, packets, 3);
    while (tally.unsent > 0 && sending_wait(&sending, &tally, PATIENCE_MS) == 0)
        tally = sending_send(&sending, packets, 3);
    assert_int_equal(tally.sent, 2);
    assert_int_equal(packets[1].status, -ENOBUFS);
    arrivals = (struct arrivals){ 0 };
    arrivals_wait(&arrivals, peer.fd, 2);
    assert_int_equal(arrivals.seen[0], 1);
    assert_int_equal(arrivals.seen[2], 1);
    port_close(&peer);
    sending_end(&sending);
}

static void what_the_send_buffer_never_takes_is_refused_alone(void **state)
{
    exceed_send_buffer(state, AF_INET, false);
}

static void what_the_send_buffer_never_takes_of_ipv6_is_refused_alone(void **state)
{
    need_family(AF_INET6);
    exceed_send_buffer(state, AF_INET6, false);
}

static void it_is_refused_too_where_a_device_might_have_dropped_it(void **state)
{
    exceed_send_buffer(state, AF_INET, true);
}

static void what_exceeds_the_mtu_is_refused_alone(void **state)
{
    exceed_mtu(state, AF_INET, MTU - 20 - 8);
}

static void what_exceeds_the_mtu_of_ipv6_is_refused_alone(void **state)
{
    need_family(AF_INET6);
    exceed_mtu(state, AF_INET6, MTU - 40 - 8);
}

/* ---- What ICMP brings ------------------------------------------------------------------------ */

enum { HALF = 50 };

/* The error of the last packet, which nobody met: so there were such errors. */
static void expect_pending(int fd, int error)
{
    struct pollfd wait = { .fd = fd };
    int pending = 0;
    socklen_t len = sizeof pending;
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &len), 0);
    assert_int_equal(pending, error);
}

static void send_to_nobody(void **state, int family)
{
    struct sending sending = sending_begin(*state, port_open(family).fd);
    union udpbatch_addr nobody = closed_port(family);

    connect_to(sending.fd, &nobody);
    make_packets(packets, 2 * HALF, 100, NULL);
    struct udpbatch_tally tally = sending_send(&sending, packets, 2 * HALF);
    assert_int_equal(tally.sent, 2 * HALF);
    expect_status(packets, 2 * HALF, 1);
    expect_pending(sending.fd, ECONNREFUSED);
    sending_end(&sending);
}

static void no_packet_is_blamed_for_the_refusal_of_the_one_before(void **state)
{
    send_to_nobody(state, AF_INET);
}

static void no_ipv6_packet_is_blamed_for_the_refusal_of_the_one_before(void **state)
{
    need_family(AF_INET6);
    send_to_nobody(state, AF_INET6);
}

/* Waits for the error that the next send is to meet, and leaves it there. */
static void wait_for_error(int fd)
{
    struct pollfd wait = { .fd = fd };
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    assert_int_equal(wait.revents & POLLERR, POLLERR);
}

static void all_packets_reach_a_listener_that_appears(void **state)
{
    struct sending sending = sending_begin(*state, port_open(AF_INET).fd);
    union udpbatch_addr nobody = closed_port(AF_INET);

    connect_to(sending.fd, &nobody);
    make_packets(packets, HALF, 100, NULL);
    struct udpbatch_tally tally = sending_send(&sending, packets, HALF);
    assert_int_equal(tally.sent, HALF);
    wait_for_error(sending.fd);

    struct port port = port_open_at(&nobody);
    make_packets(packets, HALF, 100, NULL);
    tally = sending_send(&sending, packets, HALF);
    assert_int_equal(tally.sent, HALF);
    expect_arrival(&port, packets, HALF);
    port_close(&port);
    sending_end(&sending);
}

/* The error is still there when the socket no longer looks like one that hears of any. */
static void no_packet_is_blamed_for_the_refusal_of_a_former_peer(void **state)
{
    struct sending sending = sending_begin(*state, port_open(AF_INET).fd);
    struct port port = port_open(AF_INET);
    union udpbatch_addr nobody = closed_port(AF_INET);
    union udpbatch_addr none = { .sa = { .sa_family = AF_UNSPEC } };

    connect_to(sending.fd, &nobody);
    make_packets(packets, 1, 100, NULL);
    assert_int_equal(sending_send(&sending, packets, 1).sent, 1);
    wait_for_error(sending.fd);
    assert_int_equal(connect(sending.fd, &none.sa, sizeof none.sa), 0);

    make_packets(packets, HALF, 100, &port.addr);
    assert_int_equal(sending_send(&sending, packets, HALF).sent, HALF);
    expect_arrival(&port, packets, HALF);
    port_close(&port);
    sending_end(&sending);
}

static void send_in_turn(void **state, int family)
{
    struct sending sending = sending_begin(*state, port_open(family).fd);
    struct port port = port_open(family);
    union udpbatch_addr nobody = closed_port(family);
    union udpbatch_addr targets[2 * HALF];
    int32_t status[2 * HALF] = { 0 };

    hear_icmp(sending.fd, family);
    make_packets(packets, 2 * HALF, LEN_MOST, &port.addr);
    keep_apart(2 * HALF);
    for (size_t i = 0; i < 2 * HALF; i++) {
        targets[i] = i % 2 == 0 ? nobody : port.addr;
        packets[i].to = &targets[i];
    }
    struct udpbatch_tally tally = sending_send(&sending, packets, 2 * HALF);
    assert_int_equal(tally.sent, 2 * HALF);
    expect_arrival(&port, packets, 2 * HALF);

    tally = sending_fan_out(&sending, "payload", 7, targets, 2 * HALF, status);
    assert_int_equal(tally.sent, 2 * HALF);
    expect_payloads(port.fd, 0, HALF);
    make_packets(packets, 1, 100, &nobody);
    assert_int_equal(sending_send(&sending, packets, 1).sent, 1);
    expect_pending(sending.fd, ECONNREFUSED);
    port_close(&port);
    sending_end(&sending);
}

static void packets_in_turn_with_refused_ones_all_arrive(void **state)
{
    send_in_turn(state, AF_INET);
}

static void ipv6_packets_in_turn_with_refused_ones_all_arrive(void **state)
{
    need_family(AF_INET6);
    send_in_turn(state, AF_INET6);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_EACH_WAY(a_full_socket_is_resumed_until_nothing_is_unsent),
        TEST_EACH_WAY(a_full_ipv6_socket_is_resumed_until_nothing_is_unsent),
        TEST_EACH_WAY(a_full_socket_is_resumed_to_all_targets),
        TEST_ONCE(without_statuses_the_unsent_targets_are_the_last),
        TEST_EACH_WAY(a_full_socket_costs_one_system_call_a_call),
        TEST_EACH_WAY(a_blocking_socket_waits_by_itself),
        TEST_EACH_BACKEND(an_unread_error_does_not_make_a_wait_spin),
        TEST_EACH_BACKEND(a_wait_for_a_socket_that_was_closed_gives_ebadf),
        TEST_EACH_WAY(what_the_device_drops_is_unsent_and_resumed),
        TEST_EACH_WAY(what_the_device_drops_of_ipv6_is_unsent_and_resumed),
        TEST_EACH_WAY(what_the_packet_filter_drops_is_refused_alone),
        TEST_EACH_WAY(what_the_packet_filter_drops_of_ipv6_is_refused_alone),
        TEST_EACH_WAY(an_unrouted_destination_is_refused_alone),
        TEST_EACH_WAY(an_unrouted_ipv6_destination_is_refused_alone),
        TEST_EACH_WAY(a_socket_that_hears_icmp_asks_once_more_before_it_refuses),
        TEST_EACH_WAY(an_ipv6_socket_that_hears_icmp_asks_once_more_before_it_refuses),
        TEST_EACH_WAY(what_exceeds_the_mtu_is_refused_alone),
        TEST_EACH_WAY(what_exceeds_the_mtu_of_ipv6_is_refused_alone),
        TEST_EACH_WAY(what_the_send_buffer_never_takes_is_refused_alone),
        TEST_EACH_WAY(what_the_send_buffer_never_takes_of_ipv6_is_refused_alone),
        TEST_EACH_WAY(it_is_refused_too_where_a_device_might_have_dropped_it),
        TEST_EACH_WAY(no_packet_is_blamed_for_the_refusal_of_the_one_before),
        TEST_EACH_WAY(no_ipv6_packet_is_blamed_for_the_refusal_of_the_one_before),
        TEST_EACH_WAY(all_packets_reach_a_listener_that_appears),
        TEST_EACH_WAY(no_packet_is_blamed_for_the_refusal_of_a_former_peer),
        TEST_EACH_WAY(trains_that_the_device_never_takes_go_as_packets),
        TEST_EACH_WAY(ipv6_trains_that_the_device_never_takes_go_as_packets),
        TEST_EACH_WAY(packets_in_turn_with_refused_ones_all_arrive),
        TEST_EACH_WAY(ipv6_packets_in_turn_with_refused_ones_all_arrive),
    };
    const char *missing = make_world();
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("kernel", tests, COUNT_OF(tests));
}
