/* fuzz_plan.c: packets, the room for plans of them, the socket and what a back end answers are as
 * the input says; plan and settle have to give each its fate, as the model has it. */
#include "plan_model.h"

#include <stdlib.h>
#include <string.h>

/* ---- A back end that answers as the input says ----------------------------------------------- */

static const int errors[] = {
    EAGAIN,       ENOBUFS,  ENOMEM,       EINTR,         EMSGSIZE,     EINVAL,
    EIO,          EPERM,    EACCES,       ENETUNREACH,   EHOSTUNREACH, ECONNREFUSED,
    EHOSTDOWN,    ENONET,   EAFNOSUPPORT, EADDRNOTAVAIL, EDESTADDRREQ, ENOTCONN,
    EBADF,        ENOTSOCK, EPIPE,        ENOPROTOOPT,   EOPNOTSUPP,   EPROTO,
    ECONNABORTED, EFAULT,   ENODEV,       EBUSY,         ENETDOWN,     EISCONN,
};
enum { ERRORS = sizeof errors / sizeof errors[0], TAKEN = 160, STOPPED = 230 };

/* No train has the room of another: what is written for one is there when all are written. */
static void prepare(struct ub_engine *engine, size_t from)
{
    const struct ub_plan *plan = &engine->plan;

    require(from == 0 && plan->count <= plan->capacity);
    for (size_t i = 0; i < plan->count; i++)
        if (plan->trains[i].control_size > 0)
            memset(plan->trains[i].control, (int)i % 251, plan->trains[i].control_size);
    for (size_t i = 0; i < plan->count; i++)
        for (uint32_t k = 0; k < plan->trains[i].control_size; k++)
            require(plan->trains[i].control[k] == i % 251);
}

/* A segment size goes with several packets only. */
static void check_control(const struct ub_train *train, const struct ub_facts *facts)
{
    const uint32_t used = ub_control_of_train(train, facts);
    const ub_control *control;
    size_t at = 0;
    bool has_segment = false;

    require(used <= train->control_size);
    while ((control = ub_control_get(train->control, used, &at)) != NULL)
        if (control->cmsg_level == UB_SOL_UDP && control->cmsg_type == UB_UDP_SEGMENT) {
            ub_segment segment;
            memcpy(&segment, UB_CONTROL_DATA(control), sizeof segment);
            require(segment == train->segment && !has_segment);
            has_segment = true;
        }
    require(has_segment == (train->count > 1));
}

/* Returns whether the back end goes on with the next. */
static bool answer(const struct ub_plan *plan, struct ub_train *train)
{
    const uint8_t answer = take_8(&world.input);

    if (answer < TAKEN) {
        model_taken(plan, train);
        return true;
    }
    train->error = answer == UINT8_MAX ? 0 : errors[(answer - TAKEN) % ERRORS];
    if (answer < STOPPED || answer == UINT8_MAX)
        model_stopped(plan, train, train->error);
    else
        model_refused(plan, train, train->error);
    return answer >= STOPPED && answer != UINT8_MAX;
}

static size_t submit(struct ub_engine *engine, size_t from)
{
    struct ub_plan *plan = &engine->plan;
    size_t next = from;

    require(from < plan->count);
    for (; next < plan->count; next++) {
        struct ub_train *train = &plan->trains[next];
        model_given(plan, train, next == from);
        check_control(train, &plan->facts);
        if (!answer(plan, train))
            break;
    }
    return next - from;
}

static const struct ub_backend backend = { .name = "fuzz", .prepare = prepare, .submit = submit };

/* ---- The engine ------------------------------------------------------------------------------ */

/* Each in memory of its own, so that what is written beyond it is found. */
static void *room(size_t count, size_t size)
{
    void *memory = malloc(count > 0 ? count * size : 1);
    require(memory != NULL);
    memset(memory, 0xa5, count * size);
    return memory;
}

static struct ub_engine open_engine(void)
{
    struct ub_engine engine = { .fd = (udpbatch_socket)-1, .backend = &backend };
    struct ub_plan *plan = &engine.plan;

    plan->capacity = world.capacity;
    plan->packet_capacity = world.packet_capacity;
    plan->piece_capacity = world.piece_capacity;
    plan->control_capacity = world.control_capacity;
    plan->gso.route_capacity = world.route_capacity;
    plan->group_mask = (uint32_t)world.groups - 1;
    plan->trains = room(world.capacity, sizeof plan->trains[0]);
    plan->next = room(world.packet_capacity, sizeof plan->next[0]);
    plan->pieces = room(world.piece_capacity, sizeof plan->pieces[0]);
    plan->control = room(world.control_capacity, 1);
    plan->gso.routes = room(world.route_capacity, sizeof plan->gso.routes[0]);
    plan->groups = room(world.groups, sizeof plan->groups[0]);
    ub_plan_open(plan, world.segments, world.in_order);
    return engine;
}

static void close_engine(struct ub_engine *engine)
{
    free(engine->plan.trains);
    free(engine->plan.next);
    free(engine->plan.pieces);
    free(engine->plan.control);
    free(engine->plan.gso.routes);
    free(engine->plan.groups);
}

/* A call may send several arrays. Returns whether there is more to be sent. */
static bool call(struct ub_engine *engine)
{
    size_t first = world.n;

    world_next_call();
    if (take_bool(&world.input))
        first = take_below(&world.input, (unsigned)world.n + 1);
    model_call();
    ub_engine_begin(engine);
    model_array(0, first);
    ub_engine_send(engine, world.packets, first);
    model_array(first, world.n - first);
    ub_engine_send(engine, world.packets + first, world.n - first);
    return model_call_ended(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world_begin(data, size);
    model_begin();
    struct ub_engine engine = open_engine();
    while (call(&engine))
        continue;
    close_engine(&engine);
    return 0;
}
