/* segmentation.c: trains by the kernel's own calls, UDP_SEGMENT to send and UDP_GRO to receive
 * (udp(7)). */
#include "question.h"

#if ON_LINUX

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "loopback.h"

/* Of linux/udp.h; netinet/udp.h of older libcs is behind. */
enum { LEVEL_UDP = 17, OPTION_SEGMENT = 103, OPTION_GRO = 104 };

/* The kernel's limit was 64, and is 128 from 6.9 on. */
enum { SEGMENT = 16, SEGMENTS_MOST = 1024, SEGMENTS_CHECKED = 64 };

enum { SHORT_TRAIN = 4 };

/* Each packet is full of its own number. */
static void fill(char *train, unsigned segments)
{
    for (unsigned i = 0; i < segments; i++, train += SEGMENT)
        memset(train, (int)i, SEGMENT);
}

static bool send_train(const struct loopback *pair, unsigned segments)
{
    char train[SEGMENTS_MOST * SEGMENT];
    const size_t bytes = (size_t)segments * SEGMENT;
    fill(train, segments);
    return send(pair->from, train, bytes, 0) == (ssize_t)bytes;
}

static bool accepts(const struct loopback *pair, unsigned segments)
{
    bool accepted = segments <= SEGMENTS_MOST && send_train(pair, segments);
    loopback_drain(pair);
    return accepted;
}

/* The longest train that is sent: twice as long until one is refused, then halfway. */
static unsigned find_limit(const struct loopback *pair)
{
    unsigned good = 2, bad;

    while (accepts(pair, 2 * good))
        good *= 2;
    for (bad = 2 * good; bad - good > 1;) {
        unsigned middle = good + (bad - good) / 2;
        if (accepts(pair, middle))
            good = middle;
        else
            bad = middle;
    }
    return good;
}

/* How many of the packets of a train have arrived, each as it was sent. */
static unsigned count_arrivals(const struct loopback *pair, unsigned segments)
{
    char sent[SEGMENTS_CHECKED * SEGMENT], packet[SEGMENT + 1];
    unsigned i = 0;

    fill(sent, segments);
    while (i < segments && loopback_receive(pair, packet, sizeof packet) == SEGMENT &&
           memcmp(packet, sent + (size_t)i * SEGMENT, SEGMENT) == 0)
        i++;
    return i;
}

static void judge_packets(const struct loopback *pair, unsigned segments, struct answer *answer)
{
    unsigned arrived = count_arrivals(pair, segments);
    if (arrived == segments)
        answer_yes(answer, "packets at most in a train that one call sends");
    else
        answer_no(answer, "of a train of %u packets over loopback, %u arrived as they were sent",
                  segments, arrived);
}

static void judge_trains(const struct loopback *pair, struct answer *answer)
{
    unsigned limit = find_limit(pair);
    unsigned checked = limit < SEGMENTS_CHECKED ? limit : SEGMENTS_CHECKED;

    answer_number(answer, "segments", limit);
    answer_show(answer, "%u", limit);
    if (send_train(pair, checked) && loopback_has_arrival(pair))
        judge_packets(pair, checked, answer);
    else
        loopback_blame(answer);
}

static void try_segment(const struct loopback *pair, struct answer *answer)
{
    /* Kernels before 4.18 ignore the segment size of a message, but refuse the option. */
    if (!loopback_set(pair->from, LEVEL_UDP, OPTION_SEGMENT, SEGMENT))
        answer_refused(answer, "setsockopt(UDP_SEGMENT)", errno);
    else if (!send_train(pair, 2))
        answer_refused(answer, "sending a train", errno);
    else {
        loopback_drain(pair);
        judge_trains(pair, answer);
    }
}

void ask_udp_segment(const struct subject *subject, struct answer *answer)
{
    (void)subject;
    loopback_try(try_segment, answer);
}

/* ---- Receiving ------------------------------------------------------------------------------- */

/* How long the packets of a received train are, as the kernel tells; 0: it is none. */
static int segment_of(struct msghdr *message)
{
    int segment = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part))
        if (part->cmsg_level == LEVEL_UDP && part->cmsg_type == OPTION_GRO)
            memcpy(&segment, CMSG_DATA(part), sizeof segment);
    return segment;
}

static void judge_arrival(const struct loopback *pair, struct answer *answer)
{
    char packets[SHORT_TRAIN * SEGMENT];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec piece = { .iov_base = packets, .iov_len = sizeof packets };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };

    if (!loopback_has_arrival(pair))
        loopback_blame(answer);
    else if (recvmsg(pair->to, &message, MSG_DONTWAIT) == (ssize_t)sizeof packets &&
             segment_of(&message) == SEGMENT)
        answer_yes(answer, "a train is received as one, by one call");
    else
        answer_no(answer, "the kernel takes the option, and cuts trains all the same");
}

static void try_gro(const struct loopback *pair, struct answer *answer)
{
    if (!loopback_set(pair->to, LEVEL_UDP, OPTION_GRO, 1))
        answer_refused(answer, "setsockopt(UDP_GRO)", errno);
    else if (!loopback_set(pair->from, LEVEL_UDP, OPTION_SEGMENT, SEGMENT) ||
             !send_train(pair, SHORT_TRAIN))
        answer_unknown(answer, "no train can be sent to try it");
    else
        judge_arrival(pair, answer);
}

void ask_udp_gro(const struct subject *subject, struct answer *answer)
{
    (void)subject;
    loopback_try(try_gro, answer);
}

#endif
