/* replay.c: sends the UDP payloads of an Ethernet capture to a port of this host, as fast as it
 * takes them: replay FILE PORT. Without arguments, those of a capture of its own, to itself. */
#define _GNU_SOURCE
#include <err.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <udpbatch.h>

enum { WINDOW = 64, LONGEST = 65535, ETHERNET = 14, UDP = 8 };
static const char whole[] = "ip and udp and ip[6:2] & 0x3fff = 0"; /* no fragments */
/* A file's header, a packet's, and the packet, of four bytes: pcap-savefile(5). */
static char own[] =
    "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0\0\0\0\0\0\0\0\0\0\56\0\0\0\56\0\0\0"
    "\0\0\0\0\0\0\0\0\0\0\0\0\10\0E\0\0\40\0\0\0\0\1\21\0\0\0\0\0\0\0\0\0\0\0\65\0\65\0\14\0\0ping";

/* Copies the payloads of the next packets that are whole. Returns how many. */
static size_t read_window(pcap_t *capture, char (*room)[LONGEST], struct udpbatch_packet *packets)
{
    struct pcap_pkthdr *header;
    const u_char *frame;
    size_t n = 0;
    while (n < WINDOW && pcap_next_ex(capture, &header, &frame) == 1) {
        const u_char *udp = frame + ETHERNET + 4 * (frame[ETHERNET] & 15);
        int left = (int)(frame + header->caplen - udp), len = left < UDP ? 0 : udp[4] << 8 | udp[5];
        if (len < UDP || len > left)
            continue;
        packets[n] = (struct udpbatch_packet){ .data = room[n], .len = (uint32_t)len - UDP };
        memcpy(room[n++], udp + UDP, (size_t)len - UDP);
    }
    return n;
}

int main(int argc, char **argv)
{
    static char room[WINDOW][LONGEST], why[PCAP_ERRBUF_SIZE];
    struct udpbatch_packet packets[WINDOW];
    const uint16_t port = htons((uint16_t)(argc > 2 ? atoi(argv[2]) : 0));
    union udpbatch_addr to = { .in4 = { AF_INET, port, { htonl(INADDR_LOOPBACK) }, { 0 } } };
    struct bpf_program filter;
    pcap_t *capture = argc > 2 ? pcap_open_offline(argv[1], why)
                               : pcap_fopen_offline(fmemopen(own, sizeof own - 1, "rb"), why);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, NULL, NULL);

    if (sender == NULL || (argc <= 2 && bind(fd, &to.sa, sizeof to.in4) < 0) ||
        (argc <= 2 && getsockname(fd, &to.sa, &(socklen_t){ sizeof to }) < 0) ||
        connect(fd, &to.sa, sizeof to.in4) < 0 || capture == NULL ||
        pcap_datalink(capture) != DLT_EN10MB || pcap_compile(capture, &filter, whole, 1, 0) < 0 ||
        pcap_setfilter(capture, &filter) < 0)
        errx(1, "no such port, or no Ethernet capture: %s", why);
    for (size_t n; (n = read_window(capture, room, packets)) > 0;)
        while (udpbatch_sender_send(sender, packets, n).unsent > 0)
            udpbatch_sender_wait(sender, -1);
    udpbatch_sender_close(sender);
    pcap_freecode(&filter);
    pcap_close(capture);
    return argc > 2 || recv(fd, why, 4, 0) == 4 ? 0 : 1;
}
