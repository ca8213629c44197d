/* loopback.c: two UDP sockets on loopback. */
#include "loopback.h"

#include "address.h"

enum { ARRIVAL_MS = 1000 };

static union udpbatch_addr loopback_address(int family)
{
    if (family == AF_INET)
        return address_in4(INADDR_LOOPBACK, 0);
    return (
        union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback } };
}

/* Closes what is open of it. Returns false, with errno of the call that has just failed. */
static bool give_up(struct loopback *pair)
{
    const int error = socket_error();
    loopback_close(pair);
    errno = error;
    return false;
}

static bool bind_to_loopback(udpbatch_socket fd, int family, union udpbatch_addr *address)
{
    socklen_t len = sizeof *address;

    *address = loopback_address(family);
    return bind(fd, &address->sa, address_len(address)) == 0 &&
           getsockname(fd, &address->sa, &len) == 0;
}

static bool join(udpbatch_socket fd, const union udpbatch_addr *peer)
{
    return connect(fd, &peer->sa, address_len(peer)) == 0;
}

/* With errno set on failure. */
static bool open_pair(struct loopback *pair, int family)
{
    union udpbatch_addr sender;

    *pair = (struct loopback){ .from = socket_open_udp(family), .to = NO_SOCKET };
    if (pair->from == NO_SOCKET)
        return give_up(pair);
    pair->to = socket_open_udp(family);
    if (pair->to == NO_SOCKET || !bind_to_loopback(pair->from, family, &sender) ||
        !bind_to_loopback(pair->to, family, &pair->address) || !join(pair->from, &pair->address) ||
        !join(pair->to, &sender))
        return give_up(pair);
    return true;
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
    if (ON_LINUX)
        answer_remedy(answer, "ip link set lo up");
    return false;
}

void loopback_close(struct loopback *pair)
{
    if (pair->from != NO_SOCKET)
        socket_close(pair->from);
    if (pair->to != NO_SOCKET)
        socket_close(pair->to);
    pair->from = pair->to = NO_SOCKET;
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
    return socket_wait(pair->to, ARRIVAL_MS);
}

void loopback_blame(struct answer *answer)
{
    answer_unknown(answer, "what is sent over loopback does not arrive: is there a packet filter?");
}

ssize_t loopback_receive(const struct loopback *pair, void *data, size_t size)
{
    if (loopback_has_arrival(pair))
        return socket_receive(pair->to, data, size);
    errno = ETIMEDOUT;
    return -1;
}

void loopback_drain(const struct loopback *pair)
{
    char byte;
    while (socket_receive(pair->to, &byte, sizeof byte) >= 0)
        continue;
}

bool loopback_set(udpbatch_socket fd, int level, int option, int value)
{
    const void *bytes = &value; /* which Winsock calls char */
    if (setsockopt(fd, level, option, bytes, sizeof value) == 0)
        return true;
    errno = socket_error();
    return false;
}
