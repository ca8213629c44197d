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

static void read_control(struct ub_slot *slot, const struct cmsghdr *control)
{
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == UB_RXQ_OVFL) {
        memcpy(&slot->dropped, CMSG_DATA(control), sizeof slot->dropped);
        slot->has_dropped = true;
    }
}

void ub_slot_read(struct ub_slot *slot, struct msghdr *message, size_t len)
{
    slot->len = len;
    slot->truncated = (message->msg_flags & MSG_TRUNC) != 0;
    slot->has_dropped = false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
        read_control(slot, c);
}
