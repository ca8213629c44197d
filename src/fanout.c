/* fanout.c: payloads x targets -> packets[], target by target. Pure. */
#include "internal.h"

size_t udpbatch_fanout_fill(const struct udpbatch_fanout *fanout, size_t from,
                            struct udpbatch_packet *packets, size_t n)
{
    if (fanout->payload_count == 0)
        return 0;

    size_t target = from / fanout->payload_count;
    size_t payload = from % fanout->payload_count;
    size_t i = 0;
    for (; i < n && target < fanout->target_count; i++) {
        const struct udpbatch_packet *original = &fanout->payloads[payload];
        packets[i] = (struct udpbatch_packet){ .data = original->data,
                                               .len = original->len,
                                               .to = &fanout->targets[target],
                                               .meta = original->meta };
        if (++payload == fanout->payload_count) {
            payload = 0;
            target++;
        }
    }
    return i;
}
