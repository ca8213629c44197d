/* alarms.c: a signal every millisecond, in the place of the watchdog's one. */
#define _GNU_SOURCE
#include "alarms.h"
#include "support.h"

#include <signal.h>

enum { EVERY_US = 1000, ENOUGH = 60 * 1000 };

static volatile sig_atomic_t count;
static void (*volatile to_do)(void);
static struct sigaction before;
static unsigned watchdog_s;
static bool are_on;

static void handle(int signal)
{
    int saved = errno;

    (void)signal;
    count = count + 1;
    if (count > ENOUGH) /* nobody comes to an end */
        abort();
    if (to_do != NULL)
        to_do();
    errno = saved;
}

static void set_timer(int microseconds)
{
    const struct itimerval often = { .it_value.tv_usec = microseconds,
                                     .it_interval.tv_usec = microseconds };
    setitimer(ITIMER_REAL, &often, NULL);
}

void alarms_begin(bool restarts, void (*act)(void))
{
    const struct sigaction action = { .sa_handler = handle, .sa_flags = restarts ? SA_RESTART : 0 };

    assert_false(are_on);
    after_the_test(alarms_end);
    are_on = true;
    watchdog_s = alarm(0);
    count = 0;
    to_do = act;
    sigaction(SIGALRM, &action, &before);
    set_timer(EVERY_US);
}

void alarms_end(void)
{
    if (!are_on)
        return;
    are_on = false;
    set_timer(0);
    sigaction(SIGALRM, &before, NULL);
    alarm(watchdog_s);
}

unsigned alarms_count(void)
{
    return (unsigned)count;
}
