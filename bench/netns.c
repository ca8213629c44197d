/* netns.c: two network namespaces, by unshare(2), ip(8), tc(8) and nft(8). */
#include "netns.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "address.h"
#include "execute.h"

/* ---- Addresses ------------------------------------------------------------------------------- */

enum { TARGETS_PER_NETWORK = 250, TARGETS_MAX = 256 * TARGETS_PER_NETWORK, DISCARD_PORT = 9 };

#define NEAR_ADDRESS "10.99.0.1"
#define FAR_ADDRESS  "10.99.0.2"
#define FORBIDDEN    "10.97.0.1"

/* The last byte of a link address 02:00:00:00:00:xx. */
enum { NEAR_LINK = 1, FAR_LINK = 2, NOBODYS_LINK = 3 };

uint32_t netns_host(size_t i)
{
    assert(i < TARGETS_MAX);
    size_t network = i / TARGETS_PER_NETWORK, host = 1 + i % TARGETS_PER_NETWORK;
    return (uint32_t)(network << 8 | host);
}

union udpbatch_addr netns_target(size_t i)
{
    return address_in4(UINT32_C(0x0a620000) | netns_host(i), 0);
}

union udpbatch_addr netns_forbidden_target(void)
{
    return address_in4(UINT32_C(0x0a610001), DISCARD_PORT);
}

static struct sockaddr link_address(char last)
{
    return (struct sockaddr){ .sa_family = ARPHRD_ETHER, .sa_data = { 2, 0, 0, 0, 0, last } };
}

/* ---- Commands -------------------------------------------------------------------------------- */

enum { COMMAND_TEXT = 256 };

static bool execute_all(int space, const char *const *texts, struct reason *reason)
{
    for (; *texts != NULL; texts++)
        if (!execute(space, *texts, reason))
            return false;
    return true;
}

/* ---- The far side ---------------------------------------------------------------------------- */

int netns_far_socket(const struct netns *netns)
{
    if (setns(netns->far_fd, CLONE_NEWNET) < 0)
        return -1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = errno;
    if (setns(netns->near_fd, CLONE_NEWNET) < 0) {
        error = errno;
        close(fd);
        fd = -1;
    }
    errno = error;
    return fd;
}

/* A socket's ioctl works on the namespace that it was made in. */
static bool set_far_link(const struct netns *netns, char last)
{
    struct ifreq request = { .ifr_name = "far", .ifr_hwaddr = link_address(last) };
    return ioctl(netns->control_fd, SIOCSIFHWADDR, &request) == 0;
}

static bool set_far_neighbour(const struct netns *netns)
{
    struct arpreq request = { .arp_ha = link_address(NEAR_LINK),
                              .arp_flags = ATF_PERM | ATF_COM,
                              .arp_dev = "far" };
    struct sockaddr_in near_end = { .sin_family = AF_INET };
    inet_pton(AF_INET, NEAR_ADDRESS, &near_end.sin_addr);
    memcpy(&request.arp_pa, &near_end, sizeof near_end);
    return ioctl(netns->control_fd, SIOCSARP, &request) == 0;
}

/* The kernel forgets the neighbours of a device that changes its link address, the permanent ones
 * too (neigh_changeaddr). */
bool netns_drop(const struct netns *netns, bool drop, struct reason *reason)
{
    if (!set_far_link(netns, drop ? NOBODYS_LINK : FAR_LINK))
        return reason_give(reason, "cannot change the link address of the far device: %s",
                           strerror(errno));
    if (!set_far_neighbour(netns))
        return reason_give(reason, "cannot tell the far device its neighbour: %s", strerror(errno));
    return true;
}

/* Such a file belongs to the namespace that it was opened in, and is made anew when it is read
 * from its beginning. */
bool netns_arrivals(const struct netns *netns, struct arrivals *arrivals)
{
    char text[8192];
    ssize_t len = pread(netns->counters_fd, text, sizeof text - 1, 0);
    if (len < 0)
        return false;
    text[len] = '\0';
    const char *line = strstr(text, " far:");
    return line != NULL &&
           sscanf(line, " far: %" SCNu64 " %" SCNu64, &arrivals->bytes, &arrivals->frames) == 2;
}

/* ---- The near side --------------------------------------------------------------------------- */

/* Not faster: each frame that has to wait sets a timer, which costs a virtual machine so much that
 * its sender keeps to a rate of 1gbit by itself and never fills its socket. */
bool netns_press(const struct netns *netns, bool press, struct reason *reason)
{
    return execute(netns->near_fd,
                   press ? "tc qdisc replace dev near root tbf rate 200mbit burst 128kb limit 4mb"
                         : "tc qdisc del dev near root",
                   reason);
}

/* nft reads its arguments as one text. */
bool netns_forbid(const struct netns *netns, bool forbid, struct reason *reason)
{
    return execute(netns->near_fd,
                   forbid ? "nft add table ip bench ;"
                            " add chain ip bench output { type filter hook output priority 0 ; } ;"
                            " add rule ip bench output ip daddr " FORBIDDEN " drop"
                          : "nft delete table ip bench",
                   reason);
}

/* ---- Making and closing ---------------------------------------------------------------------- */

static bool unshare_network(struct reason *reason)
{
    if (unshare(CLONE_NEWNET) == 0)
        return true;
    if (errno == EPERM)
        return reason_give(reason, "making network namespaces needs privilege: run this as root,"
                                   " or under unshare -Ur");
    return reason_give(reason, "cannot make a network namespace: %s", strerror(errno));
}

static int open_own_space(void)
{
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static bool make_spaces(struct netns *netns, struct reason *reason)
{
    if (!unshare_network(reason))
        return false;
    netns->near_fd = open_own_space();
    if (netns->near_fd < 0)
        return reason_give(reason, "cannot open the near namespace: %s", strerror(errno));
    if (!unshare_network(reason))
        return false;
    netns->far_fd = open_own_space();
    netns->control_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    netns->counters_fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
    if (netns->far_fd < 0 || netns->control_fd < 0 || netns->counters_fd < 0)
        return reason_give(reason, "cannot open the far namespace: %s", strerror(errno));
    if (setns(netns->near_fd, CLONE_NEWNET) < 0)
        return reason_give(reason, "cannot enter the near namespace: %s", strerror(errno));
    return true;
}

static bool join_spaces(const struct netns *netns, int mtu, struct reason *reason)
{
    char text[COMMAND_TEXT];
    snprintf(text, sizeof text,
             "ip link add far address 02:00:00:00:00:02 mtu %d type veth"
             " peer name near address 02:00:00:00:00:01 mtu %d netns %d",
             mtu, mtu, (int)getpid());
    return execute(netns->far_fd, text, reason);
}

/* Without an address of IPv6, nothing of it is sent. A kernel without IPv6 refuses the command. */
static bool silence_in6(const struct netns *netns, struct reason *reason)
{
    return access("/proc/sys/net/ipv6", F_OK) < 0 ||
           (execute(netns->far_fd, "ip link set far addrgenmode none", reason) &&
            execute(netns->near_fd, "ip link set near addrgenmode none", reason));
}

static bool configure(const struct netns *netns, struct reason *reason)
{
    static const char *const FAR[] = {
        "ip link set lo up",
        "ip link set far up",
        "ip address add " FAR_ADDRESS "/24 dev far",
        "ip neighbour replace " NEAR_ADDRESS " lladdr 02:00:00:00:00:01 dev far nud permanent",
        "ip route add local 10.98.0.0/16 dev lo",
        NULL,
    };
    static const char *const NEAR[] = {
        "ip link set lo up",
        "ip link set near up",
        "ip address add " NEAR_ADDRESS "/24 dev near",
        "ip neighbour replace " FAR_ADDRESS " lladdr 02:00:00:00:00:02 dev near nud permanent",
        "ip route add 10.98.0.0/16 via " FAR_ADDRESS,
        "ip route add 10.97.0.0/16 via " FAR_ADDRESS,
        NULL,
    };
    return execute_all(netns->far_fd, FAR, reason) && execute_all(netns->near_fd, NEAR, reason);
}

static bool bind_far(int fd, union udpbatch_addr *address)
{
    socklen_t len = sizeof address->in4;
    *address = netns_target(0);
    return bind(fd, &address->sa, len) == 0 && getsockname(fd, &address->sa, &len) == 0;
}

/* Sends until something arrives, or for two seconds. */
static bool passes(int from, int to, const union udpbatch_addr *address)
{
    struct pollfd arrival = { .fd = to, .events = POLLIN };
    for (int tries = 0; tries < 200; tries++) {
        sendto(from, "", 1, 0, &address->sa, sizeof address->in4);
        if (poll(&arrival, 1, 10) > 0)
            return true;
    }
    return false;
}

/* The devices' carrier comes up in its own time: until then a packet may be lost. */
static bool wait_for_path(const struct netns *netns, struct reason *reason)
{
    union udpbatch_addr address;
    int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), to = netns_far_socket(netns);
    bool arrived = from >= 0 && to >= 0 && bind_far(to, &address) && passes(from, to, &address);
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return arrived || reason_give(reason, "nothing passes between the network namespaces");
}

bool netns_open(struct netns *netns, int mtu, struct reason *reason)
{
    *netns = (struct netns)NETNS_CLOSED;
    if (make_spaces(netns, reason) && join_spaces(netns, mtu, reason) &&
        silence_in6(netns, reason) && configure(netns, reason) && wait_for_path(netns, reason))
        return true;
    netns_close(netns);
    return false;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void netns_close(struct netns *netns)
{
    close_one(&netns->near_fd);
    close_one(&netns->far_fd);
    close_one(&netns->control_fd);
    close_one(&netns->counters_fd);
}
