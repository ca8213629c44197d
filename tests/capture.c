/* capture.c: frames, by a ring of packet(7), which no limit of receive buffers cuts short. */
#define _GNU_SOURCE
#include "capture.h"

#include "two_hosts.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 2048, BLOCK = 1 << 16, RING = CAPTURE_MOST * ROOM };

/* ---- The ring -------------------------------------------------------------------------------- */

static void bind_to_far(int fd)
{
    struct sockaddr_ll far_device = { .sll_family = AF_PACKET,
                                      .sll_protocol = htons(ETH_P_ALL),
                                      .sll_ifindex = (int)if_nametoindex("far") };
    assert_int_equal(bind(fd, (struct sockaddr *)&far_device, sizeof far_device), 0);
}

struct capture capture_open(void)
{
    struct tpacket_req ring = {
        .tp_block_size = BLOCK,
        .tp_block_nr = RING / BLOCK,
        .tp_frame_size = ROOM,
        .tp_frame_nr = CAPTURE_MOST,
    };
    struct capture capture = { .fd = -1 };

    be_at(FAR);
    capture.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    assert_true(capture.fd >= 0);
    set_option(capture.fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
    assert_int_equal(setsockopt(capture.fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring), 0);
    capture.ring = mmap(NULL, RING, PROT_READ | PROT_WRITE, MAP_SHARED, capture.fd, 0);
    assert_true(capture.ring != MAP_FAILED);
    bind_to_far(capture.fd);
    be_at(NEAR);
    return capture;
}

void capture_close(struct capture *capture)
{
    munmap(capture->ring, RING);
    close(capture->fd);
}

/* The next place of the ring, once there is something in it; *status gets its status. The place is
 * given back at once, as poll(2) asks whether any is not; it keeps what it has for a round. */
static const struct tpacket2_hdr *next_place(struct capture *capture, uint32_t *status,
                                             int timeout_ms)
{
    struct pollfd wait = { .fd = capture->fd, .events = POLLIN };
    struct tpacket2_hdr *header = (void *)(capture->ring + capture->next * ROOM);

    while (((*status = __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE)) & TP_STATUS_USER) ==
           0)
        if (poll(&wait, 1, timeout_ms) == 0)
            return NULL;
    __atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    capture->next = (capture->next + 1) % CAPTURE_MOST;
    return header;
}

/* ---- What is in a frame ---------------------------------------------------------------------- */

/* RFC 1071, not yet complemented. */
static uint32_t sum(const void *data, size_t len, uint32_t total)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++)
        total += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (total >> 16 != 0)
        total = (total & 0xffff) + (total >> 16);
    return total;
}

struct parts {
    const unsigned char *udp;
    size_t udp_len;
    uint32_t pseudo_sum; /* of the addresses: RFC 768; RFC 8200, 8.1 */
};

static void read_in4(struct frame *frame, struct parts *parts, const unsigned char *data,
                     size_t len, bool takes_trains)
{
    struct iphdr ip;
    memcpy(&ip, data, sizeof ip);
    assert_true(ip.ihl >= 5);
    size_t header = ip.ihl * 4;
    assert_int_equal(sum(data, header, 0), 0xffff);
    if (!takes_trains)
        assert_int_equal(ntohs(ip.tot_len), len);
    assert_int_equal(ntohs(ip.frag_off) & (IP_MF | IP_OFFMASK), 0);
    frame->id = ntohs(ip.id);
    frame->options = header - sizeof ip;
    frame->tos = ip.tos;
    frame->ttl = ip.ttl;
    frame->forbids_fragments = (ntohs(ip.frag_off) & IP_DF) != 0;
    frame->from.in4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { ip.saddr } };
    frame->to.in4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { ip.daddr } };
    parts->udp = data + header;
    parts->udp_len = len - header;
    parts->pseudo_sum = sum(&ip.saddr, 8, 0);
}

static void read_in6(struct frame *frame, struct parts *parts, const unsigned char *data,
                     size_t len, bool takes_trains)
{
    struct ip6_hdr ip;
    memcpy(&ip, data, sizeof ip);
    if (!takes_trains)
        assert_int_equal(ntohs(ip.ip6_plen), len - sizeof ip);
    frame->tos = (uint8_t)(ntohl(ip.ip6_flow) >> 20);
    frame->ttl = ip.ip6_hlim;
    frame->from.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = ip.ip6_src };
    frame->to.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = ip.ip6_dst };
    parts->udp = data + sizeof ip;
    parts->udp_len = len - sizeof ip;
    parts->pseudo_sum = sum(&ip.ip6_src, 32, 0);
}

/* A checksum of zero is none; its place is then the receiver's to judge. */
static void check_sum(const struct parts *parts, const struct udphdr *udp)
{
    uint32_t pseudo = parts->pseudo_sum + IPPROTO_UDP + (uint32_t)parts->udp_len;
    if (udp->check != 0)
        assert_int_equal(sum(parts->udp, parts->udp_len, pseudo), 0xffff);
}

static void read_udp(struct frame *frame, const struct parts *parts, bool takes_trains)
{
    struct udphdr udp;
    memcpy(&udp, parts->udp, sizeof udp);
    frame->from.in4.sin_port = udp.source; /* at the same place in both families */
    frame->to.in4.sin_port = udp.dest;
    frame->data = parts->udp + sizeof udp;
    frame->len = parts->udp_len - sizeof udp;
    if (takes_trains)
        return;
    assert_int_equal(ntohs(udp.len), parts->udp_len);
    if (frame->has_checksum)
        check_sum(parts, &udp);
    frame->has_checksum = frame->has_checksum && udp.check != 0;
}

/* False if it is no UDP, or one that this host sends. */
static bool read_frame(struct frame *frame, const struct tpacket2_hdr *header, uint32_t status,
                       bool takes_trains)
{
    enum {
        LINK_AT = (sizeof *header + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT,
        IN4_PROTOCOL_AT = 9,
        IN6_PROTOCOL_AT = 6
    };
    const unsigned char *place = (const void *)header, *ether = place + header->tp_mac;
    const struct sockaddr_ll *link = (const void *)(place + LINK_AT);
    const unsigned char *data = ether + ETH_HLEN;
    size_t len = header->tp_len - ETH_HLEN;
    struct parts parts;
    bool is_in4 = link->sll_protocol == htons(ETH_P_IP);

    if (link->sll_pkttype == PACKET_OUTGOING ||
        (!is_in4 && link->sll_protocol != htons(ETH_P_IPV6)) ||
        data[is_in4 ? IN4_PROTOCOL_AT : IN6_PROTOCOL_AT] != IPPROTO_UDP)
        return false;
    if (!takes_trains)
        assert_int_equal(header->tp_snaplen, header->tp_len);
    *frame = (struct frame){ .has_checksum = (status & TP_STATUS_CSUMNOTREADY) == 0 };
    memcpy(frame->to_mac, ether, MAC);
    memcpy(frame->from_mac, ether + MAC, MAC);
    (is_in4 ? read_in4 : read_in6)(frame, &parts, data, len, takes_trains);
    read_udp(frame, &parts, takes_trains);
    return true;
}

bool capture_next(struct capture *capture, struct frame *frame, int timeout_ms)
{
    const struct tpacket2_hdr *header;
    uint32_t status;
    do {
        header = next_place(capture, &status, timeout_ms);
    } while (header != NULL && !read_frame(frame, header, status, capture->takes_trains));
    return header != NULL;
}
