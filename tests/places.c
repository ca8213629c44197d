/* places.c: the places where datagrams may arrive, and targets of all kinds. */
#define _GNU_SOURCE
#include "places.h"

#include "chance.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { FIRST_BEHIND = 10 };

struct place places[PLACES_MOST];
size_t place_count;
union udpbatch_addr usual[2][USUAL];
union udpbatch_addr targets[TARGETS_MOST];
size_t target_count;

static void add_target(union udpbatch_addr to)
{
    assert_true(target_count < COUNT_OF(targets));
    targets[target_count++] = to;
}

static struct place *open_place(enum host host, union udpbatch_addr at)
{
    assert_true(place_count < PLACES_MOST);
    struct place *place = &places[place_count++];
    int fd;

    place->port = port_at(host, &at);
    fd = place->port.fd;
    set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
    set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
    set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
    if (at.sa.sa_family == AF_INET6) {
        set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    }
    return place;
}

/* Of both families, and of all addresses behind far. */
static void add_gate(void)
{
    int family = has_in6() ? AF_INET6 : AF_INET;
    struct place *gate = open_place(FAR, address(family, has_in6() ? "::" : "0.0.0.0", 0));
    uint16_t port = ntohs(gate->port.addr.in4.sin_port);

    gate->is_gate = true;
    for (size_t family_at = 0; family_at < family_count(); family_at++)
        for (unsigned i = 0; i < USUAL; i++) {
            usual[family_at][i] = behind_far(FAMILIES[family_at], FIRST_BEHIND + i, port);
            add_target(usual[family_at][i]);
        }
}

static void add_place(enum host host, union udpbatch_addr at)
{
    add_target(open_place(host, at)->port.addr);
}

static void add_places(int family)
{
    add_place(FAR, on_cable(family, 2, 0));
    add_place(BEYOND, at_beyond(family, 2, 0));
    add_place(FAR, on_second_cable(family, 2, 0));
    add_place(NEAR, loopback(family, 0));
    add_place(NEAR, on_cable(family, 1, 0));
    add_place(NEAR, on_second_cable(family, 1, 0));
}

static union udpbatch_addr mapped(const union udpbatch_addr *in4)
{
    union udpbatch_addr addr = address(AF_INET6, "::ffff:0.0.0.0", 0);
    addr.in6.sin6_port = in4->in4.sin_port;
    memcpy(addr.in6.sin6_addr.s6_addr + 12, &in4->in4.sin_addr, sizeof in4->in4.sin_addr);
    return addr;
}

static void add_mapped_targets(void)
{
    for (size_t i = 0, count = target_count; i < count; i++)
        if (targets[i].sa.sa_family == AF_INET)
            add_target(mapped(&targets[i]));
}

/* Nobody is there, or nothing goes there, or it is no address. */
static void add_bad_targets(void)
{
    static const char *const in4s[] = {
        "192.0.2.1", "10.99.0.255", "255.255.255.255", "10.93.1.1",
        "10.93.2.1", "10.93.3.1",   "240.0.0.1",       "10.98.0.200"
    };
    static const char *const in6s[] = { "2001:db8::1",      "fd93:1::1", "fd93:2::1", "fd93:3::1",
                                        "::ffff:192.0.2.1", "fd98::200", "ff02::1",   "fe80::2" };

    for (size_t i = 0; i < COUNT_OF(in4s); i++)
        add_target(address(AF_INET, in4s[i], 7000));
    add_target(on_cable(AF_INET, 2, 0)); /* port 0 */
    add_target((union udpbatch_addr){ .sa = { .sa_family = AF_UNIX } });
    for (size_t i = 0; has_in6() && i < COUNT_OF(in6s); i++)
        add_target(address(AF_INET6, in6s[i], 7000));
    if (has_in6())
        add_target(on_cable(AF_INET6, 2, 0));
}

static void add_refusing_routes(void)
{
    assert_true(run_at(NEAR, "ip route add unreachable 10.93.1.0/24 &&"
                             " ip route add prohibit 10.93.2.0/24 &&"
                             " ip route add blackhole 10.93.3.0/24"));
    assert_true(!has_in6() || run_at(NEAR, "ip route add unreachable fd93:1::/64 &&"
                                           " ip route add prohibit fd93:2::/64 &&"
                                           " ip route add blackhole fd93:3::/64"));
}

/* Good and bad ones side by side. */
static void mix_targets(void)
{
    for (unsigned i = 0; i < target_count; i++) {
        unsigned other = below(i + 1);
        union udpbatch_addr to = targets[i];
        targets[i] = targets[other];
        targets[other] = to;
    }
}

void make_places(void **state)
{
    (void)state;
    add_refusing_routes();
    wait_for_all_ways();
    add_gate();
    for (size_t i = 0; i < family_count(); i++)
        add_places(FAMILIES[i]);
    if (has_in6())
        add_mapped_targets();
    add_bad_targets();
    mix_targets();
}

static bool is_behind_far(const union udpbatch_addr *to)
{
    union udpbatch_addr network = behind_far(to->sa.sa_family, 0, 0);
    return to->sa.sa_family == AF_INET ? memcmp(&to->in4.sin_addr, &network.in4.sin_addr, 3) == 0
                                       : memcmp(&to->in6.sin6_addr, &network.in6.sin6_addr, 8) == 0;
}

const struct place *place_of(const union udpbatch_addr *to)
{
    for (size_t i = 0; i < place_count; i++)
        if (places[i].is_gate
                ? is_behind_far(to) && to->in4.sin_port == places[i].port.addr.in4.sin_port
                : same_address(to, &places[i].port.addr))
            return &places[i];
    return NULL;
}
