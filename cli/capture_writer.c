/* capture_writer.c: the records of a capture, laid side by side in memory. */
#include "capture_writer.h"

#ifdef HAVE_LIBPCAP

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "ip_headers.h"

/* What readers take as the limit of this kind of file. */
enum { CAPTURE_PACKET_MAX = 262144, PAYLOAD_MAX_IN6 = 65527 };

struct capture_writer {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    FILE *memory; /* the dumper's */
    char *bytes;  /* what it has written, and its length; known after a flush */
    size_t len;
    union udpbatch_addr bound;
    unsigned char packet[IP_HEADERS_MAX + PAYLOAD_MAX_IN6];
};

static bool open_dumper(struct capture_writer *writer)
{
    writer->pcap = pcap_open_dead_with_tstamp_precision(DLT_RAW, CAPTURE_PACKET_MAX,
                                                        PCAP_TSTAMP_PRECISION_NANO);
    writer->memory = open_memstream(&writer->bytes, &writer->len);
    if (writer->pcap == NULL || writer->memory == NULL)
        return false;
    writer->dumper = pcap_dump_fopen(writer->pcap, writer->memory);
    return writer->dumper != NULL;
}

struct capture_writer *capture_writer_open(const union udpbatch_addr *bound, struct reason *reason)
{
    struct capture_writer *writer = calloc(1, sizeof *writer);
    if (writer != NULL && open_dumper(writer)) {
        writer->bound = *bound;
        return writer;
    }
    reason_give(reason, "cannot begin a capture: %s", words_of_error(ENOMEM));
    capture_writer_close(writer);
    return NULL;
}

void capture_writer_close(struct capture_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->dumper != NULL)
        pcap_dump_close(writer->dumper); /* which closes the memory */
    else if (writer->memory != NULL)
        fclose(writer->memory);
    if (writer->pcap != NULL)
        pcap_close(writer->pcap);
    free(writer->bytes);
    free(writer);
}

static union udpbatch_addr with_port_of(union udpbatch_addr address,
                                        const union udpbatch_addr *other)
{
    const in_port_t port =
        other->sa.sa_family == AF_INET6 ? other->in6.sin6_port : other->in4.sin_port;
    if (address.sa.sa_family == AF_INET6)
        address.in6.sin6_port = port;
    else
        address.in4.sin_port = port;
    return address;
}

/* Where the packet was sent to: the address that the kernel tells, and the socket's port. */
static union udpbatch_addr destination(const struct capture_writer *writer,
                                       const struct udpbatch_meta *meta, sa_family_t family)
{
    union udpbatch_addr to = (meta->flags & UDPBATCH_META_CAME_TO) != 0
                                 ? address_unmap(&meta->local)
                                 : address_unmap(&writer->bound);
    /* A socket of all addresses, and nothing was told. */
    if (to.sa.sa_family != family)
        to = (union udpbatch_addr){ .sa = { .sa_family = family } };
    return with_port_of(to, &writer->bound);
}

static uint64_t came_at_ns(const struct udpbatch_meta *meta)
{
    return (meta->flags & UDPBATCH_META_CAME_AT) != 0 ? meta->time_ns : clock_time_of_day_ns();
}

void capture_writer_add(struct capture_writer *writer, const struct udpbatch_received *packet)
{
    static const struct udpbatch_meta nothing_told;
    const struct udpbatch_meta *meta = packet->meta != NULL ? packet->meta : &nothing_told;
    const uint64_t at_ns = came_at_ns(meta);
    struct ip_datagram datagram = { .from = address_unmap(packet->from),
                                    .tos = meta->tos,
                                    .ttl = meta->ttl,
                                    .data = packet->data,
                                    .len = packet->len };

    datagram.to = destination(writer, meta, datagram.from.sa.sa_family);
    size_t len = ip_headers_write(&datagram, writer->packet);
    if (packet->len > 0)
        memcpy(writer->packet + len, packet->data, packet->len);
    len += packet->len;
    /* In a dumper of this precision, tv_usec is nanoseconds. */
    const struct pcap_pkthdr header = { .ts = { (time_t)(at_ns / NS_PER_SECOND),
                                                (suseconds_t)(at_ns % NS_PER_SECOND) },
                                        .caplen = (bpf_u_int32)len,
                                        .len = (bpf_u_int32)len };
    pcap_dump((u_char *)writer->dumper, &header, writer->packet);
}

size_t capture_writer_len(struct capture_writer *writer)
{
    const off_t len = ftello(writer->memory);
    return len > 0 ? (size_t)len : 0;
}

const unsigned char *capture_writer_take(struct capture_writer *writer)
{
    if (fflush(writer->memory) != 0 || ferror(writer->memory))
        return NULL;
    rewind(writer->memory);
    return (const unsigned char *)writer->bytes;
}

#else

struct capture_writer *capture_writer_open(const union udpbatch_addr *bound, struct reason *reason)
{
    (void)bound;
    reason_give(reason, "this udpbatch was built without libpcap, which --pcap takes");
    return NULL;
}

void capture_writer_close(struct capture_writer *writer)
{
    (void)writer;
}

void capture_writer_add(struct capture_writer *writer, const struct udpbatch_received *packet)
{
    (void)writer;
    (void)packet;
}

size_t capture_writer_len(struct capture_writer *writer)
{
    (void)writer;
    return 0;
}

const unsigned char *capture_writer_take(struct capture_writer *writer)
{
    (void)writer;
    return NULL;
}

#endif
