/* beside.c: a thread that does one thing over and over. */
#define _GNU_SOURCE
#include "beside.h"
#include "support.h"

#include <stdatomic.h>

static struct {
    pthread_t thread;
    atomic_bool is_to_end;
    void (*act)(void);
} beside = { .is_to_end = true };

static void *act_on(void *nothing)
{
    do
        beside.act();
    while (!atomic_load(&beside.is_to_end));
    return nothing;
}

void beside_begin(void (*act)(void))
{
    beside.act = act;
    assert_true(atomic_exchange(&beside.is_to_end, false));
    assert_int_equal(pthread_create(&beside.thread, NULL, act_on, NULL), 0);
    after_the_test(beside_end);
}

void beside_end(void)
{
    if (!atomic_exchange(&beside.is_to_end, true))
        pthread_join(beside.thread, NULL);
}
