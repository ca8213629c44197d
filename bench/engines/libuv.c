/* libuv.c: libuv's queue of UDP sends: a request per packet, then the loop until all have
 * been called back. */
#ifdef HAVE_LIBUV

#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct libuv {
    uv_loop_t loop;
    uv_udp_t handle;
    const struct udpbatch_packet *packets;
    uv_udp_send_t *requests;
    size_t n;
    struct outcome outcome; /* of the call under way */
};

static void close_libuv(void *me)
{
    struct libuv *self = me;
    uv_close((uv_handle_t *)&self->handle, NULL);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    uv_loop_close(&self->loop);
    free(self->requests);
    free(self);
}

/* The handle closes its descriptor, so it gets one of its own. Returns 0 or a negative errno. */
static int open_handle(struct libuv *self, int fd)
{
    int own = dup(fd);
    if (own < 0)
        return -errno;
    int error = uv_udp_open(&self->handle, own);
    if (error != 0)
        close(own);
    return error;
}

/* Without some descriptors libuv ends the process. */
static bool has_spare_descriptors(int fd)
{
    enum { SPARE = 8 };
    int spare[SPARE], count = 0;
    while (count < SPARE && (spare[count] = dup(fd)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(spare[i]);
    return count == SPARE;
}

static void *open_libuv(const struct engine *engine, int fd, const struct udpbatch_packet *packets,
                        size_t n)
{
    struct libuv *self = calloc(1, sizeof *self);
    (void)engine;
    if (self == NULL)
        return NULL;
    int error = has_spare_descriptors(fd) ? uv_loop_init(&self->loop) : -EMFILE;
    if (error != 0) {
        free(self);
        errno = -error;
        return NULL;
    }
    uv_udp_init(&self->loop, &self->handle);
    self->packets = packets;
    self->n = n;
    self->requests = calloc(n, sizeof *self->requests);
    error = self->requests != NULL ? open_handle(self, fd) : -ENOMEM;
    if (error == 0)
        return self;
    close_libuv(self);
    errno = -error;
    return NULL;
}

static void note_fate(struct outcome *outcome, int status)
{
    if (status == 0)
        outcome->sent++;
    else
        outcome_count_error(outcome, -status);
}

static void note(uv_udp_send_t *request, int status)
{
    struct libuv *self = request->data;
    note_fate(&self->outcome, status);
}

static struct outcome send_libuv(void *me)
{
    struct libuv *self = me;

    self->outcome = (struct outcome){ 0 };
    for (size_t i = 0; i < self->n; i++) {
        const struct udpbatch_packet *packet = &self->packets[i];
        uv_buf_t payload = uv_buf_init((char *)(uintptr_t)packet->data, packet->len);
        self->requests[i].data = self;
        int error =
            uv_udp_send(&self->requests[i], &self->handle, &payload, 1, &packet->to->sa, note);
        if (error != 0)
            note_fate(&self->outcome, error);
    }
    uv_run(&self->loop, UV_RUN_DEFAULT);
    return self->outcome;
}

static const char *version_in_use(void *me)
{
    (void)me;
    return uv_version_string();
}

const struct engine engine_libuv = {
    .name = "libuv",
    .what = "libuv's queue of UDP sends",
    .open = open_libuv,
    .send = send_libuv,
    .close = close_libuv,
    .uses = version_in_use,
};

#else

typedef int engine_libuv_is_not_built;

#endif
