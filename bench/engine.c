/* engine.c: the table of engines, and what they share. */
#include "engine.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "interrupt.h"

extern const struct engine engine_sendto, engine_original, engine_prebuilt, engine_libuv,
    engine_udpbatch, engine_udpbatch_send, engine_multi_target_send;

static const struct engine *const table[] = {
    &engine_sendto,        &engine_original,          &engine_prebuilt,
#ifdef HAVE_LIBUV
    &engine_libuv,
#endif
    &engine_udpbatch_send, &engine_multi_target_send, &engine_udpbatch,
};

enum { TABLE_ROWS = sizeof table / sizeof table[0], BACKENDS_MAX = ENGINES_MAX - TABLE_ROWS };

/* The back ends as engines: made once, from what the library has. */
static const struct engine *const *backend_engines(size_t *count)
{
    static struct engine rows[BACKENDS_MAX];
    static const struct engine *pointers[BACKENDS_MAX];
    static struct udpbatch_sender_options options[BACKENDS_MAX];
    static char names[BACKENDS_MAX][32];
    const char *backend;

    for (*count = 0; (backend = udpbatch_backend_name(*count)) != NULL; ++*count) {
        size_t i = *count;
        assert(i < BACKENDS_MAX);
        snprintf(names[i], sizeof names[i], "udpbatch-%s", backend);
        options[i] =
            (struct udpbatch_sender_options){ .size = sizeof options[i], .backend = backend };
        rows[i] = engine_udpbatch;
        rows[i].name = names[i];
        rows[i].what = "level 2 of the library, by this back end";
        rows[i].options = &options[i];
        pointers[i] = &rows[i];
    }
    return pointers;
}

size_t engines_list(const struct engine *list[ENGINES_MAX])
{
    size_t backend_count;
    const struct engine *const *backends = backend_engines(&backend_count);

    memcpy(list, table, sizeof table);
    memcpy(list + TABLE_ROWS, backends, backend_count * sizeof *backends);
    return TABLE_ROWS + backend_count;
}

const struct engine *engines_find(const char *name)
{
    const struct engine *list[ENGINES_MAX];
    size_t count = engines_list(list);

    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}

void outcome_count_error(struct outcome *outcome, int error)
{
    if (udpbatch_error_meaning(error) == UDPBATCH_BUSY)
        return;
    if (outcome->refused++ == 0)
        outcome->first_error = error;
}

bool engine_wait(int fd)
{
    struct pollfd room = { .fd = fd, .events = POLLOUT };
    poll(&room, 1, TICK_MS);
    return !interrupted();
}
