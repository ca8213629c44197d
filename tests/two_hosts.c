/* two_hosts.c: network namespaces joined by veth, by unshare(2), ip(8) and SIOCETHTOOL. */
#define _GNU_SOURCE
#include "two_hosts.h"

#include "own_space.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_MOST = 1024 };

static int spaces[3];
static const char *const DEVICES[] = { "near", "far" };

/* ---- Commands -------------------------------------------------------------------------------- */

/* With the path of those who configure networks. */
static void execute(const char *text)
{
    const char *path = getenv("PATH");
    char longer[4096];
    snprintf(longer, sizeof longer, "%s:/usr/sbin:/sbin", path != NULL ? path : "/usr/bin:/bin");
    setenv("PATH", longer, 1);
    execl("/bin/sh", "sh", "-c", text, (char *)NULL);
}

bool run_at(enum host host, const char *format, ...)
{
    char text[COMMAND_MOST];
    va_list arguments;
    int status;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pid_t child = fork();
    if (child == 0) {
        /* Of an effective user who is not the real one a shell gives up the rights. */
        if (setns(spaces[host], CLONE_NEWNET) == 0 && setuid(geteuid()) == 0)
            execute(text);
        _exit(126);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* ---- The hosts ------------------------------------------------------------------------------- */

static bool make_space(enum host host)
{
    if (unshare(CLONE_NEWNET) < 0)
        return false;
    spaces[host] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return spaces[host] >= 0;
}

static bool make_spaces(void)
{
    if (!make_space(NEAR) && (!become_root_of_own() || !make_space(NEAR)))
        return false;
    return make_space(FAR) && setns(spaces[NEAR], CLONE_NEWNET) == 0;
}

static bool join_spaces(void)
{
    return run_at(FAR,
                  "ip link add far address 02:00:00:00:00:02 mtu %d type veth"
                  " peer name near address 02:00:00:00:00:01 mtu %d netns %d",
                  CABLE_MTU, CABLE_MTU, (int)getpid());
}

static bool configure(enum host host, int own, int peer)
{
    const char *device = DEVICES[host];
    return run_at(
               host,
               "ip link set lo up && ip link set %s up && ip addr replace 10.99.0.%d/24 dev %s &&"
               " ip neigh replace 10.99.0.%d lladdr 02:00:00:00:00:0%d dev %s nud permanent",
               device, own, device, peer, peer, device) &&
           (!has_in6() ||
            run_at(host,
                   "ip addr replace fd99::%d/64 dev %s nodad &&"
                   " ip addr replace fe80::%d/64 dev %s nodad && for of in fd99 fe80; do"
                   " ip neigh replace $of::%d lladdr 02:00:00:00:00:0%d dev %s nud permanent;"
                   " done",
                   own, device, own, device, peer, peer, device));
}

static bool route(void)
{
    return run_at(NEAR, "ip addr replace 10.99.0.3/24 dev near &&"
                        " ip route replace 10.98.0.0/24 via 10.99.0.2 src 10.99.0.1") &&
           run_at(FAR, "ip route replace local 10.98.0.0/24 dev lo") &&
           (!has_in6() ||
            (run_at(NEAR, "ip addr replace fd99::3/64 dev near nodad preferred_lft 0 &&"
                          " ip addr replace fd97::1/128 dev lo nodad &&"
                          " ip addr replace fd97::3/128 dev lo nodad &&"
                          " ip route replace fd98::/64 via fd99::2 src fd99::1") &&
             run_at(FAR, "ip -6 route replace local fd98::/64 dev lo")));
}

bool two_hosts_configure(void)
{
    return configure(NEAR, 1, 2) && configure(FAR, 2, 1) && route();
}

const char *two_hosts_make(void)
{
    if (!make_spaces())
        return "no permission to make network namespaces";
    if (!join_spaces())
        return "ip cannot make veth devices";
    return two_hosts_configure() ? NULL : "ip cannot configure the devices";
}

bool two_hosts_add_cable(void)
{
    return run_at(FAR,
                  "ip link add far2 numtxqueues 2 numrxqueues 2 type veth"
                  " peer name near2 numtxqueues 2 numrxqueues 2 netns %d &&"
                  " ip link set far2 up && ip addr add 10.95.0.2/24 dev far2",
                  (int)getpid()) &&
           run_at(NEAR, "ip link set near2 up && ip addr add 10.95.0.1/24 dev near2") &&
           (!has_in6() || (run_at(FAR, "ip addr add fd95::2/64 dev far2 nodad") &&
                           run_at(NEAR, "ip addr add fd95::1/64 dev near2 nodad")));
}

bool two_hosts_add_beyond(void)
{
    if (!make_space(BEYOND) || setns(spaces[NEAR], CLONE_NEWNET) < 0)
        return false;
    return run_at(FAR,
                  "ip link add far3 type veth peer name beyond netns /proc/%d/fd/%d &&"
                  " ip link set far3 up && ip addr add 10.96.0.1/24 dev far3 &&"
                  " echo 1 >/proc/sys/net/ipv4/ip_forward",
                  (int)getpid(), spaces[BEYOND]) &&
           run_at(BEYOND, "ip link set beyond up && ip addr add 10.96.0.2/24 dev beyond &&"
                          " ip route add default via 10.96.0.1") &&
           run_at(NEAR, "ip route add 10.96.0.0/24 via 10.99.0.2") &&
           (!has_in6() || (run_at(FAR, "ip addr add fd96::1/64 dev far3 nodad &&"
                                       " echo 1 >/proc/sys/net/ipv6/conf/all/forwarding") &&
                           run_at(BEYOND, "ip addr add fd96::2/64 dev beyond nodad &&"
                                          " ip -6 route add default via fd96::1") &&
                           run_at(NEAR, "ip -6 route add fd96::/64 via fd99::2")));
}

void be_at(enum host host)
{
    assert_int_equal(setns(spaces[host], CLONE_NEWNET), 0);
}

bool has_in6(void)
{
    return access("/proc/sys/net/ipv6", F_OK) == 0;
}

/* ---- Addresses ------------------------------------------------------------------------------- */

static union udpbatch_addr numbered(int family, const char *in4, const char *in6, unsigned number,
                                    uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    snprintf(text, sizeof text, "%s%u", family == AF_INET ? in4 : in6, number);
    return address(family, text, port);
}

union udpbatch_addr on_cable(int family, unsigned number, uint16_t port)
{
    return numbered(family, "10.99.0.", "fd99::", number, port);
}

union udpbatch_addr behind_far(int family, unsigned number, uint16_t port)
{
    return numbered(family, "10.98.0.", "fd98::", number, port);
}

union udpbatch_addr on_second_cable(int family, unsigned number, uint16_t port)
{
    return numbered(family, "10.95.0.", "fd95::", number, port);
}

union udpbatch_addr at_beyond(int family, unsigned number, uint16_t port)
{
    return numbered(family, "10.96.0.", "fd96::", number, port);
}

struct port port_at(enum host host, const union udpbatch_addr *addr)
{
    be_at(host);
    struct port port = port_open_at(addr);
    be_at(NEAR);
    return port;
}

void wait_for_way(const union udpbatch_addr *from, const union udpbatch_addr *to)
{
    wait_for_way_to(FAR, from, to);
}

void wait_for_way_to(enum host host, const union udpbatch_addr *from, const union udpbatch_addr *to)
{
    struct port port = port_at(NEAR, from), peer = port_at(host, to);
    struct pollfd arrival = { .fd = peer.fd, .events = POLLIN };
    int64_t begun = now_ms();

    do {
        sendto(port.fd, "", 1, 0, &peer.addr.sa, sizeof peer.addr);
        assert_true(now_ms() - begun < PATIENCE_MS);
    } while (poll(&arrival, 1, 10) == 0);
    port_close(&port);
    port_close(&peer);
}

void wait_for_cable(int family)
{
    union udpbatch_addr from = on_cable(family, 1, 0), to = on_cable(family, 2, 0);
    wait_for_way(&from, &to);
}

/* ---- The devices ----------------------------------------------------------------------------- */

enum { FEATURES_MOST = 512, BLOCK_BITS = 32, BLOCKS_MOST = FEATURES_MOST / BLOCK_BITS };

static bool ethtool(enum host host, void *command)
{
    struct ifreq request = { .ifr_data = command };
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", DEVICES[host]);
    be_at(host);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    be_at(NEAR);
    bool done = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) >= 0;
    close(fd);
    return done;
}

/* The feature's number, and how many there are; skips if there is none of that name. */
static uint32_t find_feature(enum host host, const char *feature, uint32_t *count)
{
    static union {
        struct ethtool_gstrings list;
        char room[sizeof(struct ethtool_gstrings) + FEATURES_MOST * ETH_GSTRING_LEN];
    } names;

    names.list =
        (struct ethtool_gstrings){ .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES };
    assert_true(ethtool(host, &names));
    *count = names.list.len;
    for (uint32_t i = 0; i < *count; i++) {
        const char *name = names.room + sizeof names.list + i * ETH_GSTRING_LEN;
        if (strncmp(name, feature, ETH_GSTRING_LEN) == 0)
            return i;
    }
    if (must_be_able(feature))
        fail();
    skip();
    return 0;
}

static void check_feature(enum host host, uint32_t i, uint32_t count, bool on)
{
    union {
        struct ethtool_gfeatures list;
        char room[sizeof(struct ethtool_gfeatures) +
                  BLOCKS_MOST * sizeof(struct ethtool_get_features_block)];
    } states = { .list = { .cmd = ETHTOOL_GFEATURES,
                           .size = (count + BLOCK_BITS - 1) / BLOCK_BITS } };
    struct ethtool_get_features_block block;

    assert_true(ethtool(host, &states));
    memcpy(&block, states.room + sizeof states.list + i / BLOCK_BITS * sizeof block, sizeof block);
    assert_int_equal(block.active >> i % BLOCK_BITS & 1, on);
}

static void switch_feature(enum host host, const char *feature, bool on)
{
    uint32_t count, i = find_feature(host, feature, &count);
    uint32_t bit = UINT32_C(1) << i % BLOCK_BITS;
    struct ethtool_set_features_block block = { .valid = bit, .requested = on ? bit : 0 };
    union {
        struct ethtool_sfeatures list;
        char room[sizeof(struct ethtool_sfeatures) + BLOCKS_MOST * sizeof block];
    } wish = { .list = { .cmd = ETHTOOL_SFEATURES,
                         .size = (count + BLOCK_BITS - 1) / BLOCK_BITS } };

    memcpy(wish.room + sizeof wish.list + i / BLOCK_BITS * sizeof block, &block, sizeof block);
    assert_true(ethtool(host, &wish));
    check_feature(host, i, count, on);
}

void cable_feature(const char *feature, bool on)
{
    switch_feature(NEAR, feature, on);
    switch_feature(FAR, feature, on);
}

void cable_mtu(int mtu)
{
    for (enum host host = NEAR; host <= FAR; host++)
        assert_true(run_at(host, "ip link set %s mtu %d", DEVICES[host], mtu));
}
