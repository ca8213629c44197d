/* fuzz_files.c: files that are sent, captures among them, and captures that are written: a part at
 * a time they give what they give as a whole. */
#include "files.h"

size_t take_part(struct fuzz_input *input)
{
    static const size_t parts[] = { 0, 1, 7, 100, 3000 };
    return parts[take_below(input, 5)];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    switch (take_8(&input)) {
    case 'p':
        try_payloads(&input);
        break;
    case 'c':
        try_capture(&input);
        break;
    case 'w':
        try_written(&input);
        break;
    default:
        break;
    }
    return 0;
}
