/* xdp.c: what the way past the network stack takes: AF_XDP, privilege, locked memory, queues. */
#include "question.h"

#if ON_LINUX

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "netlink.h"
#include "senders.h"

/* Of sys/socket.h; older ones do not have it. */
enum { FAMILY_XDP = 44 };

/* ---- The family ------------------------------------------------------------------------------ */

static void refuse_family(struct answer *answer, int error)
{
    switch (error) {
    case EAFNOSUPPORT:
        answer_no(answer, "this kernel is built without it");
        break;
    case EPERM:
        answer_no(answer, "this process lacks CAP_NET_RAW");
        answer_remedy(answer, "setcap cap_net_raw+ep $(command -v udpbatch)");
        break;
    case EMFILE:
    case ENFILE:
        answer_fail(answer, "socket(AF_XDP)", error);
        break;
    default:
        answer_refused(answer, "socket(AF_XDP)", error);
    }
}

void ask_af_xdp(const struct subject *subject, struct answer *answer)
{
    int fd = socket(FAMILY_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

    (void)subject;
    if (fd < 0) {
        refuse_family(answer, errno);
        return;
    }
    close(fd);
    answer_yes(answer, "a socket can be opened");
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* What one sender by "xdp" locks. */
enum { FRAMES_SIZE = 2 * 1024 * 1024 };

/* Privilege may go beyond the limit, so it is tried. By mmap(2), as mlock(2) does nothing where
 * sanitizers are. */
static bool may_lock(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    munmap(memory, size);
    return true;
}

static const char *write_limit(rlim_t limit, char text[SHOWN_TEXT])
{
    if (limit != RLIM_INFINITY)
        return answer_write_bytes(limit, text);
    return strcpy(text, "no limit");
}

void ask_locked_memory(const struct subject *subject, struct answer *answer)
{
    struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
    char text[SHOWN_TEXT];

    (void)subject;
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur != RLIM_INFINITY)
        answer_number(answer, "bytes", limit.rlim_cur);
    answer_show(answer, "%s", write_limit(limit.rlim_cur, text));
    if (may_lock(FRAMES_SIZE)) {
        answer_yes(answer, "has room for the 2 MiB that a sender by xdp locks%s",
                   limit.rlim_cur < FRAMES_SIZE ? ": privilege exceeds the limit" : "");
        return;
    }
    answer_no(answer, "the limit is %s, and a sender by xdp locks 2 MiB", text);
    answer_remedy(answer, "ulimit -l unlimited");
}

/* ---- Queues ---------------------------------------------------------------------------------- */

/* Those that the driver uses; 0: it does not tell. */
static uint32_t used_queues(const char *name)
{
    struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
    struct ifreq request = { .ifr_data = (void *)&channels };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return 0;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    bool told = ioctl(fd, SIOCETHTOOL, &request) == 0;
    close(fd);
    return told ? channels.tx_count + channels.combined_count : 0;
}

static void show_queues(struct answer *answer, uint32_t queues)
{
    answer_show(answer, "%u", queues);
    answer_number(answer, "queues", queues);
}

void ask_queues(const struct subject *subject, struct answer *answer)
{
    const char *name = subject->device.name;
    uint32_t used = used_queues(name);
    struct netlink_device device;

    if (used > 0) {
        show_queues(answer, used);
        answer_yes(answer, "that %s sends by; each can be that of a sender by xdp", name);
        return;
    }
    int error = netlink_device(name, &device);
    if (error != 0) {
        answer_fail(answer, "cannot ask for the device", error);
        return;
    }
    show_queues(answer, device.queues);
    answer_yes(answer, "to send by at most: the driver of %s does not tell how many it uses", name);
}

/* ---- Without a copy -------------------------------------------------------------------------- */

/* While it is tried, the driver may fill the receive queue from this memory: so only if the device
 * was named. */
void ask_xdp_zero_copy(const struct subject *subject, struct answer *answer)
{
    if (subject->interface != NULL) {
        sender_try_xdp(subject, UDPBATCH_XDP_ZERO_COPY, answer);
        return;
    }
    answer_unknown(answer,
                   "not tried: what arrives by %s then might be lost for a moment; it is"
                   " tried where the device is named",
                   subject->device.name);
    if (subject_can_name_device(subject))
        answer_remedy(answer, "udpbatch probe --interface %s", subject->device.name);
}

#endif
