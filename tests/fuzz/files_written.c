/* files_written.c: what `recv --pcap` writes has all that is known of each packet. */
#include "files.h"

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "memory_file.h"
#include "parts.h"
#include "sink.h"

enum { PACKETS_MOST = 2 * SINK_PACKETS, PAYLOAD_MOST_IN4 = 65507 };

struct received {
    union udpbatch_addr bound;
    size_t count;
    struct udpbatch_received packets[PACKETS_MOST];
    union udpbatch_addr from[PACKETS_MOST];
    struct udpbatch_meta meta[PACKETS_MOST];
};

/* ---- What was received ---------------------------------------------------------------------- */

/* Of a socket of IPv6 some are v4-mapped. */
static union udpbatch_addr take_address(struct fuzz_input *input, bool in6_socket)
{
    const uint32_t host = take_32(input);
    union udpbatch_addr address = address_in4(host, take_16(input));

    if (in6_socket)
        address_map(&address);
    if (in6_socket && take_bool(input))
        take_bytes(input, &address.in6.sin6_addr, sizeof address.in6.sin6_addr);
    return address;
}

/* Times of a capture have 32 bits of seconds. */
static struct udpbatch_meta take_meta(struct fuzz_input *input, bool in6_socket)
{
    struct udpbatch_meta meta = { .flags = (uint32_t)take_8(input) << 16 };

    meta.local = take_address(input, in6_socket);
    meta.tos = take_8(input);
    meta.ttl = take_8(input);
    meta.time_ns = (uint64_t)take_32(input) * NS_PER_SECOND;
    meta.time_ns += take_32(input) % NS_PER_SECOND;
    return meta;
}

static void take_packet(struct fuzz_input *input, struct received *received, bool in6_socket)
{
    const size_t i = received->count++;
    const bool is_long = take_8(input) == 0xff;
    const uint32_t len = is_long ? take_16(input) % (PAYLOAD_MOST_IN4 + 1) : take_8(input) % 32;
    unsigned char *data = malloc(len > 0 ? len : 1);

    require(data != NULL);
    fill_by(data, len, (uint32_t)i);
    received->from[i] = take_address(input, in6_socket);
    received->meta[i] = take_meta(input, in6_socket);
    received->packets[i] = (struct udpbatch_received){
        .data = data, .len = len, .from = &received->from[i], .meta = &received->meta[i]
    };
}

static struct received *take_received(struct fuzz_input *input)
{
    struct received *received = calloc(1, sizeof *received);
    const bool in6_socket = take_bool(input);

    require(received != NULL);
    received->bound = take_address(input, in6_socket);
    while (input->left > 0 && received->count < PACKETS_MOST)
        take_packet(input, received, in6_socket);
    return received;
}

static void free_received(struct received *received)
{
    for (size_t i = 0; i < received->count; i++)
        free((void *)(uintptr_t)received->packets[i].data);
    free(received);
}

/* ---- What was written ----------------------------------------------------------------------- */

static void write_all(const struct received *received, const char *name)
{
    const struct sink_settings settings = { .name = name, .bound = &received->bound };
    struct sink sink;
    struct reason reason;
    size_t n;

    require(sink_open(&sink, &settings, &reason));
    for (size_t i = 0; i < received->count; i += n) {
        n = received->count - i < SINK_PACKETS ? received->count - i : SINK_PACKETS;
        require(sink_write(&sink, &received->packets[i], n, UINT64_MAX));
    }
    require(sink.packets == received->count && sink.error == 0);
    sink_close(&sink);
    require(sink.error == 0);
}

static void expect_address(const unsigned char *host, const unsigned char *port,
                           const union udpbatch_addr *address)
{
    const union udpbatch_addr plain = address_unmap(address);

    if (plain.sa.sa_family == AF_INET)
        require(memcmp(host, &plain.in4.sin_addr, sizeof plain.in4.sin_addr) == 0);
    else
        require(memcmp(host, &plain.in6.sin6_addr, sizeof plain.in6.sin6_addr) == 0);
    require(memcmp(port, &plain.in4.sin_port, sizeof plain.in4.sin_port) == 0);
}

/* The address that was told, where it is of the packet's family, and the port of the socket. */
static union udpbatch_addr destination(const struct received *received, size_t i)
{
    const struct udpbatch_meta *meta = &received->meta[i];
    const union udpbatch_addr from = address_unmap(&received->from[i]);
    const bool told = (meta->flags & UDPBATCH_META_CAME_TO) != 0;
    union udpbatch_addr to = address_unmap(told ? &meta->local : &received->bound);

    if (to.sa.sa_family != from.sa.sa_family)
        to = (union udpbatch_addr){ .sa = { .sa_family = from.sa.sa_family } };
    to.in4.sin_port = received->bound.in4.sin_port;
    return to;
}

static void expect_headers(const struct received *received, size_t i, const unsigned char *packet)
{
    const struct udpbatch_meta *meta = &received->meta[i];
    const union udpbatch_addr to = destination(received, i);
    const bool in4 = to.sa.sa_family == AF_INET;
    const unsigned char *udp = packet + (in4 ? 20 : 40);

    require(packet[0] >> 4 == (in4 ? 4 : 6));
    require(packet[in4 ? 8 : 7] == meta->ttl);
    require((in4 ? packet[1] : (packet[0] << 4 | packet[1] >> 4) & 0xff) == meta->tos);
    expect_address(packet + (in4 ? 12 : 8), udp, &received->from[i]);
    expect_address(packet + (in4 ? 16 : 24), udp + 2, &to);
}

static void expect_record(const struct received *received, size_t i, pcap_t *pcap)
{
    const struct udpbatch_received *expected = &received->packets[i];
    struct pcap_pkthdr *header;
    const unsigned char *packet;

    require(pcap_next_ex(pcap, &header, &packet) == 1);
    require(header->caplen == header->len && header->len >= 28 + expected->len);
    require(memcmp(packet + header->len - expected->len, expected->data, expected->len) == 0);
    if ((expected->meta->flags & UDPBATCH_META_CAME_AT) != 0)
        require((uint64_t)(uint32_t)header->ts.tv_sec * NS_PER_SECOND +
                    (uint64_t)header->ts.tv_usec ==
                expected->meta->time_ns);
    expect_headers(received, i, packet);
}

static void expect_records(const struct received *received, const char *name)
{
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const unsigned char *bytes;
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(name, PCAP_TSTAMP_PRECISION_NANO, why);

    require(pcap != NULL && pcap_datalink(pcap) == DLT_RAW);
    for (size_t i = 0; i < received->count; i++)
        expect_record(received, i, pcap);
    require(pcap_next_ex(pcap, &header, &bytes) == PCAP_ERROR_BREAK);
    pcap_close(pcap);
}

void try_written(struct fuzz_input *input)
{
    const struct capture_way way = { .part = take_part(input) };
    struct received *received = take_received(input);
    const char *name = memory_file("", 0);

    parts_limit(way.part);
    write_all(received, name);
    parts_limit(0);
    expect_records(received, name);
    require(compare_capture(name, &way) == received->count);
    free_received(received);
}
