/* timing.c: departure times. SO_TXTIME says when a packet is to leave, and the queueing discipline
 * of the device keeps it, or not. */
#include "question.h"

#if ON_LINUX

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "loopback.h"
#include "netlink.h"

/* Of linux/net_tstamp.h and asm/socket.h, which older headers do not have. */
enum { OPTION_TXTIME = 61 };
struct txtime {
    int32_t clock;
    uint32_t flags;
};

/* That of fq. Other clocks, as etf has them, take CAP_NET_ADMIN. */
static bool sets_txtime(int fd)
{
    const struct txtime value = { .clock = CLOCK_MONOTONIC };
    return setsockopt(fd, SOL_SOCKET, OPTION_TXTIME, &value, sizeof value) == 0;
}

static void try_txtime(const struct loopback *pair, struct answer *answer)
{
    if (sets_txtime(pair->from))
        answer_yes(answer, "takes departure times; whether they are kept is up to the device");
    else
        answer_refused(answer, "setsockopt(SO_TXTIME)", errno);
}

void ask_txtime(const struct subject *subject, struct answer *answer)
{
    (void)subject;
    loopback_try(try_txtime, answer);
}

/* ---- The device's queue ---------------------------------------------------------------------- */

/* Which clock's times a queueing discipline keeps; NULL: none's. */
static const char *clock_of(const char *kind)
{
    if (strcmp(kind, "fq") == 0)
        return "CLOCK_MONOTONIC";
    return strcmp(kind, "etf") == 0 ? "CLOCK_TAI" : NULL;
}

static const char *find_keeper(const struct netlink_qdiscs *qdiscs)
{
    for (size_t i = 0; i < qdiscs->count; i++)
        if (clock_of(qdiscs->kinds[i]) != NULL)
            return qdiscs->kinds[i];
    return NULL;
}

enum { KINDS_TEXT = 160 };

/* "mq, pfifo_fast, tbf": the root may have others below it, as mq has. */
static const char *write_kinds(const struct netlink_qdiscs *qdiscs, char text[KINDS_TEXT])
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < qdiscs->count && len < KINDS_TEXT; i++)
        len += (size_t)snprintf(text + len, KINDS_TEXT - len, "%s%s", i > 0 ? ", " : "",
                                qdiscs->kinds[i]);
    return text;
}

static void refuse(const struct netlink_qdiscs *qdiscs, const char *device, struct answer *answer)
{
    const char *root = qdiscs->count > 0 ? qdiscs->kinds[0] : "noqueue";
    char kinds[KINDS_TEXT];

    answer_text(answer, "qdisc", root);
    if (strcmp(root, "noqueue") == 0)
        answer_no(answer, "%s has no queue to keep them in, as fq is", device);
    else if (qdiscs->count == 1)
        answer_no(answer, "%s has %s, which does not keep them, as fq does", device, root);
    else
        answer_no(answer, "%s has %s, of which none keeps them, as fq does", device,
                  write_kinds(qdiscs, kinds));
}

static void judge(const struct netlink_qdiscs *qdiscs, const struct subject *subject,
                  struct answer *answer)
{
    const char *keeper = find_keeper(qdiscs), *device = subject->device.name;

    if (keeper != NULL) {
        answer_text(answer, "qdisc", keeper);
        answer_yes(answer, "%s of %s keeps those of %s", keeper, device, clock_of(keeper));
        return;
    }
    refuse(qdiscs, device, answer);
    if (subject_can_name_device(subject))
        answer_remedy(answer, "tc qdisc replace dev %s root fq", device);
}

void ask_departure(const struct subject *subject, struct answer *answer)
{
    struct netlink_qdiscs qdiscs;
    int error = netlink_qdiscs(subject->device.name, &qdiscs);

    if (error != 0)
        answer_fail(answer, "cannot ask for queueing disciplines", error);
    else
        judge(&qdiscs, subject, answer);
}

#endif
