/* test_capture_parse.c: captured frames, of each link and in each odd form, become datagrams or are
 * told why not. */
#include "cli.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture_parse.h"
#include "chance.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum { TCP = 6, UDP = 17, ROUTING = 43, FRAGMENT = 44, ESP = 50, AUTHENTICATION = 51 };
enum { DESTINATION_OPTIONS = 60 };
enum { MORE_FRAGMENTS = 0x2000, DO_NOT_FRAGMENT = 0x4000 };

/* ---- Frames --------------------------------------------------------------------------------- */

struct frame {
    unsigned char bytes[512];
    size_t len;
};

static void put(struct frame *frame, const void *bytes, size_t len)
{
    assert_true(frame->len + len <= sizeof frame->bytes);
    memcpy(frame->bytes + frame->len, bytes, len);
    frame->len += len;
}

static void put_8(struct frame *frame, unsigned value)
{
    const unsigned char byte = (unsigned char)value;
    put(frame, &byte, 1);
}

static void put_16(struct frame *frame, unsigned value)
{
    put_8(frame, value >> 8);
    put_8(frame, value & 0xff);
}

static void put_zeros(struct frame *frame, size_t len)
{
    while (len-- > 0)
        put_8(frame, 0);
}

static void set_16(struct frame *frame, size_t at, unsigned value)
{
    frame->bytes[at] = (unsigned char)(value >> 8);
    frame->bytes[at + 1] = (unsigned char)value;
}

static void put_ethernet(struct frame *frame, unsigned type)
{
    put_zeros(frame, 12);
    put_16(frame, type);
}

/* With `options` words, for `len` bytes behind it. */
static void put_ipv4(struct frame *frame, unsigned options, unsigned protocol, unsigned fragment,
                     size_t len)
{
    put_8(frame, 0x45 + options);
    put_8(frame, 0);
    put_16(frame, (unsigned)(20 + options * 4 + len));
    put_16(frame, 1);
    put_16(frame, fragment);
    put_8(frame, 64);
    put_8(frame, protocol);
    put_16(frame, 0);
    put(frame, "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8); /* 192.0.2.1 to 192.0.2.2 */
    put_zeros(frame, (size_t)options * 4);
}

static void put_ipv6(struct frame *frame, unsigned next, size_t len)
{
    put(frame, "\x60\x00\x00\x00", 4);
    put_16(frame, (unsigned)len);
    put_8(frame, next);
    put_8(frame, 64);
    put(frame, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    put(frame, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
}

/* To port 9000; the text without its NUL is the payload. */
static void put_udp(struct frame *frame, const char *text)
{
    put_16(frame, 5000);
    put_16(frame, 9000);
    put_16(frame, (unsigned)(8 + strlen(text)));
    put_16(frame, 0);
    put(frame, text, strlen(text));
}

static struct frame ipv4_frame(const char *text)
{
    struct frame frame = { .len = 0 };
    put_ethernet(&frame, 0x0800);
    put_ipv4(&frame, 0, UDP, DO_NOT_FRAGMENT, 8 + strlen(text));
    put_udp(&frame, text);
    return frame;
}

static struct frame ipv6_frame(const char *text)
{
    struct frame frame = { .len = 0 };
    put_ethernet(&frame, 0x86dd);
    put_ipv6(&frame, UDP, 8 + strlen(text));
    put_udp(&frame, text);
    return frame;
}

/* The header of any length that is of any kind: of 8 bytes, or 12 for AUTHENTICATION. */
static void put_extension(struct frame *frame, unsigned kind, unsigned next)
{
    put_8(frame, next);
    put_8(frame, kind == AUTHENTICATION);
    put_zeros(frame, kind == AUTHENTICATION ? 10 : 6);
}

/* ---- What becomes of them ------------------------------------------------------------------- */

/* The bytes end where memory does: reading behind them is a fault in every build. */
static const unsigned char *at_the_edge(const void *bytes, size_t len)
{
    static unsigned char *page;
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);

    if (page == NULL) {
        page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(page != MAP_FAILED);
        assert_int_equal(mprotect(page + size, size, PROT_NONE), 0);
    }
    assert_true(len <= size);
    return memcpy(page + size - len, bytes, len);
}

/* Of the first `captured` bytes of a frame that had `len`. */
static enum capture_verdict parse(enum capture_link link, const struct frame *frame,
                                  size_t captured, size_t len, struct captured_datagram *datagram)
{
    const struct captured_frame seen = { at_the_edge(frame->bytes, captured), captured, len };
    const enum capture_verdict verdict = capture_parse(link, &seen, datagram);

    if (verdict == CAPTURE_DATAGRAM) {
        assert_true(datagram->data >= seen.bytes);
        assert_true(datagram->len <= (size_t)(seen.bytes + captured - datagram->data));
    }
    return verdict;
}

static void expect_datagram(enum capture_link link, const struct frame *frame, int family,
                            const char *text)
{
    struct captured_datagram datagram;
    char address[INET6_ADDRSTRLEN];

    assert_int_equal(parse(link, frame, frame->len, frame->len, &datagram), CAPTURE_DATAGRAM);
    assert_int_equal(datagram.len, strlen(text));
    assert_memory_equal(datagram.data, text, datagram.len);
    assert_int_equal(datagram.to.sa.sa_family, family);
    if (family == AF_INET) {
        inet_ntop(AF_INET, &datagram.to.in4.sin_addr, address, sizeof address);
        assert_string_equal(address, "192.0.2.2");
        assert_int_equal(ntohs(datagram.to.in4.sin_port), 9000);
    } else {
        inet_ntop(AF_INET6, &datagram.to.in6.sin6_addr, address, sizeof address);
        assert_string_equal(address, "2001:db8::2");
        assert_int_equal(ntohs(datagram.to.in6.sin6_port), 9000);
    }
}

static void expect_verdict(const struct frame *frame, enum capture_verdict verdict)
{
    struct captured_datagram datagram;
    assert_int_equal(parse(CAPTURE_ETHERNET, frame, frame->len, frame->len, &datagram), verdict);
}

/* ---- Links ---------------------------------------------------------------------------------- */

/* A header of each link, for IPv4 and IPv6. */
static const struct link_row {
    enum capture_link link;
    size_t len;
    const char *ipv4, *ipv6;
} link_rows[] = {
    { CAPTURE_ETHERNET, 14, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\x00",
      "\0\0\0\0\0\0\0\0\0\0\0\0\x86\xdd" },
    { CAPTURE_COOKED, 16, "\0\4\3\4\0\6\0\0\0\0\0\0\0\0\x08\x00",
      "\0\4\3\4\0\6\0\0\0\0\0\0\0\0\x86\xdd" },
    { CAPTURE_COOKED_2, 20, "\x08\x00\0\0\0\0\0\1\3\4\4\6\0\0\0\0\0\0\0\0",
      "\x86\xdd\0\0\0\0\0\1\3\4\4\6\0\0\0\0\0\0\0\0" },
    { CAPTURE_FAMILY, 4, "\2\0\0\0", "\x18\0\0\0" },
    { CAPTURE_FAMILY, 4, "\0\0\0\2", "\0\0\0\x1c" },
    { CAPTURE_FAMILY, 4, "\2\0\0\0", "\x1e\0\0\0" },
    { CAPTURE_FAMILY, 4, "\2\0\0\0", "\x0a\0\0\0" },
    { CAPTURE_RAW, 0, "", "" },
};

static struct frame frame_of(const struct link_row *row, int family)
{
    struct frame frame = { .len = 0 };

    put(&frame, family == AF_INET ? row->ipv4 : row->ipv6, row->len);
    if (family == AF_INET)
        put_ipv4(&frame, 0, UDP, 0, 8 + 5);
    else
        put_ipv6(&frame, UDP, 8 + 5);
    put_udp(&frame, "hello");
    return frame;
}

static void every_link_gives_its_datagram(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(link_rows); i++) {
        struct frame ipv4 = frame_of(&link_rows[i], AF_INET);
        expect_datagram(link_rows[i].link, &ipv4, AF_INET, "hello");
        struct frame ipv6 = frame_of(&link_rows[i], AF_INET6);
        expect_datagram(link_rows[i].link, &ipv6, AF_INET6, "hello");
    }
}

static void any_number_of_vlan_tags_is_skipped(void **state)
{
    static const unsigned types[] = { 0x8100, 0x88a8, 0x9100 };

    (void)state;
    for (unsigned tags = 1; tags <= 6; tags++) {
        struct frame frame = { .len = 0 };
        put_ethernet(&frame, types[0]);
        for (unsigned i = 1; i < tags; i++) {
            put_16(&frame, 42);
            put_16(&frame, types[i % COUNT_OF(types)]);
        }
        put_16(&frame, 42);
        put_16(&frame, 0x86dd);
        put_ipv6(&frame, UDP, 8 + 5);
        put_udp(&frame, "hello");
        expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET6, "hello");
    }
}

/* Below 0x600 it is the length of an IEEE 802.3 frame. */
static void other_types_are_other(void **state)
{
    static const unsigned types[] = { 0, 1, 0x0806, 0x05dc, 0x8847, 0x8864, 0x8101, 0xffff };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct frame frame = ipv4_frame("hello");
        set_16(&frame, 12, types[i]);
        expect_verdict(&frame, CAPTURE_OTHER);
    }
}

static void unknown_families_and_versions_are_other(void **state)
{
    static const char *const families[] = { "\0\0\0\0", "\2\0\0\2", "\0\2\0\0", "\7\0\0\0" };
    struct captured_datagram datagram;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        struct frame frame = frame_of(&link_rows[3], AF_INET);
        memcpy(frame.bytes, families[i], 4);
        assert_int_equal(parse(CAPTURE_FAMILY, &frame, frame.len, frame.len, &datagram),
                         CAPTURE_OTHER);
    }
    struct frame frame = frame_of(&link_rows[COUNT_OF(link_rows) - 1], AF_INET);
    frame.bytes[0] = 0x55;
    assert_int_equal(parse(CAPTURE_RAW, &frame, frame.len, frame.len, &datagram), CAPTURE_OTHER);
}

/* ---- Headers -------------------------------------------------------------------------------- */

static void options_of_ipv4_are_skipped(void **state)
{
    (void)state;
    for (unsigned options = 0; options <= 10; options++) {
        struct frame frame = { .len = 0 };
        put_ethernet(&frame, 0x0800);
        put_ipv4(&frame, options, UDP, 0, 8 + 5);
        put_udp(&frame, "hello");
        expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET, "hello");
    }
}

static void extension_headers_are_skipped(void **state)
{
    static const unsigned kinds[] = { 0, DESTINATION_OPTIONS, ROUTING, FRAGMENT, AUTHENTICATION };
    struct frame all = { .len = 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct frame frame = { .len = 0 };
        put_ethernet(&frame, 0x86dd);
        put_ipv6(&frame, kinds[i], (kinds[i] == AUTHENTICATION ? 12 : 8) + 8 + 5);
        put_extension(&frame, kinds[i], UDP);
        put_udp(&frame, "hello");
        expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET6, "hello");
    }
    put_ethernet(&all, 0x86dd);
    put_ipv6(&all, kinds[0], 4 * 8 + 12 + 8 + 5);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        put_extension(&all, kinds[i], i + 1 < COUNT_OF(kinds) ? kinds[i + 1] : UDP);
    put_udp(&all, "hello");
    expect_datagram(CAPTURE_ETHERNET, &all, AF_INET6, "hello");
}

static void a_long_extension_header_is_skipped(void **state)
{
    struct frame frame = { .len = 0 };

    (void)state;
    put_ethernet(&frame, 0x86dd);
    put_ipv6(&frame, ROUTING, 24 + 8 + 5);
    put_8(&frame, UDP);
    put_8(&frame, 2);
    put_zeros(&frame, 22);
    put_udp(&frame, "hello");
    expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET6, "hello");
}

static void other_protocols_are_other(void **state)
{
    static const unsigned protocols[] = { 1, TCP, ESP, 58, 59, 132, 136, 255 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        struct frame frame = ipv4_frame("hello");
        frame.bytes[14 + 9] = (unsigned char)protocols[i];
        expect_verdict(&frame, CAPTURE_OTHER);
        frame = ipv6_frame("hello");
        frame.bytes[14 + 6] = (unsigned char)protocols[i];
        expect_verdict(&frame, CAPTURE_OTHER);
    }
}

/* ---- Fragments ------------------------------------------------------------------------------ */

static void fragments_of_ipv4_are_told(void **state)
{
    static const unsigned fragments[] = { MORE_FRAGMENTS, MORE_FRAGMENTS | 185, 370, 1, 0x1fff };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fragments); i++) {
        struct frame frame = ipv4_frame("hello");
        set_16(&frame, 14 + 6, fragments[i]);
        expect_verdict(&frame, CAPTURE_FRAGMENT);
        frame.bytes[14 + 9] = TCP;
        expect_verdict(&frame, CAPTURE_OTHER);
    }
}

static struct frame ipv6_fragment(unsigned next, unsigned offset_and_more)
{
    struct frame frame = { .len = 0 };
    put_ethernet(&frame, 0x86dd);
    put_ipv6(&frame, FRAGMENT, 8 + 8 + 5);
    put_8(&frame, next);
    put_8(&frame, 0);
    put_16(&frame, offset_and_more);
    put_zeros(&frame, 4);
    put_udp(&frame, "hello");
    return frame;
}

static void fragments_of_ipv6_are_told(void **state)
{
    static const unsigned fragments[] = { 1, 185 << 3 | 1, 185 << 3, 8, 0xfff8 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fragments); i++) {
        struct frame frame = ipv6_fragment(UDP, fragments[i]);
        expect_verdict(&frame, CAPTURE_FRAGMENT);
        frame = ipv6_fragment(DESTINATION_OPTIONS, fragments[i]);
        expect_verdict(&frame, CAPTURE_FRAGMENT);
        frame = ipv6_fragment(TCP, fragments[i]);
        expect_verdict(&frame, CAPTURE_OTHER);
    }
}

static void an_atomic_fragment_is_whole(void **state)
{
    (void)state;
    struct frame frame = ipv6_fragment(UDP, 0);
    expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET6, "hello");
    frame = ipv6_fragment(UDP, 6); /* the reserved bits */
    expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET6, "hello");
}

/* ---- Lengths -------------------------------------------------------------------------------- */

static void padding_is_not_payload(void **state)
{
    static const char *const texts[] = { "hello", "" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct frame frame = ipv4_frame(texts[i]);
        put(&frame, "padding padding padding", 23);
        expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET, texts[i]);
        frame = ipv6_frame(texts[i]);
        put(&frame, "trailer", 7);
        expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET6, texts[i]);
    }
}

static void padding_that_was_not_captured_does_not_matter(void **state)
{
    struct captured_datagram datagram;

    (void)state;
    struct frame frame = ipv4_frame("hello");
    assert_int_equal(parse(CAPTURE_ETHERNET, &frame, frame.len, 60, &datagram), CAPTURE_DATAGRAM);
    assert_int_equal(datagram.len, 5);
}

static void an_empty_payload_is_a_datagram(void **state)
{
    (void)state;
    struct frame frame = ipv4_frame("");
    expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET, "");
    frame = ipv6_frame("");
    expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET6, "");
}

static void the_length_of_udp_counts_where_it_is_less(void **state)
{
    (void)state;
    struct frame frame = ipv4_frame("hello, world");
    set_16(&frame, 14 + 20 + 4, 8 + 5);
    expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET, "hello");
    frame = ipv6_frame("hello, world");
    set_16(&frame, 14 + 40 + 4, 8 + 5);
    expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET6, "hello");
}

static void a_length_of_0_left_to_the_device_is_that_of_the_frame(void **state)
{
    (void)state;
    struct frame frame = ipv4_frame("hello");
    set_16(&frame, 14 + 2, 0);
    expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET, "hello");
    frame = ipv6_frame("hello");
    set_16(&frame, 14 + 4, 0);
    expect_datagram(CAPTURE_ETHERNET, &frame, AF_INET6, "hello");
}

/* In a frame of IPv4: at the offset, this value of 16 bits. */
static void lengths_that_contradict_are_damage(void **state)
{
    static const struct {
        size_t at;
        unsigned value;
    } rows[] = {
        { 14, 0x4400 },      /* a header of 16 bytes */
        { 14, 0x4000 },      /* of 0 */
        { 14, 0x4f00 },      /* of 60, in a packet of 33 */
        { 14, 0x6500 },      /* another version than Ethernet's type */
        { 14 + 2, 19 },      /* a packet shorter than its header */
        { 14 + 2, 27 },      /* than UDP's */
        { 14 + 2, 34 },      /* longer than the frame */
        { 14 + 20 + 4, 0 },  /* as a jumbogram has it */
        { 14 + 20 + 4, 7 },  /* less than the header */
        { 14 + 20 + 4, 14 }, /* more than there is */
        { 14 + 20 + 4, 0xffff },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct frame frame = ipv4_frame("hello");
        set_16(&frame, rows[i].at, rows[i].value);
        expect_verdict(&frame, CAPTURE_DAMAGED);
    }
    struct frame frame = ipv6_frame("hello");
    set_16(&frame, 14 + 4, 14);
    expect_verdict(&frame, CAPTURE_DAMAGED);
    frame = ipv6_frame("hello");
    set_16(&frame, 14 + 4, 7);
    expect_verdict(&frame, CAPTURE_DAMAGED);
}

/* By a header of 16 bytes UDP's would begin in the destination, and fit. */
static void a_header_too_short_for_ipv4_is_damage(void **state)
{
    (void)state;
    struct frame frame = ipv4_frame("hello");
    set_16(&frame, 14 + 20, 8);
    frame.bytes[14] = 0x44;
    expect_verdict(&frame, CAPTURE_DAMAGED);
}

static void a_packet_of_another_version_than_its_type_is_damage(void **state)
{
    (void)state;
    struct frame frame = ipv4_frame("hello");
    set_16(&frame, 12, 0x86dd);
    expect_verdict(&frame, CAPTURE_DAMAGED);
    frame = ipv6_frame("hello");
    set_16(&frame, 12, 0x0800);
    expect_verdict(&frame, CAPTURE_DAMAGED);
}

/* What is there counts, if the capture says that the wire had less. */
static void a_length_on_the_wire_below_what_was_captured_does_not_matter(void **state)
{
    struct captured_datagram datagram;

    (void)state;
    struct frame frame = ipv4_frame("hello");
    assert_int_equal(parse(CAPTURE_ETHERNET, &frame, frame.len, 20, &datagram), CAPTURE_DATAGRAM);
    assert_int_equal(datagram.len, 5);
}

/* An extension header that says that it is longer than its packet. */
static void an_extension_header_beyond_its_packet_is_damage(void **state)
{
    struct frame frame = { .len = 0 };

    (void)state;
    put_ethernet(&frame, 0x86dd);
    put_ipv6(&frame, 0, 8 + 8 + 5);
    put_extension(&frame, 0, UDP);
    put_udp(&frame, "hello");
    frame.bytes[14 + 40 + 1] = 255;
    expect_verdict(&frame, CAPTURE_DAMAGED);
}

/* ---- Anything ------------------------------------------------------------------------------- */

/* If the wire had all, it is truncated; if not, it is damage. */
static void expect_every_cut_told(enum capture_link link, const struct frame *frame)
{
    struct captured_datagram datagram;

    for (size_t len = 0; len < frame->len; len++) {
        assert_int_equal(parse(link, frame, len, frame->len, &datagram), CAPTURE_TRUNCATED);
        assert_int_equal(parse(link, frame, len, len, &datagram), CAPTURE_DAMAGED);
    }
}

static void every_cut_of_a_frame_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(link_rows); i++) {
        struct frame ipv4 = frame_of(&link_rows[i], AF_INET);
        expect_every_cut_told(link_rows[i].link, &ipv4);
        struct frame ipv6 = frame_of(&link_rows[i], AF_INET6);
        expect_every_cut_told(link_rows[i].link, &ipv6);
    }
    struct frame fragment = ipv6_fragment(UDP, 0);
    expect_every_cut_told(CAPTURE_ETHERNET, &fragment);
    struct frame options = { .len = 0 };
    put_ethernet(&options, 0x88a8);
    put_16(&options, 1);
    put_16(&options, 0x0800);
    put_ipv4(&options, 10, UDP, 0, 8 + 5);
    put_udp(&options, "hello");
    expect_every_cut_told(CAPTURE_ETHERNET, &options);
}

/* `parse` checks that a datagram lies in its frame; the page behind, that nothing else is read. */
static void chance_reads_nothing_outside(void **state)
{
    enum { ROUNDS = 300000 };
    struct captured_datagram datagram;
    size_t datagrams = 0;

    (void)state;
    chance_begin();
    for (unsigned round = 0; round < ROUNDS; round++) {
        const struct link_row *row = &link_rows[below(COUNT_OF(link_rows))];
        struct frame frame = frame_of(row, one_in(2) ? AF_INET : AF_INET6);
        for (unsigned changes = below(8); changes > 0; changes--)
            frame.bytes[below((unsigned)frame.len)] = (unsigned char)below(256);
        size_t captured = one_in(2) ? frame.len : below((unsigned)frame.len + 1);
        datagrams += parse(row->link, &frame, captured, below(200), &datagram) == CAPTURE_DATAGRAM;
    }
    assert_true(datagrams > ROUNDS / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_gives_its_datagram),
        cmocka_unit_test(any_number_of_vlan_tags_is_skipped),
        cmocka_unit_test(other_types_are_other),
        cmocka_unit_test(unknown_families_and_versions_are_other),
        cmocka_unit_test(options_of_ipv4_are_skipped),
        cmocka_unit_test(extension_headers_are_skipped),
        cmocka_unit_test(a_long_extension_header_is_skipped),
        cmocka_unit_test(other_protocols_are_other),
        cmocka_unit_test(fragments_of_ipv4_are_told),
        cmocka_unit_test(fragments_of_ipv6_are_told),
        cmocka_unit_test(an_atomic_fragment_is_whole),
        cmocka_unit_test(padding_is_not_payload),
        cmocka_unit_test(padding_that_was_not_captured_does_not_matter),
        cmocka_unit_test(an_empty_payload_is_a_datagram),
        cmocka_unit_test(the_length_of_udp_counts_where_it_is_less),
        cmocka_unit_test(a_length_of_0_left_to_the_device_is_that_of_the_frame),
        cmocka_unit_test(lengths_that_contradict_are_damage),
        cmocka_unit_test(a_header_too_short_for_ipv4_is_damage),
        cmocka_unit_test(a_packet_of_another_version_than_its_type_is_damage),
        cmocka_unit_test(a_length_on_the_wire_below_what_was_captured_does_not_matter),
        cmocka_unit_test(an_extension_header_beyond_its_packet_is_damage),
        cmocka_unit_test(every_cut_of_a_frame_is_told),
        cmocka_unit_test(chance_reads_nothing_outside),
    };
    return cmocka_run_group_tests_name("test_capture_parse", tests, NULL, NULL);
}
