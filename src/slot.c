/* slot.c: slots as the struct msghdr of the socket interface. Pure. */
#include "internal.h"

#include <string.h>

void ub_message_of_slot(struct msghdr *message, struct ub_slot *slot)
{
    *message = (struct msghdr){ .msg_name = &slot->from,
                                .msg_iov = &slot->room,
                                .msg_control = &slot->control };
    message->msg_namelen = sizeof slot->from;
    message->msg_iovlen = 1;
    message->msg_controllen = sizeof slot->control;
}

static void read_dropped(struct ub_slot *slot, const struct cmsghdr *control)
{
    memcpy(&slot->dropped, CMSG_DATA(control), sizeof slot->dropped);
    slot->has_dropped = true;
}

static void read_segment(struct ub_slot *slot, const struct cmsghdr *control)
{
    int segment;
    memcpy(&segment, CMSG_DATA(control), sizeof segment);
    if (segment > 0)
        slot->segment = (uint32_t)segment;
}

static void read_control(struct ub_slot *slot, const struct cmsghdr *control)
{
    bool has_number = control->cmsg_len >= CMSG_LEN(sizeof(uint32_t));

    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == UB_RXQ_OVFL && has_number)
        read_dropped(slot, control);
    else if (control->cmsg_level == UB_SOL_UDP && control->cmsg_type == UB_UDP_GRO && has_number)
        read_segment(slot, control);
    else if (slot->asked != 0)
        ub_meta_read(&slot->meta, slot->asked, control);
}

void ub_slot_read(struct ub_slot *slot, struct msghdr *message, size_t len)
{
    if (message->msg_namelen == 0) /* no datagram, but a socket shut down for reading */
        slot->from.sa.sa_family = AF_UNSPEC;
    slot->len = len;
    slot->segment = (uint32_t)len;
    slot->truncated = (message->msg_flags & MSG_TRUNC) != 0;
    slot->has_dropped = false;
    slot->meta.flags = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
        read_control(slot, c);
}
