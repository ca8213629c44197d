/* call_filter.h: a kernel that knows few system calls, as a container's seccomp profile has it.
 */
#ifndef CALL_FILTER_H
#define CALL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILTER_CALLS = 256, EXIT_USAGE = 2, EXIT_CANNOT = 77 };

struct call_filter {
    bool kills; /* any other call ends the process by SIGSYS; or else it fails by EPERM */
    uint32_t calls[FILTER_CALLS];
    size_t count;
};

/* Reads "errno|kill NUMBER ... --". Returns what is behind; NULL: it is something else. */
char **call_filter_read(struct call_filter *filter, char **arguments);

/* From now on, for good; if it is not meant, all calls are known. Returns false and says so where
 * such a filter cannot be had (seccomp(2)). */
bool call_filter_set(const struct call_filter *filter, bool is_meant);

#endif
