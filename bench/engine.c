/* engine.c: the table of engines, and what they share. */
#include "engine.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "backends.h"
#include "interrupt.h"

extern const struct engine engine_sendto, engine_original, engine_prebuilt, engine_libuv,
    engine_udpbatch_plain, engine_udpbatch_send, engine_multi_target_send;
extern const struct engine engine_recvmmsg, engine_receiver, engine_receiver_plain;

static const struct engine *const table[] = {
    &engine_sendto,         &engine_original,          &engine_prebuilt,
#ifdef HAVE_LIBUV
    &engine_libuv,
#endif
    &engine_udpbatch_send,  &engine_multi_target_send, &engine_udpbatch,
    &engine_udpbatch_plain, &engine_recvmmsg,          &engine_receiver,
    &engine_receiver_plain,
};

enum { TABLE_ROWS = sizeof table / sizeof table[0] };

/* What the library's back ends are engines of, each in its direction. */
static const struct {
    const struct engine *engine;
    const char *what;
} handles[] = {
    { &engine_udpbatch, "level 2 of the library, by this back end" },
    { &engine_receiver, "the library's receiver, by this back end" },
};

enum {
    HANDLES = sizeof handles / sizeof handles[0],
    BACKENDS_MAX = (ENGINES_MAX - TABLE_ROWS) / HANDLES
};

struct backend_engine {
    struct engine engine;
    char name[32];
};

/* The same whenever it is asked for, made from what the library has. */
static const struct engine *backend_engine(enum direction direction, size_t i, const char *backend)
{
    static struct backend_engine rows[HANDLES][BACKENDS_MAX];
    struct backend_engine *row = &rows[direction][i];

    assert(i < BACKENDS_MAX);
    snprintf(row->name, sizeof row->name, "%s-%s", handles[direction].engine->name, backend);
    row->engine = *handles[direction].engine;
    row->engine.name = row->name;
    row->engine.what = handles[direction].what;
    row->engine.backend = backend;
    return &row->engine;
}

enum direction engine_direction(const struct engine *engine)
{
    return engine->receive != NULL ? RECEIVING : SENDING;
}

bool engine_is_past_the_stack(const struct engine *engine)
{
    return backend_is_xdp(engine->backend);
}

const char *engine_explain(const struct engine *engine, int error)
{
    return engine_is_past_the_stack(engine) ? backend_explain_xdp(error) : strerror(error);
}

size_t engines_list(enum direction direction, const struct engine *list[ENGINES_MAX])
{
    const char *backend;
    size_t count = 0;

    for (size_t i = 0; i < TABLE_ROWS; i++)
        if (engine_direction(table[i]) == direction)
            list[count++] = table[i];
    for (size_t i = 0; (backend = udpbatch_backend_name(i)) != NULL; i++)
        if (direction == SENDING || backend_receives(backend))
            list[count++] = backend_engine(direction, i, backend);
    return count;
}

const char *engines_baseline(enum direction direction)
{
    return direction == SENDING ? ENGINE_ORIGINAL : ENGINE_RECVMMSG;
}

static const struct engine *find(enum direction direction, const char *name)
{
    const struct engine *list[ENGINES_MAX];
    size_t count = engines_list(direction, list);

    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}

const struct engine *engines_find(const char *name)
{
    const struct engine *engine = find(SENDING, name);
    return engine != NULL ? engine : find(RECEIVING, name);
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
