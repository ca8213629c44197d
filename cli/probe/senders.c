/* senders.c: the library's back ends, each opened and, where it can be over loopback, sent by. */
#include "senders.h"

#include "backends.h"
#include "loopback.h"

/* ---- By the socket --------------------------------------------------------------------------- */

static bool sends_one(struct udpbatch_sender *sender, struct udpbatch_tally *tally)
{
    struct udpbatch_packet packet = { .data = "", .len = 1 };
    *tally = udpbatch_sender_send(sender, &packet, 1);
    return tally->sent == 1;
}

static void try_sending(const struct loopback *pair, struct udpbatch_sender *sender,
                        const char *backend, struct answer *answer)
{
    struct udpbatch_tally tally;
    char byte;

    if (!sends_one(sender, &tally))
        answer_no(answer, "it opens, but does not send over loopback: %s",
                  words_of_error(tally.refused > 0 ? tally.first_error : tally.unsent_error));
    else if (loopback_receive(pair, &byte, sizeof byte) != 1)
        loopback_blame(answer);
    else
        answer_yes(answer, backend_receives(backend) ? "sends and receives" : "sends");
}

static void try_by_socket(const char *backend, struct answer *answer)
{
    const struct udpbatch_sender_options options = { .size = sizeof options, .backend = backend };
    struct loopback pair;
    int error;

    if (!loopback_open(&pair, answer))
        return;
    struct udpbatch_sender *sender = udpbatch_sender_open(pair.from, &options, &error);
    if (sender != NULL)
        try_sending(&pair, sender, backend, answer);
    else
        answer_no(answer, "it does not open: %s", words_of_error(error));
    udpbatch_sender_close(sender);
    loopback_close(&pair);
}

/* ---- Past the network stack ------------------------------------------------------------------ */

static void remedy_xdp(const struct subject *subject, int error, struct answer *answer)
{
    if (error == EPERM)
        answer_remedy(answer, "setcap cap_net_raw+ep $(command -v udpbatch)");
    else if (error == ENOBUFS)
        answer_remedy(answer, "ulimit -l unlimited");
    else if (error == ENETDOWN && subject_can_name_device(subject))
        answer_remedy(answer, "ip link set %s up", subject->device.name);
}

/* 0 or an errno. A descriptor that cannot be had is an error as well. */
static int open_xdp(const char *interface, enum udpbatch_xdp_mode mode)
{
    const struct udpbatch_sender_options options = {
        .size = sizeof options, .backend = BACKEND_XDP, .xdp_interface = interface, .xdp_mode = mode
    };
    udpbatch_socket fd = socket_open_udp(AF_INET);
    int error = 0;
    if (fd == NO_SOCKET)
        return socket_error();
    udpbatch_sender_close(udpbatch_sender_open(fd, &options, &error));
    socket_close(fd);
    return error;
}

void sender_try_xdp(const struct subject *subject, enum udpbatch_xdp_mode mode,
                    struct answer *answer)
{
    const char *device = subject->device.name;

    if (!subject_has_device(subject)) {
        answer_unknown(answer, "it takes a device: name one by --interface");
        return;
    }
    int error = open_xdp(device, mode);
    if (error == ENOENT) {
        answer_no(answer, "this udpbatch is built without the back end xdp");
        return;
    }
    answer_text(answer, "mode", backend_xdp_mode(mode));
    if (error == EMFILE || error == ENFILE || error == ENOMEM)
        answer_fail(answer, "it does not open", error);
    else if (error != 0)
        answer_no(answer, "%s: %s", device, backend_explain_xdp(error));
    else
        answer_yes(answer, "opens on %s, queue 0, in %s mode", device, backend_xdp_mode(mode));
    remedy_xdp(subject, error, answer);
}

/* ---- Any ------------------------------------------------------------------------------------- */

void ask_backend(const char *backend, const struct subject *subject, struct answer *answer)
{
    if (backend_is_xdp(backend))
        sender_try_xdp(subject, UDPBATCH_XDP_COPY, answer);
    else
        try_by_socket(backend, answer);
}
