/* loopback.c: two UDP sockets on loopback. */
#include "loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "address.h"

enum { ARRIVAL_MS = 1000 };

static union udpbatch_addr loopback_address(int family)
{
    if (family == AF_INET)
        return address_in4(INADDR_LOOPBACK, 0);
    return (
        union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback } };
}

/* With errno set on failure. */
static int open_bound(int family, union udpbatch_addr *address)
{
    socklen_t len = sizeof *address;
    int fd = socket(family, SOCK_DGRAM, IPPROTO_UDP);

    if (fd < 0)
        return -1;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    *address = loopback_address(family);
    if (bind(fd, &address->sa, address_len(address)) == 0 &&
        getsockname(fd, &address->sa, &len) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool join(int fd, const union udpbatch_addr *peer)
{
    return connect(fd, &peer->sa, address_len(peer)) == 0;
}

static bool open_pair(struct loopback *pair, int family)
{
    union udpbatch_addr sender;

    *pair = (struct loopback){ .from = open_bound(family, &sender), .to = -1 };
    if (pair->from >= 0)
        pair->to = open_bound(family, &pair->address);
    if (pair->to >= 0 && join(pair->from, &pair->address) && join(pair->to, &sender))
        return true;
    int error = errno;
    loopback_close(pair);
    errno = error;
    return false;
}

static bool loopback_is_down(int error)
{
    return error == EADDRNOTAVAIL || error == ENETUNREACH || error == ENETDOWN;
}

bool loopback_open(struct loopback *pair, struct answer *answer)
{
    if (open_pair(pair, AF_INET))
        return true;
    int error = errno;
    if ((loopback_is_down(error) || error == EAFNOSUPPORT) && open_pair(pair, AF_INET6))
        return true;
    if (!loopback_is_down(error)) {
        answer_fail(answer, "cannot open sockets on loopback", error);
        return false;
    }
    answer_unknown(answer, "it is tried over loopback, which is down");
    answer_remedy(answer, "ip link set lo up");
    return false;
}

void loopback_close(struct loopback *pair)
{
    if (pair->from >= 0)
        close(pair->from);
    if (pair->to >= 0)
        close(pair->to);
    pair->from = pair->to = -1;
}

void loopback_try(loopback_trial *trial, struct answer *answer)
{
    struct loopback pair;

    if (!loopback_open(&pair, answer))
        return;
    trial(&pair, answer);
    loopback_close(&pair);
}

bool loopback_has_arrival(const struct loopback *pair)
{
    struct pollfd arrival = { .fd = pair->to, .events = POLLIN };
    return poll(&arrival, 1, ARRIVAL_MS) > 0;
}

void loopback_blame(struct answer *answer)
{
    answer_unknown(answer, "what is sent over loopback does not arrive: is there a packet filter?");
}

ssize_t loopback_receive(const struct loopback *pair, void *data, size_t size)
{
    if (loopback_has_arrival(pair))
        return recv(pair->to, data, size, MSG_DONTWAIT);
    errno = ETIMEDOUT;
    return -1;
}

void loopback_drain(const struct loopback *pair)
{
    char byte;
    while (recv(pair->to, &byte, sizeof byte, MSG_DONTWAIT) >= 0)
        continue;
}

bool loopback_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}
