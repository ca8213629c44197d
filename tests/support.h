/* support.h: what the tests against the real kernel share: ways to send, ports, arrivals.
 *
 * Helpers assert by themselves, so they may be called from the thread of the test only.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "system.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum {
    PATIENCE_MS = 10000, /* how long to wait for what must come: spent on failing only */
    MANY = 5000,         /* packets at most */
    LEN_MOST = 1500      /* bytes of a numbered payload at most */
};

/* ---- The tests of a program -------------------------------------------------------------- */

/* A way to send: level 1, or level 2 with one of its back ends. */
struct way {
    const char *name;
    const char *backend; /* NULL: level 1 */
};

/* A test, and what it is run for. Its `state` is the const struct way, NULL if it runs once. */
struct test {
    const char *name;
    void (*function)(void **state);
    enum { ONCE, EACH_WAY, EACH_BACKEND } times;
};

/* clang-format off */
#define TEST_ONCE(function) { #function, function, ONCE }
#define TEST_EACH_WAY(function) { #function, function, EACH_WAY }
#define TEST_EACH_BACKEND(function) { #function, function, EACH_BACKEND }
/* clang-format on */

/* Runs them under a watchdog; returns what main is to return. */
int run_all(const char *group, const struct test *tests, size_t n);

/* Has this called when the test that runs has ended, failed or not; once, however often it is asked
 * for. */
void after_the_test(void (*undo)(void));

/* ---- Sending by a way -------------------------------------------------------------------- */

struct sending {
    const struct way *way; /* NULL: one with options of its own */
    udpbatch_socket fd;
    struct udpbatch_sender *sender; /* NULL: level 1 */
};

struct sending sending_begin(const struct way *way, udpbatch_socket fd);
struct sending sending_begin_with(udpbatch_socket fd,
                                  const struct udpbatch_sender_options *options);
struct sending sending_begin_unbound(const struct way *way); /* on an IPv4 socket of its own */
void sending_end(struct sending *sending);                   /* closes the socket too */

/* Of a sender by that way, for sending_begin_with. */
struct udpbatch_sender_options options_with_rate(const struct way *way, double rate,
                                                 uint64_t burst);

/* Both check that the tally and the statuses agree. */
struct udpbatch_tally sending_send(struct sending *sending, struct udpbatch_packet *packets,
                                   size_t n);
/* As a user would who waits at all for at most so long a time: until each has a fate. */
void sending_send_all(struct sending *sending, struct udpbatch_packet *packets, size_t n);
/* One payload to each target: the multi-target call, or a fan-out on level 2. */
struct udpbatch_tally sending_fan_out(struct sending *sending, const void *payload, uint32_t len,
                                      const union udpbatch_addr *targets, size_t n,
                                      int32_t *status);

/* Waits as a user would: 0, or -ETIMEDOUT. */
int sending_wait(struct sending *sending, const struct udpbatch_tally *tally, int timeout_ms);

/* System calls so far; 0 on level 1, which does not count. */
uint64_t sending_system_calls(const struct sending *sending);

void check_tally(const struct udpbatch_tally *tally, const int32_t *status, size_t n);

/* ---- Sockets ----------------------------------------------------------------------------- */

/* A socket and the address that it is bound to. */
struct port {
    udpbatch_socket fd;
    union udpbatch_addr addr;
};

union udpbatch_addr address(int family, const char *text, uint16_t port);
union udpbatch_addr address_plain(const union udpbatch_addr *addr); /* IPv4 in its own form */
union udpbatch_addr loopback(int family, uint16_t port);
struct port port_open_at(const union udpbatch_addr *addr); /* with a large receive buffer */
struct port port_open(int family);                         /* on loopback, at a free port */
union udpbatch_addr closed_port(int family);               /* on loopback; nobody listens there */
void port_close(struct port *port);
void make_nonblocking(udpbatch_socket fd);
void set_option(udpbatch_socket fd, int level, int option, int value);
void connect_to(udpbatch_socket fd, const union udpbatch_addr *addr);
bool can_have_trains(udpbatch_socket fd); /* whether the system has UDP segmentation offload */
bool same_address(const union udpbatch_addr *a, const union udpbatch_addr *b);

/* Skips the test if this machine has no IPv6 loopback. */
void need_family(int family);

/* Says that this machine cannot do it: true where that is to be a failure (CI). */
bool must_be_able(const char *reason);

/* ---- Numbered packets and their arrival --------------------------------------------------- */

/* Packets to be sent, of `len` bytes (4 to LEN_MOST) that begin with the packet's number. The
 * payloads hold until the next call. */
void make_packets(struct udpbatch_packet *packets, size_t n, uint32_t len,
                  const union udpbatch_addr *to);

/* How often each number has arrived, and how long it was. */
struct arrivals {
    uint32_t seen[MANY];
    uint32_t len[MANY];
    size_t total;
};

void arrivals_take(struct arrivals *arrivals, udpbatch_socket fd); /* what is there already */
void arrivals_wait(struct arrivals *arrivals, udpbatch_socket fd, size_t total);

/* What is sent to this port (to its address, or by NULL) arrives there: each once, and whole, and
 * nothing else. */
void expect_arrival(const struct port *port, const struct udpbatch_packet *packets, size_t n);

/* The next datagram at the port, into `room`; its length. */
size_t receive_one(udpbatch_socket fd, void *room, size_t size, union udpbatch_addr *from);
void expect_payload(udpbatch_socket fd, const void *payload, size_t len);
void expect_nothing(udpbatch_socket fd);
void expect_status(const struct udpbatch_packet *packets, size_t n, int32_t status);

/* Milliseconds of a clock that only goes on. */
int64_t now_ms(void);

#endif
