/* support.c: what the tests against the real kernel share: ways to send, ports, arrivals. */
#define _GNU_SOURCE
#include "support.h"

#include <stdio.h>

/* ---- What a test leaves ------------------------------------------------------------------- */

enum { LEFT_MOST = 8 };

static struct sending left[LEFT_MOST];
static size_t left_count;

static void take_note(const struct sending *sending)
{
    if (left_count < LEFT_MOST)
        left[left_count++] = *sending;
}

static void forget(const struct sending *sending)
{
    for (size_t i = 0; i < left_count; i++)
        if (left[i].sender == sending->sender)
            left[i] = left[--left_count];
}

static void (*undos[LEFT_MOST])(void);
static size_t undo_count;

void after_the_test(void (*undo)(void))
{
    for (size_t i = 0; i < undo_count; i++)
        if (undos[i] == undo)
            return;
    assert_true(undo_count < LEFT_MOST);
    undos[undo_count++] = undo;
}

/* Where a test fails its senders stay open, and may have what the next one needs. */
static int undo_what_is_left(void **state)
{
    (void)state;
    while (undo_count > 0)
        undos[--undo_count]();
    for (; left_count > 0; left_count--) {
        udpbatch_sender_close(left[left_count - 1].sender);
        close_socket(left[left_count - 1].fd);
    }
    return 0;
}

/* ---- The tests of a program -------------------------------------------------------------- */

enum { MAX_WAYS = 16, MAX_RUNS = 512, MAX_NAME = 160, WATCHDOG_S = 100, WATCHDOG_EMULATED_S = 500 };

/* All but "xdp", which needs a device and has tests of its own. */
static size_t find_ways(struct way *ways)
{
    const char *name;
    size_t count = 0;
    ways[count++] = (struct way){ "level 1", NULL };
    for (size_t i = 0; (name = udpbatch_backend_name(i)) != NULL && count < MAX_WAYS; i++)
        if (strcmp(name, "xdp") != 0)
            ways[count++] = (struct way){ name, name };
    return count;
}

static bool runs_for(const struct test *test, const struct way *way)
{
    return test->times == EACH_WAY || (test->times == EACH_BACKEND && way->backend != NULL);
}

/* An emulator of another machine, or a filter of system calls: the names of tests that take more of
 * a kernel than it passes on are in the environment (emulation.cmake, refused_calls.sh). */
static const char *beyond_emulator(void)
{
    return getenv("BEYOND_EMULATOR");
}

static void say_that_it_is_beyond(void **state)
{
    (void)state;
    print_message("cannot run here: the emulator does not pass on what this is about\n");
    skip();
}

static bool has_word(const char *words, const char *word)
{
    const size_t len = strlen(word);

    for (; words != NULL; words = strchr(words, ' ')) {
        words += *words == ' ';
        if (strncmp(words, word, len) == 0 && (words[len] == ' ' || words[len] == '\0'))
            return true;
    }
    return false;
}

static void (*what_to_run(const struct test *test))(void **)
{
    return has_word(beyond_emulator(), test->name) ? say_that_it_is_beyond : test->function;
}

int run_all(const char *group, const struct test *tests, size_t n)
{
    static struct way ways[MAX_WAYS];
    static char names[MAX_RUNS][MAX_NAME];
    static struct CMUnitTest runs[MAX_RUNS];
    size_t way_count = find_ways(ways);
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (tests[i].times == ONCE)
            runs[count++] = (struct CMUnitTest){ .name = tests[i].name,
                                                 .test_func = what_to_run(&tests[i]),
                                                 .teardown_func = undo_what_is_left };
        for (size_t w = 0; w < way_count; w++) {
            if (!runs_for(&tests[i], &ways[w]))
                continue;
            snprintf(names[count], MAX_NAME, "%s [%s]", tests[i].name, ways[w].name);
            runs[count] = (struct CMUnitTest){ .name = names[count],
                                               .test_func = what_to_run(&tests[i]),
                                               .teardown_func = undo_what_is_left,
                                               .initial_state = &ways[w] };
            count++;
        }
    }
    begin_sockets();
    begin_watchdog(beyond_emulator() == NULL ? WATCHDOG_S : WATCHDOG_EMULATED_S);
    /* What cmocka_run_group_tests is a macro for, which takes arrays of a constant size only. */
    return _cmocka_run_group_tests(group, runs, count, NULL, NULL) == 0 ? 0 : 1;
}

/* ---- Sending by a way -------------------------------------------------------------------- */

struct sending sending_begin(const struct way *way, udpbatch_socket fd)
{
    struct udpbatch_sender_options options = { .size = sizeof options, .backend = way->backend };
    struct sending sending = { .fd = fd };
    if (way->backend != NULL)
        sending = sending_begin_with(fd, &options);
    sending.way = way;
    return sending;
}

struct sending sending_begin_with(udpbatch_socket fd, const struct udpbatch_sender_options *options)
{
    int error = -1;
    struct sending sending = { .fd = fd, .sender = udpbatch_sender_open(fd, options, &error) };
    if (sending.sender == NULL)
        fail_msg("no sender of the back end %s: %s", options->backend, strerror(error));
    assert_int_equal(error, 0);
    take_note(&sending);
    return sending;
}

struct sending sending_begin_unbound(const struct way *way)
{
    return sending_begin(way, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

struct udpbatch_sender_options options_with_rate(const struct way *way, double rate, uint64_t burst)
{
    return (struct udpbatch_sender_options){ .size = sizeof(struct udpbatch_sender_options),
                                             .backend = way->backend,
                                             .rate = rate,
                                             .burst = burst };
}

void sending_end(struct sending *sending)
{
    forget(sending);
    udpbatch_sender_close(sending->sender);
    close_socket(sending->fd);
}

/* Counts the statuses anew and compares. */
void check_tally(const struct udpbatch_tally *tally, const int32_t *status, size_t n)
{
    struct udpbatch_tally counted = { .first_refused = n };
    for (size_t i = 0; i < n; i++) {
        assert_true(status[i] <= 1);
        counted.sent += status[i] == 1;
        counted.unsent += status[i] == 0;
        counted.refused += status[i] < 0;
        if (status[i] < 0 && counted.refused == 1) {
            counted.first_refused = i;
            counted.first_error = -status[i];
        }
    }
    assert_int_equal(tally->sent + tally->refused + tally->unsent, n);
    assert_int_equal(tally->sent, counted.sent);
    assert_int_equal(tally->refused, counted.refused);
    assert_int_equal(tally->unsent, counted.unsent);
    assert_int_equal(tally->first_refused, counted.first_refused);
    assert_int_equal(tally->first_error, counted.first_error);
    assert_int_equal(tally->unsent_error != 0, tally->unsent > 0);
}

struct udpbatch_tally sending_send(struct sending *sending, struct udpbatch_packet *packets,
                                   size_t n)
{
    static int32_t status[MANY];
    assert_true(n <= MANY);
    struct udpbatch_tally tally = sending->sender != NULL
                                      ? udpbatch_sender_send(sending->sender, packets, n)
                                      : udpbatch_send(sending->fd, packets, n);
    for (size_t i = 0; i < n; i++)
        status[i] = packets[i].status;
    check_tally(&tally, status, n);
    return tally;
}

void sending_send_all(struct sending *sending, struct udpbatch_packet *packets, size_t n)
{
    struct udpbatch_tally tally;

    while ((tally = sending_send(sending, packets, n)).unsent > 0)
        sending_wait(sending, &tally, PATIENCE_MS);
}

static struct udpbatch_tally fan_out(struct udpbatch_sender *sender, const void *payload,
                                     uint32_t len, const union udpbatch_addr *targets, size_t n,
                                     int32_t *status)
{
    static struct udpbatch_packet packets[MANY];
    struct udpbatch_packet original = { .data = payload, .len = len };
    struct udpbatch_fanout fanout = { &original, 1, targets, n };

    assert_true(n <= MANY);
    assert_int_equal(udpbatch_fanout_fill(&fanout, 0, packets, n), n);
    for (size_t i = 0; i < n; i++)
        packets[i].status = status[i];
    struct udpbatch_tally tally = udpbatch_sender_send(sender, packets, n);
    for (size_t i = 0; i < n; i++)
        status[i] = packets[i].status;
    return tally;
}

struct udpbatch_tally sending_fan_out(struct sending *sending, const void *payload, uint32_t len,
                                      const union udpbatch_addr *targets, size_t n, int32_t *status)
{
    struct udpbatch_tally tally =
        sending->sender != NULL
            ? fan_out(sending->sender, payload, len, targets, n, status)
            : udpbatch_multi_target_send(sending->fd, payload, len, targets, n, status);
    check_tally(&tally, status, n);
    return tally;
}

int sending_wait(struct sending *sending, const struct udpbatch_tally *tally, int timeout_ms)
{
    if (sending->sender != NULL)
        return udpbatch_sender_wait(sending->sender, timeout_ms);
    if (tally->unsent_error != EAGAIN) { /* there is no event for it */
        sleep_ms(1);
        return 0;
    }
    return wait_for(sending->fd, POLLOUT, timeout_ms) == 1 ? 0 : -ETIMEDOUT;
}

uint64_t sending_system_calls(const struct sending *sending)
{
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    if (sending->sender != NULL)
        udpbatch_sender_stats(sending->sender, &stats);
    return stats.system_calls;
}

/* ---- Sockets ----------------------------------------------------------------------------- */

enum { LARGE_BUFFER = 16 * 1024 * 1024 };

union udpbatch_addr address(int family, const char *text, uint16_t port)
{
    union udpbatch_addr addr = { .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
    if (family == AF_INET)
        addr.in4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
    void *place = family == AF_INET ? (void *)&addr.in4.sin_addr : (void *)&addr.in6.sin6_addr;
    assert_int_equal(inet_pton(family, text, place), 1);
    return addr;
}

union udpbatch_addr address_plain(const union udpbatch_addr *addr)
{
    union udpbatch_addr in4 = { .in4 = { .sin_family = AF_INET, .sin_port = addr->in4.sin_port } };
    if (addr->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
        return *addr;
    memcpy(&in4.in4.sin_addr, addr->in6.sin6_addr.s6_addr + 12, sizeof in4.in4.sin_addr);
    return in4;
}

union udpbatch_addr loopback(int family, uint16_t port)
{
    return address(family, family == AF_INET ? "127.0.0.1" : "::1", port);
}

static socklen_t size_of(const union udpbatch_addr *addr)
{
    return addr->sa.sa_family == AF_INET ? sizeof addr->in4 : sizeof addr->in6;
}

struct port port_open_at(const union udpbatch_addr *addr)
{
    struct port port = { .fd = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
    const void *size = &(int){ LARGE_BUFFER };
    socklen_t len = sizeof port.addr;

    assert_true(port.fd != NO_SOCKET);
    if (setsockopt(port.fd, SOL_SOCKET, SO_RCVBUFFORCE, size, sizeof(int)) < 0)
        set_option(port.fd, SOL_SOCKET, SO_RCVBUF, LARGE_BUFFER);
    assert_int_equal(bind(port.fd, &addr->sa, size_of(addr)), 0);
    assert_int_equal(getsockname(port.fd, &port.addr.sa, &len), 0);
    return port;
}

struct port port_open(int family)
{
    union udpbatch_addr any_port = loopback(family, 0);
    return port_open_at(&any_port);
}

union udpbatch_addr closed_port(int family)
{
    struct port port = port_open(family);
    port_close(&port);
    return port.addr;
}

void port_close(struct port *port)
{
    close_socket(port->fd);
    port->fd = NO_SOCKET;
}

void make_nonblocking(udpbatch_socket fd)
{
    set_blocking(fd, false);
}

void set_option(udpbatch_socket fd, int level, int option, int value)
{
    const void *bytes = &value; /* to Winsock it is one of char */
    assert_int_equal(setsockopt(fd, level, option, bytes, sizeof value), 0);
}

void connect_to(udpbatch_socket fd, const union udpbatch_addr *addr)
{
    assert_int_equal(connect(fd, &addr->sa, size_of(addr)), 0);
}

bool can_have_trains(udpbatch_socket fd)
{
    enum { SEGMENT = IS_WINDOWS ? 2 : 103 }; /* UDP_SEND_MSG_SIZE, UDP_SEGMENT */
    int value = 0;
    void *bytes = &value;
    socklen_t len = sizeof value;
    return getsockopt(fd, IPPROTO_UDP, SEGMENT, bytes, &len) == 0;
}

bool same_address(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in4.sin_port == b->in4.sin_port &&
               a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
    return a->in6.sin6_port == b->in6.sin6_port &&
           memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0;
}

void need_family(int family)
{
    union udpbatch_addr addr = loopback(family, 0);
    udpbatch_socket fd = socket(family, SOCK_DGRAM, 0);
    bool works = fd != NO_SOCKET && bind(fd, &addr.sa, size_of(&addr)) == 0;
    close_socket(fd);
    if (works)
        return;
    if (must_be_able("no loopback of this address family"))
        fail();
    skip();
}

bool must_be_able(const char *reason)
{
    const char *ci = getenv("CI");
    print_message("cannot run here: %s\n", reason);
    return ci != NULL && ci[0] != '\0';
}

/* ---- Numbered packets and their arrival --------------------------------------------------- */

static unsigned char payloads[MANY][LEN_MOST];

/* The number, then bytes that depend on it, so that no packet passes for another. */
static void make_payload(unsigned char *payload, uint32_t number, uint32_t len)
{
    memcpy(payload, &number, sizeof number);
    for (uint32_t i = sizeof number; i < len; i++)
        payload[i] = (unsigned char)(number * 7 + i);
}

void make_packets(struct udpbatch_packet *packets, size_t n, uint32_t len,
                  const union udpbatch_addr *to)
{
    assert_true(n <= MANY && len >= sizeof(uint32_t) && len <= LEN_MOST);
    for (size_t i = 0; i < n; i++) {
        make_payload(payloads[i], (uint32_t)i, len);
        packets[i] = (struct udpbatch_packet){ .data = payloads[i], .len = len, .to = to };
    }
}

/* Takes one datagram if there is one, and checks that it is what was made. */
static bool take_one(struct arrivals *arrivals, udpbatch_socket fd)
{
    unsigned char room[LEN_MOST + 1];
    uint32_t number;
    int len = receive_now(fd, room, sizeof room);

    if (len < 0) {
        assert_true(would_block());
        return false;
    }
    assert_true((size_t)len >= sizeof number);
    memcpy(&number, room, sizeof number);
    assert_true(number < MANY);
    assert_memory_equal(room, payloads[number], (size_t)len);
    arrivals->len[number] = (uint32_t)len;
    arrivals->seen[number]++;
    arrivals->total++;
    return true;
}

void arrivals_take(struct arrivals *arrivals, udpbatch_socket fd)
{
    while (take_one(arrivals, fd))
        continue;
}

static void wait_readable(udpbatch_socket fd)
{
    int ready;

    do
        ready = wait_for(fd, POLLIN, PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    assert_int_equal(ready, 1);
}

void arrivals_wait(struct arrivals *arrivals, udpbatch_socket fd, size_t total)
{
    arrivals_take(arrivals, fd);
    while (arrivals->total < total) {
        wait_readable(fd);
        arrivals_take(arrivals, fd);
    }
}

static bool is_for(const struct port *port, const struct udpbatch_packet *packet)
{
    return packet->status == 1 && (packet->to == NULL || same_address(packet->to, &port->addr));
}

void expect_arrival(const struct port *port, const struct udpbatch_packet *packets, size_t n)
{
    static struct arrivals arrivals;
    size_t total = 0;

    arrivals = (struct arrivals){ 0 };
    for (size_t i = 0; i < n; i++)
        total += is_for(port, &packets[i]);
    arrivals_wait(&arrivals, port->fd, total);
    for (size_t i = 0; i < n; i++) {
        bool here = is_for(port, &packets[i]);
        assert_int_equal(arrivals.seen[i], here ? 1 : 0);
        if (here)
            assert_int_equal(arrivals.len[i], packets[i].len);
    }
    assert_int_equal(arrivals.total, total);
}

size_t receive_one(udpbatch_socket fd, void *room, size_t size, union udpbatch_addr *from)
{
    union udpbatch_addr ignored;
    socklen_t from_len = sizeof ignored;

    struct sockaddr *addr = from != NULL ? &from->sa : &ignored.sa;

    wait_readable(fd);
    int len = (int)recvfrom(fd, room, (room_size)size, 0, addr, &from_len);
    assert_true(len >= 0);
    return (size_t)len;
}

void expect_payload(udpbatch_socket fd, const void *payload, size_t len)
{
    static unsigned char room[65536];
    assert_int_equal(receive_one(fd, room, sizeof room, NULL), len);
    if (len > 0)
        assert_memory_equal(room, payload, len);
}

void expect_nothing(udpbatch_socket fd)
{
    unsigned char room;
    assert_int_equal(receive_now(fd, &room, sizeof room), -1);
    assert_true(would_block());
}

void expect_status(const struct udpbatch_packet *packets, size_t n, int32_t status)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(packets[i].status, status);
}

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
