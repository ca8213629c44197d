/* trains.c: whether the library sends trains here, and if not, why: the kernel may be one that it
 * knows to damage them. The public interface does not tell, so it is seen from what leaves. */
#include "question.h"

#if ON_LINUX

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "loopback.h"

enum { PACKETS = 4, PAYLOAD = 32 };

/* How the library sent four packets to one target. */
struct outcome {
    uint64_t packets; /* that were sent */
    uint64_t trains;
    uint64_t single; /* packets by themselves */
};

/* The last packet is as long as said; the others are PAYLOAD bytes. */
static struct outcome send_four(const struct loopback *pair, enum udpbatch_trains trains,
                                uint32_t last)
{
    static const char payload[PAYLOAD];
    const struct udpbatch_sender_options options = { .size = sizeof options, .trains = trains };
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    struct udpbatch_sender *sender = udpbatch_sender_open(pair->from, &options, NULL);
    struct udpbatch_packet packets[PACKETS];

    if (sender == NULL)
        return (struct outcome){ 0 };
    for (size_t i = 0; i < PACKETS; i++)
        packets[i] =
            (struct udpbatch_packet){ .data = payload, .len = i + 1 < PACKETS ? PAYLOAD : last };
    udpbatch_sender_send(sender, packets, PACKETS);
    udpbatch_sender_stats(sender, &stats);
    udpbatch_sender_close(sender);
    loopback_drain(pair);
    return (struct outcome){ .packets = stats.packets,
                             .trains = stats.trains,
                             .single = stats.sizes[0] };
}

static const char *kernel_release(const struct utsname *name)
{
    return name->release[0] != '\0' ? name->release : "?";
}

/* What leaves with the library's own choice, against that of one who asks for trains always. */
static void judge(const struct loopback *pair, struct answer *answer)
{
    struct utsname kernel = { 0 };
    const struct outcome usual = send_four(pair, UDPBATCH_TRAINS_AUTO, PAYLOAD);
    const struct outcome shorter = send_four(pair, UDPBATCH_TRAINS_AUTO, PAYLOAD / 2);
    const struct outcome always = send_four(pair, UDPBATCH_TRAINS_ALWAYS, PAYLOAD);

    uname(&kernel);
    answer_text(answer, "kernel", kernel_release(&kernel));
    if (usual.packets < PACKETS)
        answer_no(answer, "the best back end does not send over loopback, see there");
    else if (usual.trains == 0 && always.trains > 0)
        answer_no(answer,
                  "kernel %s is known to damage trains, so that none are sent; those after 7.1.4"
                  " do not",
                  kernel_release(&kernel));
    else if (usual.trains == 0)
        answer_no(answer, "the kernel takes none, see UDP_SEGMENT");
    else if (shorter.single > 0)
        answer_yes(answer,
                   "packets of one length leave as one; a shorter last one goes by itself, as"
                   " kernel %s refuses it in a train",
                   kernel_release(&kernel));
    else
        answer_yes(answer, "the library sends them; kernel %s is not known to damage them",
                   kernel_release(&kernel));
}

static bool are_switched_off(void)
{
    const char *variable = getenv("UDPBATCH_GSO");
    return variable != NULL && strcmp(variable, "off") == 0;
}

void ask_trains(const struct subject *subject, struct answer *answer)
{
    (void)subject;
    if (are_switched_off()) {
        answer_no(answer, "UDPBATCH_GSO=off in the environment turns them off");
        answer_remedy(answer, "unset UDPBATCH_GSO");
        return;
    }
    loopback_try(judge, answer);
}

#endif
