/* files_payloads.c: a file as its lines, or in pieces of one size. */
#include "files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file_source.h"
#include "memory_file.h"
#include "parts.h"

enum { BYTES_MOST = 200000 };

struct contents {
    char *bytes;
    size_t len;
};

/* A byte 0xff stands for a run as long as the two behind it say, for lines that are too long. */
static struct contents take_contents(struct fuzz_input *input)
{
    struct contents contents = { malloc(BYTES_MOST), 0 };

    require(contents.bytes != NULL);
    while (input->left > 0 && contents.len < BYTES_MOST) {
        const uint8_t byte = take_8(input);
        const size_t run = byte == 0xff ? take_16(input) : 1;
        const size_t room = BYTES_MOST - contents.len;
        memset(contents.bytes + contents.len, byte, run < room ? run : room);
        contents.len += run < room ? run : room;
    }
    return contents;
}

/* Where the next payload ends, and what comes behind begins. */
struct next {
    size_t len, all;
};

static struct next next_of(const struct file_source *file, const struct contents *contents,
                           size_t at)
{
    const size_t left = contents->len - at, size = file->source.size;

    if (!file->lines)
        return left < size ? (struct next){ left, left } : (struct next){ size, size };
    const char *newline = memchr(contents->bytes + at, '\n', left);
    const size_t len = newline != NULL ? (size_t)(newline - contents->bytes) - at : left;
    return (struct next){ len, newline != NULL ? len + 1 : len };
}

/* Returns where it goes on. */
static size_t expect_payload(const struct file_source *file, const struct contents *contents,
                             size_t at, const struct udpbatch_packet *payload)
{
    const struct next next = next_of(file, contents, at);

    require(at < contents->len && next.len <= PAYLOAD_MAX);
    require(payload->len == next.len && payload->status == 0);
    require(memcmp(payload->data, contents->bytes + at, next.len) == 0);
    return at + next.all;
}

static size_t expect_payloads(struct file_source *file, const struct contents *contents, size_t at)
{
    enum { SOME = 5 };
    struct source *source = &file->source;
    struct udpbatch_packet payloads[SOME];
    size_t n;

    source->kind->fill(source, 0);
    while ((n = source->kind->cut(source, payloads, SOME)) > 0)
        for (size_t i = 0; i < n; i++)
            at = expect_payload(file, contents, at, &payloads[i]);
    require(source->taken == at);
    if (!file->lines)
        require(source->kind->left(source) ==
                (contents->len - at + source->size - 1) / source->size);
    return at;
}

static void expect_end(const struct file_source *file, const struct contents *contents, size_t at)
{
    const struct source *source = &file->source;
    struct reason reason;

    require(source->ended == (source->error == 0) && !source->shrunk);
    if (source->ended) {
        require(at == contents->len && source->kind->left(source) == 0);
        return;
    }
    require(source->error == EMSGSIZE && next_of(file, contents, at).len > PAYLOAD_MAX);
    source->kind->explain(source, &reason);
    require(reason.text[0] != '\0');
}

void try_payloads(struct fuzz_input *input)
{
    const bool lines = take_bool(input);
    const size_t size = 1u + take_16(input) % PAYLOAD_MAX;
    const size_t part = take_part(input);
    struct contents contents = take_contents(input);
    struct file_source file;
    struct reason reason;
    size_t at = 0;

    parts_limit(contents.len > 5000 && part < 1000 && part > 0 ? 1000 : part);
    require(
        file_source_open(&file, memory_file(contents.bytes, contents.len), lines, size, &reason));
    while (!file.source.ended && file.source.error == 0)
        at = expect_payloads(&file, &contents, at);
    expect_end(&file, &contents, at);
    file.source.kind->close(&file.source);
    parts_limit(0);
    free(contents.bytes);
}
