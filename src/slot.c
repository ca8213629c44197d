/* slot.c: what the system told of a message that came into a slot. Pure. */
#include "internal.h"

#include <string.h>

static void read_dropped(struct ub_slot *slot, const ub_control *control)
{
    memcpy(&slot->dropped, UB_CONTROL_DATA(control), sizeof slot->dropped);
    slot->has_dropped = true;
}

static void read_segment(struct ub_slot *slot, const ub_control *control)
{
    int segment;
    memcpy(&segment, UB_CONTROL_DATA(control), sizeof segment);
    if (segment > 0)
        slot->segment = (uint32_t)segment;
}

static void read_control(struct ub_slot *slot, const ub_control *control)
{
    bool has_number = control->cmsg_len >= UB_CONTROL_LEN(sizeof(uint32_t));

    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == UB_RXQ_OVFL && has_number)
        read_dropped(slot, control);
    else if (control->cmsg_level == UB_SOL_UDP && control->cmsg_type == UB_UDP_GRO && has_number)
        read_segment(slot, control);
    else if (slot->asked != 0)
        ub_meta_read(&slot->meta, slot->asked, control);
}

static size_t at_most(size_t len, size_t most)
{
    return len < most ? len : most;
}

/* A kernel says of no length that it is beyond the room; who answers in its place (an emulator, a
 * sandbox) is not to be trusted with memory. */
void ub_slot_read(struct ub_slot *slot, size_t len, size_t control_len)
{
    const size_t control_size = at_most(control_len, sizeof slot->control);
    const ub_control *control;
    size_t at = 0;

    slot->len = at_most(len, slot->size);
    slot->segment = (uint32_t)slot->len;
    slot->has_dropped = false;
    slot->meta.flags = 0;
    while ((control = ub_control_get(slot->control.bytes, control_size, &at)) != NULL)
        read_control(slot, control);
}
