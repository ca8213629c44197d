/* fuzz.h: what the fuzz targets share. A target is fuzz_NAME.c with the function below; its inputs
 * are in corpus/NAME. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One run, on any bytes; 0. It ends the process if what it tests is at fault. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has to hold, whatever the input. */
#define require(condition) ((condition) ? (void)0 : fuzz_fault(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_fault(const char *file, int line, const char *condition);

/* An input as it is read: its bytes mean the same on every system. Behind its end are zeros. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};
uint8_t take_8(struct fuzz_input *input);
uint16_t take_16(struct fuzz_input *input); /* the first byte is the highest */
uint32_t take_32(struct fuzz_input *input);
uint64_t take_64(struct fuzz_input *input);
bool take_bool(struct fuzz_input *input);                      /* the lowest bit of a byte */
unsigned take_below(struct fuzz_input *input, unsigned limit); /* 0 .. limit - 1; at most 65,536 */
void take_bytes(struct fuzz_input *input, void *bytes, size_t len);

/* A copy of its own of so many bytes, or of all that are left: what reads past its end is found. To
 * be freed. */
void *take_copy(struct fuzz_input *input, size_t len, size_t *taken);

/* Fills bytes that a number tells, and that another number's differ from. */
void fill_by(unsigned char *bytes, size_t len, uint32_t number);

#endif
