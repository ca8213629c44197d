/* test_frame.c: frames and their checksums, against the RFCs read again byte by byte.
 *
 * All that is expected is made here of bytes in network order, so that no word of this machine's is
 * taken for one of the wire. */
#include "frame.h"

#include "chance.h"
#include "system.h"

/* ---- Payloads in pieces ---------------------------------------------------------------------- */

enum { PAYLOAD_MOST = 65527, PIECES_MOST = 64 };

static unsigned char payload[PAYLOAD_MOST];
static struct udpbatch_piece pieces[PIECES_MOST];
static uint32_t piece_count;

/* Each piece lies in memory of its own, as long as it is, so that a checker of memory sees who
 * reads beyond it. */
static unsigned char *homes[PIECES_MOST];

static void begin_pieces(void)
{
    for (uint32_t i = 0; i < piece_count; i++)
        free(homes[i]);
    piece_count = 0;
}

/* The piece may begin at any address. */
static void add_piece(const unsigned char *data, size_t len, size_t misalignment)
{
    unsigned char *home = malloc(misalignment + len + (misalignment + len == 0));

    assert_non_null(home);
    assert_true(piece_count < PIECES_MOST);
    memcpy(home + misalignment, data, len);
    homes[piece_count] = home;
    pieces[piece_count++] = (struct udpbatch_piece){ home + misalignment, len };
}

static void add_nothing(void)
{
    homes[piece_count] = NULL;
    pieces[piece_count++] = (struct udpbatch_piece){ NULL, 0 };
}

static void cut_at_random(size_t len)
{
    const uint32_t most = 1 + below(one_in(4) ? PIECES_MOST - 1 : 4);
    size_t from = 0;

    begin_pieces();
    if (len == 0 && one_in(2)) /* a list of no pieces */
        return;
    while (piece_count + 1 < most) {
        const size_t part = one_in(2) ? below((unsigned)(len - from) + 1) : below(8);
        if (one_in(6))
            add_nothing();
        else if (part <= len - from) {
            add_piece(payload + from, part, below(9));
            from += part;
        }
    }
    add_piece(payload + from, len - from, below(9));
}

static void random_payload(size_t len)
{
    static const unsigned char likely[] = { 0, 0xff, 0xff, 1, 0x80 };
    const bool is_dull = one_in(3);

    for (size_t i = 0; i < len; i++)
        payload[i] = (unsigned char)(is_dull ? likely[below(sizeof likely)] : below(256));
}

static void whole_payload(size_t len)
{
    begin_pieces();
    add_piece(payload, len, 0);
}

/* ---- Sums, by brute force -------------------------------------------------------------------- */

/* RFC 1071, 1: bytes in pairs, a zero behind the last odd one, each carry brought around. */
static unsigned sum_by_hand(unsigned sum, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 2) {
        sum += (unsigned)bytes[i] << 8 | (i + 1 < len ? bytes[i + 1] : 0u);
        if (sum > 0xffff)
            sum = sum - 0x10000 + 1;
    }
    return sum;
}

static unsigned add_by_hand(unsigned sum, unsigned word)
{
    const unsigned char bytes[] = { (unsigned char)(word >> 8), (unsigned char)word };
    return sum_by_hand(sum, bytes, 2);
}

static void expect_sum(size_t len)
{
    assert_int_equal(ntohs(ub_frame_sum(pieces, piece_count)), sum_by_hand(0, payload, len));
}

static void the_example_of_rfc_1071_has_its_sum(void **state)
{
    static const unsigned char example[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
    const struct udpbatch_piece parts[] = { { example, 3 }, { NULL, 0 }, { example + 3, 5 } };

    (void)state;
    assert_int_equal(ntohs(ub_frame_sum(&(struct udpbatch_piece){ example, 8 }, 1)), 0xddf2);
    assert_int_equal(ntohs(ub_frame_sum(parts, 3)), 0xddf2);
}

static void nothing_has_a_sum_of_zero(void **state)
{
    (void)state;
    begin_pieces();
    assert_int_equal(ub_frame_sum(NULL, 0), 0);
    add_nothing();
    assert_int_equal(ub_frame_sum(pieces, piece_count), 0);
    add_nothing();
    assert_int_equal(ub_frame_sum(pieces, piece_count), 0);
}

static void every_pair_of_bytes_has_its_sum_however_it_is_cut(void **state)
{
    const struct udpbatch_piece whole = { payload, 2 };
    const struct udpbatch_piece cut[] = { { payload, 1 }, { NULL, 0 }, { payload + 1, 1 } };

    (void)state;
    for (unsigned word = 0; word <= 0xffff; word++) {
        payload[0] = (unsigned char)(word >> 8);
        payload[1] = (unsigned char)word;
        assert_int_equal(ntohs(ub_frame_sum(&whole, 1)), word);
        assert_int_equal(ntohs(ub_frame_sum(cut, 3)), word);
        assert_int_equal(ntohs(ub_frame_sum(cut, 1)), word & 0xff00);
    }
}

/* All places of a cut or two, in all lengths that take each way through a sum of long words. */
static void a_sum_is_the_same_wherever_it_is_cut(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 150; len++) {
        random_payload(len);
        for (size_t a = 0; a <= len; a++) {
            const size_t b = a + below((unsigned)(len - a) + 1);
            const struct udpbatch_piece cut[] = {
                { payload, a }, { payload + a, b - a }, { NULL, 0 }, { payload + b, len - b }
            };
            assert_int_equal(ntohs(ub_frame_sum(cut, 4)), sum_by_hand(0, payload, len));
        }
    }
}

static void every_length_has_its_sum_at_every_address(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 300; len++)
        for (size_t misalignment = 0; misalignment < 8; misalignment++) {
            random_payload(len);
            begin_pieces();
            add_piece(payload, len, misalignment);
            expect_sum(len);
        }
}

/* Each addition carries, in words of every length. */
static void carries_are_brought_around(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 1500; len++) {
        memset(payload, 0xff, len);
        whole_payload(len);
        expect_sum(len);
    }
    memset(payload, 0xff, sizeof payload);
    whole_payload(sizeof payload);
    expect_sum(sizeof payload);
}

/* Eight bytes of ones but for the last bit of one, and a one elsewhere: carries begin and end at
 * every place. */
static void a_carry_from_any_place_is_brought_around(void **state)
{
    enum { LEN = 160 };

    (void)state;
    for (size_t high = 0; high < LEN; high++)
        for (size_t low = 0; low < LEN; low++) {
            memset(payload, 0, LEN);
            memset(payload + high - high % 8, 0xff, 8);
            payload[high] = 0xfe;
            payload[low] = (unsigned char)(payload[low] + 1 + (low == high));
            const struct udpbatch_piece piece = { payload, LEN };
            assert_int_equal(ntohs(ub_frame_sum(&piece, 1)), sum_by_hand(0, payload, LEN));
        }
}

static void random_pieces_have_their_sum(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        const size_t len = below(one_in(2) ? 100 : one_in(50) ? PAYLOAD_MOST + 1 : 2000);
        random_payload(len);
        cut_at_random(len);
        expect_sum(len);
    }
}

/* ---- Frames, by brute force ------------------------------------------------------------------ */

enum { GUARD = 64, GUARD_BYTE = 0xa5 };

static unsigned char memory[GUARD + UB_FRAME_HEADERS_MOST + PAYLOAD_MOST + GUARD];
static unsigned char *frame; /* somewhere in it */
static size_t frame_len;

static struct ub_frame_flow flow;
static struct ub_frame_headers headers;
static struct ub_frame_datagram datagram;

static void put_word(unsigned char *at, unsigned word)
{
    at[0] = (unsigned char)(word >> 8);
    at[1] = (unsigned char)word;
}

static unsigned word_at(size_t offset)
{
    return (unsigned)frame[offset] << 8 | frame[offset + 1];
}

static void random_bytes(unsigned char *bytes, size_t len)
{
    const bool is_dull = one_in(10);
    const unsigned char dull = one_in(2) ? 0 : 0xff;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(is_dull ? dull : below(256));
}

static void random_flow(bool is_in4)
{
    unsigned char ports[4];

    random_bytes((unsigned char *)&flow, sizeof flow); /* also what is not to be looked at */
    flow.is_in4 = is_in4;
    random_bytes(flow.from_mac, UB_MAC);
    random_bytes(flow.to_mac, UB_MAC);
    random_bytes(flow.from, sizeof flow.from);
    random_bytes(flow.to, sizeof flow.to);
    random_bytes(ports, sizeof ports);
    memcpy(&flow.from_port, ports, 2);
    memcpy(&flow.to_port, ports + 2, 2);
    memset(&headers, GUARD_BYTE, sizeof headers);
    ub_frame_prepare(&headers, &flow);
}

static void random_datagram(size_t len)
{
    unsigned char id[2];

    random_bytes(id, sizeof id);
    datagram = (struct ub_frame_datagram){
        .pieces = pieces,
        .piece_count = piece_count,
        .len = (uint32_t)len,
        .sum = ub_frame_sum(pieces, piece_count),
        .tos = (uint8_t)below(256),
        .ttl = (uint8_t)below(256),
        .forbids_fragments = one_in(2),
    };
    memcpy(&datagram.id, id, sizeof id);
}

/* Writes the frame at any address, into memory whose bytes are known. */
static void write_frame(void)
{
    const size_t most = GUARD + UB_FRAME_HEADERS_MOST + datagram.len + GUARD;

    memset(memory, GUARD_BYTE, most);
    frame = memory + below(GUARD);
    frame_len = ub_frame_write(frame, &headers, &datagram);
}

static void expect_nothing_around(void)
{
    const unsigned char *end = frame + frame_len;

    for (const unsigned char *at = memory; at < frame; at++)
        if (*at != GUARD_BYTE)
            fail_msg("%d bytes before the frame: written", (int)(frame - at));
    for (const unsigned char *at = end; at < end + GUARD; at++)
        if (*at != GUARD_BYTE)
            fail_msg("%d bytes behind the frame: written", (int)(at - end));
}

static void expect_ethernet(unsigned type)
{
    assert_memory_equal(frame, flow.to_mac, 6);
    assert_memory_equal(frame + 6, flow.from_mac, 6);
    assert_int_equal(word_at(12), type);
}

/* RFC 791, 3.1. */
static void expect_in4(size_t len)
{
    unsigned char header[20] = { 0x45, datagram.tos };

    expect_ethernet(0x0800);
    assert_int_equal(frame[14], 0x45);
    assert_int_equal(frame[15], datagram.tos);
    assert_int_equal(word_at(16), 20 + 8 + len);
    assert_memory_equal(frame + 18, &datagram.id, 2);
    assert_int_equal(word_at(20), datagram.forbids_fragments ? 0x4000 : 0);
    assert_int_equal(frame[22], datagram.ttl);
    assert_int_equal(frame[23], 17);
    assert_memory_equal(frame + 26, flow.from, 4);
    assert_memory_equal(frame + 30, flow.to, 4);

    memcpy(header, frame + 14, sizeof header);
    put_word(header + 10, 0);
    assert_int_equal(word_at(24), ~sum_by_hand(0, header, sizeof header) & 0xffff);
}

/* RFC 8200, 3. */
static void expect_in6(size_t len)
{
    expect_ethernet(0x86dd);
    assert_int_equal(frame[14] >> 4, 6);
    assert_int_equal((frame[14] & 15) << 4 | frame[15] >> 4, datagram.tos);
    assert_int_equal(frame[15] & 15, 0); /* and the rest of the flow label */
    assert_int_equal(word_at(16), 0);
    assert_int_equal(word_at(18), 8 + len);
    assert_int_equal(frame[20], 17);
    assert_int_equal(frame[21], datagram.ttl);
    assert_memory_equal(frame + 22, flow.from, 16);
    assert_memory_equal(frame + 38, flow.to, 16);
}

/* The sum of the pseudo header: RFC 768, and RFC 8200, 8.1. */
static unsigned pseudo_sum(size_t udp_len)
{
    const size_t size = flow.is_in4 ? 4 : 16;
    unsigned sum = sum_by_hand(0, flow.from, size);

    sum = sum_by_hand(sum, flow.to, size);
    sum = add_by_hand(sum, 17);
    return add_by_hand(sum, (unsigned)udp_len);
}

/* RFC 768. The checksum twice: as a receiver looks at it, to whom both forms of zero are one, and
 * as a sender has to make it. Returns whether it came out as zero. */
static bool expect_udp(size_t len)
{
    const size_t udp = flow.is_in4 ? 14 + 20 : 14 + 40;
    unsigned sum = pseudo_sum(8 + len);

    assert_memory_equal(frame + udp, &flow.from_port, 2);
    assert_memory_equal(frame + udp + 2, &flow.to_port, 2);
    assert_int_equal(word_at(udp + 4), 8 + len);
    assert_memory_equal(frame + udp + 8, payload, len);
    assert_int_equal(sum_by_hand(sum, frame + udp, 8 + len), 0xffff);

    sum = sum_by_hand(sum, frame + udp, 6);
    sum = sum_by_hand(sum, payload, len);
    const unsigned checksum = ~sum & 0xffff;
    assert_int_equal(word_at(udp + 6), checksum == 0 ? 0xffff : checksum);
    return checksum == 0;
}

/* Returns whether the UDP checksum came out as zero. */
static bool expect_frame(size_t len)
{
    assert_int_equal(headers.len, 14 + (flow.is_in4 ? 20 : 40) + 8);
    assert_int_equal(frame_len, headers.len + len);
    expect_nothing_around();
    if (flow.is_in4)
        expect_in4(len);
    else
        expect_in6(len);
    return expect_udp(len);
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static void set_flow(int family, const char *from, const char *to)
{
    flow = (struct ub_frame_flow){
        .is_in4 = family == AF_INET,
        .from_mac = { 2, 0, 0, 0, 0, 1 },
        .to_mac = { 2, 0, 0, 0, 0, 2 },
        .from_port = htons(0x1234),
        .to_port = htons(53),
    };
    assert_int_equal(inet_pton(family, from, flow.from), 1);
    assert_int_equal(inet_pton(family, to, flow.to), 1);
    ub_frame_prepare(&headers, &flow);
}

static void set_hello(void)
{
    memcpy(payload, "hello", 5);
    whole_payload(5);
    datagram = (struct ub_frame_datagram){ .pieces = pieces,
                                           .piece_count = piece_count,
                                           .len = 5,
                                           .sum = ub_frame_sum(pieces, piece_count),
                                           .ttl = 64 };
}

static void expect_bytes(const unsigned char *bytes, size_t len)
{
    assert_int_equal(frame_len, len);
    assert_memory_equal(frame, bytes, len);
}

/* IPv4's words: 4500 + 0021 + 1234 + 4000 + 4011 + c000 + 0201 + c633 + 6407 = 2c3a1, with the
 * carries around c3a3, of which 3c5c is the complement. UDP's: c000 + 0201 + c633 + 6407 + 0011 +
 * 000d + 1234 + 0035 + 000d + 6865 + 6c6c + 6f00 = 342a0; 42a3; bd5c. */
static void a_known_datagram_of_ipv4_is_as_its_words_add_up(void **state)
{
    static const unsigned char known[] = {
        0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
        0x08, 0x00, 0x45, 0x00, 0x00, 0x21, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11,
        0x3c, 0x5c, 0xc0, 0x00, 0x02, 0x01, 0xc6, 0x33, 0x64, 0x07, 0x12, 0x34,
        0x00, 0x35, 0x00, 0x0d, 0xbd, 0x5c, 'h',  'e',  'l',  'l',  'o',
    };
    (void)state;
    set_flow(AF_INET, "192.0.2.1", "198.51.100.7");
    set_hello();
    datagram.id = htons(0x1234);
    datagram.forbids_fragments = true;
    write_frame();
    expect_bytes(known, sizeof known);
}

/* UDP's words: 2001 + 0db8 + 0001 + 2001 + 0db8 + 0002 + 0011 + 000d + 1234 + 0035 + 000d + 6865 +
 * 6c6c + 6f00 = 1b1da; b1db; 4e24. */
static void a_known_datagram_of_ipv6_is_as_its_words_add_up(void **state)
{
    static const unsigned char known[] = {
        0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd,
        0x6b, 0x80, 0x00, 0x00, 0x00, 0x0d, 0x11, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x20, 0x01, 0x0d, 0xb8,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x12, 0x34,
        0x00, 0x35, 0x00, 0x0d, 0x4e, 0x24, 'h',  'e',  'l',  'l',  'o',
    };
    (void)state;
    set_flow(AF_INET6, "2001:db8::1", "2001:db8::2");
    set_hello();
    datagram.tos = 0xb8;
    write_frame();
    expect_bytes(known, sizeof known);
}

/* Of all payloads of two bytes one makes the checksum come out as zero; of one flow in 65,535 two
 * do, which are the two forms of zero. */
static void a_checksum_of_zero_is_sent_as_ones(void **state)
{
    (void)state;
    for (int is_in4 = 0; is_in4 < 2; is_in4++) {
        unsigned zeros = 0;
        random_flow(is_in4 != 0);
        random_payload(2);
        for (unsigned word = 0; word <= 0xffff; word++) {
            put_word(payload, word);
            whole_payload(2);
            random_datagram(2);
            write_frame();
            zeros += expect_frame(2);
        }
        assert_in_range(zeros, 1, 2);
    }
}

/* Each value of what a datagram adds, beside random others. */
static void every_value_of_a_field_has_its_place(void **state)
{
    (void)state;
    for (unsigned value = 0; value <= 0xffff; value++) {
        const unsigned char id[] = { (unsigned char)(value >> 8), (unsigned char)value };
        if (value % 64 == 0)
            random_flow(value % 128 == 0);
        random_payload(3);
        whole_payload(3);
        random_datagram(3);
        memcpy(&datagram.id, id, sizeof id);
        datagram.tos = (uint8_t)value;
        datagram.ttl = (uint8_t)(value >> 8);
        write_frame();
        expect_frame(3);
    }
}

static void the_longest_datagrams_have_room_in_their_length_fields(void **state)
{
    static const size_t longest[] = { 65535 - 8, 65535 - 8 - 20 }; /* IPv6, IPv4 */

    (void)state;
    for (int is_in4 = 0; is_in4 < 2; is_in4++)
        for (size_t len = longest[is_in4] - 2; len <= longest[is_in4]; len++) {
            random_flow(is_in4 != 0);
            random_payload(len);
            cut_at_random(len);
            random_datagram(len);
            write_frame();
            expect_frame(len);
        }
}

static void headers_serve_many_datagrams(void **state)
{
    struct ub_frame_headers before;

    (void)state;
    for (int is_in4 = 0; is_in4 < 2; is_in4++) {
        random_flow(is_in4 != 0);
        memcpy(&before, &headers, sizeof before);
        for (size_t len = 0; len < 1500; len++) {
            random_payload(len);
            cut_at_random(len);
            random_datagram(len);
            write_frame();
            expect_frame(len);
        }
        assert_memory_equal(&before, &headers, sizeof before);
    }
}

static void random_datagrams_are_as_the_rfcs_say(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        const size_t len = below(one_in(3) ? 20 : one_in(4) ? 9001 : 1500);
        random_flow(one_in(2));
        random_payload(len);
        cut_at_random(len);
        random_datagram(len);
        write_frame();
        expect_frame(len);
    }
}

static int begin_chance(void **state)
{
    (void)state;
    chance_begin();
    return 0;
}

static int free_pieces(void **state)
{
    (void)state;
    begin_pieces();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_1071_has_its_sum),
        cmocka_unit_test(nothing_has_a_sum_of_zero),
        cmocka_unit_test(every_pair_of_bytes_has_its_sum_however_it_is_cut),
        cmocka_unit_test(a_sum_is_the_same_wherever_it_is_cut),
        cmocka_unit_test(every_length_has_its_sum_at_every_address),
        cmocka_unit_test(carries_are_brought_around),
        cmocka_unit_test(a_carry_from_any_place_is_brought_around),
        cmocka_unit_test(random_pieces_have_their_sum),
        cmocka_unit_test(a_known_datagram_of_ipv4_is_as_its_words_add_up),
        cmocka_unit_test(a_known_datagram_of_ipv6_is_as_its_words_add_up),
        cmocka_unit_test(a_checksum_of_zero_is_sent_as_ones),
        cmocka_unit_test(every_value_of_a_field_has_its_place),
        cmocka_unit_test(the_longest_datagrams_have_room_in_their_length_fields),
        cmocka_unit_test(headers_serve_many_datagrams),
        cmocka_unit_test(random_datagrams_are_as_the_rfcs_say),
    };
    return cmocka_run_group_tests(tests, begin_chance, free_pieces);
}
