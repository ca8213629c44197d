/* route.c: the way to a host, as a connected socket tells it. Connecting sends nothing. */
#include "question.h"

#include <stdio.h>
#include <string.h>

#include "address.h"
#include "loopback.h"

/* Headers of IPv4 and IPv6 with UDP's, and the most that a payload can be. */
enum { HEADERS_IN4 = 28, HEADERS_IN6 = 48, PAYLOAD_MOST = 65507, PAYLOAD_MOST_IN6 = 65527 };

#if ON_LINUX
enum { DEVICE_OPTION = SO_BINDTODEVICE, MTU_OPTION = IP_MTU, MTU_OPTION_IN6 = IPV6_MTU };
#else
enum { DEVICE_OPTION = -1, MTU_OPTION = -1, MTU_OPTION_IN6 = -1 };
#endif

/* 0 or an errno. */
static int take_interface(udpbatch_socket fd, const char *interface)
{
    if (interface == NULL)
        return 0;
    socklen_t len = (socklen_t)strlen(interface);
    return setsockopt(fd, SOL_SOCKET, DEVICE_OPTION, interface, len) == 0 ? 0 : socket_error();
}

/* A socket connected to the host by the interface, if one was named; or NO_SOCKET, and the errno.
 */
static udpbatch_socket open_connected(const struct subject *subject, int *error)
{
    const union udpbatch_addr to = address_unmap(&subject->to);
    udpbatch_socket fd = socket_open_udp(to.sa.sa_family);

    if (fd == NO_SOCKET) {
        *error = socket_error();
        return NO_SOCKET;
    }
    loopback_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    *error = take_interface(fd, subject->interface);
    if (*error == 0 && connect(fd, &to.sa, address_len(&to)) < 0)
        *error = socket_error();
    if (*error == 0)
        return fd;
    socket_close(fd);
    return NO_SOCKET;
}

/* ---- The route ------------------------------------------------------------------------------- */

enum { HOST_TEXT = 64 };

static const char *write_host(const union udpbatch_addr *address, char text[HOST_TEXT])
{
    const union udpbatch_addr plain = address_unmap(address);
    if (getnameinfo(&plain.sa, address_len(&plain), text, HOST_TEXT, NULL, 0, NI_NUMERICHOST) != 0)
        strcpy(text, "?");
    return text;
}

static bool is_loopback(const union udpbatch_addr *address)
{
    if (address->sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
    return ntohl(address->in4.sin_addr.s_addr) >> 24 == 127 /* 127.0.0.0/8 */;
}

static bool is_link_local(const union udpbatch_addr *address)
{
    return address->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->in6.sin6_addr);
}

static void remedy_route(const struct subject *subject, const char *host, struct answer *answer)
{
    if (is_loopback(&subject->to))
        answer_remedy(answer, "ip link set lo up");
    else if (subject->interface == NULL && !is_link_local(&subject->to))
        answer_remedy(answer, "ip route add %s via GATEWAY", host);
}

static void refuse_route(const struct subject *subject, int error, struct answer *answer)
{
    const char *interface = subject->interface;
    char host[HOST_TEXT];

    if (error == EMFILE || error == ENFILE) {
        answer_fail(answer, "cannot open a socket", error);
        return;
    }
    write_host(&subject->to, host);
    if (error == EINVAL && is_link_local(&subject->to)) {
        answer_no(answer, "none to %s without its device: write %s%%DEVICE", host, host);
        return;
    }
    answer_no(answer, "none to %s%s%s: %s", host, interface != NULL ? " by " : "",
              interface != NULL ? interface : "", words_of_error(error));
    if (ON_LINUX && error == ENETUNREACH)
        remedy_route(subject, host, answer);
}

static void describe_route(udpbatch_socket fd, const struct subject *subject, struct answer *answer)
{
    union udpbatch_addr source = { 0 };
    socklen_t len = sizeof source;
    char host[HOST_TEXT], from[HOST_TEXT];
    const char *device = subject->device.name;

    getsockname(fd, &source.sa, &len);
    write_host(&subject->to, host);
    write_host(&source, from);
    answer_yes(answer, "to %s%s%s from %s", host, device[0] != '\0' ? " by " : "", device, from);
    answer_text(answer, "device", device);
    answer_text(answer, "source", from);
}

void ask_route(const struct subject *subject, struct answer *answer)
{
    int error;
    udpbatch_socket fd = open_connected(subject, &error);

    if (fd == NO_SOCKET) {
        refuse_route(subject, error, answer);
        return;
    }
    describe_route(fd, subject, answer);
    socket_close(fd);
}

/* ---- What fits ------------------------------------------------------------------------------- */

static uint64_t payload_most(uint64_t mtu, int family)
{
    const uint64_t headers = family == AF_INET6 ? HEADERS_IN6 : HEADERS_IN4;
    const uint64_t most = family == AF_INET6 ? PAYLOAD_MOST_IN6 : PAYLOAD_MOST;
    const uint64_t fits = mtu > headers ? mtu - headers : 0;
    return fits < most ? fits : most;
}

static void give_mtu(struct answer *answer, int mtu, int family, const char *whose)
{
    const uint64_t payload = payload_most((uint64_t)mtu, family);

    answer_show(answer, "%d", mtu);
    answer_number(answer, "mtu", (uint64_t)mtu);
    answer_number(answer, "payload", payload);
    answer_yes(answer, "of the %s: payloads of up to %u bytes leave in one piece", whose,
               (unsigned)payload);
}

static void ask_path(const struct subject *subject, struct answer *answer)
{
    const int family = address_unmap(&subject->to).sa.sa_family;
    int error, mtu = 0;
    udpbatch_socket fd = open_connected(subject, &error);
    void *bytes = &mtu;
    socklen_t len = sizeof mtu;

    if (fd == NO_SOCKET) {
        answer_unknown(answer, "there is no route");
        return;
    }
    if (getsockopt(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
                   family == AF_INET6 ? MTU_OPTION_IN6 : MTU_OPTION, bytes, &len) == 0)
        give_mtu(answer, mtu, family, "path");
    else
        answer_unknown(answer, "the kernel does not tell: %s", words_of_error(socket_error()));
    socket_close(fd);
}

void ask_mtu(const struct subject *subject, struct answer *answer)
{
    if (subject_has_host(subject))
        ask_path(subject, answer);
    else if (subject->device.mtu > 0)
        give_mtu(answer, subject->device.mtu, AF_INET, "device");
    else
        answer_unknown(answer, "the kernel does not tell");
}
