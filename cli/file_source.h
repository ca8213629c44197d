/* file_source.h: a file or standard input, cut into payloads. */
#ifndef FILE_SOURCE_H
#define FILE_SOURCE_H

#include "source.h"

struct file_source {
    struct source source; /* its error EMSGSIZE: the next line is too long */
    int fd;
    bool lines;           /* a payload is a line; otherwise source.size bytes */
    int64_t size_at_open; /* of the file */
    unsigned char *buffer;
    size_t begin, end; /* buffer[begin .. end) is still to be cut */
};

/* Opens the file; standard input if the name is NULL or "-". */
bool file_source_open(struct file_source *file, const char *name, bool lines, size_t size,
                      struct reason *reason);

#endif
