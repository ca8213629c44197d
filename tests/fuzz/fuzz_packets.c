/* fuzz_packets.c: what the command reads in packets: captured frames, and numbers of its own. */
#include "packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    switch (take_8(&input)) {
    case 'f':
        try_frame(&input);
        break;
    case 'h':
        try_headers(&input);
        break;
    case 'n':
        try_numbered(&input);
        break;
    case 's':
        try_streams(&input);
        break;
    case 'm':
        try_numbered_source(&input);
        break;
    default:
        break;
    }
    return 0;
}
