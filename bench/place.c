/* place.c: where the packets go, and what has to be done there. */
#include "place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "address.h"
#include "device.h"
#include "socket.h"

/* Ethernet, IPv4 and UDP: what stands before a payload, or a train of them, on the veth pair. */
enum { IP_UDP_BYTES = 20 + 8, FRAME_BYTES = 14 + IP_UDP_BYTES };

enum { USUAL_MTU = 1500, PRESSED_BUFFER = 64 << 10, DISCARD_PORT = 9 };

/* ---- Open ----------------------------------------------------------------------------------- */

/* 1024 receivers are more descriptors than many systems allow at first. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void open_loopback(struct place *place, const struct place_settings *settings)
{
    struct where *where = &place->where;
    place->kind = PLACE_LOOPBACK;
    where->kind = "loopback";
    snprintf(where->what, sizeof where->what, "%s",
             settings->direction == SENDING
                 ? "receivers on loopback, dropping at their sockets while timed"
                 : "a receiver on loopback, its socket filled, then emptied while timed");
    device_describe(&where->device, "lo");
}

static bool open_netns(struct place *place, const struct place_settings *settings,
                       struct reason *reason)
{
    struct where *where = &place->where;
    int mtu = (int)settings->bytes + IP_UDP_BYTES;

    place->kind = PLACE_NETNS;
    if (!netns_open(&place->netns, mtu > USUAL_MTU ? mtu : USUAL_MTU, reason))
        return false;
    if (settings->offload_off && !device_segmentation_off(NETNS_DEVICE, reason))
        return false;
    where->kind = "netns";
    where->offload_off = settings->offload_off;
    snprintf(where->what, sizeof where->what,
             "two network namespaces joined by veth, %s while timed%s",
             settings->direction == SENDING ? "dropping at the far device"
                                            : "the far socket filled, then emptied",
             settings->offload_off ? ", segmentation offload switched off" : "");
    device_describe(&where->device, NETNS_DEVICE);
    return true;
}

static void open_address(struct place *place, const struct place_settings *settings)
{
    struct where *where = &place->where;
    char text[ADDRESS_TEXT];

    place->kind = PLACE_ADDRESS;
    place->to = settings->to;
    where->kind = "address";
    int len = snprintf(where->what, sizeof where->what, "%s",
                       address_write(&settings->to->addresses[0], text));
    if (settings->to->count > 1)
        len += snprintf(where->what + len, sizeof where->what - (size_t)len,
                        " and %zu other addresses", settings->to->count - 1);
    snprintf(where->what + len, sizeof where->what - (size_t)len,
             "; what arrives there is not counted, and engines are checked on loopback");
    device_of_route(&where->device, &settings->to->addresses[0]);
}

bool place_open(struct place *place, const struct place_settings *settings, struct reason *reason)
{
    *place = (struct place)PLACE_CLOSED;
    allow_descriptors();
    if (settings->netns)
        return open_netns(place, settings, reason);
    if (settings->to != NULL)
        open_address(place, settings);
    else
        open_loopback(place, settings);
    return true;
}

void place_close(struct place *place)
{
    netns_close(&place->netns);
}

/* ---- What a workload needs ------------------------------------------------------------------ */

static union udpbatch_addr *add_bad(struct place *place, const char *name)
{
    place->bad.names[place->bad.count] = name;
    return &place->bad.addresses[place->bad.count++];
}

static void prepare_bad(struct place *place)
{
    struct reason ignored;

    place->bad.count = 0;
    *add_bad(place, "EAFNOSUPPORT") =
        (union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6,
                                        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
                                        .sin6_port = htons(DISCARD_PORT) } };
    /* The broadcast address of loopback, without SO_BROADCAST. */
    *add_bad(place, "EACCES") = address_in4(INADDR_LOOPBACK | 0xfffffe, DISCARD_PORT);
    /* Without nft(8), one kind less; a workload says which it has. */
    if (place->kind == PLACE_NETNS && netns_forbid(&place->netns, true, &ignored))
        *add_bad(place, "EPERM") = netns_forbidden_target();
}

bool place_prepare(struct place *place, const struct workload_spec *spec, struct reason *reason)
{
    if (spec->shape->spoils)
        prepare_bad(place);
    if (spec->shape->pressed && place->kind == PLACE_NETNS)
        return netns_press(&place->netns, true, reason);
    return true;
}

void place_restore(struct place *place, const struct workload_spec *spec)
{
    struct reason ignored;
    if (place->kind != PLACE_NETNS)
        return;
    if (spec->shape->spoils)
        netns_forbid(&place->netns, false, &ignored);
    if (spec->shape->pressed)
        netns_press(&place->netns, false, &ignored);
}

/* ---- Sockets -------------------------------------------------------------------------------- */

int place_socket(const struct place *place, const struct workload_spec *spec, struct reason *reason)
{
    int family = place->to != NULL ? place->to->addresses[0].sa.sa_family : AF_INET;
    int fd = socket_open_sending(family, false, reason);

    if (fd < 0)
        return -1;
    if (spec->shape->pressed)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ PRESSED_BUFFER }, sizeof(int));
    else
        fcntl(fd, F_SETFL, 0);
    return fd;
}

/* All of 127.0.0.0/8 is this machine's own. */
static union udpbatch_addr target_address(const struct place *place, size_t i)
{
    static const uint32_t LOOPBACK_TARGETS = 0x7f010000;
    if (place->kind == PLACE_NETNS)
        return netns_target(i);
    return address_in4(LOOPBACK_TARGETS | netns_host(i), 0);
}

union udpbatch_addr place_sample(const struct place *place)
{
    if (place->kind == PLACE_ADDRESS)
        return place->to->addresses[0];
    union udpbatch_addr address = target_address(place, 0);
    address.in4.sin_port = htons(DISCARD_PORT);
    return address;
}

static int listening_socket(const struct place *place)
{
    if (place->kind == PLACE_NETNS)
        return netns_far_socket(&place->netns);
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
}

bool place_listen(const struct place *place, struct receivers *receivers, size_t count,
                  struct reason *reason)
{
    if (!receivers_allocate(receivers, count, reason))
        return false;
    for (size_t i = 0; i < count; i++) {
        int fd = listening_socket(place);
        receivers->targets[i] = target_address(place, i);
        if (fd < 0)
            reason_give(reason, "cannot open %zu receivers: %s", count, strerror(errno));
        if (fd < 0 || !receivers_add(receivers, i, fd, reason)) {
            receivers_close(receivers);
            return false;
        }
    }
    return true;
}

/* ---- While timed ---------------------------------------------------------------------------- */

bool place_drop(const struct place *place, const struct receivers *receivers, bool drop,
                struct reason *reason)
{
    if (place->kind == PLACE_NETNS)
        return netns_drop(&place->netns, drop, reason);
    if (place->kind == PLACE_LOOPBACK && drop && !receivers_drop(receivers))
        return reason_give(reason, "cannot make receivers drop: %s", strerror(errno));
    return true;
}

struct arrived place_arrived(const struct place *place, const struct receivers *receivers)
{
    struct arrivals far;
    uint64_t packets;

    if (place->kind == PLACE_LOOPBACK && receivers_dropped(receivers, &packets))
        return (struct arrived){ .known = true, .amount = packets };
    if (place->kind == PLACE_NETNS && netns_arrivals(&place->netns, &far))
        return (struct arrived){ .known = true,
                                 .in_bytes = true,
                                 .amount = far.bytes - FRAME_BYTES * far.frames };
    return (struct arrived){ .known = false };
}
