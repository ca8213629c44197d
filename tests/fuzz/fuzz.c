/* fuzz.c: reading inputs, and ending at a fault. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void fuzz_fault(const char *file, int line, const char *condition)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

uint8_t take_8(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

uint16_t take_16(struct fuzz_input *input)
{
    unsigned high = take_8(input);
    return (uint16_t)(high << 8 | take_8(input));
}

uint32_t take_32(struct fuzz_input *input)
{
    uint32_t high = take_16(input);
    return high << 16 | take_16(input);
}

uint64_t take_64(struct fuzz_input *input)
{
    uint64_t high = take_32(input);
    return high << 32 | take_32(input);
}

bool take_bool(struct fuzz_input *input)
{
    return take_8(input) & 1;
}

unsigned take_below(struct fuzz_input *input, unsigned limit)
{
    return (limit <= 256 ? take_8(input) : take_16(input)) % limit;
}

void take_bytes(struct fuzz_input *input, void *bytes, size_t len)
{
    unsigned char *byte = bytes;
    for (size_t i = 0; i < len; i++)
        byte[i] = take_8(input);
}

void *take_copy(struct fuzz_input *input, size_t len, size_t *taken)
{
    *taken = len < input->left ? len : input->left;
    void *copy = malloc(*taken > 0 ? *taken : 1);
    require(copy != NULL);
    take_bytes(input, copy, *taken);
    return copy;
}

void fill_by(unsigned char *bytes, size_t len, uint32_t number)
{
    uint32_t state = number * UINT32_C(2654435761) + 1;
    for (size_t i = 0; i < len; i++) {
        state = state * UINT32_C(1664525) + UINT32_C(1013904223);
        bytes[i] = (unsigned char)(state >> 24);
    }
}
