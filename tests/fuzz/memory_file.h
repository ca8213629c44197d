/* memory_file.h: what a target reads is a file by a name, in memory. */
#ifndef MEMORY_FILE_H
#define MEMORY_FILE_H

#include <stddef.h>

/* The one file, made empty and filled with these bytes. Returns its name, which lasts. */
const char *memory_file(const void *bytes, size_t len);

#endif
