/* replay.c: the main of a fuzz target where there is no libFuzzer: runs it on each file of the
 * folders and on each file that is named, once, and on no bytes at all. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void fail(const char *what, const char *name)
{
    fprintf(stderr, "%s: ", name);
    perror(what);
    exit(1);
}

/* In memory of just that size, so that a sanitizer sees what reads past its end. */
static unsigned char *read_all(FILE *file, const char *name, size_t *size)
{
    if (fseek(file, 0, SEEK_END) != 0 || ftell(file) < 0)
        fail("cannot be measured", name);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *data = malloc(*size > 0 ? *size : 1);
    if (data == NULL || fread(data, 1, *size, file) != *size)
        fail("cannot be read", name);
    return data;
}

static void replay_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL)
        fail("cannot be opened", name);
    size_t size;
    unsigned char *data = read_all(file, name, &size);
    fclose(file);
    printf("%s\n", name); /* before, so that the last line is the one at fault */
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static size_t replay_folder(const char *folder, DIR *entries)
{
    size_t files = 0;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] != '.') {
            char name[4096];
            snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
            replay_file(name);
            files++;
        }
    }
    return files;
}

static size_t replay(const char *name)
{
    DIR *entries = opendir(name);
    if (entries == NULL) {
        replay_file(name);
        return 1;
    }
    size_t files = replay_folder(name, entries);
    closedir(entries);
    return files;
}

int main(int argc, char **argv)
{
    size_t files = 0;
    for (int i = 1; i < argc; i++)
        files += replay(argv[i]);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    printf("%zu inputs\n", files);
    return files > 0 ? 0 : 1;
}
