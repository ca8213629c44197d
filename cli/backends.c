/* backends.c: the back ends of the library: which receive, and what to do if xdp cannot be had. */
#include "backends.h"

#include <errno.h>
#include <string.h>

#include "complain.h"
#include "system.h"

/* ---- Receiving ------------------------------------------------------------------------------ */

static udpbatch_socket scratch_socket(void)
{
    udpbatch_socket fd = socket_open_udp(AF_INET);
    return fd != NO_SOCKET ? fd : socket_open_udp(AF_INET6);
}

/* No call of the library tells but the open, and that only of a back end that only sends. */
bool backend_receives(const char *name)
{
    const struct udpbatch_receiver_options options = {
        .size = sizeof options, .backend = name, .batch = 1, .packet_size = 1
    };
    udpbatch_socket fd = scratch_socket();
    int error;
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(fd, &options, &error);

    udpbatch_receiver_close(receiver);
    if (fd != NO_SOCKET)
        socket_close(fd);
    return receiver != NULL || error != ENOENT;
}

/* ---- xdp ------------------------------------------------------------------------------------ */

bool backend_is_xdp(const char *name)
{
    return name != NULL && strcmp(name, BACKEND_XDP) == 0;
}

/* What strerror(3) says of these is about other things, such as buffers, media and numbers. */
static const struct {
    int error;
    const char *sentence;
} sentences[] = {
    { ENODEV, "there is no such network interface" },
    { ECHRNG, "the interface has no such queue; the first is 0" },
    { EBUSY, "another program has this queue of the interface; choose another one" },
    { EPERM, "this needs CAP_NET_RAW: run it as root, or after setcap cap_net_raw+ep" },
    { ENOBUFS, "it takes more locked memory than is allowed; raise the limit, see ulimit -l" },
    { ENOSYS, "this kernel has no AF_XDP; choose another back end" },
    { EOPNOTSUPP, "the interface's driver refuses this mode; choose copy" },
    { EMEDIUMTYPE, "this needs an Ethernet device, which loopback and tunnels are not" },
    { ENETDOWN, "the interface is down; bring it up first, see ip-link(8)" },
};

const char *backend_explain_xdp(int error)
{
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (sentences[i].error == error)
            return sentences[i].sentence;
    return words_of_error(error);
}

const char *backend_xdp_mode(enum udpbatch_xdp_mode mode)
{
    static const char *const words[] = { [UDPBATCH_XDP_AUTO] = "none",
                                         [UDPBATCH_XDP_COPY] = "copy",
                                         [UDPBATCH_XDP_ZERO_COPY] = "zero-copy" };
    return words[mode];
}
