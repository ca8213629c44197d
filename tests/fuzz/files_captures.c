/* files_captures.c: captures as `send --pcap` reads them, beside libpcap by itself. The time is
 * made up: only sleeping lets it pass. */
#include "files.h"

#include <limits.h>
#include <pcap/pcap.h>
#include <string.h>

#include "capture_parse.h"
#include "capture_source.h"
#include "clock.h"
#include "memory_file.h"
#include "parts.h"
#include "scoped_address.h"

static uint64_t made_up_ns;

uint64_t __wrap_clock_now_ns(void);
void __wrap_clock_sleep_ns(uint64_t ns);

uint64_t __wrap_clock_now_ns(void)
{
    return made_up_ns;
}

void __wrap_clock_sleep_ns(uint64_t ns)
{
    made_up_ns += ns;
}

/* ---- By libpcap alone ----------------------------------------------------------------------- */

struct reference {
    pcap_t *pcap; /* NULL: it cannot be read */
    enum capture_link link;
    const struct address_map *map;
    struct capture_skipped skipped;
    int code; /* of libpcap: why there are no more */
};

static bool link_of(int type, enum capture_link *link)
{
    switch (type) {
    case DLT_EN10MB:
        *link = CAPTURE_ETHERNET;
        return true;
    case DLT_LINUX_SLL:
        *link = CAPTURE_COOKED;
        return true;
    case DLT_LINUX_SLL2:
        *link = CAPTURE_COOKED_2;
        return true;
    case DLT_NULL:
    case DLT_LOOP:
        *link = CAPTURE_FAMILY;
        return true;
    default:
        *link = CAPTURE_RAW; /* which has had these numbers */
        return type == 12 || type == 14 || type == 101 || type == DLT_IPV4 || type == DLT_IPV6;
    }
}

static struct reference reference_open(const char *name, const struct address_map *map)
{
    struct reference reference = { .map = map };
    char why[PCAP_ERRBUF_SIZE];

    reference.pcap = pcap_open_offline_with_tstamp_precision(name, PCAP_TSTAMP_PRECISION_NANO, why);
    if (reference.pcap != NULL && !link_of(pcap_datalink(reference.pcap), &reference.link)) {
        pcap_close(reference.pcap);
        reference.pcap = NULL;
    }
    return reference;
}

static void skip(struct capture_skipped *skipped, enum capture_verdict verdict)
{
    uint64_t *const counts[] = { &skipped->unmapped, &skipped->other, &skipped->fragments,
                                 &skipped->truncated, &skipped->damaged };
    ++*counts[verdict]; /* a datagram is skipped where the map does not have it */
}

/* Returns false if there is none left. */
static bool reference_next(struct reference *reference, struct captured_datagram *datagram)
{
    struct pcap_pkthdr *header;
    const unsigned char *bytes;

    while ((reference->code = pcap_next_ex(reference->pcap, &header, &bytes)) == 1) {
        const struct captured_frame frame = { bytes, header->caplen, header->len };
        const enum capture_verdict verdict = capture_parse(reference->link, &frame, datagram);
        const union udpbatch_addr to = datagram->to;
        if (verdict == CAPTURE_DATAGRAM &&
            (reference->map == NULL || address_map_find(reference->map, &to, &datagram->to)))
            return true;
        skip(&reference->skipped, verdict);
    }
    return false;
}

/* ---- Beside each other ---------------------------------------------------------------------- */

static void expect_next(struct reference *reference, const struct udpbatch_packet *payload)
{
    struct captured_datagram datagram;

    require(reference_next(reference, &datagram));
    require(payload->len == datagram.len && payload->status == 0);
    require(memcmp(payload->data, datagram.data, datagram.len) == 0);
    require((payload->to != NULL) == (reference->map != NULL));
    require(payload->to == NULL || same_scoped_address(payload->to, &datagram.to));
}

/* Returns false when there is no more. */
static bool compare_some(struct source *source, struct reference *reference, uint64_t *bytes)
{
    enum { SOME = 7 };
    struct udpbatch_packet payloads[SOME];
    size_t n;

    source->kind->fill(source, INT_MAX);
    while ((n = source->kind->cut(source, payloads, SOME)) > 0)
        for (size_t i = 0; i < n; i++) {
            expect_next(reference, &payloads[i]);
            *bytes += payloads[i].len;
        }
    require(source->taken >= *bytes);
    require(source->length == 0 || source->taken <= source->length);
    return !source->ended && source->error == 0;
}

static void expect_end(struct capture_source *capture, struct reference *reference)
{
    struct captured_datagram datagram;

    require(!reference_next(reference, &datagram));
    require(capture->source.ended == (reference->code == PCAP_ERROR_BREAK));
    require(memcmp(&capture->skipped, &reference->skipped, sizeof capture->skipped) == 0);
    require(capture->source.kind->left(&capture->source) == 0);
}

static void compare_all(struct capture_source *capture, struct reference *reference)
{
    const uint64_t doomsday_ns = UINT64_MAX / 2;
    uint64_t bytes = 0; /* of payload */

    made_up_ns = UINT64_C(1000) * NS_PER_SECOND;
    while (compare_some(&capture->source, reference, &bytes))
        if (made_up_ns > doomsday_ns)
            return;
    expect_end(capture, reference);
}

size_t compare_capture(const char *name, const struct capture_way *way)
{
    const struct capture_settings settings = { .name = name, .speed = way->speed, .map = way->map };
    struct reference reference = reference_open(name, way->map);
    struct capture_source capture;
    struct reason reason;
    size_t count = 0;

    parts_limit(way->part);
    require(capture_source_open(&capture, &settings, &reason));
    const bool good = capture_source_begin(&capture, &reason);
    require(good == (reference.pcap != NULL));
    if (good) {
        compare_all(&capture, &reference);
        count = (size_t)capture.source.count;
        pcap_close(reference.pcap);
    }
    capture.source.kind->close(&capture.source);
    parts_limit(0);
    return count;
}

void try_capture(struct fuzz_input *input)
{
    static const char *const rules[] = { "*=192.0.2.9", ":53=[2001:db8::1]:5353",
                                         "127.0.0.1=[::1]" };
    static const double speeds[] = { 0, 1, 0.001, 1e6 };
    const unsigned rule = take_below(input, 4);
    struct address_map map = { 0 };
    struct capture_way way = { .speed = speeds[take_below(input, 4)] };
    struct reason reason;

    way.part = take_part(input);
    if (rule < 3) {
        require(address_map_add(&map, rules[rule], &reason));
        way.map = &map;
    }
    compare_capture(memory_file(input->at, input->left), &way);
    address_map_free(&map);
}
