/* test_scripted_trains.c: every fault that a kernel can give to trains and to the packets in them.
 *
 * A packet's fate is what its own script says, whatever trains it was in. */
#include "internal.h"

#include "chance.h"
#include "scripted_kernel.h"
#include "support.h"

#include <limits.h>

/* ---- What else the library asks the system -------------------------------------------------- */

#define SECOND_NS INT64_C(1000000000)

static int64_t clock_ns;
static const char *release = "6.18.0"; /* a kernel that does not damage trains */

int64_t __wrap_ub_clock_ns(void);
enum ub_gso_kernel __wrap_ub_gso_this_kernel(void);

int64_t __wrap_ub_clock_ns(void)
{
    return clock_ns;
}

enum ub_gso_kernel __wrap_ub_gso_this_kernel(void)
{
    return ub_gso_kernel(release);
}

/* ---- The ways to send ----------------------------------------------------------------------- */

struct trains_way {
    const char *name;
    const char *backend; /* of a sender; NULL: level 1 */
    bool multi_target;
    bool in_order;
    unsigned segments; /* per train at most */
};

static const struct trains_way ways[] = {
    { "udpbatch_send", NULL, false, false, 64 },
    { "udpbatch_multi_target_send", NULL, true, true, 64 },
    { "a sender, sendmmsg", "sendmmsg", false, false, 128 },
    { "a sender, one by one", ONE_BY_ONE, false, false, 128 },
    { "a sender in order, sendmmsg", "sendmmsg", false, true, 128 },
    { "a sender in order, one by one", ONE_BY_ONE, false, true, 128 },
};

enum { WAYS = sizeof ways / sizeof ways[0], LEVEL1 = 0 };

static udpbatch_socket sockets[2]; /* that does not hear ICMP, that does */
static struct udpbatch_sender *senders[WAYS][2];
static unsigned plays;

static struct udpbatch_sender *open_sender(const struct trains_way *way, udpbatch_socket fd,
                                           enum udpbatch_trains trains)
{
    struct udpbatch_sender_options options = {
        .size = sizeof options, .backend = way->backend, .trains = trains, .in_order = way->in_order
    };
    return udpbatch_sender_open(fd, &options, NULL);
}

/* ---- The packets ---------------------------------------------------------------------------- */

/* Two targets to a host: target t has port SCRIPT_FIRST_PORT + t of host t / 2. */
enum { FIRST_HOST = 0x0a000001, PORTS_PER_HOST = 2, HOSTS = SCRIPT_PACKETS / PORTS_PER_HOST };

enum { MEMORY = 1 << 20, LEN = 100 };

/* A script and the packets that it is for. */
struct play {
    struct script script;
    struct udpbatch_packet packets[SCRIPT_PACKETS];
    bool hears_icmp;
    bool has_one_payload; /* would do as such: the packets are alike but for their target */
    int64_t pause_ns;     /* after each call */
};

static struct play play;
static unsigned char memory[MEMORY];
static size_t memory_used;
static struct udpbatch_piece lists[SCRIPT_PACKETS][2];

static union udpbatch_addr target_address(unsigned target, bool is_mapped)
{
    union udpbatch_addr to = { .in4 = { .sin_family = AF_INET } };
    uint32_t host = htonl((uint32_t)FIRST_HOST + target / PORTS_PER_HOST);
    uint16_t port = htons((uint16_t)(SCRIPT_FIRST_PORT + target));

    to.in4.sin_port = port;
    to.in4.sin_addr.s_addr = host;
    if (!is_mapped)
        return to;
    to = (union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6, .sin6_port = port } };
    memset(&to.in6.sin6_addr.s6_addr[10], 0xff, 2);
    memcpy(&to.in6.sin6_addr.s6_addr[12], &host, sizeof host);
    return to;
}

/* A payload that no other packet has, if it is not too short for that. */
static const void *payload_of(size_t packet, uint32_t len)
{
    unsigned char *payload = memory + memory_used;

    assert_true(len <= MEMORY - memory_used);
    memory_used += len;
    for (uint32_t i = 0; i < len; i++)
        payload[i] = (unsigned char)(len < sizeof(uint32_t) ? len : packet * 7 + i * 13);
    if (len >= sizeof(uint32_t))
        memcpy(payload, &(uint32_t){ (uint32_t)packet }, sizeof(uint32_t));
    return payload;
}

/* Adds a packet; each has an address of its own in memory. */
static struct udpbatch_packet *add_packet(unsigned target, uint32_t len)
{
    size_t i = play.script.n++;
    struct udpbatch_packet *packet = &play.packets[i];

    script_targets[i] = target_address(target, false);
    *packet = (struct udpbatch_packet){ .data = payload_of(i, len),
                                        .len = len,
                                        .to = &script_targets[i] };
    return packet;
}

static void begin_play(void)
{
    memset(&play.script, 0, sizeof play.script);
    play.script.trains.keep_unseen = true;
    play.has_one_payload = false;
    play.pause_ns = 0;
    memory_used = 0;
}

/* n packets to so many targets: in runs, or in turns. */
static void begin_even_play(size_t n, unsigned targets, bool in_runs)
{
    begin_play();
    for (size_t i = 0; i < n; i++)
        add_packet((unsigned)(in_runs ? i * targets / n : i % targets), LEN);
    play.has_one_payload = true;
}

/* ---- What the kernel saw -------------------------------------------------------------------- */

/* What a sender has to have learned of a host. */
struct host_memory {
    uint32_t below; /* trains of shorter packets only; 0: none */
    int64_t until_ns;
    bool is_of_this_call;
};

static struct {
    const struct trains_way *way;
    uint64_t packets, bytes, trains, sizes[UDPBATCH_TRAIN_SIZES];
    uint64_t attempts, splits;
    uint64_t unlearned;            /* trains that were tried though refusals said better */
    int condemned[SCRIPT_PACKETS]; /* with all its train, as the error was the address's */
    int dead, no_peer;             /* errors that are about more than their packet */
    unsigned asked;                /* times again, for an error that may not be its own: */
    size_t asked_first, asked_count;
    struct host_memory hosts[HOSTS + 1]; /* the last is the connected peer */
    struct host_memory longer_than_64;   /* trains to any */
} seen;

static struct host_memory *host_of(size_t packet)
{
    const union udpbatch_addr *to = play.packets[packet].to;
    uint32_t host;

    if (to == NULL)
        return &seen.hosts[HOSTS];
    if (to->sa.sa_family == AF_INET)
        host = to->in4.sin_addr.s_addr;
    else
        memcpy(&host, &to->in6.sin6_addr.s6_addr[12], sizeof host);
    return &seen.hosts[ntohl(host) - (uint32_t)FIRST_HOST];
}

static bool is_remembered(const struct host_memory *host)
{
    return host->is_of_this_call || host->until_ns > clock_ns;
}

/* Whether the error says that the host does not get trains. */
static bool is_about_trains(int error)
{
    return error == EIO || error == EMSGSIZE || error == EINVAL || error == ENOPROTOOPT ||
           error == EOPNOTSUPP;
}

/* Level 1 remembers until the end of a call, a sender for a second. */
static void remember(struct host_memory *host, uint32_t below)
{
    host->below = is_remembered(host) ? 0 : below;
    host->is_of_this_call = true;
    host->until_ns = seen.way->backend != NULL ? clock_ns + SECOND_NS : 0;
}

static void learn(const struct script_message *train)
{
    bool may_be_too_long = train->error == EMSGSIZE || train->error == EINVAL;

    seen.splits++;
    if (!is_about_trains(train->error))
        return;
    if (train->error == EINVAL && train->count > 64)
        remember(&seen.longer_than_64, 0);
    else
        remember(host_of(train->packets[0]), may_be_too_long ? train->segment : 0);
}

static bool should_have_known(const struct script_message *train)
{
    const struct host_memory *host = host_of(train->packets[0]);

    if (train->count > 64 && is_remembered(&seen.longer_than_64))
        return true;
    return is_remembered(host) && train->segment >= host->below;
}

static bool may_be_pending(int error)
{
    return script_asked_again(error, play.hears_icmp) > 0;
}

static bool is_of_address(int error)
{
    return error == EACCES || error == EAFNOSUPPORT || error == EADDRNOTAVAIL ||
           error == ENETUNREACH || error == EHOSTUNREACH;
}

static bool is_dead(int error)
{
    return error == EBADF || error == ENOTSOCK || error == EPIPE;
}

/* Notes errors that are about more than the message that met them. */
static bool is_of_all(const struct script_message *message)
{
    bool has_no_peer = message->error == EDESTADDRREQ || message->error == ENOTCONN;

    if (is_dead(message->error))
        seen.dead = message->error;
    else if (has_no_peer && play.packets[message->packets[0]].to == NULL)
        seen.no_peer = message->error;
    else
        return false;
    return true;
}

/* Whether the train is to be asked again, as the error may not be its own. */
static bool is_asked_again(const struct script_message *train)
{
    bool is_same = seen.asked_first == train->packets[0] && seen.asked_count == train->count;
    unsigned asked = is_same ? seen.asked : 0;

    seen.asked = 0;
    if (asked >= script_asked_again(train->error, play.hears_icmp))
        return false;
    seen.asked = asked + 1;
    seen.asked_first = train->packets[0];
    seen.asked_count = train->count;
    return true;
}

static void condemn(const struct script_message *train)
{
    for (size_t i = 0; i < train->count; i++) {
        seen.condemned[train->packets[i]] = train->error;
        kernel_given_up[train->packets[i]] = true;
    }
}

static void watch_refused_train(const struct script_message *train)
{
    if (train->error == EINTR)
        return;
    if (train->error == EAGAIN || is_of_all(train))
        seen.asked = 0;
    else if (is_asked_again(train))
        return;
    else if (is_of_address(train->error) && !may_be_pending(train->error))
        condemn(train);
    else
        learn(train);
}

static void watch_taken(const struct script_message *message)
{
    unsigned size = 0;
    while (1u << size < message->count)
        size++;
    seen.asked = 0;
    seen.packets += message->count;
    seen.bytes += message->bytes;
    seen.trains += message->count > 1;
    seen.sizes[size]++;
}

static void watch(const struct script_message *message)
{
    if (message->count > 1) {
        seen.attempts++;
        seen.unlearned += should_have_known(message);
        assert_true(message->count <= seen.way->segments);
    }
    if (message->error == 0)
        watch_taken(message);
    else if (message->count > 1)
        watch_refused_train(message);
    else
        is_of_all(message);
}

/* ---- The fate of a packet ------------------------------------------------------------------- */

static bool is_busy(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

/* The status that a packet comes to by its own script: the obvious way. 0: it stays unsent. */
static int32_t own_fate(size_t packet)
{
    const struct script_packet *script = &play.script.packets[packet];
    unsigned asked = 0;
    for (int try = 0; try < SCRIPT_ERRORS && script->errors[try] != 0; try++) {
        int error = script_told(script->errors[try], packet);
        if (is_busy(error))
            asked = 0; /* by the next call */
        else if (error != EINTR && asked < script_asked_again(error, play.hears_icmp))
            asked++;
        else if (error != EINTR)
            return -error;
    }
    int last = 0;
    for (int try = 0; try < SCRIPT_ERRORS && script->errors[try] != 0; try++)
        last = script_told(script->errors[try], packet);
    if (!script->for_good || last == 0)
        return 1;
    return is_busy(last) ? 0 : -last;
}

static unsigned target_of(const union udpbatch_addr *to)
{
    uint16_t port = kernel_peer_port;
    if (to != NULL)
        port = ntohs(to->sa.sa_family == AF_INET ? to->in4.sin_port : to->in6.sin6_port);
    return (unsigned)port - SCRIPT_FIRST_PORT;
}

static int32_t fate_of(size_t packet)
{
    const struct udpbatch_packet *it = &play.packets[packet];
    const struct script_trains *trains = &play.script.trains;
    unsigned target = target_of(it->to);

    if (it->data == NULL && it->len > 0)
        return -EFAULT;
    if (seen.condemned[packet] != 0)
        return -seen.condemned[packet];
    if (target < 64 && (trains->bad_ports >> target & 1) != 0)
        return -trains->bad_port_error;
    return own_fate(packet);
}

/* Whether some packet, or some train, never comes through. */
static bool is_endless(void)
{
    for (size_t i = 0; i < play.script.n; i++)
        if (own_fate(i) == 0)
            return true;
    for (size_t i = 0; i < SCRIPT_FAULTS; i++)
        if (play.script.trains.faults[i].error == EAGAIN &&
            play.script.trains.faults[i].times == UINT_MAX)
            return true;
    return false;
}

static bool is_allowed(const struct udpbatch_packet *packet, int32_t fate)
{
    return packet->status == fate || (seen.dead != 0 && packet->status == -seen.dead) ||
           (seen.no_peer != 0 && packet->to == NULL && packet->status == -seen.no_peer);
}

/* ---- Playing -------------------------------------------------------------------------------- */

static struct udpbatch_packet packets[SCRIPT_PACKETS];

static struct udpbatch_tally send_once(struct udpbatch_sender *sender, udpbatch_socket fd)
{
    for (size_t host = 0; host <= HOSTS; host++)
        seen.hosts[host].is_of_this_call = false;
    seen.longer_than_64.is_of_this_call = false;
    if (sender != NULL)
        return udpbatch_sender_send(sender, packets, play.script.n);
    return seen.way->multi_target ? script_multi_target_send(fd, packets, play.script.n)
                                  : udpbatch_send(fd, packets, play.script.n);
}

/* What is unsent stays behind what has a status. */
static void check_order(void)
{
    bool is_behind = false;

    assert_int_equal(kernel_disorder, 0);
    if (!seen.way->in_order || seen.no_peer != 0)
        return;
    assert_int_equal(kernel_overtaken, 0);
    for (size_t i = 0; i < play.script.n; i++) {
        is_behind = is_behind || packets[i].status == 0;
        if (is_behind)
            assert_int_equal(packets[i].status, play.packets[i].status);
    }
}

static void check_call(const struct udpbatch_tally *tally)
{
    static int32_t status[SCRIPT_PACKETS];

    for (size_t i = 0; i < play.script.n; i++) {
        bool is_sent = packets[i].status == 1 && play.packets[i].status == 0;
        status[i] = packets[i].status;
        if (kernel_taken[i] != is_sent)
            fail_msg("%s: packet %u has the status %d and was taken %u times", seen.way->name,
                     (unsigned)i, status[i], kernel_taken[i]);
    }
    check_tally(tally, status, play.script.n);
    assert_true(tally->unsent == 0 || is_busy(tally->unsent_error));
    assert_int_equal(kernel_strange, 0);
    assert_int_equal(seen.unlearned, 0);
    check_order();
}

static void check_fates(void)
{
    bool may_be_unsent = is_endless();

    for (size_t i = 0; i < play.script.n; i++) {
        int32_t before = play.packets[i].status;
        int32_t fate = before != 0 ? before : fate_of(i);
        if (!is_allowed(&packets[i], fate) && !(may_be_unsent && packets[i].status == 0))
            fail_msg("%s: packet %u has the status %d and not %d", seen.way->name, (unsigned)i,
                     packets[i].status, fate);
    }
}

static struct udpbatch_sender_stats stats_of(const struct udpbatch_sender *sender)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    udpbatch_sender_stats(sender, &stats);
    return stats;
}

static void check_stats(const struct udpbatch_sender *sender,
                        const struct udpbatch_sender_stats *before)
{
    struct udpbatch_sender_stats now = stats_of(sender);
    uint64_t refused = 0, refusals[UDPBATCH_MEANINGS] = { 0 };

    for (size_t i = 0; i < play.script.n; i++)
        if (packets[i].status < 0 && play.packets[i].status == 0) {
            refused++;
            refusals[udpbatch_error_meaning(packets[i].status)]++;
        }
    assert_int_equal(now.packets - before->packets, seen.packets);
    assert_int_equal(now.bytes - before->bytes, seen.bytes);
    assert_int_equal(now.trains - before->trains, seen.trains);
    for (size_t size = 0; size < UDPBATCH_TRAIN_SIZES; size++)
        assert_int_equal(now.sizes[size] - before->sizes[size], seen.sizes[size]);
    assert_int_equal(now.trains_split - before->trains_split, seen.splits);
    assert_int_equal(now.refused - before->refused, refused);
    for (size_t meaning = 0; meaning < UDPBATCH_MEANINGS; meaning++)
        assert_int_equal(now.refusals[meaning] - before->refusals[meaning], refusals[meaning]);
    assert_int_equal(now.system_calls - before->system_calls, kernel.calls + kernel.asked);
}

static void prepare(const struct trains_way *way)
{
    memcpy(packets, play.packets, play.script.n * sizeof packets[0]);
    for (size_t i = 0; way->multi_target && i < play.script.n; i++) {
        packets[i].data = script_shared_payload;
        packets[i].len = sizeof script_shared_payload;
    }
    memset(&seen, 0, sizeof seen);
    seen.way = way;
    kernel_expect(packets, play.script.n);
    kernel_has_peer = play.hears_icmp;
    kernel_play(&play.script);
}

/* Calls until nothing is unsent. Each call that leaves something has met an error of a script. */
enum { MOST_ROUNDS = 4 * SCRIPT_PACKETS, FEW_ROUNDS = 6 };

static void play_with(const struct trains_way *way, struct udpbatch_sender *sender)
{
    struct udpbatch_sender_stats before = { 0 };
    struct udpbatch_tally tally = { .unsent = 1 };
    int most_rounds = is_endless() ? FEW_ROUNDS : MOST_ROUNDS;

    prepare(way);
    if (sender != NULL)
        before = stats_of(sender);
    for (int round = 0; round < most_rounds && tally.unsent > 0; round++) {
        tally = send_once(sender, sockets[play.hears_icmp]);
        check_call(&tally);
        clock_ns += play.pause_ns;
    }
    check_fates();
    if (sender != NULL)
        check_stats(sender, &before);
    plays++;
}

static bool can_play(const struct trains_way *way)
{
    if (way->backend != NULL && ub_backend_find(way->backend) == NULL)
        return false;
    return !way->multi_target || play.has_one_payload;
}

/* By all ways, which have forgotten what they learned before. */
static void play_all_ways(void)
{
    for (size_t i = 0; i < WAYS; i++) {
        clock_ns += 2 * SECOND_NS;
        if (can_play(&ways[i]))
            play_with(&ways[i], senders[i][play.hears_icmp]);
    }
}

/* On a socket that ICMP errors reach, and on one that they do not. */
static void play_both_sockets(void)
{
    for (int hears = 0; hears < 2; hears++) {
        play.hears_icmp = hears != 0;
        play_all_ways();
    }
}

static int open_sockets(void **state)
{
    struct sockaddr_in peer = { .sin_family = AF_INET,
                                .sin_port = htons(9),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    (void)state;
    begin_sockets();
    set_variable("UDPBATCH_GSO", NULL);
    kernel_watch = watch;
    kernel_peer_port = SCRIPT_FIRST_PORT;
    for (int hears = 0; hears < 2; hears++) {
        sockets[hears] = port_open(AF_INET).fd; /* bound, so that no back end does it */
        if (hears && connect(sockets[hears], (struct sockaddr *)&peer, sizeof peer) < 0)
            return -1;
        for (size_t i = 0; i < WAYS; i++)
            if (ways[i].backend != NULL && ub_backend_find(ways[i].backend) != NULL)
                senders[i][hears] = open_sender(&ways[i], sockets[hears], UDPBATCH_TRAINS_AUTO);
    }
    return 0;
}

static int close_sockets(void **state)
{
    (void)state;
    print_message("%u scripts played in all\n", plays);
    for (int hears = 0; hears < 2; hears++) {
        for (size_t i = 0; i < WAYS; i++)
            udpbatch_sender_close(senders[i][hears]);
        close_socket(sockets[hears]);
    }
    return 0;
}

/* ---- Trains form ---------------------------------------------------------------------------- */

static void packets_of_any_number_to_any_targets_are_taken(void **state)
{
    (void)state;
    for (size_t n = 0; n <= SCRIPT_PACKETS; n += 1 + n / 24)
        for (unsigned targets = 1; targets <= n; targets *= 3)
            for (int in_runs = 0; in_runs < 2; in_runs++) {
                begin_even_play(n, targets, in_runs != 0);
                play_both_sockets();
            }
}

static void packets_to_one_target_leave_as_few_trains(void **state)
{
    (void)state;
    for (size_t n = 2; n <= 600; n++) {
        begin_even_play(n, 1, true);
        play.hears_icmp = false;
        play_with(&ways[LEVEL1], NULL);
        assert_int_equal(seen.trains + seen.sizes[0], (n + 63) / 64);
        play_with(&ways[WAYS - 1], senders[WAYS - 1][0]);
        assert_int_equal(seen.trains + seen.sizes[0], (n + 127) / 128);
    }
}

static void targets_in_turns_have_one_train_each(void **state)
{
    (void)state;
    begin_even_play(1024, 64, false);
    play.hears_icmp = false;
    for (size_t i = 2; i < 4; i++)
        if (can_play(&ways[i])) {
            play_with(&ways[i], senders[i][0]);
            assert_int_equal(seen.trains, 64);
            assert_int_equal(seen.sizes[4], 64);
        }
}

static void without_the_segment_option_there_are_no_trains(void **state)
{
    static const int refusals[] = { ENOPROTOOPT, EINVAL, EOPNOTSUPP };

    (void)state;
    begin_even_play(200, 3, true);
    play.hears_icmp = false;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct udpbatch_sender *sender = open_sender(&ways[3], sockets[0], UDPBATCH_TRAINS_AUTO);
        kernel_no_segment_option = refusals[i];
        for (int call = 0; call < 2; call++) {
            play_with(&ways[LEVEL1], NULL);
            assert_int_equal(seen.attempts, 0);
            play_with(&ways[3], sender);
            assert_int_equal(seen.attempts, 0);
        }
        kernel_no_segment_option = 0;
        udpbatch_sender_close(sender);
    }
}

static void trains_can_be_switched_off(void **state)
{
    struct udpbatch_sender *off = open_sender(&ways[3], sockets[0], UDPBATCH_TRAINS_OFF);
    struct udpbatch_sender *always = open_sender(&ways[3], sockets[0], UDPBATCH_TRAINS_ALWAYS);

    (void)state;
    begin_even_play(200, 3, true);
    play.hears_icmp = false;
    play_with(&ways[3], off);
    assert_int_equal(seen.attempts, 0);
    set_variable("UDPBATCH_GSO", "off");
    play_with(&ways[LEVEL1], NULL);
    assert_int_equal(seen.attempts, 0);
    play_with(&ways[3], always);
    assert_int_equal(seen.attempts, 0);
    set_variable("UDPBATCH_GSO", NULL);
    udpbatch_sender_close(off);
    udpbatch_sender_close(always);
}

/* How many trains and single packets leave under a kernel of that release. */
static void expect_under_kernel(const char *its_release, enum udpbatch_trains trains,
                                unsigned train_count, unsigned single_count)
{
    struct udpbatch_sender *sender = open_sender(&ways[3], sockets[0], trains);

    release = its_release;
    prepare(&ways[3]);
    udpbatch_sender_send(sender, packets, play.script.n);
    assert_int_equal(seen.trains, train_count);
    assert_int_equal(seen.sizes[0], single_count);
    udpbatch_sender_close(sender);
}

static void kernels_that_damage_trains_get_none_unless_asked_for(void **state)
{
    (void)state;
    begin_even_play(20, 2, true);
    add_packet(1, LEN / 2);
    expect_under_kernel("6.18.0", UDPBATCH_TRAINS_AUTO, 2, 0);
    expect_under_kernel("7.1.4", UDPBATCH_TRAINS_AUTO, 0, 21);
    expect_under_kernel("7.1.4", UDPBATCH_TRAINS_ALWAYS, 2, 0);
    expect_under_kernel("6.6.44", UDPBATCH_TRAINS_AUTO, 2, 1);
    expect_under_kernel("6.6.44", UDPBATCH_TRAINS_ALWAYS, 2, 0);
    release = "6.18.0";
}

/* ---- Trains are refused --------------------------------------------------------------------- */

static const int errors[] = {
    EIO,         EINVAL,       EMSGSIZE,      EOPNOTSUPP,   ENOPROTOOPT, EPERM,  EACCES,
    ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT, ENOBUFS,     ENOMEM, EAGAIN,
    EINTR,       ECONNREFUSED, EDESTADDRREQ,  EBADF,        EFAULT,
};

enum { ERRORS = sizeof errors / sizeof errors[0], FEW = 12, FEW_TARGETS = 3 };

/* Once, twice, thrice, for good. */
enum { MANNERS = 4 };

static bool can_be_for_good(int error)
{
    return error != EINTR; /* no kernel gives it for ever */
}

static struct script_fault fault(int error, unsigned manner, unsigned spared)
{
    bool is_for_good = manner == MANNERS - 1 && can_be_for_good(error);
    return (struct script_fault){ .error = error,
                                  .spared = spared,
                                  .times = is_for_good ? UINT_MAX : manner + 1 };
}

static struct script_packet meets(int error, unsigned manner)
{
    struct script_packet packet = { .errors = { error } };

    packet.for_good = manner == MANNERS - 1 && can_be_for_good(error);
    for (unsigned i = 1; !packet.for_good && i <= manner && i < SCRIPT_ERRORS; i++)
        packet.errors[i] = error;
    return packet;
}

/* In runs or in turns; every so many packets have no address, in some. */
enum { SHAPES = 5 };

static void begin_few(unsigned shape)
{
    begin_even_play(FEW, FEW_TARGETS, shape % 2 == 0);
    play.has_one_payload = shape < 2;
    for (size_t i = 0; shape >= 2 && i < FEW; i++)
        if (shape == 4 || i % shape == 0)
            play.packets[i].to = NULL;
}

static void each_refusal_of_any_train_splits_it_and_loses_nothing(void **state)
{
    (void)state;
    for (unsigned e = 0; e < ERRORS * MANNERS; e++)
        for (unsigned spared = 0; spared < 4; spared++)
            for (unsigned shape = 0; shape < SHAPES; shape++)
                for (unsigned most = 0; most < 4; most++)
                    for (uint16_t port = 0; port < 2; port++) {
                        begin_few(shape);
                        struct script_fault it = fault(errors[e / MANNERS], e % MANNERS, spared);
                        it.at_one_port = port != 0;
                        it.port = SCRIPT_FIRST_PORT + port;
                        play.script.trains.faults[0] = it;
                        play.script.most[0] = most;
                        play_both_sockets();
                    }
}

static void each_error_of_a_packet_in_a_train_stays_its_own(void **state)
{
    (void)state;
    for (unsigned e = 0; e < ERRORS * MANNERS; e++)
        for (unsigned at = 0; at < FEW; at++)
            for (unsigned shape = 0; shape < SHAPES; shape++)
                for (unsigned most = 0; most < 4; most++) {
                    begin_few(shape);
                    play.has_one_payload = false;
                    play.script.packets[at] = meets(errors[e / MANNERS], e % MANNERS);
                    play.script.most[0] = most;
                    play_both_sockets();
                }
}

static void each_pair_of_errors_in_a_train_has_its_fate(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < ERRORS * ERRORS; pair++)
        for (unsigned at = 0; at < FEW; at++)
            for (unsigned manner = 0; manner < MANNERS; manner += MANNERS - 1) {
                begin_even_play(FEW, 2, at % 2 == 0);
                play.has_one_payload = false;
                play.script.packets[at] = meets(errors[pair / ERRORS], manner);
                play.script.packets[(at + 4) % FEW] = meets(errors[pair % ERRORS], 0);
                play_both_sockets();
            }
}

static void each_pair_of_a_trains_and_a_packets_error_has_its_fate(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < ERRORS * ERRORS; pair++)
        for (unsigned at = 0; at < FEW; at++)
            for (unsigned manner = 0; manner < MANNERS; manner += MANNERS - 1) {
                begin_even_play(FEW, 2, at % 2 == 0);
                play.has_one_payload = false;
                play.script.trains.faults[0] = fault(errors[pair / ERRORS], manner, at % 2);
                play.script.packets[at] = meets(errors[pair % ERRORS], 0);
                play_both_sockets();
            }
}

static void an_error_of_the_address_is_all_its_packets(void **state)
{
    static const int of_targets[] = { EACCES,       ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL,
                                      EAFNOSUPPORT, EPERM,       EINVAL,       EIO };
    (void)state;
    for (size_t e = 0; e < sizeof of_targets / sizeof of_targets[0]; e++)
        for (uint64_t bad = 0; bad < 16; bad++)
            for (unsigned shape = 0; shape < SHAPES; shape++) {
                begin_few(shape);
                play.script.trains.bad_ports = bad;
                play.script.trains.bad_port_error = of_targets[e];
                play_both_sockets();
            }
}

/* ---- What refusals teach -------------------------------------------------------------------- */

static void call_again(struct udpbatch_sender *sender)
{
    struct udpbatch_tally tally;

    memcpy(packets, play.packets, play.script.n * sizeof packets[0]);
    memset(kernel_taken, 0, sizeof kernel_taken);
    kernel_expect(packets, play.script.n);
    seen.trains = seen.splits = seen.attempts = 0;
    tally = send_once(sender, sockets[0]);
    check_call(&tally);
    assert_int_equal(tally.sent, play.script.n);
}

static struct udpbatch_sender *begin_calls(void)
{
    static const struct trains_way *const way = &ways[3];
    clock_ns += 2 * SECOND_NS;
    play.hears_icmp = false;
    prepare(way);
    return senders[way - ways][0];
}

/* One train is refused, though the library asks again for what may be another's error. */
static struct script_fault fault_of_one(int error)
{
    return fault(error, script_asked_again(error, false), 0);
}

static void trains_to_a_host_come_back_after_a_second(void **state)
{
    static const int about_trains[] = { EIO, EMSGSIZE, EINVAL, EOPNOTSUPP, ENOPROTOOPT };

    (void)state;
    for (size_t i = 0; i < sizeof about_trains / sizeof about_trains[0]; i++) {
        begin_even_play(40, 4, true); /* two hosts */
        play.script.trains.faults[0] = fault_of_one(about_trains[i]);
        struct udpbatch_sender *sender = begin_calls();
        call_again(sender);
        assert_int_equal(seen.splits, 1);
        assert_int_equal(seen.trains, 2);
        clock_ns += SECOND_NS - 1;
        call_again(sender);
        assert_int_equal(seen.attempts, 2);
        assert_int_equal(seen.trains, 2);
        clock_ns += 1;
        call_again(sender);
        assert_int_equal(seen.trains, 4);
    }
}

static void what_is_not_about_trains_costs_other_trains_nothing(void **state)
{
    static const int others[] = { ENOBUFS, ENOMEM, EPERM, EFAULT };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        begin_even_play(40, 4, true);
        play.script.trains.faults[0] = fault(others[i], 0, 0);
        struct udpbatch_sender *sender = begin_calls();
        call_again(sender);
        assert_int_equal(seen.splits, 1);
        assert_int_equal(seen.trains, 3);
        call_again(sender);
        assert_int_equal(seen.trains, 4);
    }
}

static void add_run(unsigned target, size_t n, uint32_t len)
{
    for (size_t i = 0; i < n; i++)
        add_packet(target, len);
}

static void packets_too_long_for_a_train_leave_shorter_ones_theirs(void **state)
{
    static const int too_long[] = { EMSGSIZE, EINVAL }; /* and of old kernels */

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin_play();
        add_run(0, 4, 200);
        add_run(0, 4, 100);
        add_run(2, 4, 100);
        play.script.trains.faults[0] = fault_of_one(too_long[i]);
        struct udpbatch_sender *sender = begin_calls();
        call_again(sender);
        assert_int_equal(seen.splits, 1);
        assert_int_equal(seen.trains, 2);
        call_again(sender);
        assert_int_equal(seen.attempts, 2);
        assert_int_equal(seen.trains, 2);
    }
}

static void a_second_length_that_is_too_long_ends_a_hosts_trains(void **state)
{
    (void)state;
    begin_play();
    add_run(0, 4, 200);
    add_run(1, 4, 150); /* the same host */
    add_run(0, 4, 100);
    add_run(2, 4, 100);
    play.script.trains.segment_most = 100;
    struct udpbatch_sender *sender = begin_calls();
    call_again(sender);
    assert_int_equal(seen.splits, 2);
    assert_int_equal(seen.trains, 1);
    clock_ns += SECOND_NS;
    call_again(sender);
    assert_int_equal(seen.splits, 2);
}

static void a_kernel_of_64_segments_is_found_out_once(void **state)
{
    (void)state;
    begin_even_play(512, 4, true);
    play.script.trains.segments_most = 64;
    struct udpbatch_sender *sender = begin_calls();
    call_again(sender);
    assert_int_equal(seen.splits, 1);
    assert_int_equal(seen.trains, 8);
    call_again(sender);
    assert_int_equal(seen.splits, 0);
    assert_int_equal(seen.trains, 8);
    clock_ns += SECOND_NS;
    call_again(sender);
    assert_int_equal(seen.splits, 1);
    assert_int_equal(seen.trains, 8);
}

static void many_hosts_that_refuse_trains_end_all_of_them(void **state)
{
    (void)state;
    begin_even_play(1000, 200, true); /* of 100 hosts */
    play.script.trains.faults[0] = fault(EIO, MANNERS - 1, 0);
    for (size_t i = 0; i < WAYS; i++) {
        play.hears_icmp = false;
        clock_ns += 2 * SECOND_NS;
        if (!can_play(&ways[i]))
            continue;
        play_with(&ways[i], senders[i][0]);
        assert_in_range(seen.splits, 2, ways[i].backend != NULL ? 65 : 5);
    }
    clock_ns += 2 * SECOND_NS;
    play.script.trains.faults[0].error = 0;
    play_all_ways();
    assert_int_equal(seen.trains, 200);
}

/* Whether the socket can do what a packet asks for may change. */
static void what_the_socket_can_do_is_asked_in_each_call(void **state)
{
    static const struct udpbatch_meta whole = { .flags = UDPBATCH_META_DONT_FRAGMENT };

    (void)state;
    need(UB_HAVE_META, META_OF_A_SEND);
    udpbatch_socket fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct udpbatch_sender *sender = open_sender(&ways[3], fd, UDPBATCH_TRAINS_AUTO);

    begin_play();
    add_packet(0, LEN)->meta = &whole;
    prepare(&ways[3]);
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    assert_int_equal(udpbatch_sender_send(sender, packets, 1).first_error, EOPNOTSUPP);
    packets[0].status = 0;
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    assert_int_equal(udpbatch_sender_send(sender, packets, 1).sent, 1);
    udpbatch_sender_close(sender);
    close_socket(fd);
}

/* ---- Random scripts ------------------------------------------------------------------------- */

static uint32_t random_len(void)
{
    static const uint32_t lens[] = { 0, 1, 1, 2, 40, 100, 100, 100, 101, 300 };
    return lens[below(sizeof lens / sizeof lens[0])];
}

static void split_in_pieces(size_t i)
{
    struct udpbatch_packet *packet = &play.packets[i];
    uint32_t head = below(packet->len + 1);

    lists[i][0] = (struct udpbatch_piece){ packet->data, head };
    lists[i][1] = (struct udpbatch_piece){ (const char *)packet->data + head, packet->len - head };
    packet->data = lists[i];
    packet->len = UDPBATCH_PIECES(2);
}

static struct script_packet random_errors(unsigned rarity)
{
    struct script_packet packet = { .for_good = one_in(3) };
    for (unsigned i = 0; i < SCRIPT_ERRORS && one_in(rarity); i++)
        packet.errors[i] = errors[below(ERRORS)];
    for (unsigned i = 0; i < SCRIPT_ERRORS; i++)
        packet.for_good = packet.for_good && can_be_for_good(packet.errors[i]) &&
                          (!is_busy(packet.errors[i]) || one_in(20));
    return packet;
}

static void add_random_packet(unsigned targets, unsigned rarity)
{
    static const struct udpbatch_meta metas[] = {
        { .flags = UDPBATCH_META_CAME_BY },
        { .flags = UDPBATCH_META_TOS, .tos = 8 },
        { .flags = UDPBATCH_META_TOS, .tos = 8, .ttl = 1 },
        { .flags = UDPBATCH_META_TOS, .tos = 16 }
    };
    const unsigned meta_count = UB_HAVE_META ? sizeof metas / sizeof metas[0] : 1;
    size_t i = play.script.n;
    uint32_t len = one_in(2) ? LEN : random_len();
    unsigned target = below(targets);

    memory_used += one_in(3);
    struct udpbatch_packet *packet = add_packet(target, len);
    if (one_in(8))
        script_targets[i] = target_address(target, true);
    if (one_in(6))
        packet->meta = &metas[below(meta_count)];
    if (one_in(8))
        packet->status = one_in(2) ? 1 : -EPERM;
    if (len >= sizeof(uint32_t))
        play.script.packets[i] = random_errors(rarity);
    if (one_in(8))
        split_in_pieces(i);
    else if (one_in(100) && len > 0)
        packet->data = NULL;
}

/* Some go to the connected peer, in streaks. */
static void take_addresses_away(void)
{
    bool has_address = true;
    for (size_t i = 0; i < play.script.n; i++) {
        has_address = has_address != one_in(5);
        if (!has_address)
            play.packets[i].to = NULL;
    }
}

static void begin_random_play(void)
{
    unsigned rarity = 1u << (1 + below(9));
    unsigned targets = 1u << below(6);
    size_t n = below(one_in(8) ? SCRIPT_PACKETS + 1 : 300);

    begin_play();
    if (one_in(4)) {
        begin_even_play(n, targets < n ? targets : 1, one_in(2));
    } else {
        while (play.script.n < n)
            add_random_packet(targets, rarity);
        if (one_in(3))
            take_addresses_away();
    }
}

static struct script_fault random_fault(void)
{
    struct script_fault it = fault(errors[below(ERRORS)], below(MANNERS), below(6));

    it.at_one_port = one_in(2);
    it.port = (uint16_t)(SCRIPT_FIRST_PORT + below(8));
    if (it.error == EAGAIN && it.times == UINT_MAX && !one_in(20))
        it.times = 1;
    return it;
}

static void make_the_kernel_random(void)
{
    struct script_trains *trains = &play.script.trains;

    for (size_t i = 0; i < SCRIPT_FAULTS; i++)
        if (one_in(3))
            trains->faults[i] = random_fault();
    for (size_t i = 0; i < SCRIPT_COUNTS; i++)
        play.script.most[i] = one_in(2) ? below(80) : 0;
    trains->segments_most = one_in(4) ? 1 + below(80) : 0;
    trains->segment_most = one_in(4) ? 90 + below(30) : 0;
    trains->bad_ports = one_in(4) ? UINT64_C(1) << below(8) : 0;
    trains->bad_port_error = one_in(2) ? EACCES : EPERM;
}

static void random_scripts_have_the_fates_that_they_say(void **state)
{
    (void)state;
    chance_begin();
    for (int i = 0; i < 3000; i++) {
        begin_random_play();
        make_the_kernel_random();
        play.pause_ns = below(4) * (SECOND_NS / 3);
        play_both_sockets();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_that_damage_trains_get_none_unless_asked_for),
        cmocka_unit_test(targets_in_turns_have_one_train_each),
        cmocka_unit_test(without_the_segment_option_there_are_no_trains),
        cmocka_unit_test(trains_can_be_switched_off),
        cmocka_unit_test(an_error_of_the_address_is_all_its_packets),
        cmocka_unit_test(trains_to_a_host_come_back_after_a_second),
        cmocka_unit_test(what_is_not_about_trains_costs_other_trains_nothing),
        cmocka_unit_test(packets_too_long_for_a_train_leave_shorter_ones_theirs),
        cmocka_unit_test(a_second_length_that_is_too_long_ends_a_hosts_trains),
        cmocka_unit_test(a_kernel_of_64_segments_is_found_out_once),
        cmocka_unit_test(many_hosts_that_refuse_trains_end_all_of_them),
        cmocka_unit_test(what_the_socket_can_do_is_asked_in_each_call),
        /* What takes longest is last: a fault is seen sooner by a test that is named for it. */
        cmocka_unit_test(random_scripts_have_the_fates_that_they_say),
        cmocka_unit_test(packets_of_any_number_to_any_targets_are_taken),
        cmocka_unit_test(packets_to_one_target_leave_as_few_trains),
        cmocka_unit_test(each_refusal_of_any_train_splits_it_and_loses_nothing),
        cmocka_unit_test(each_error_of_a_packet_in_a_train_stays_its_own),
        cmocka_unit_test(each_pair_of_errors_in_a_train_has_its_fate),
        cmocka_unit_test(each_pair_of_a_trains_and_a_packets_error_has_its_fate),
    };
    return cmocka_run_group_tests(tests, open_sockets, close_sockets);
}
