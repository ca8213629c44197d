/* questions.c: the table of questions. */
#include "question.h"

#include <stdio.h>
#include <string.h>

/* ---- The subject ----------------------------------------------------------------------------- */

bool subject_has_host(const struct subject *subject)
{
    return subject->to.sa.sa_family != AF_UNSPEC;
}

bool subject_has_device(const struct subject *subject)
{
    return subject->device.name[0] != '\0';
}

void subject_complete(struct subject *subject)
{
    if (subject->interface != NULL)
        device_describe(&subject->device, subject->interface);
    else if (subject_has_host(subject))
        device_of_route(&subject->device, &subject->to);
}

bool subject_can_name_device(const struct subject *subject)
{
    return subject_has_device(subject) && answer_is_plain_word(subject->device.name);
}

/* ---- The table ------------------------------------------------------------------------------- */

/* What a question is about; one about the machine can always be asked. */
enum about { MACHINE, HOST, DEVICE, HOST_OR_DEVICE };

struct row {
    const char *name, *what;
    enum about about;
    question *ask;
};

static const struct row questions[] = {
#if ON_LINUX
    { "sendmmsg", "sendmmsg", MACHINE, ask_sendmmsg },
    { "recvmmsg", "recvmmsg", MACHINE, ask_recvmmsg },
    { "udp_segment", "UDP_SEGMENT", MACHINE, ask_udp_segment },
    { "udp_gro", "UDP_GRO", MACHINE, ask_udp_gro },
    { "trains", "trains", MACHINE, ask_trains },
    { "txtime", "SO_TXTIME", MACHINE, ask_txtime },
    { "zerocopy", "MSG_ZEROCOPY", MACHINE, ask_zerocopy },
    { "io_uring", "io_uring", MACHINE, ask_uring },
    { "io_uring_sendmsg", "io_uring SENDMSG", MACHINE, ask_uring_sendmsg },
    { "io_uring_sendmsg_zc", "io_uring SENDMSG_ZC", MACHINE, ask_uring_zerocopy },
    { "af_xdp", "AF_XDP", MACHINE, ask_af_xdp },
    { "locked_memory", "locked memory", MACHINE, ask_locked_memory },
#endif
#if LIMITS_BUFFERS
    { "send_buffer", "send buffer", MACHINE, ask_send_buffer },
    { "receive_buffer", "receive buffer", MACHINE, ask_receive_buffer },
#endif
    { "route", "route", HOST, ask_route },
#if ON_LINUX
    { "mtu", "MTU", HOST_OR_DEVICE, ask_mtu },
    { "link", "link", DEVICE, ask_link },
    { "departure", "departure times", DEVICE, ask_departure },
    { "tx_udp_segmentation", "UDP segmentation", DEVICE, ask_udp_segmentation },
    { "tx_generic_segmentation", "segmentation", DEVICE, ask_generic_segmentation },
    { "tx_checksum", "checksums", DEVICE, ask_checksum },
    { "tx_scatter_gather", "scatter-gather", DEVICE, ask_scatter_gather },
    { "queues", "queues", DEVICE, ask_queues },
    { "xdp_zero_copy", "xdp, zero copy", DEVICE, ask_xdp_zero_copy },
#endif
    { 0 },
};

/* What changes the answers to all that is asked behind it. */
static const struct row last_questions[] = {
#if ON_LINUX
    { "privilege", "privilege", MACHINE, ask_privilege },
#endif
    { 0 },
};

static bool applies(enum about about, const struct subject *subject)
{
    switch (about) {
    case HOST:
        return subject_has_host(subject);
    case DEVICE:
        return subject_has_device(subject);
    case HOST_OR_DEVICE:
        return subject_has_host(subject) || subject_has_device(subject);
    default:
        return true;
    }
}

static void ask_backends(const struct subject *subject, struct answers *answers)
{
    const char *backend;
    char name[NAME_TEXT], what[NAME_TEXT];

    for (size_t i = 0; (backend = udpbatch_backend_name(i)) != NULL; i++) {
        snprintf(name, sizeof name, "backend_%s", backend);
        snprintf(what, sizeof what, "back end %s", backend);
        ask_backend(backend, subject, answers_add(answers, name, what));
    }
}

static void ask_rows(const struct row *rows, const struct subject *subject, struct answers *answers)
{
    for (const struct row *row = rows; row->name != NULL; row++)
        if (applies(row->about, subject))
            row->ask(subject, answers_add(answers, row->name, row->what));
}

void questions_ask(const struct subject *subject, struct answers *answers)
{
    ask_rows(questions, subject, answers);
    ask_backends(subject, answers);
    ask_rows(last_questions, subject, answers);
}
