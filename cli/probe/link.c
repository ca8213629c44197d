/* link.c: the device, whether it is up, and what it does for a sender. */
#include "question.h"

#if ON_LINUX

#include "netlink.h"

void ask_link(const struct subject *subject, struct answer *answer)
{
    const char *name = subject->device.name;
    struct netlink_device device;
    int error = netlink_device(name, &device);

    if (error != 0)
        answer_fail(answer, "cannot ask for the device", error);
    else if (device.is_up && device.has_carrier)
        answer_yes(answer, "%s is up", name);
    else if (device.is_up)
        answer_no(answer, "%s is up, but has no carrier: its other end is down, or not there",
                  name);
    else {
        answer_no(answer, "%s is down", name);
        if (subject_can_name_device(subject))
            answer_remedy(answer, "ip link set %s up", name);
    }
    answer_text(answer, "device", name);
}

/* ---- Offloads -------------------------------------------------------------------------------- */

/* What it means on and off, and what switches it (ethtool(8) -K). */
struct offload_words {
    enum device_offload offload;
    const char *on, *off, *feature;
};

static void ask_offload(const struct offload_words *words, const struct subject *subject,
                        struct answer *answer)
{
    const struct device *device = &subject->device;

    switch (device->offloads[words->offload]) {
    case OFFLOAD_ON:
        answer_yes(answer, "%s", words->on);
        return;
    case OFFLOAD_UNKNOWN:
        answer_unknown(answer, "%s does not tell of its %s", device->name,
                       device_offload_name(words->offload));
        return;
    default:
        break;
    }
    if (device->is_fixed[words->offload]) {
        answer_no(answer, "%s; %s cannot do it", words->off, device->name);
        return;
    }
    answer_no(answer, "%s", words->off);
    if (subject_can_name_device(subject))
        answer_remedy(answer, "ethtool -K %s %s on", device->name, words->feature);
}

void ask_udp_segmentation(const struct subject *subject, struct answer *answer)
{
    static const struct offload_words words = { OFFLOAD_UDP_SEGMENTATION,
                                                "the device cuts trains into packets",
                                                "the kernel cuts trains, at more cost",
                                                "tx-udp-segmentation" };
    ask_offload(&words, subject, answer);
}

void ask_generic_segmentation(const struct subject *subject, struct answer *answer)
{
    static const struct offload_words words = { OFFLOAD_GENERIC_SEGMENTATION,
                                                "trains stay whole up to the device",
                                                "trains are cut before they queue",
                                                "tx-generic-segmentation" };
    ask_offload(&words, subject, answer);
}

void ask_checksum(const struct subject *subject, struct answer *answer)
{
    static const struct offload_words words = { OFFLOAD_CHECKSUM, "the device makes them",
                                                "the kernel makes them, byte by byte", "tx" };
    ask_offload(&words, subject, answer);
}

void ask_scatter_gather(const struct subject *subject, struct answer *answer)
{
    static const struct offload_words words = { OFFLOAD_SCATTER_GATHER,
                                                "the device gathers packets from pieces",
                                                "the kernel copies pieces together first", "sg" };
    ask_offload(&words, subject, answer);
}

#endif
