/* fuzz_netlink.c: what rtnetlink answers and tells, of any bytes, and what is made of it: routes,
 * neighbours, changes, and ways that are remembered. */
#include "backend/ways.h"

#include "netlink_message.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_MOST = 256, WAYS = 4096, STEPS = 200 };

/* As bytes the same in every order. */
enum { DEVICE = 0x01010101 };

static bool is_error(int result)
{
    return result < 0 && result > -4096;
}

/* ---- Messages -------------------------------------------------------------------------------- */

struct told {
    struct ub_rtnl_change changes[TOLD_MOST];
    size_t count;
};

static void tell(void *context, const struct ub_rtnl_change *change)
{
    struct told *told = context;
    const unsigned bits = change->family == AF_INET ? 32 : change->family == AF_INET6 ? 128 : 0;

    require(change->what > UB_RTNL_NOTHING && change->what <= UB_RTNL_NEIGHBOUR);
    require(change->bits <= bits);
    require(bits > 0 || (change->what != UB_RTNL_ROUTE && change->what != UB_RTNL_NEIGHBOUR));
    if (told->count < TOLD_MOST)
        told->changes[told->count++] = *change;
}

static void check_route(const struct ub_rtnl_route *route)
{
    require(route->next_hop_family == 0 || route->next_hop_family == AF_INET ||
            route->next_hop_family == AF_INET6);
}

/* What cannot be read is no answer, and may have told of anything. */
static void read_bytes(const void *bytes, size_t len)
{
    struct ub_rtnl_route route;
    struct ub_rtnl_neighbour neighbour;
    struct told told = { .count = 0 };

    const int routed = ub_rtnl_parse_route(bytes, len, &route);
    require(routed == 0 || is_error(routed));
    if (routed == 0)
        check_route(&route);
    const int known = ub_rtnl_parse_neighbour(bytes, len, &neighbour);
    require(known == 0 || is_error(known));
    require(len >= sizeof(struct nlmsghdr) || (routed < 0 && known < 0));
    ub_rtnl_parse_changes(bytes, len, tell, &told);
    require(len == 0 || len >= sizeof(struct nlmsghdr) || told.count == 1);
}

static bool is_same_change(const struct ub_rtnl_change *a, const struct ub_rtnl_change *b)
{
    return a->what == b->what && a->family == b->family && a->bits == b->bits &&
           a->interface_index == b->interface_index && memcmp(a->address, b->address, 16) == 0;
}

static void check_message(const struct netlink_message *message, const void *bytes)
{
    const struct ub_rtnl_change change = message_change(message);
    struct ub_rtnl_route route = { 0 }, wanted_route = { 0 };
    struct ub_rtnl_neighbour neighbour = { 0 }, wanted_neighbour = { 0 };
    struct told told = { .count = 0 };

    const int routed = message_route(message, &wanted_route);
    require(ub_rtnl_parse_route(bytes, message->len, &route) == routed);
    if (routed == 0) {
        require(route.type == wanted_route.type && route.mtu == wanted_route.mtu);
        require(route.interface_index == wanted_route.interface_index);
        require(route.has_from == wanted_route.has_from);
        require(memcmp(route.from, wanted_route.from, 16) == 0);
        require(route.next_hop_family == wanted_route.next_hop_family);
        require(memcmp(route.next_hop, wanted_route.next_hop, 16) == 0);
        require(route.hop_limit == wanted_route.hop_limit);
        require(route.has_more_to_it == wanted_route.has_more_to_it);
    }
    const int known = message_neighbour(message, &wanted_neighbour);
    require(ub_rtnl_parse_neighbour(bytes, message->len, &neighbour) == known);
    if (known == 0) {
        require(neighbour.state == wanted_neighbour.state);
        require(neighbour.has_mac == wanted_neighbour.has_mac);
        require(memcmp(neighbour.mac, wanted_neighbour.mac, UB_MAC) == 0);
    }
    ub_rtnl_parse_changes(bytes, message->len, tell, &told);
    require(told.count == (change.what != UB_RTNL_NOTHING));
    require(told.count == 0 || is_same_change(&told.changes[0], &change));
}

/* In memory of its own, so that what is read behind its end is found. */
static void read_message(struct fuzz_input *input)
{
    struct netlink_message message;

    message_take(&message, input, 0, 1);
    void *bytes = malloc(message.len);
    require(bytes != NULL);
    memcpy(bytes, message.bytes, message.len);
    if (!message.is_damaged)
        check_message(&message, bytes);
    read_bytes(bytes, message.len);
    free(bytes);
}

static void read_raw(struct fuzz_input *input)
{
    size_t len;
    void *bytes = take_copy(input, input->left, &len);
    read_bytes(bytes, len);
    free(bytes);
}

/* ---- A kernel that answers, and a socket and a device to ask ----------------------------------
 */

static struct {
    struct fuzz_input *input;
    struct nlmsghdr question;
    struct told told; /* that are no question's answers, as far as that is known */
    int64_t now_ns;
} kernel;

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
    (void)fd;
    (void)flags;
    require(len >= sizeof kernel.question);
    memcpy(&kernel.question, bytes, sizeof kernel.question);
    require(kernel.question.nlmsg_len == len);
    if (take_8(kernel.input) < 250)
        return (ssize_t)len;
    errno = ENOBUFS;
    return -1;
}

static uint16_t type_of_answer(void)
{
    return kernel.question.nlmsg_type == RTM_GETROUTE ? RTM_NEWROUTE : RTM_NEWNEIGH;
}

static void note_change(const struct netlink_message *message)
{
    const struct ub_rtnl_change change = message_change(message);
    if (!message->is_damaged && change.what != UB_RTNL_NOTHING)
        tell(&kernel.told, &change);
}

static ssize_t deliver(struct msghdr *datagram, bool is_answer)
{
    struct sockaddr_nl from = { .nl_family = AF_NETLINK };
    struct netlink_message message;
    const uint8_t how = take_8(kernel.input);

    message_take(&message, kernel.input, is_answer ? type_of_answer() : 0,
                 kernel.question.nlmsg_seq + (how == 255));
    from.nl_pid = how == 254;
    memcpy(datagram->msg_name, &from, sizeof from);
    datagram->msg_flags = how == 253 ? MSG_TRUNC : 0;
    require(message.len <= datagram->msg_iov->iov_len);
    memcpy(datagram->msg_iov->iov_base, message.bytes, message.len);
    if (!is_answer && how < 253)
        note_change(&message);
    return (ssize_t)message.len;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *datagram, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *datagram, int flags)
{
    const bool is_answer = (flags & MSG_DONTWAIT) == 0;
    const uint8_t what = take_8(kernel.input);

    (void)fd;
    if (kernel.input->left > 0 && what < (is_answer ? 240 : 120))
        return deliver(datagram, is_answer);
    errno = what == 255 ? ENOBUFS : what == 254 ? EINTR : what == 253 ? EBADF : EAGAIN;
    return -1;
}

int64_t __wrap_ub_clock_ns(void);
int64_t __wrap_ub_clock_ns(void)
{
    return kernel.now_ns;
}

void __wrap_ub_link_read(struct ub_link *link, int fd);
void __wrap_ub_link_read(struct ub_link *link, int fd)
{
    const uint8_t what = take_8(kernel.input);

    (void)fd;
    link->index = DEVICE;
    link->is_up = true;
    link->mtu = what == 255 ? 40 : 1500;
    link->mtu_in6 = what == 254 ? 0 : 1400;
    link->hop_limit = link->usual_hop_limit = 64;
}

void __wrap_ub_origin_read_name(struct ub_origin *origin, int fd);
void __wrap_ub_origin_read_name(struct ub_origin *origin, int fd)
{
    (void)fd;
    origin->port = take_8(kernel.input) == 255 ? 0 : htons(9);
}

void __wrap_ub_origin_read(struct ub_origin *origin, int fd);
void __wrap_ub_origin_read(struct ub_origin *origin, int fd)
{
    (void)fd;
    origin->in4.sends = origin->in6.sends = true;
    origin->in4.ttl = origin->in6.ttl = 64;
}

/* ---- Questions ------------------------------------------------------------------------------- */

static void ask(struct fuzz_input *input)
{
    const struct ub_rtnl_query query = { .family = take_bool(input) ? AF_INET6 : AF_INET,
                                         .has_from = true };
    struct ub_rtnl_route route;
    struct ub_rtnl_neighbour neighbour;

    const int routed = ub_rtnl_route(-1, &query, &route);
    require(routed == 0 || is_error(routed));
    if (routed == 0)
        check_route(&route);
    const int known = ub_rtnl_neighbour(-1, query.family, DEVICE, query.to, &neighbour);
    require(known == 0 || is_error(known));
}

/* ---- Ways ------------------------------------------------------------------------------------ */

static struct ub_way table[WAYS];
static uint16_t live[WAYS];

static void take_destination(struct fuzz_input *input, union udpbatch_addr *to)
{
    const uint8_t kind = take_8(input);

    memset(to, 0, sizeof *to);
    if (kind % 2 == 0) {
        to->in4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
        to->in4.sin_addr.s_addr = htonl(0x0a000000u + kind / 2 % 8);
    } else {
        to->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(7) };
        to->in6.sin6_addr.s6_addr[0] = 0x20;
        to->in6.sin6_addr.s6_addr[kind / 2 % 16] |= 1;
    }
}

static void check_way(const struct ub_ways *ways, const struct ub_way *way,
                      const union udpbatch_addr *to)
{
    unsigned char host[16];

    ub_addr_host(to, host);
    require(memcmp(way->key.to, host, sizeof host) == 0);
    require(way->generation == ways->generation && way->detour < UDPBATCH_DETOURS);
    if (way->detour != UDPBATCH_DETOUR_NONE)
        return;
    const bool is_in4 = to->sa.sa_family == AF_INET;
    require(way->headers.is_in4 == is_in4 && way->headers.len == (is_in4 ? 42 : 62));
    require(way->payload_most == 0 || way->headers.len + way->payload_most <= ways->frame_size);
    require(memcmp(way->headers.bytes + (is_in4 ? 30 : 38), host + (is_in4 ? 12 : 0),
                   is_in4 ? 4 : 16) == 0);
}

/* Those that count are those in the list, each once. */
static void check_table(const struct ub_ways *ways)
{
    size_t valid = 0;

    require(ways->live_count <= WAYS);
    for (size_t i = 0; i < WAYS; i++)
        valid += table[i].generation == ways->generation;
    require(valid == ways->live_count);
    for (size_t i = 0; i < ways->live_count; i++) {
        require(table[live[i]].generation == ways->generation);
        for (size_t k = 0; k < i; k++)
            require(live[k] != live[i]);
    }
}

static bool shares_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    for (unsigned bit = 0; bit < bits; bit++)
        if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8) & 1) != 0)
            return false;
    return true;
}

/* Whether what is remembered may be another now. */
static bool is_touched(const struct ub_way *way, const struct ub_rtnl_change *change)
{
    const int family = way->key.is_in4 != 0 ? AF_INET : AF_INET6;
    const size_t address_len = change->family == AF_INET ? 4 : 16;

    if (change->what == UB_RTNL_ROUTE)
        return family == change->family && shares_bits(way->key.to + (family == AF_INET ? 12 : 0),
                                                       change->address, change->bits);
    if (change->what == UB_RTNL_NEIGHBOUR)
        return change->interface_index == DEVICE && way->next_hop_family == change->family &&
               memcmp(way->next_hop, change->address, address_len) == 0;
    return true;
}

static void check_forgotten(const struct ub_ways *ways)
{
    for (size_t i = 0; i < ways->live_count; i++)
        for (size_t k = 0; k < kernel.told.count; k++)
            require(!is_touched(&table[live[i]], &kernel.told.changes[k]));
}

static void take_step(struct ub_ways *ways, struct fuzz_input *input)
{
    const uint8_t step = take_8(input);
    union udpbatch_addr to;

    if (step < 48) {
        kernel.told.count = 0;
        kernel.now_ns += step * INT64_C(20000000);
        ub_ways_begin(ways, step != 47);
        check_forgotten(ways);
    } else if (step == 48) {
        ub_ways_look_at_link(ways);
    } else {
        take_destination(input, &to);
        const struct ub_way *way = ub_ways_find(ways, &to, NULL, step % 2 == 0 ? 0 : step);
        if (way != NULL)
            check_way(ways, way, &to);
    }
}

static void find_ways(struct fuzz_input *input)
{
    struct ub_ways ways = { .fd = -1,
                            .questions = -1,
                            .changes = -1,
                            .generation = 1,
                            .table = table,
                            .live = live,
                            .frame_size = 2048 };

    memset(table, 0, sizeof table);
    ways.link.index = DEVICE;
    ub_ways_begin(&ways, true);
    for (int steps = 0; steps < STEPS && input->left > 0; steps++)
        take_step(&ways, input);
    check_table(&ways);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(struct fuzz_input *) = { read_raw, read_message, ask, find_ways };
    struct fuzz_input input = { data, size };

    memset(&kernel, 0, sizeof kernel);
    kernel.input = &input;
    kernel.now_ns = 1;
    parts[take_below(&input, 4)](&input);
    return 0;
}
