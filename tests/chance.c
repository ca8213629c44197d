/* chance.c: random numbers that a printed seed repeats. */
#include "chance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static uint64_t state;

void chance_begin(void)
{
    const char *given = getenv("UDPBATCH_SEED");
    state = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    print_message("the seed is %llu (UDPBATCH_SEED repeats it)\n", (unsigned long long)state);
}

void chance_set(uint64_t seed)
{
    state = seed;
}

/* splitmix64: any seed will do (Steele, Lea, Flood 2014). */
unsigned below(unsigned limit)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % limit);
}

bool one_in(unsigned n)
{
    return below(n) == 0;
}
