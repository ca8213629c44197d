/* test_bench_netns.c: `udpbatch bench --netns`: two network namespaces, and sending across them.
 *
 * The program moves into namespaces of its own. It needs root or user namespaces, ip, tc and nft;
 * where these are missing it exits with 77, or fails if CI is set.
 */
#include "cli.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench_support.h"
#include "clock.h"
#include "own_space.h"

enum { EXIT_SKIP = 77, PATIENCE_MS = 5000 };

/* Ethernet, IPv4 and UDP. */
enum { HEADERS = 14 + 20 + 8 };

static struct place place;
static const struct netns *const netns = &place.netns;
static struct reason reason;

/* ---- The world ------------------------------------------------------------------------------ */

static bool open_place(void)
{
    const struct place_settings settings = { .netns = true };
    return place_open(&place, &settings, &reason) ||
           (strstr(reason.text, "unshare -Ur") != NULL && become_root_of_own() &&
            place_open(&place, &settings, &reason));
}

/* ---- Sending and receiving ------------------------------------------------------------------ */

struct port {
    int fd;
    union udpbatch_addr address;
};

static struct port open_far_port(size_t target)
{
    struct port port = { .fd = netns_far_socket(netns) };
    socklen_t len = sizeof port.address.in4;

    assert_true(port.fd >= 0);
    port.address = netns_target(target);
    assert_int_equal(bind(port.fd, &port.address.sa, len), 0);
    assert_int_equal(getsockname(port.fd, &port.address.sa, &len), 0);
    return port;
}

static int near_socket(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

static ssize_t send_to(int fd, const union udpbatch_addr *to, const void *data, size_t len)
{
    return sendto(fd, data, len, 0, &to->sa, sizeof to->in4);
}

static bool kernel_has_trains(void)
{
    int fd = near_socket();
    bool has = setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &(int){ 100 }, sizeof(int)) == 0;
    close(fd);
    return has;
}

static void expect_arrival(int fd, const char *text)
{
    char room[64];
    struct pollfd arrival = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&arrival, 1, PATIENCE_MS), 1);
    assert_int_equal(recv(fd, room, sizeof room, 0), strlen(text));
    assert_memory_equal(room, text, strlen(text));
}

static struct arrivals arrived(void)
{
    struct arrivals arrivals;
    assert_true(netns_arrivals(netns, &arrivals));
    return arrivals;
}

/* So much, and no more, has come since then. */
static void expect_arrivals(struct arrivals since, uint64_t frames, uint64_t bytes)
{
    struct arrivals now = arrived();
    for (int ms = 0; now.bytes - since.bytes < bytes && ms < PATIENCE_MS; ms++) {
        clock_sleep_ns(NS_PER_MS);
        now = arrived();
    }
    assert_int_equal(now.bytes - since.bytes, bytes);
    assert_int_equal(now.frames - since.frames, frames);
}

/* ---- The namespaces ------------------------------------------------------------------------- */

static void every_target_has_an_address_of_its_own(void **state)
{
    static const size_t targets[] = { 0, 1, 249, 250, 1023, 63999 };
    int fd = near_socket();

    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        struct port port = open_far_port(targets[i]);
        assert_int_equal(send_to(fd, &port.address, "to it", 5), 5);
        expect_arrival(port.fd, "to it");
        close(port.fd);
    }
    close(fd);
}

static void arrivals_are_counted_exactly(void **state)
{
    static const char payload[1000];
    struct port port = open_far_port(0);
    struct arrivals before = arrived();
    int fd = near_socket();

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(send_to(fd, &port.address, payload, 100), 100);
    expect_arrivals(before, 10, 10 * (100 + HEADERS));
    assert_int_equal(send_to(fd, &port.address, payload, sizeof payload), sizeof payload);
    expect_arrivals(before, 11, 10 * (100 + HEADERS) + sizeof payload + HEADERS);
    close(fd);
    close(port.fd);
}

static void what_is_dropped_is_counted_and_never_received(void **state)
{
    struct port port = open_far_port(1);
    int fd = near_socket();

    (void)state;
    send_to(fd, &port.address, "before", 6);
    expect_arrival(port.fd, "before");
    struct arrivals since = arrived();
    assert_true(netns_drop(netns, true, &reason));
    for (int i = 0; i < 10; i++)
        assert_int_equal(send_to(fd, &port.address, "dropped", 7), 7);
    expect_arrivals(since, 10, 10 * (7 + HEADERS));
    assert_true(netns_drop(netns, false, &reason));
    send_to(fd, &port.address, "after", 5);
    expect_arrival(port.fd, "after");
    close(fd);
    close(port.fd);
}

/* An address that has to be asked for would be a frame more. */
static void the_far_side_knows_whom_to_answer_after_it_has_dropped(void **state)
{
    struct port port = open_far_port(2);
    union udpbatch_addr from;
    socklen_t len = sizeof from;
    char room[8];
    int fd = near_socket();
    struct pollfd arrival = { .fd = port.fd, .events = POLLIN };

    (void)state;
    assert_true(netns_drop(netns, true, &reason));
    assert_true(netns_drop(netns, false, &reason));
    struct arrivals since = arrived();
    send_to(fd, &port.address, "asked", 5);
    assert_int_equal(poll(&arrival, 1, PATIENCE_MS), 1);
    assert_int_equal(recvfrom(port.fd, room, sizeof room, 0, &from.sa, &len), 5);
    send_to(port.fd, &from, "answer", 6);
    expect_arrival(fd, "answer");
    expect_arrivals(since, 1, 5 + HEADERS);
    close(fd);
    close(port.fd);
}

/* Returns the errno that sending until nothing is taken ends with; 0: all was taken. */
static int send_many(int fd, const union udpbatch_addr *to)
{
    static const char payload[1228];
    for (int i = 0; i < 100000; i++)
        if (send_to(fd, to, payload, sizeof payload) < 0)
            return errno;
    return 0;
}

static void pressure_fills_a_socket_that_does_not_wait(void **state)
{
    struct port port = open_far_port(3);
    int fd = near_socket();

    (void)state;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 64 << 10 }, sizeof(int)), 0);
    assert_true(netns_press(netns, true, &reason));
    assert_int_equal(send_many(fd, &port.address), EAGAIN);
    assert_true(netns_press(netns, false, &reason));
    assert_int_equal(send_many(fd, &port.address), 0);
    assert_false(netns_press(netns, false, &reason));
    assert_true(reason.text[0] != '\0');
    close(fd);
    close(port.fd);
}

static void what_is_forbidden_gives_eperm_and_the_rest_passes(void **state)
{
    struct port port = open_far_port(4);
    union udpbatch_addr forbidden;
    int fd = near_socket();

    (void)state;
    forbidden = netns_forbidden_target();
    assert_true(netns_forbid(netns, true, &reason));
    assert_int_equal(send_to(fd, &forbidden, "forbidden", 9), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(send_to(fd, &port.address, "allowed", 7), 7);
    expect_arrival(port.fd, "allowed");
    assert_true(netns_forbid(netns, false, &reason));
    assert_int_equal(send_to(fd, &forbidden, "allowed", 7), 7);
    assert_false(netns_forbid(netns, false, &reason));
    assert_true(reason.text[0] != '\0');
    close(fd);
    close(port.fd);
}

/* Exit status 0 if the reason says how to get the privilege. */
static void try_without_privilege(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
    struct netns mine;

    if (syscall(SYS_capset, &header, none) < 0 || netns_open(&mine, 1500, &reason))
        _exit(1);
    bool nothing_is_open =
        mine.near_fd < 0 && mine.far_fd < 0 && mine.control_fd < 0 && mine.counters_fd < 0;
    bool is_told = strstr(reason.text, "unshare -Ur") != NULL && strchr(reason.text, '\n') == NULL;
    _exit(nothing_is_open && is_told ? 0 : 2);
}

static void without_privilege_the_reason_says_what_to_do(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0)
        try_without_privilege();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- Measuring across them ------------------------------------------------------------------ */

static void *open_lossy(const struct engine *engine, int fd, const struct udpbatch_packet *packets,
                        size_t n)
{
    const struct engine *inner = engines_find("prebuilt");
    (void)engine;
    return inner->open(inner, fd, packets, n);
}

/* From the fifth call on, which no check makes, it sends nothing every second time. */
static struct outcome send_lossy(void *self)
{
    static size_t calls, n;
    if (++calls > 4 && calls % 2 == 0)
        return (struct outcome){ .sent = n };
    struct outcome outcome = engines_find("prebuilt")->send(self);
    n = outcome.sent;
    return outcome;
}

static void close_lossy(void *self)
{
    engines_find("prebuilt")->close(self);
}

static const struct engine lossy = {
    .name = "lossy", .what = "loses", .open = open_lossy, .send = send_lossy, .close = close_lossy
};

/* Not every kernel, nor every limit of locked memory, allows sending past the stack. */
static bool is_missing_here(const struct engine *engine)
{
    return engine_is_past_the_stack(engine) && why_it_cannot_be_opened(engine, &place) != NULL;
}

/* Every engine that can send the workload has figures, and nothing is lost on the way but by one
 * that does not wait. */
static const struct workload_result *measure_all(const char *text)
{
    const struct engine *engines[ENGINES_MAX];
    size_t count = engines_list(SENDING, engines);
    const struct workload_result *result = measure(&place, text, engines, count);

    for (size_t i = 0; i < count; i++) {
        const struct engine_result *each = &result->engines[i];
        if (is_known_to_fail(each->engine, &place, result->payloads, result->bad,
                             result->packets) ||
            is_missing_here(each->engine))
            continue;
        if (each->fault[0] != '\0')
            fail_msg("%s, %s: %s", text, each->engine->name, each->fault);
        assert_true(each->packets_per_second.known);
        assert_int_equal(each->lost, 0);
    }
    return result;
}

static void every_engine_is_measured_without_a_loss(void **state)
{
    (void)state;
    measure_all("W1:8");
    measure_all("W2:32");
    measure_all("W3:300");
}

static void three_kinds_of_bad_packets_are_refused(void **state)
{
    (void)state;
    const struct workload_result *result = measure_all("W7:10:W2");
    assert_non_null(strstr(result->what, "(EAFNOSUPPORT, EACCES, EPERM)"));
    for (size_t i = 0; i < result->engine_count; i++)
        if (result->engines[i].fault[0] == '\0')
            assert_int_equal(result->engines[i].refused, result->engines[i].packets / 256 * 25);
    measure_all("W7:100");
}

static void what_a_workload_has_set_up_is_taken_away(void **state)
{
    const struct engine *engines[] = { engines_find("prebuilt") };

    (void)state;
    measure(&place, "W7:10:W2", engines, 1);
    assert_false(netns_forbid(netns, false, &reason));
    measure(&place, "W8", engines, 1);
    assert_false(netns_press(netns, false, &reason));
}

static void engines_that_wait_lose_nothing_under_pressure(void **state)
{
    const struct engine *engines[] = { engines_find("sendto-loop"), engines_find("prebuilt"),
                                       engines_find("udpbatch_send"), engines_find("udpbatch") };
    (void)state;
    const struct workload_result *result = measure(&place, "W8", engines, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(result->engines[i].fault, "");
        assert_int_equal(result->engines[i].lost, 0);
        assert_true(result->engines[i].packets > 0);
    }
}

/* Frames that one call of the engine makes of a workload. */
static uint64_t frames_of(const char *name, const struct udpbatch_packet *packets, size_t n)
{
    const struct engine *engine = engines_find(name);
    struct arrivals before = arrived(), now;
    int fd = near_socket();
    void *self = engine->open(engine, fd, packets, n);

    assert_non_null(self);
    assert_int_equal(engine->send(self).sent, n);
    engine->close(self);
    close(fd);
    now = arrived();
    for (int ms = 0; now.bytes - before.bytes < n * packets->len && ms < PATIENCE_MS; ms++) {
        clock_sleep_ns(NS_PER_MS);
        now = arrived();
    }
    return now.frames - before.frames;
}

static void the_plain_engine_sends_no_trains(void **state)
{
    static const char payload[1000];
    struct port port = open_far_port(6);
    struct udpbatch_packet packets[20];

    (void)state;
    for (size_t i = 0; i < 20; i++)
        packets[i] = (struct udpbatch_packet){ .data = payload, .len = 1000, .to = &port.address };
    assert_int_equal(frames_of("udpbatch-plain", packets, 20), 20);
    if (kernel_has_trains())
        assert_int_equal(frames_of("udpbatch", packets, 20), 1);
    close(port.fd);
}

/* The engine that sends past the stack; where it is not to be had, the test ends. */
static const struct engine *engine_past_the_stack(void)
{
    const struct engine *engine = engines_find("udpbatch-xdp");
    const char *ci = getenv("CI");
    const char *why = "this is built without AF_XDP";

    if (engine != NULL)
        why = why_it_cannot_be_opened(engine, &place);
    if (why == NULL)
        return engine;
    print_message("cannot run here: %s\n", why);
    if (engine != NULL && ci != NULL && ci[0] != '\0')
        fail();
    skip();
    return NULL;
}

/* In its first calls it still asks the way, by two system calls for each target; and the first of
 * all goes by the socket, which sends each packet by itself, as there are no two to one target. The
 * call that is counted may be one that asks for some of them again, as it does after a second. A
 * kernel before 6.17 is woken up for every 32 frames. */
static void the_way_past_the_stack_is_known_before_it_is_timed(void **state)
{
    static const char *const texts[] = { "W1:64", "W1:200", "W1:1024", "W4:512" };
    const struct engine *engines[] = { engine_past_the_stack() };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bool is_known = false;
        for (int again = 0; again < 5 && !is_known; again++) {
            const struct workload_result *result = measure(&place, texts[i], engines, 1);
            const struct engine_result *each = &result->engines[0];
            if (each->fault[0] != '\0')
                fail_msg("%s: %s", texts[i], each->fault);
            assert_int_equal(each->lost, 0);
            double packets = (double)result->packets;
            is_known = each->syscalls_per_packet * packets < 32 + packets / 16;
        }
        assert_true(is_known);
    }
}

static void how_frames_are_given_to_the_device_is_told(void **state)
{
    const struct engine *engines[] = { engine_past_the_stack() };

    (void)state;
    const struct workload_result *result = measure(&place, "W1:8", engines, 1);
    assert_string_equal(result->engines[0].uses, "xdp, copy mode");
}

static void who_passes_by_the_packet_filter_has_no_figures(void **state)
{
    const struct engine *engines[] = { engine_past_the_stack(), engines_find("prebuilt") };

    (void)state;
    const struct workload_result *result = measure(&place, "W7", engines, 2);
    assert_non_null(strstr(result->engines[0].fault, "it passes by the packet filter, which had"));
    assert_false(result->engines[0].packets_per_second.known);
    assert_string_equal(result->engines[1].fault, "");
}

static void every_engine_that_receives_gets_all(void **state)
{
    const struct engine *engines[ENGINES_MAX];
    size_t count = engines_list(RECEIVING, engines);

    (void)state;
    assert_true(count > 3);
    const struct workload_result *result = measure(&place, "W3", engines, count);
    for (size_t i = 0; i < count; i++) {
        const struct engine_result *each = &result->engines[i];
        assert_string_equal(each->fault, "");
        assert_true(each->packets_per_second.known && each->ratio_to_baseline.known);
        assert_int_equal(each->packets % 64, 0);
        assert_int_equal(each->lost, 0);
    }
}

static void what_never_arrives_is_lost(void **state)
{
    const struct engine *engines[] = { &lossy, engines_find("prebuilt") };

    (void)state;
    const struct workload_result *result = measure(&place, "W2:20", engines, 2);
    assert_string_equal(result->engines[0].fault, "");
    assert_true(result->engines[0].lost > 0);
    assert_int_equal(result->engines[0].lost % 20, 0);
    assert_int_equal(result->engines[1].lost, 0);
}

/* ---- Segmentation offload, last: it stays off ----------------------------------------------- */

/* Ten segments of 100 bytes. Returns false if the kernel knows no such thing. */
static bool send_train(int fd, const union udpbatch_addr *to)
{
    static const char payload[1000];
    if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &(int){ 100 }, sizeof(int)) < 0)
        return false;
    assert_int_equal(send_to(fd, to, payload, sizeof payload), sizeof payload);
    return true;
}

static void a_train_arrives_whole_until_segmentation_is_off(void **state)
{
    struct port port = open_far_port(5);
    struct arrivals before = arrived();
    struct device device;
    int fd = near_socket();

    (void)state;
    if (!send_train(fd, &port.address)) {
        print_message("cannot run here: UDP_SEGMENT is not known to this kernel\n");
        skip();
    }
    expect_arrivals(before, 1, 1000 + HEADERS);
    device_describe(&device, NETNS_DEVICE);
    assert_int_equal(device.mtu, 1500);
    assert_int_equal(device.offloads[OFFLOAD_UDP_SEGMENTATION], OFFLOAD_ON);

    if (!device_segmentation_off(NETNS_DEVICE, &reason))
        fail_msg("%s", reason.text);
    before = arrived();
    assert_true(send_train(fd, &port.address));
    expect_arrivals(before, 10, 10 * (100 + HEADERS));
    device_describe(&device, NETNS_DEVICE);
    assert_int_equal(device.offloads[OFFLOAD_UDP_SEGMENTATION], OFFLOAD_OFF);
    close(fd);
    close(port.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_target_has_an_address_of_its_own),
        cmocka_unit_test(arrivals_are_counted_exactly),
        cmocka_unit_test(what_is_dropped_is_counted_and_never_received),
        cmocka_unit_test(the_far_side_knows_whom_to_answer_after_it_has_dropped),
        cmocka_unit_test(pressure_fills_a_socket_that_does_not_wait),
        cmocka_unit_test(what_is_forbidden_gives_eperm_and_the_rest_passes),
        cmocka_unit_test(without_privilege_the_reason_says_what_to_do),
        cmocka_unit_test(every_engine_is_measured_without_a_loss),
        cmocka_unit_test(three_kinds_of_bad_packets_are_refused),
        cmocka_unit_test(what_a_workload_has_set_up_is_taken_away),
        cmocka_unit_test(engines_that_wait_lose_nothing_under_pressure),
        cmocka_unit_test(the_plain_engine_sends_no_trains),
        cmocka_unit_test(the_way_past_the_stack_is_known_before_it_is_timed),
        cmocka_unit_test(how_frames_are_given_to_the_device_is_told),
        cmocka_unit_test(who_passes_by_the_packet_filter_has_no_figures),
        cmocka_unit_test(every_engine_that_receives_gets_all),
        cmocka_unit_test(what_never_arrives_is_lost),
        cmocka_unit_test(a_train_arrives_whole_until_segmentation_is_off),
    };
    const char *ci = getenv("CI");

    alarm(100);
    if (!open_place()) {
        printf("cannot run here: %s\n", reason.text);
        return ci != NULL && ci[0] != '\0' ? EXIT_FAILURE : EXIT_SKIP;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    place_close(&place);
    return failed;
}
