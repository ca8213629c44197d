/* test_capture_source.c: real files and pipes, with captures that libpcap wrote, become payloads.
 *
 * The time is made up: only sleeping lets it pass. So is the interrupt. */
#include "cli.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "address.h"
#include "capture_source.h"
#include "chance.h"
#include "clock.h"
#include "interrupt.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* LINKTYPE_RAW is what files have for DLT_RAW. */
enum { TICKS_MS = 20, IP_HEADERS = 28, LINKTYPE_RAW = 101 };

/* ---- What is made up ------------------------------------------------------------------------ */

static uint64_t made_up_ns = UINT64_C(1000) * NS_PER_SECOND;
static uint64_t slept_ns; /* by the last sleep */
static bool made_up_interrupt;

uint64_t __wrap_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void)
{
    return made_up_ns;
}

void __wrap_clock_sleep_ns(uint64_t ns);
void __wrap_clock_sleep_ns(uint64_t ns)
{
    slept_ns = ns;
    made_up_ns += ns;
}

bool __wrap_interrupted(void);
bool __wrap_interrupted(void)
{
    return made_up_interrupt;
}

/* ---- Captures ------------------------------------------------------------------------------- */

/* A file in memory, which a name opens too. */
struct capture {
    int fd;
    char name[40];
    pcap_t *pcap;
    pcap_dumper_t *dumper;
};

static void name_it(struct capture *capture)
{
    snprintf(capture->name, sizeof capture->name, "/proc/self/fd/%d", capture->fd);
}

/* A capture of this link, written to a descriptor. */
static struct capture capture_to(int fd, int link)
{
    struct capture capture = { .fd = fd };

    name_it(&capture);
    capture.pcap = pcap_open_dead_with_tstamp_precision(link, 65535, PCAP_TSTAMP_PRECISION_NANO);
    assert_non_null(capture.pcap);
    capture.dumper = pcap_dump_fopen(capture.pcap, fdopen(dup(fd), "w"));
    assert_non_null(capture.dumper);
    return capture;
}

static struct capture capture_begin(int link)
{
    const int fd = memfd_create("capture", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return capture_to(fd, link);
}

/* From here on it can be read. */
static void capture_flush(struct capture *capture)
{
    assert_int_equal(pcap_dump_flush(capture->dumper), 0);
}

static void capture_end(struct capture *capture)
{
    pcap_dump_close(capture->dumper);
    pcap_close(capture->pcap);
    if (capture->fd >= 0)
        close(capture->fd);
}

/* A frame of which `captured` bytes were kept. */
static void dump(struct capture *capture, uint64_t time_ns, const void *frame, size_t captured,
                 size_t len)
{
    const struct pcap_pkthdr header = { .ts = { (time_t)(time_ns / NS_PER_SECOND),
                                                (suseconds_t)(time_ns % NS_PER_SECOND) },
                                        .caplen = (bpf_u_int32)captured,
                                        .len = (bpf_u_int32)len };
    pcap_dump((unsigned char *)capture->dumper, &header, frame);
}

/* A packet of IPv4 to 192.0.2.LAST, port 9000, for a link that is raw IP. Returns its length. */
static size_t make_packet(unsigned char packet[65535], unsigned last, const void *payload,
                          size_t len)
{
    const unsigned char headers[IP_HEADERS] = { 0x45,
                                                0,
                                                (unsigned char)((len + IP_HEADERS) >> 8),
                                                (unsigned char)(len + IP_HEADERS),
                                                0,
                                                0,
                                                0,
                                                0,
                                                64,
                                                17,
                                                0,
                                                0,
                                                192,
                                                0,
                                                2,
                                                1,
                                                192,
                                                0,
                                                2,
                                                (unsigned char)last,
                                                0x10,
                                                0,
                                                9000 >> 8,
                                                9000 & 0xff,
                                                (unsigned char)((len + 8) >> 8),
                                                (unsigned char)(len + 8),
                                                0,
                                                0 };
    memcpy(packet, headers, sizeof headers);
    memcpy(packet + sizeof headers, payload, len);
    return len + sizeof headers;
}

static void dump_datagram_to(struct capture *capture, uint64_t time_ns, unsigned last,
                             const void *payload, size_t len)
{
    static unsigned char packet[65535];
    const size_t packet_len = make_packet(packet, last, payload, len);
    dump(capture, time_ns, packet, packet_len, packet_len);
}

static void dump_text(struct capture *capture, uint64_t time_ns, const char *text)
{
    dump_datagram_to(capture, time_ns, 2, text, strlen(text));
}

/* ---- Reading them --------------------------------------------------------------------------- */

static struct capture_source open_with(const struct capture_settings *settings)
{
    struct capture_source capture;
    struct reason reason;

    if (!capture_source_open(&capture, settings, &reason) ||
        !capture_source_begin(&capture, &reason))
        fail_msg("%s: %s", settings->name, reason.text);
    return capture;
}

static struct capture_source open_plain(const char *name)
{
    const struct capture_settings settings = { .name = name };
    return open_with(&settings);
}

static void close_source(struct capture_source *capture)
{
    capture->source.kind->close(&capture->source);
}

static size_t cut(struct capture_source *capture, struct udpbatch_packet *payloads, size_t n)
{
    return capture->source.kind->cut(&capture->source, payloads, n);
}

static void fill(struct capture_source *capture, int timeout_ms)
{
    capture->source.kind->fill(&capture->source, timeout_ms);
}

/* The next one; false if there is no more. */
static bool next(struct capture_source *capture, struct udpbatch_packet *payload)
{
    while (cut(capture, payload, 1) == 0) {
        if (capture->source.ended || capture->source.error != 0)
            return false;
        fill(capture, TICKS_MS);
    }
    return true;
}

static void expect_next(struct capture_source *capture, const char *text)
{
    struct udpbatch_packet payload;
    assert_true(next(capture, &payload));
    assert_int_equal(payload.len, strlen(text));
    assert_memory_equal(payload.data, text, payload.len);
}

static void expect_end(struct capture_source *capture)
{
    struct udpbatch_packet payload;
    assert_false(next(capture, &payload));
    assert_int_equal(capture->source.error, 0);
    assert_true(capture->source.ended);
}

static void expect_refused(const char *name, const char *begin, const char *rest)
{
    const struct capture_settings settings = { .name = name };
    struct capture_source capture;
    struct reason reason;

    assert_false(capture_source_open(&capture, &settings, &reason) &&
                 capture_source_begin(&capture, &reason));
    if (strncmp(reason.text, begin, strlen(begin)) != 0 || strstr(reason.text, rest) == NULL)
        fail_msg("%s: %s", name, reason.text);
    close_source(&capture);
}

/* ---- Files ---------------------------------------------------------------------------------- */

static void payloads_come_in_order_and_side_by_side(void **state)
{
    struct capture capture = capture_begin(DLT_RAW);
    struct udpbatch_packet payloads[8];

    (void)state;
    dump_text(&capture, 0, "one");
    dump_text(&capture, 0, "");
    dump_text(&capture, 0, "three");
    capture_flush(&capture);
    struct capture_source source = open_plain(capture.name);
    assert_true(next(&source, &payloads[0]));
    assert_int_equal(source.source.kind->left(&source.source), 2);
    assert_int_equal(cut(&source, payloads + 1, COUNT_OF(payloads) - 1), 2);
    assert_int_equal(source.source.kind->left(&source.source), 0);
    assert_memory_equal(payloads[0].data, "onethree", 8);
    assert_ptr_equal(payloads[1].data, (const char *)payloads[0].data + 3);
    assert_ptr_equal(payloads[2].data, (const char *)payloads[0].data + 3);
    assert_int_equal(payloads[1].len, 0);
    assert_int_equal(payloads[2].len, 5);
    assert_null(payloads[0].to);
    assert_int_equal(payloads[0].status, 0);
    assert_false(source.source.addressed);
    expect_end(&source);
    assert_int_equal(source.source.count, 3);
    close_source(&source);
    capture_end(&capture);
}

static void progress_is_the_position_in_the_file(void **state)
{
    struct capture capture = capture_begin(DLT_RAW);
    const uint64_t header = 24, record = 16 + IP_HEADERS + 4;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        dump_text(&capture, 0, "text");
    capture_flush(&capture);
    struct capture_source source = open_plain(capture.name);
    assert_int_equal(source.source.length, header + 3 * record);
    for (unsigned i = 1; i <= 3; i++) {
        expect_next(&source, "text");
        assert_int_equal(source.source.taken, header + i * record);
    }
    expect_end(&source);
    close_source(&source);
    capture_end(&capture);
}

/* More than fits into what is read ahead, in bytes and in packets. */
static void a_large_capture_comes_whole(void **state)
{
    enum { PACKETS = 5000, LONGEST = 65535 - IP_HEADERS };
    static uint32_t payload[(LONGEST + 3) / 4];
    struct capture capture = capture_begin(DLT_RAW);
    struct udpbatch_packet packet;

    (void)state;
    for (uint32_t i = 0; i < PACKETS; i++) {
        payload[0] = i;
        dump_datagram_to(&capture, 0, 2, payload, i % 50 == 0 ? LONGEST : 4 + i % 1000);
    }
    capture_flush(&capture);
    struct capture_source source = open_plain(capture.name);
    for (uint32_t i = 0; i < PACKETS; i++) {
        assert_true(next(&source, &packet));
        assert_int_equal(packet.len, i % 50 == 0 ? LONGEST : 4 + i % 1000);
        assert_memory_equal(packet.data, &i, sizeof i);
    }
    expect_end(&source);
    assert_int_equal(source.source.taken, source.source.length);
    close_source(&source);
    capture_end(&capture);
}

static void what_is_not_sent_is_counted(void **state)
{
    static unsigned char packet[65535];
    struct capture capture = capture_begin(DLT_RAW);
    const size_t len = make_packet(packet, 2, "text", 4);

    (void)state;
    dump(&capture, 0, packet, len - 1, len);
    dump(&capture, 0, packet, len, len);
    packet[6] = 0x20;
    for (unsigned i = 0; i < 2; i++)
        dump(&capture, 0, packet, len, len);
    packet[9] = 6;
    for (unsigned i = 0; i < 3; i++)
        dump(&capture, 0, packet, len, len);
    packet[3] = 3;
    for (unsigned i = 0; i < 4; i++)
        dump(&capture, 0, packet, len, len);
    capture_flush(&capture);
    struct capture_source source = open_plain(capture.name);
    expect_next(&source, "text");
    expect_end(&source);
    assert_int_equal(source.skipped.truncated, 1);
    assert_int_equal(source.skipped.fragments, 2);
    assert_int_equal(source.skipped.other, 3);
    assert_int_equal(source.skipped.damaged, 4);
    assert_int_equal(source.skipped.unmapped, 0);
    close_source(&source);
    capture_end(&capture);
}

static void a_capture_without_datagrams_ends(void **state)
{
    struct capture capture = capture_begin(DLT_EN10MB);

    (void)state;
    dump(&capture, 0, "not Ethernet, let alone UDP", 27, 27);
    capture_flush(&capture);
    struct capture_source source = open_plain(capture.name);
    expect_end(&source);
    assert_int_equal(source.source.count, 0);
    assert_int_equal(source.skipped.other, 1);
    close_source(&source);
    capture_end(&capture);
}

static void with_a_map_payloads_have_addresses(void **state)
{
    struct capture capture = capture_begin(DLT_RAW);
    struct address_map map = { 0 };
    struct udpbatch_packet payload;
    char text[ADDRESS_TEXT];
    struct reason reason;

    (void)state;
    assert_true(address_map_add(&map, "192.0.2.2=127.0.0.1", &reason));
    assert_true(address_map_add(&map, "192.0.2.3:9000=[::1]:7", &reason));
    assert_int_equal(address_map_choose_family(&map), AF_INET6);
    for (unsigned last = 1; last <= 4; last++)
        dump_datagram_to(&capture, 0, last, "text", 4);
    capture_flush(&capture);
    const struct capture_settings settings = { .name = capture.name, .map = &map };
    struct capture_source source = open_with(&settings);
    assert_true(source.source.addressed);
    assert_true(next(&source, &payload));
    assert_string_equal(address_write(payload.to, text), "127.0.0.1:9000");
    assert_int_equal(payload.to->sa.sa_family, AF_INET6);
    assert_true(next(&source, &payload));
    assert_string_equal(address_write(payload.to, text), "[::1]:7");
    expect_end(&source);
    assert_int_equal(source.skipped.unmapped, 2);
    close_source(&source);
    address_map_free(&map);
    capture_end(&capture);
}

static void every_link_is_taken_or_refused_by_name(void **state)
{
    static const int links[] = { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW,
                                 DLT_NULL,   DLT_LOOP,      DLT_IPV4,       DLT_IPV6 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        struct capture capture = capture_begin(links[i]);
        capture_flush(&capture);
        struct capture_source source = open_plain(capture.name);
        expect_end(&source);
        close_source(&source);
        capture_end(&capture);
    }
    struct capture capture = capture_begin(DLT_IEEE802_11);
    capture_flush(&capture);
    expect_refused(capture.name, capture.name, "its link type is IEEE802_11 (105)");
    capture_end(&capture);
}

/* A number of 16 bits and a zero, as they lie in memory. */
static uint32_t half(uint16_t number)
{
    const uint16_t halves[2] = { number, 0 };
    uint32_t both;

    memcpy(&both, halves, sizeof both);
    return both;
}

/* The same packet in blocks: a section, an interface, a name to be skipped, the packet. */
static void pcapng_is_read_too(void **state)
{
    static const char text[] = "text";
    unsigned char packet[65535];
    const uint32_t len = (uint32_t)make_packet(packet, 2, text, 4), block = 32 + len;
    const uint32_t section[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, half(1), UINT32_MAX, UINT32_MAX, 28 };
    const uint32_t interface[] = { 1, 20, half(LINKTYPE_RAW), 65535, 20 };
    const uint32_t unknown[] = { 0x0bad, 16, 0, 16 };
    const uint32_t header[] = { 6, block, 0, 0, 0, len, len };
    struct capture capture = { .fd = memfd_create("capture", MFD_CLOEXEC) };

    (void)state;
    assert_int_equal(len % 4, 0);
    name_it(&capture);
    assert_int_equal(write(capture.fd, section, sizeof section), sizeof section);
    assert_int_equal(write(capture.fd, interface, sizeof interface), sizeof interface);
    assert_int_equal(write(capture.fd, unknown, sizeof unknown), sizeof unknown);
    assert_int_equal(write(capture.fd, header, sizeof header), sizeof header);
    assert_int_equal(write(capture.fd, packet, len), len);
    assert_int_equal(write(capture.fd, &block, sizeof block), sizeof block);
    struct capture_source source = open_plain(capture.name);
    expect_next(&source, text);
    expect_end(&source);
    close_source(&source);
    close(capture.fd);
}

static void what_is_no_capture_is_refused(void **state)
{
    struct capture text = { .fd = memfd_create("text", MFD_CLOEXEC) };

    (void)state;
    name_it(&text);
    expect_refused(text.name, "cannot read ", "truncated dump file");
    assert_int_equal(write(text.fd, "This is no capture. It only has enough bytes.", 45), 45);
    expect_refused(text.name, "cannot read ", "unknown file format");
    expect_refused("/nowhere/at/all", "cannot read /nowhere/at/all: ", "No such file");
    expect_refused("/", "cannot read /: ", "Is a directory");
    expect_refused("/dev/null", "cannot read /dev/null: ", "truncated dump file");
    close(text.fd);
}

/* ---- Damage --------------------------------------------------------------------------------- */

static void what_was_before_the_damage_comes_first(void **state)
{
    const off_t header = 24, record = 16 + IP_HEADERS + 4;
    struct capture capture = capture_begin(DLT_RAW);
    struct udpbatch_packet payload;
    struct reason reason;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        dump_text(&capture, 0, "text");
    capture_flush(&capture);
    for (off_t end = header + 3 * record; end >= 0; end--) {
        assert_int_equal(ftruncate(capture.fd, end), 0);
        if (end < header) {
            expect_refused(capture.name, "cannot read ", "truncated dump file");
            continue;
        }
        struct capture_source source = open_plain(capture.name);
        for (off_t i = 0; i < (end - header) / record; i++)
            expect_next(&source, "text");
        assert_false(next(&source, &payload));
        assert_int_equal(source.source.error != 0, (end - header) % record != 0);
        assert_int_equal(source.source.ended, source.source.error == 0);
        if (source.source.error != 0) {
            source.source.kind->explain(&source.source, &reason);
            assert_int_equal(strncmp(reason.text, "cannot read /proc/self/fd/", 26), 0);
            assert_non_null(strstr(reason.text, "truncated dump file"));
        }
        close_source(&source);
    }
    capture_end(&capture);
}

static void chance_never_does_more_than_fail(void **state)
{
    enum { ROUNDS = 500 };
    struct udpbatch_packet payload;
    struct reason reason;
    unsigned opened = 0;

    (void)state;
    chance_begin();
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct capture capture = capture_begin(DLT_RAW);
        for (unsigned i = 0; i < 20; i++)
            dump_text(&capture, i, "text");
        capture_flush(&capture);
        const unsigned size = (unsigned)lseek(capture.fd, 0, SEEK_END);
        for (unsigned changes = 1 + below(20); changes > 0; changes--) {
            const unsigned char byte = (unsigned char)below(256);
            const off_t at = (off_t)below(one_in(4) ? 24 : size);
            assert_int_equal(pwrite(capture.fd, &byte, 1, at), 1);
        }
        const struct capture_settings settings = { .name = capture.name, .speed = 1e9 };
        struct capture_source source;
        assert_true(capture_source_open(&source, &settings, &reason));
        if (capture_source_begin(&source, &reason)) {
            opened++;
            for (unsigned i = 0; i < 20 && next(&source, &payload); i++)
                assert_true(payload.len <= 65535);
        }
        close_source(&source);
        capture_end(&capture);
    }
    assert_true(opened > 0);
}

/* ---- Pipes ---------------------------------------------------------------------------------- */

/* A pipe, into which a capture is written bit by bit. */
struct live {
    struct capture capture; /* in memory */
    int from, to;
    off_t at; /* so much of the capture is in the pipe */
    char name[40];
};

static struct live live_begin(void)
{
    struct live live = { .capture = capture_begin(DLT_RAW) };
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    live.from = ends[0];
    live.to = ends[1];
    snprintf(live.name, sizeof live.name, "/proc/self/fd/%d", live.from);
    return live;
}

/* Writes what is new, but for so many bytes. */
static void live_write(struct live *live, off_t but)
{
    char bytes[4096];

    capture_flush(&live->capture);
    const ssize_t count = pread(live->capture.fd, bytes, sizeof bytes, live->at) - (ssize_t)but;
    assert_true(count >= 0);
    assert_int_equal(write(live->to, bytes, (size_t)count), count);
    live->at += count;
}

static void live_end(struct live *live)
{
    if (live->to >= 0)
        close(live->to);
    close(live->from);
    capture_end(&live->capture);
}

static void what_came_is_given_while_the_pipe_is_silent(void **state)
{
    struct live live = live_begin();
    struct udpbatch_packet payload;

    (void)state;
    dump_text(&live.capture, 0, "one");
    dump_text(&live.capture, 0, "two");
    dump_text(&live.capture, 0, "three");
    live_write(&live, 3);
    struct capture_source source = open_plain(live.name);
    assert_int_equal(source.source.length, 0);
    expect_next(&source, "one");
    expect_next(&source, "two");
    /* In the middle of a record. */
    fill(&source, 1);
    fill(&source, 0);
    assert_int_equal(cut(&source, &payload, 1), 0);
    assert_false(source.source.ended);
    live_write(&live, 0);
    expect_next(&source, "three");
    dump_text(&live.capture, 0, "four");
    live_write(&live, 0);
    expect_next(&source, "four");
    close(live.to);
    live.to = -1;
    expect_end(&source);
    close_source(&source);
    live_end(&live);
}

/* The read end stays open here, so nothing but giving up ends the reader. */
static void a_silent_pipe_can_be_closed(void **state)
{
    struct live live = live_begin();

    (void)state;
    dump_text(&live.capture, 0, "one");
    dump_text(&live.capture, 0, "two");
    live_write(&live, 1);
    struct capture_source source = open_plain(live.name);
    expect_next(&source, "one");
    fill(&source, 0);
    close_source(&source);
    live_end(&live);
}

/* It is full with two batches of 1024, and its reader waits for room. */
static void a_full_source_can_be_closed(void **state)
{
    enum { FULL = 2 * 1024, PACKETS = 2 * FULL };
    struct capture capture = capture_begin(DLT_RAW);

    (void)state;
    for (unsigned i = 0; i < PACKETS; i++)
        dump_text(&capture, 0, "text");
    capture_flush(&capture);
    struct capture_source source = open_plain(capture.name);
    expect_next(&source, "text");
    while (source.source.kind->left(&source.source) < FULL - 1)
        fill(&source, 0);
    close_source(&source);
    capture_end(&capture);
}

static void an_interrupt_ends_the_wait_for_a_header(void **state)
{
    struct live live = live_begin();

    (void)state;
    made_up_interrupt = true;
    expect_refused(live.name, "cannot read /proc/self/fd/", "Interrupted system call");
    made_up_interrupt = false;
    live_end(&live);
}

static void standard_input_is_read(void **state)
{
    struct capture capture = capture_begin(DLT_RAW);
    const int before = dup(STDIN_FILENO);

    (void)state;
    dump_text(&capture, 0, "text");
    capture_flush(&capture);
    const int again = open(capture.name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(dup2(again, STDIN_FILENO), STDIN_FILENO);
    struct capture_source source = open_plain("-");
    assert_string_equal(source.source.name, "standard input");
    expect_next(&source, "text");
    expect_end(&source);
    close_source(&source);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
    dup2(before, STDIN_FILENO);
    close(before);
    close(again);
    capture_end(&capture);
}

/* ---- Time ----------------------------------------------------------------------------------- */

/* Waits for a payload that was read ahead: returns how long it slept. */
static uint64_t wait_once(struct capture_source *capture, int timeout_ms)
{
    slept_ns = 0;
    fill(capture, timeout_ms);
    return slept_ns;
}

static struct capture timed_capture(const uint64_t *times_ns, size_t n)
{
    struct capture capture = capture_begin(DLT_RAW);
    for (size_t i = 0; i < n; i++)
        dump_text(&capture, UINT64_C(1700000000) * NS_PER_SECOND + times_ns[i], "text");
    capture_flush(&capture);
    return capture;
}

static void payloads_are_cut_when_they_are_due(void **state)
{
    static const uint64_t times_ns[] = { 0, 10 * NS_PER_MS, 10 * NS_PER_MS, 30 * NS_PER_MS + 2 };
    struct capture capture = timed_capture(times_ns, COUNT_OF(times_ns));
    const struct capture_settings settings = { .name = capture.name, .speed = 2 };
    struct capture_source source = open_with(&settings);
    struct udpbatch_packet payloads[8];

    (void)state;
    while (cut(&source, payloads, 8) == 0)
        fill(&source, TICKS_MS);
    assert_int_equal(source.source.count, 1);
    assert_int_equal(cut(&source, payloads, 8), 0);
    assert_int_equal(wait_once(&source, TICKS_MS), 5 * NS_PER_MS);
    assert_int_equal(cut(&source, payloads, 8), 2);
    assert_int_equal(wait_once(&source, 3), 3 * NS_PER_MS);
    assert_int_equal(cut(&source, payloads, 8), 0);
    assert_int_equal(wait_once(&source, TICKS_MS), 7 * NS_PER_MS + 1);
    assert_int_equal(cut(&source, payloads, 8), 1);
    expect_end(&source);
    close_source(&source);
    capture_end(&capture);
}

static void a_source_that_is_late_catches_up(void **state)
{
    static const uint64_t times_ns[] = { 0, 10 * NS_PER_MS, 20 * NS_PER_MS, 40 * NS_PER_MS };
    struct capture capture = timed_capture(times_ns, COUNT_OF(times_ns));
    const struct capture_settings settings = { .name = capture.name, .speed = 1 };
    struct capture_source source = open_with(&settings);
    struct udpbatch_packet payloads[8];

    (void)state;
    while (cut(&source, payloads, 8) == 0)
        fill(&source, TICKS_MS);
    made_up_ns += 25 * NS_PER_MS;
    assert_int_equal(cut(&source, payloads, 8), 2);
    assert_int_equal(wait_once(&source, 100), 15 * NS_PER_MS);
    assert_int_equal(cut(&source, payloads, 8), 1);
    close_source(&source);
    capture_end(&capture);
}

static void what_is_not_yet_due_is_no_end(void **state)
{
    static const uint64_t times_ns[] = { 0, UINT64_C(3600) * NS_PER_SECOND };
    struct capture capture = timed_capture(times_ns, COUNT_OF(times_ns));
    const struct capture_settings settings = { .name = capture.name, .speed = 1 };
    struct capture_source source = open_with(&settings);
    const uint64_t begun_ns = made_up_ns;

    (void)state;
    expect_next(&source, "text");
    fill(&source, TICKS_MS);
    assert_false(source.source.ended);
    assert_int_equal(source.source.kind->left(&source.source), 1);
    expect_next(&source, "text");
    assert_true(made_up_ns - begun_ns == times_ns[1]);
    expect_end(&source);
    close_source(&source);
    capture_end(&capture);
}

static void without_a_speed_nothing_waits(void **state)
{
    static const uint64_t times_ns[] = { 0, UINT64_C(3600) * NS_PER_SECOND };
    struct capture capture = timed_capture(times_ns, COUNT_OF(times_ns));
    struct capture_source source = open_plain(capture.name);
    const uint64_t begun_ns = made_up_ns;

    (void)state;
    expect_next(&source, "text");
    expect_next(&source, "text");
    assert_true(made_up_ns == begun_ns);
    close_source(&source);
    capture_end(&capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_come_in_order_and_side_by_side),
        cmocka_unit_test(progress_is_the_position_in_the_file),
        cmocka_unit_test(a_large_capture_comes_whole),
        cmocka_unit_test(what_is_not_sent_is_counted),
        cmocka_unit_test(a_capture_without_datagrams_ends),
        cmocka_unit_test(with_a_map_payloads_have_addresses),
        cmocka_unit_test(every_link_is_taken_or_refused_by_name),
        cmocka_unit_test(pcapng_is_read_too),
        cmocka_unit_test(what_is_no_capture_is_refused),
        cmocka_unit_test(what_was_before_the_damage_comes_first),
        cmocka_unit_test(chance_never_does_more_than_fail),
        cmocka_unit_test(what_came_is_given_while_the_pipe_is_silent),
        cmocka_unit_test(a_silent_pipe_can_be_closed),
        cmocka_unit_test(a_full_source_can_be_closed),
        cmocka_unit_test(an_interrupt_ends_the_wait_for_a_header),
        cmocka_unit_test(standard_input_is_read),
        cmocka_unit_test(payloads_are_cut_when_they_are_due),
        cmocka_unit_test(a_source_that_is_late_catches_up),
        cmocka_unit_test(what_is_not_yet_due_is_no_end),
        cmocka_unit_test(without_a_speed_nothing_waits),
    };
    /* A wait that nothing ends fails the test, as it should. */
    alarm(100);
    return cmocka_run_group_tests_name("test_capture_source", tests, NULL, NULL);
}
