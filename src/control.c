/* control.c: what goes with a train besides its payload, as control messages. Pure. */
#include "internal.h"

#include <string.h>

/* Adds a control message at offset `at` and returns where the next one goes. */
size_t ub_control_put(unsigned char *control, size_t at, int level, int type, const void *data,
                      size_t len)
{
    ub_control *message = (ub_control *)(void *)(control + at);

    *message = (ub_control){ .cmsg_level = level, .cmsg_type = type };
    message->cmsg_len = (uint32_t)UB_CONTROL_LEN(len);
    memset(UB_CONTROL_DATA(message), 0,
           UB_CONTROL_SPACE(len) - UB_CONTROL_LEN(0)); /* what pads it, too */
    memcpy(UB_CONTROL_DATA(message), data, len);
    return at + UB_CONTROL_SPACE(len);
}

/* The control message at offset *at of so many bytes, and in *at where the next one is; NULL: no
 * more. The macros for it differ in what they make of damaged lengths. */
const ub_control *ub_control_get(const unsigned char *control, size_t len, size_t *at)
{
    const ub_control *message = (const ub_control *)(const void *)(control + *at);

    if (*at > len || len - *at < UB_CONTROL_LEN(0) || message->cmsg_len < UB_CONTROL_LEN(0) ||
        message->cmsg_len > len - *at)
        return NULL;
    *at += UB_CONTROL_SPACE(message->cmsg_len - UB_CONTROL_LEN(0));
    return message;
}

/* Fills train->control and returns how much of it is used. The segment size goes with trains of
 * several packets only: some kernels refuse it for one. */
uint32_t ub_control_of_train(const struct ub_train *train, const struct ub_facts *facts)
{
    const ub_segment segment = (ub_segment)train->segment;
    size_t used =
        train->meta != NULL ? ub_meta_write(train->meta, train->is_in4, facts, train->control) : 0;

    if (train->count > 1)
        used = ub_control_put(train->control, used, UB_SOL_UDP, UB_UDP_SEGMENT, &segment,
                              sizeof segment);
    assert(used <= train->control_size);
    return (uint32_t)used;
}
