/* test_xdp_faults.c: what the back end "xdp" does where it cannot: one clear error each at open; a
 * link that goes down, and devices that vanish, end no call in a hang; closing leaves nothing.
 *
 * The program makes hosts of its own (past_stack.h). It needs root or user namespaces, ip and tc;
 * where these are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "past_stack.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct udpbatch_packet packets[MANY];

/* ---- Open ------------------------------------------------------------------------------------ */

static struct port own_port(void)
{
    union udpbatch_addr own = on_cable(AF_INET, 1, 0);
    return port_at(NEAR, &own);
}

/* The errno of an open that fails; 0 if it does not. */
static int try_to_open(int fd, const struct udpbatch_sender_options *options)
{
    int error = -1;
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, options, &error);
    udpbatch_sender_close(sender);
    return sender == NULL ? error : 0;
}

static void expect_open_error(const struct udpbatch_sender_options *options, int error)
{
    struct port port = own_port();
    assert_int_equal(try_to_open(port.fd, options), error);
    port_close(&port);
}

static void an_interface_has_to_be_there(void **state)
{
    struct udpbatch_sender_options options = xdp_options("nothing");

    (void)state;
    expect_open_error(&options, ENODEV);
    options = xdp_options("");
    expect_open_error(&options, ENODEV);
    options = xdp_options("a_name_that_is_longer_than_any_interface_may_have");
    expect_open_error(&options, ENODEV);
    options = xdp_options(NULL);
    expect_open_error(&options, ENODEV);
    options = xdp_options("far"); /* the other host's */
    expect_open_error(&options, ENODEV);
    options = xdp_options("near"); /* a caller that was compiled before there was xdp */
    options.size = offsetof(struct udpbatch_sender_options, xdp_interface);
    expect_open_error(&options, ENODEV);
}

static void a_queue_has_to_be_there(void **state)
{
    struct udpbatch_sender_options options = xdp_options("near");

    (void)state;
    options.xdp_queue = 1;
    expect_open_error(&options, ECHRNG);
    options.xdp_queue = UINT32_MAX;
    expect_open_error(&options, ECHRNG);
    options = xdp_options("near2");
    options.xdp_queue = 1;
    expect_open_error(&options, 0);
    options.xdp_queue = 2;
    expect_open_error(&options, ECHRNG);
}

static void a_queue_is_one_senders(void **state)
{
    struct udpbatch_sender_options options = xdp_options("near");
    struct xdp xdp = xdp_begin(AF_INET);

    (void)state;
    expect_open_error(&options, EBUSY);
    xdp_end(&xdp);
    expect_open_error(&options, 0);
}

static void no_copy_is_for_drivers_that_can(void **state)
{
    struct udpbatch_sender_options options = xdp_options("near");

    (void)state;
    options.xdp_mode = UDPBATCH_XDP_ZERO_COPY;
    expect_open_error(&options, EOPNOTSUPP);
    options.xdp_mode = UDPBATCH_XDP_COPY;
    expect_open_error(&options, 0);
    options.xdp_mode = UDPBATCH_XDP_ZERO_COPY + 1;
    expect_open_error(&options, EINVAL);
}

static void the_device_is_one_of_ethernet_and_up(void **state)
{
    struct udpbatch_sender_options options = xdp_options("lo");

    (void)state;
    expect_open_error(&options, EMEDIUMTYPE);
    options = xdp_options("near2");
    assert_true(run_at(NEAR, "ip link set near2 down"));
    expect_open_error(&options, ENETDOWN);
    assert_true(run_at(NEAR, "ip link set near2 up"));
    expect_open_error(&options, 0);
}

static void the_socket_is_of_the_same_namespace(void **state)
{
    struct udpbatch_sender_options options = xdp_options("near");
    union udpbatch_addr at = on_cable(AF_INET, 2, 0);
    struct port port = port_at(FAR, &at);

    (void)state;
    assert_int_equal(try_to_open(port.fd, &options), EXDEV);
    port_close(&port);
}

static void it_only_sends(void **state)
{
    struct udpbatch_receiver_options options = { .size = sizeof options, .backend = "xdp" };
    struct port port = own_port();
    int error = 0;

    (void)state;
    assert_null(udpbatch_receiver_open(port.fd, &options, &error));
    assert_int_equal(error, ENOENT);
    port_close(&port);
}

/* ---- Open, in a process that may less -------------------------------------------------------- */

static bool drop_capability(unsigned capability)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) < 0)
        return false;
    sets[capability / 32].effective &= ~(UINT32_C(1) << capability % 32);
    return syscall(SYS_capset, &header, sets) == 0;
}

static bool may_not_use_raw_sockets(void)
{
    return drop_capability(CAP_NET_RAW);
}

/* Locked memory is counted for all processes of a user: so as one that has no others, where there
 * is more than one. */
static void become_another_user(void)
{
    enum { OWN_USER = 61234 };
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) < 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
        setuid(OWN_USER) < 0)
        return;
    syscall(SYS_capset, &header, sets);
}

static bool may_lock(rlim_t bytes)
{
    struct rlimit limit = { bytes, bytes };
    become_another_user();
    return drop_capability(CAP_IPC_LOCK) && setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

static bool may_lock_little(void)
{
    return may_lock(64 * 1024);
}

/* There libc has one system call for all that sockets do, with arguments in memory. */
#ifdef __i386__
enum { FILTERS_SEE_SOCKETS = 0 };
#else
enum { FILTERS_SEE_SOCKETS = 1 };
#endif

/* A system call fails from now on if an argument of it is this one. */
static bool refuse(uint32_t call, size_t argument, uint32_t value, uint32_t error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 (uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t))),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = COUNT_OF(filter), .filter = filter };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* A kernel without AF_XDP, as far as a filter of system calls can make it one. */
static bool has_no_xdp(void)
{
    return refuse(SYS_socket, 0, AF_XDP, EAFNOSUPPORT);
}

/* Nor would its rings and frames be kept from a child that takes itself for the parent. */
static bool may_not_tell_children(void)
{
    return refuse(SYS_madvise, 2, MADV_WIPEONFORK, EPERM);
}

static bool may_not_keep_it_from_children(void)
{
    return refuse(SYS_madvise, 2, MADV_DONTFORK, EPERM);
}

enum { CANNOT_TELL = 255 };

/* The errno of opening so many times, in a child for which `restrict_it` holds; or 0. */
static int open_restricted(bool (*restrict_it)(void), int times)
{
    struct udpbatch_sender_options options = xdp_options("near");
    struct port port = own_port();
    int status, error = 0;

    pid_t child = fork();
    if (child == 0) {
        if (!restrict_it())
            _exit(CANNOT_TELL);
        for (int i = 0; i < times && error == 0; i++)
            error = try_to_open(port.fd, &options);
        _exit(error);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    port_close(&port);
    return WEXITSTATUS(status);
}

static void raw_sockets_have_to_be_allowed(void **state)
{
    (void)state;
    assert_int_equal(open_restricted(may_not_use_raw_sockets, 1), EPERM);
}

static void locked_memory_has_its_limit(void **state)
{
    (void)state;
    assert_int_equal(open_restricted(may_lock_little, 1), ENOBUFS);
}

static void a_kernel_may_have_no_xdp(void **state)
{
    (void)state;
    if (!FILTERS_SEE_SOCKETS) {
        print_message("cannot run here: socketcall(2) opens sockets, which no filter sees\n");
        skip();
    }
    assert_int_equal(open_restricted(has_no_xdp, 1), ENOSYS);
}

static void children_have_to_be_kept_out(void **state)
{
    (void)state;
    assert_int_equal(open_restricted(may_not_tell_children, 1), EPERM);
    assert_int_equal(open_restricted(may_not_keep_it_from_children, 1), EPERM);
}

/* What one sender takes is within the usual limit, and is given back. */
static bool may_lock_as_usual(void)
{
    return may_lock(8 << 20);
}

static void locked_memory_is_given_back(void **state)
{
    (void)state;
    assert_int_equal(open_restricted(may_lock_as_usual, 20), 0);
}

static bool may_do_nothing_else(void)
{
    for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
        if (capability != CAP_NET_RAW && capability != CAP_IPC_LOCK)
            drop_capability(capability);
    return true;
}

static void raw_sockets_are_all_that_has_to_be_allowed(void **state)
{
    (void)state;
    assert_int_equal(open_restricted(may_do_nothing_else, 1), 0);
}

static int spare_descriptors;

static bool may_open_few_files(void)
{
    int lowest = dup(STDIN_FILENO);
    rlim_t most = (rlim_t)lowest + (rlim_t)spare_descriptors;
    struct rlimit limit = { most, most };
    return lowest >= 0 && close(lowest) == 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* Wherever there is none left. */
static void a_process_may_have_too_many_descriptors(void **state)
{
    enum { ENOUGH = 10 };
    int error;

    (void)state;
    for (spare_descriptors = 0; spare_descriptors < ENOUGH; spare_descriptors++) {
        error = open_restricted(may_open_few_files, 1);
        if (error == 0)
            break;
        assert_int_equal(error, EMFILE);
    }
    assert_in_range(spare_descriptors, 1, ENOUGH - 1);
}

/* ---- Close ----------------------------------------------------------------------------------- */

/* What a process has: descriptors, mappings, and kilobytes of memory. */
struct holdings {
    size_t descriptors, mappings;
    unsigned long locked, pinned, resident;
};

static size_t count_entries(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static size_t count_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    size_t count = 0;

    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;)
        count += c == '\n';
    fclose(file);
    return count;
}

static void read_memory(struct holdings *holdings)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "VmLck: %lu", &holdings->locked);
        sscanf(line, "VmPin: %lu", &holdings->pinned);
        sscanf(line, "VmRSS: %lu", &holdings->resident);
    }
    fclose(file);
}

static struct holdings what_it_has(void)
{
    struct holdings holdings = { .descriptors = count_entries("/proc/self/fd"),
                                 .mappings = count_lines("/proc/self/maps") };
    read_memory(&holdings);
    return holdings;
}

/* The kernel gives back by and by what was pinned. */
static void expect_no_more_than(const struct holdings *before)
{
    enum { MORE_KB = 4096, MORE_MAPPINGS = 8 }; /* an allocator's: opens would leave more */
    int64_t begun = now_ms();
    struct holdings now = what_it_has();

    assert_int_equal(now.descriptors, before->descriptors);
    assert_true(now.mappings < before->mappings + MORE_MAPPINGS);
    assert_true(SANITIZED || now.resident < before->resident + MORE_KB);
    while (now.locked > before->locked || now.pinned > before->pinned) {
        assert_true(now_ms() - begun < PATIENCE_MS);
        now = what_it_has();
    }
}

static void closing_leaves_nothing(void **state)
{
    enum { TIMES = 100, AFTER = 3 };
    union udpbatch_addr to = on_cable(AF_INET, 2, 5000);
    struct holdings before = { 0 };

    (void)state;
    for (int i = 0; i < TIMES + AFTER; i++) {
        if (i == AFTER) /* as libraries, too, keep something of what they did first */
            before = what_it_has();
        struct xdp xdp = xdp_begin(AF_INET);
        assert_int_equal(xdp_send_one(&xdp, &to, 100), 1);
        expect_past(&xdp, 1);
        xdp_end(&xdp);
    }
    expect_no_more_than(&before);
}

static void an_open_that_fails_leaves_nothing(void **state)
{
    enum { TIMES = 20, AFTER = 3 };
    struct udpbatch_sender_options options[5];
    struct holdings before = { 0 };

    (void)state;
    options[0] = xdp_options("nothing");
    options[1] = xdp_options("lo");
    options[2] = options[3] = options[4] = xdp_options("near");
    options[2].xdp_queue = 7;
    options[3].xdp_mode = UDPBATCH_XDP_ZERO_COPY;
    options[4].xdp_mode = UDPBATCH_XDP_ZERO_COPY + 1;
    for (int i = 0; i < TIMES + AFTER; i++) {
        if (i == AFTER)
            before = what_it_has();
        for (size_t k = 0; k < COUNT_OF(options); k++) {
            struct port port = own_port();
            assert_int_not_equal(try_to_open(port.fd, &options[k]), 0);
            port_close(&port);
        }
    }
    expect_no_more_than(&before);
}

/* ---- The socket ------------------------------------------------------------------------------ */

static void a_socket_that_was_closed_is_told(void **state)
{
    struct xdp xdp = xdp_begin(AF_INET);
    union udpbatch_addr to = on_cable(AF_INET, 2, 5000);

    (void)state;
    assert_int_equal(xdp_send_one(&xdp, &to, 100), 1);
    int keep = dup(xdp.sending.fd);
    close(xdp.sending.fd);
    assert_int_equal(xdp_send_one(&xdp, &to, 100), -EBADF);
    assert_int_equal(dup2(keep, xdp.sending.fd), xdp.sending.fd);
    close(keep);
    xdp_end(&xdp);
}

/* Errors of packets before, which ICMP brings, are nobody's who comes after. */
static void a_peer_that_is_gone_takes_nothing_from_others(void **state)
{
    enum { COUNT = 20 };

    (void)state;
    assert_true(run_at(FAR, "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit"));
    assert_true(!has_in6() || run_at(FAR, "echo 0 >/proc/sys/net/ipv6/icmp/ratelimit"));
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at), gone = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);
        struct pollfd error = { .fd = xdp.sending.fd };

        connect_to(xdp.sending.fd, &gone.addr);
        port_close(&gone);
        for (int round = 0; round < 5; round++) {
            assert_int_equal(xdp_send_one(&xdp, NULL, 100), 1);
            expect_past(&xdp, 1);
            assert_int_equal(poll(&error, 1, PATIENCE_MS), 1);
            make_packets(packets, COUNT, 100, &port.addr);
            xdp_send(&xdp, packets, COUNT); /* as a train, by the socket */
            expect_detour(&xdp, UDPBATCH_DETOUR_TRAIN, COUNT);
            expect_arrival(&port, packets, COUNT);
        }
        xdp_end(&xdp);
        port_close(&port);
    }
}

/* The train is the socket's, which is full; the others are not. */
static void a_full_socket_is_resumed_until_nothing_is_unsent(void **state)
{
    enum { COUNT = 900 };
    union udpbatch_addr at = on_cable(AF_INET, 2, 0);
    struct port ports[3] = { port_at(FAR, &at), port_at(FAR, &at), port_at(FAR, &at) };
    struct xdp xdp = xdp_begin(AF_INET);
    struct udpbatch_tally tally;
    size_t full = 0;

    (void)state;
    assert_true(
        run_at(NEAR, "tc qdisc replace dev near root tbf rate 4mbit burst 10kb limit 10mb"));
    set_option(xdp.sending.fd, SOL_SOCKET, SO_SNDBUF, 16 * 1024);
    make_nonblocking(xdp.sending.fd);
    make_packets(packets, COUNT, LEN_MOST, NULL);
    for (uint32_t i = 0; i < COUNT; i++) {
        packets[i].to = &ports[i % 3].addr;
        packets[i].len = i % 3 == 0 ? 200 : 100 + i;
    }
    while ((tally = sending_send(&xdp.sending, packets, COUNT)).unsent > 0) {
        assert_int_equal(tally.unsent_error, EAGAIN);
        assert_int_equal(tally.refused, 0);
        assert_true(full++ < COUNT);
        assert_int_equal(sending_wait(&xdp.sending, &tally, PATIENCE_MS), 0);
    }
    assert_true(full > 0);
    assert_true(xdp_stats(&xdp).xdp_packets > 0);
    for (uint32_t i = 0; i < COUNT; i++)
        expect_payload(ports[i % 3].fd, packets[i].data, packets[i].len);
    for (size_t i = 0; i < 3; i++) {
        expect_nothing(ports[i].fd);
        port_close(&ports[i]);
    }
    assert_true(run_at(NEAR, "tc qdisc del dev near root"));
    xdp_end(&xdp);
}

/* ---- The link -------------------------------------------------------------------------------- */

enum { SOON_MS = 2000 };

/* Calls while it is down: they end, and so does a flush. */
static void send_while_down(struct xdp *xdp, const union udpbatch_addr *to)
{
    enum { CALLS = 20, COUNT = 30 };
    uint64_t before = xdp_stats(xdp).xdp_packets;
    int64_t begun = now_ms();

    for (int call = 0; call < CALLS; call++) {
        make_packets(packets, COUNT, LEN_MOST, to);
        for (uint32_t i = 0; i < COUNT; i++)
            packets[i].len = 10 + i;
        struct udpbatch_tally tally = sending_send(&xdp->sending, packets, COUNT);
        assert_int_equal(tally.unsent, 0);
        assert_int_equal(tally.sent + tally.refused, COUNT);
    }
    int error = udpbatch_sender_flush(xdp->sending.sender, 100);
    assert_true(error == 0 || error == -ENETDOWN || error == -ETIMEDOUT);
    assert_in_range(now_ms() - begun, 0, SOON_MS);
    assert_int_equal(xdp_stats(xdp).xdp_packets, before);
}

static void expect_all_well(struct xdp *xdp, const struct port *port)
{
    enum { COUNT = 50 };
    unsigned char room[LEN_MOST];
    int64_t begun = now_ms();
    struct pollfd arrival = { .fd = port->fd, .events = POLLIN };

    do { /* until the carrier is up again */
        send_until_past(xdp, &port->addr);
        assert_true(now_ms() - begun < PATIENCE_MS);
    } while (poll(&arrival, 1, 10) == 0);
    while (recv(port->fd, room, sizeof room, MSG_DONTWAIT) >= 0)
        continue;
    make_packets(packets, COUNT, LEN_MOST, &port->addr);
    for (uint32_t i = 0; i < COUNT; i++)
        packets[i].len = 10 + i;
    xdp_send(xdp, packets, COUNT);
    expect_past(xdp, COUNT);
    expect_arrival(port, packets, COUNT);
    assert_int_equal(udpbatch_sender_flush(xdp->sending.sender, PATIENCE_MS), 0);
}

/* Twice, as what one time leaves behind would meet the next. */
static void go_down_and_up(enum host host, const char *device)
{
    for (size_t i = 0; i < 2 * family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i / 2], 2, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i / 2]);

        expect_all_well(&xdp, &port);
        assert_true(run_at(host, "ip link set %s down", device));
        send_while_down(&xdp, &port.addr);
        assert_true(run_at(host, "ip link set %s up", device));
        assert_true(two_hosts_configure());
        expect_all_well(&xdp, &port);
        xdp_end(&xdp);
        port_close(&port);
    }
}

static void a_device_that_goes_down_and_up_is_used_again(void **state)
{
    (void)state;
    go_down_and_up(NEAR, "near");
}

static void a_carrier_that_is_lost_and_found_is_used_again(void **state)
{
    (void)state;
    go_down_and_up(FAR, "far");
}

static void limit_descriptors(rlim_t most)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Asserts nothing, as there is no descriptor to go on with. */
static bool goes_past(struct xdp *xdp, const union udpbatch_addr *to)
{
    const uint64_t before = xdp->before.xdp_packets;
    const int64_t begun = now_ms();
    struct udpbatch_sender_stats stats = { .size = sizeof stats, .xdp_packets = before };

    while (stats.xdp_packets == before && now_ms() - begun < PATIENCE_MS) {
        struct udpbatch_packet packet = { .data = "past", .len = 4, .to = to };
        udpbatch_sender_send(xdp->sending.sender, &packet, 1);
        udpbatch_sender_stats(xdp->sending.sender, &stats);
    }
    return stats.xdp_packets > before;
}

/* What is known of a device for IPv6 is in files. */
static void a_device_is_looked_at_again_where_no_file_can_be_opened(void **state)
{
    struct rlimit before;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        expect_all_well(&xdp, &port);
        assert_true(
            run_at(NEAR, "ip link set near txqueuelen %zu", 900 + i)); /* which is told of */
        forget_ways(&xdp);
        limit_descriptors(0);
        bool is_past = goes_past(&xdp, &port.addr);
        limit_descriptors(before.rlim_cur);
        assert_true(is_past);
        xdp_end(&xdp);
        port_close(&port);
    }
}

static void a_sender_may_be_closed_while_the_device_is_down(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        union udpbatch_addr at = on_cable(AF_INET, 2, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(AF_INET);

        expect_all_well(&xdp, &port);
        assert_true(run_at(NEAR, "ip link set near down"));
        send_while_down(&xdp, &port.addr);
        xdp_end(&xdp);
        assert_true(run_at(NEAR, "ip link set near up"));
        assert_true(two_hosts_configure());
        port_close(&port);
    }
}

/* The device of that name that comes after it is another: the sender goes on by the socket. */
static void a_device_that_vanishes_leaves_the_socket(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct udpbatch_sender_options options = xdp_options("near2");
        union udpbatch_addr own = on_second_cable(FAMILIES[i], 1, 0);
        union udpbatch_addr at = on_second_cable(FAMILIES[i], 2, 0);
        union udpbatch_addr elsewhere = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at), other = port_at(FAR, &elsewhere);
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        xdp_end(&xdp);
        own = address(FAMILIES[i], FAMILIES[i] == AF_INET ? "0.0.0.0" : "::", 0);
        xdp = xdp_begin_at(&own, &options);
        expect_all_well(&xdp, &port);
        assert_true(run_at(NEAR, "ip link del near2"));
        send_while_down(&xdp, &port.addr);
        make_packets(packets, 1, 100, &other.addr);
        xdp_send(&xdp, packets, 1);
        expect_arrival(&other, packets, 1);
        assert_true(two_hosts_add_cable());
        wait_for_way(&own, &at);
        make_packets(packets, 1, 100, &port.addr);
        forget_ways(&xdp);
        xdp_send(&xdp, packets, 1);
        expect_arrival(&port, packets, 1);
        assert_false(have_gone_past(&xdp));
        xdp_end(&xdp);
        expect_open_error(&options, 0);
        port_close(&port);
        port_close(&other);
    }
}

/* ---- A child --------------------------------------------------------------------------------- */

/* What a child does with the sender: true if all is as it has to be. It asserts nothing, as it
 * would go on with the tests. */
static bool send_by_the_socket(struct xdp *xdp, size_t n)
{
    struct udpbatch_sender *sender = xdp->sending.sender;
    struct udpbatch_sender_stats before = { .size = sizeof before }, after = before;

    udpbatch_sender_stats(sender, &before);
    struct udpbatch_tally tally = udpbatch_sender_send(sender, packets, n);
    udpbatch_sender_stats(sender, &after);
    return tally.sent == n && after.xdp_packets == before.xdp_packets &&
           after.detours[UDPBATCH_DETOUR_LINK] - before.detours[UDPBATCH_DETOUR_LINK] == n &&
           udpbatch_sender_flush(sender, 0) == 0;
}

static bool close_it(struct xdp *xdp, size_t n)
{
    (void)n;
    udpbatch_sender_close(xdp->sending.sender);
    return true;
}

static void let_child(bool (*act)(struct xdp *, size_t), struct xdp *xdp, size_t n)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(act(xdp, n) ? EXIT_SUCCESS : EXIT_FAILURE);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* The ring is its parent's, who is not disturbed. */
static void a_child_sends_by_the_socket(void **state)
{
    enum { COUNT = 8 };

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        expect_all_well(&xdp, &port);
        make_packets(packets, COUNT, LEN_MOST, &port.addr);
        for (uint32_t k = 0; k < COUNT; k++)
            packets[k].len = 1000 + k;
        let_child(send_by_the_socket, &xdp, COUNT);
        for (size_t k = 0; k < COUNT; k++)
            packets[k].status = 1; /* as the child has seen */
        expect_arrival(&port, packets, COUNT);
        expect_all_well(&xdp, &port);
        let_child(close_it, &xdp, 0);
        expect_all_well(&xdp, &port);
        xdp_end(&xdp);
        port_close(&port);
    }
}

/* ---- A link that comes and goes -------------------------------------------------------------- */

static pid_t begin_shaking(enum host host, const char *device)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    for (int i = 0; i < 30; i++) {
        if (!run_at(host, "ip link set %s down", device) ||
            !run_at(host, "ip link set %s up", device) || !two_hosts_configure())
            _exit(EXIT_FAILURE);
    }
    _exit(EXIT_SUCCESS);
}

static bool has_ended(pid_t child)
{
    int status;
    pid_t ended = waitpid(child, &status, WNOHANG);
    assert_true(ended >= 0);
    if (ended == child)
        assert_int_equal(status, 0);
    return ended == child;
}

enum { SHAKEN = 200000 };

static int8_t fates[SHAKEN]; /* of each number: sent, or refused */
static uint8_t arrived[SHAKEN];

static void collect_numbers(int fd)
{
    unsigned char room[LEN_MOST];
    uint32_t number;

    while (recv(fd, room, sizeof room, MSG_DONTWAIT) >= (ssize_t)sizeof number) {
        memcpy(&number, room, sizeof number);
        assert_true(number < SHAKEN);
        arrived[number]++;
    }
}

static uint32_t send_numbers(struct xdp *xdp, const struct port *port, uint32_t from, uint32_t n)
{
    static uint32_t payloads[MANY][20];
    int64_t begun = now_ms();

    for (uint32_t i = 0; i < n; i++) {
        payloads[i][0] = from + i;
        packets[i] = (struct udpbatch_packet){ .data = payloads[i],
                                               .len = 4 + i % 70, /* none joins a train for long */
                                               .to = &port->addr };
    }
    struct udpbatch_tally tally = sending_send(&xdp->sending, packets, n);
    assert_int_equal(tally.unsent, 0);
    assert_in_range(now_ms() - begun, 0, SOON_MS);
    for (uint32_t i = 0; i < n; i++)
        fates[from + i] = packets[i].status == 1 ? 1 : -1;
    return from + n;
}

/* Whenever the link is shaken: nothing arrives twice, and nothing that was refused. */
static void shake(enum host host, const char *device)
{
    struct udpbatch_sender_options options = xdp_options("near");
    union udpbatch_addr at = on_cable(AF_INET, 2, 0), own = on_cable(AF_INET, 1, 0);
    struct port port = port_at(FAR, &at);
    options.trains = UDPBATCH_TRAINS_OFF;
    struct xdp xdp = xdp_begin_at(&own, &options);
    uint32_t count = 0;

    memset(arrived, 0, sizeof arrived);
    expect_all_well(&xdp, &port);
    pid_t child = begin_shaking(host, device);
    while (!has_ended(child)) {
        if (count + 140 < SHAKEN)
            count = send_numbers(&xdp, &port, count, 1 + count % 139);
        collect_numbers(port.fd);
    }
    xdp_stats(&xdp);
    expect_all_well(&xdp, &port);
    for (uint32_t i = 0; i < count; i++)
        if (arrived[i] > (fates[i] > 0 ? 1 : 0))
            fail_msg("packet %u has the status %d and arrived %d times", i, fates[i], arrived[i]);
    xdp_end(&xdp);
    port_close(&port);
}

static void a_shaken_device_sends_nothing_twice(void **state)
{
    (void)state;
    shake(NEAR, "near");
}

static void a_shaken_carrier_sends_nothing_twice(void **state)
{
    (void)state;
    shake(FAR, "far");
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(an_interface_has_to_be_there),
        TEST_ONCE(a_queue_has_to_be_there),
        TEST_ONCE(a_queue_is_one_senders),
        TEST_ONCE(no_copy_is_for_drivers_that_can),
        TEST_ONCE(the_device_is_one_of_ethernet_and_up),
        TEST_ONCE(the_socket_is_of_the_same_namespace),
        TEST_ONCE(it_only_sends),
        TEST_ONCE(raw_sockets_have_to_be_allowed),
        TEST_ONCE(locked_memory_has_its_limit),
        TEST_ONCE(a_kernel_may_have_no_xdp),
        TEST_ONCE(children_have_to_be_kept_out),
        TEST_ONCE(locked_memory_is_given_back),
        TEST_ONCE(raw_sockets_are_all_that_has_to_be_allowed),
        TEST_ONCE(a_process_may_have_too_many_descriptors),
        TEST_ONCE(closing_leaves_nothing),
        TEST_ONCE(an_open_that_fails_leaves_nothing),
        TEST_ONCE(a_socket_that_was_closed_is_told),
        TEST_ONCE(a_peer_that_is_gone_takes_nothing_from_others),
        TEST_ONCE(a_full_socket_is_resumed_until_nothing_is_unsent),
        TEST_ONCE(a_device_that_goes_down_and_up_is_used_again),
        TEST_ONCE(a_carrier_that_is_lost_and_found_is_used_again),
        TEST_ONCE(a_device_is_looked_at_again_where_no_file_can_be_opened),
        TEST_ONCE(a_sender_may_be_closed_while_the_device_is_down),
        TEST_ONCE(a_device_that_vanishes_leaves_the_socket),
        TEST_ONCE(a_child_sends_by_the_socket),
        TEST_ONCE(a_shaken_device_sends_nothing_twice),
        TEST_ONCE(a_shaken_carrier_sends_nothing_twice),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("faults past the stack", tests, COUNT_OF(tests));
}
