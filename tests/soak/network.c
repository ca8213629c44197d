/* network.c: the network of the soak, and all that changes in it. */
#define _GNU_SOURCE
#include "soak.h"

#include <inttypes.h>
#include <stdio.h>

atomic_ullong route_changes, flaps;

/* ---- As it is at first ----------------------------------------------------------------------- */

/* Routes that refuse, and the second cable. */
static const char NEAR_AT_FIRST[] =
    "for d in near near2; do ip link set $d up mtu 1500; done;"
    "ip addr del 10.99.0.7/24 dev near 2>/dev/null;"
    "for r in 10.98.0.0/24 10.93.1.0/24 10.93.2.0/24; do ip route flush root $r; done;"
    "ip route replace unreachable 10.93.1.0/24; ip route replace prohibit 10.93.2.0/24;"
    "ip addr replace 10.95.0.1/24 dev near2;"
    "ip neigh replace 10.95.0.2 lladdr 02:00:00:00:00:12 dev near2 nud permanent";
static const char NEAR_AT_FIRST_IN6[] =
    "for r in fd98::/64 fd93:1::/64 fd93:2::/64; do ip -6 route flush root $r; done;"
    "ip route replace unreachable fd93:1::/64; ip route replace prohibit fd93:2::/64;"
    "ip addr replace fd95::1/64 dev near2 nodad;"
    "ip neigh replace fd95::2 lladdr 02:00:00:00:00:12 dev near2 nud permanent";
static const char FAR_AT_FIRST[] =
    "for d in far far2; do ip link set $d up mtu 1500; done;"
    "ip addr replace 10.95.0.2/24 dev far2;"
    "ip neigh replace 10.95.0.1 lladdr 02:00:00:00:00:11 dev far2 nud permanent;"
    "if [ -d /proc/sys/net/ipv6 ]; then ip addr replace fd95::2/64 dev far2 nodad;"
    " ip neigh replace fd95::1 lladdr 02:00:00:00:00:11 dev far2 nud permanent; fi";

static bool configure(void)
{
    return run_at(NEAR, "%s", NEAR_AT_FIRST) &&
           (!has_in6() || run_at(NEAR, "%s", NEAR_AT_FIRST_IN6)) &&
           run_at(FAR, "%s", FAR_AT_FIRST) && two_hosts_configure();
}

/* A carrier that has come back is made use of a little later. */
static void wait_for_cables(void)
{
    for (int i = 0; i < (has_in6() ? 2 : 1); i++) {
        int family = i == 0 ? AF_INET : AF_INET6;
        union udpbatch_addr from = on_second_cable(family, 1, 0);
        union udpbatch_addr to = on_second_cable(family, 2, 0);
        wait_for_cable(family);
        wait_for_way(&from, &to);
    }
}

void network_restore(void)
{
    if (!configure() && !atomic_load(&is_interrupted) && !configure())
        fault("the network cannot be made as it was");
    wait_for_cables();
}

const char *network_make(void)
{
    const char *missing = two_hosts_make();
    if (missing != NULL)
        return missing;
    if (!two_hosts_add_cable() || !run_at(NEAR, "ip link set near2 address 02:00:00:00:00:11") ||
        !run_at(FAR, "ip link set far2 address 02:00:00:00:00:12"))
        return "ip cannot make a second cable";
    return NULL;
}

/* ---- What queues have dropped ---------------------------------------------------------------- */

/* /proc/net/softnet_stat: a line for each processor; its second number is of what its queue was too
 * full for. */
uint64_t network_drops(void)
{
    char line[512];
    uint64_t drops = 0, here;
    FILE *file = fopen("/proc/net/softnet_stat", "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%*x %" SCNx64, &here) == 1)
            drops += here;
    if (file != NULL)
        fclose(file);
    return drops;
}

/* ---- Changes --------------------------------------------------------------------------------- */

struct change {
    enum host host;
    bool is_flap, needs_in6;
    const char *command;
};

static const struct change CHANGES[] = {
    { NEAR, false, false, "ip route replace 10.98.0.0/24 via 10.95.0.2" },
    { NEAR, false, false, "ip route replace 10.98.0.0/24 via 10.99.0.2 src 10.99.0.1" },
    { NEAR, false, false, "ip route replace 10.98.0.0/24 via 10.99.0.2 src 10.99.0.3" },
    { NEAR, false, false, "ip route replace 10.98.0.0/24 via 10.95.0.2 metric 50" },
    { NEAR, false, false, "ip route del 10.98.0.0/24" },
    { NEAR, false, false, "ip route replace 10.98.0.0/24 via 10.99.0.2 mtu lock 1300" },
    { NEAR, false, false, "ip route replace 10.98.0.0/24 via 10.99.0.2 mtu 600" },
    { NEAR, false, false, "ip route replace blackhole 10.98.0.0/24" },
    { NEAR, false, false, "ip route replace unreachable 10.98.0.0/24" },
    { NEAR, false, false, "ip route replace prohibit 10.98.0.0/25" },
    { NEAR, false, false, "ip route del 10.98.0.0/25" },
    { NEAR, false, false,
      "ip route replace 10.98.0.0/24 nexthop via 10.99.0.2 nexthop via 10.95.0.2" },
    { NEAR, false, true, "ip -6 route replace fd98::/64 via fd95::2" },
    { NEAR, false, true, "ip -6 route replace fd98::/64 via fd99::2 mtu 1280" },
    { NEAR, false, true, "ip -6 route replace blackhole fd98::/64" },
    { NEAR, false, true, "ip -6 route del fd98::/64" },
    { NEAR, false, true, "ip -6 route replace unreachable fd98::/64 metric 20" },
    { NEAR, false, false, "ip neigh del 10.99.0.2 dev near" },
    { NEAR, false, false, "ip neigh replace 10.99.0.2 lladdr 02:00:00:00:00:02 dev near" },
    { NEAR, false, false, "ip neigh replace 10.99.0.2 lladdr 02:00:00:00:00:99 dev near" },
    { NEAR, false, false, "ip neigh flush dev near2 nud permanent" },
    { NEAR, false, true, "ip neigh del fd99::2 dev near" },
    { NEAR, false, true, "ip neigh replace fd99::2 lladdr 02:00:00:00:00:02 dev near" },
    { NEAR, false, false, "ip addr add 10.99.0.7/24 dev near" },
    { NEAR, false, false, "ip addr del 10.99.0.3/24 dev near" },
    { NEAR, false, false, "ip addr del 10.99.0.1/24 dev near" },
    { NEAR, false, true, "ip addr del fd99::1/64 dev near" },
    { NEAR, false, false, "ip link set near mtu 1400" },
    { NEAR, false, false, "ip link set near mtu 9000" },
    { FAR, false, false, "ip neigh del 10.99.0.1 dev far" },
    { NEAR, true, false, "ip link set near down" },
    { NEAR, true, false, "ip link set near2 down" },
    { NEAR, true, false, "ip link set near down && ip link set near up" },
    { FAR, true, false, "ip link set far down" },
    { FAR, true, false, "ip link set far down && ip link set far up" },
    { FAR, true, false, "ip link set far2 down && ip link set far2 up" },
};

/* What most packets need, by one program: much of what is sent is to arrive in between, too. */
static const char MEND[] =
    "ip -force -batch - >/dev/null 2>&1 <<END\n"
    "link set near up mtu 1500\n"
    "link set near2 up\n"
    "addr replace 10.99.0.1/24 dev near\n"
    "neigh replace 10.99.0.2 lladdr 02:00:00:00:00:02 dev near nud permanent\n"
    "route flush root 10.98.0.0/24\n"
    "route add 10.98.0.0/24 via 10.99.0.2\n"
    "END\n";

/* Some find nothing to change, as another was before them: they count for nothing. */
static void change_something(struct dice *dice)
{
    const struct change *change = &CHANGES[roll(dice, COUNT_OF(CHANGES))];

    if ((change->needs_in6 && !has_in6()) ||
        !run_at(change->host, "%s 2>/dev/null", change->command))
        return;
    atomic_fetch_add(change->is_flap ? &flaps : &route_changes, 1);
}

void *network_change(void *argument)
{
    struct dice *dice = argument;

    do {
        change_something(dice);
        if (roll_one_in(dice, 20))
            configure();
        else if (roll_one_in(dice, 3))
            run_at(NEAR, "%s", MEND);
        pause_us(roll(dice, 10000));
    } while (!atomic_load(&changes_are_over) && !atomic_load(&is_interrupted));
    return NULL;
}
