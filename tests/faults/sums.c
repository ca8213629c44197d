/* sums.c: sums of packets, by way. */
#define _GNU_SOURCE
#include "sums.h"

#include <inttypes.h>
#include <stdio.h>

static struct sum {
    uint64_t cells, given, packets, sent, received, refused, past;
    uint64_t pressed_cells, pressed;
} sums[WAYS_MOST];

void sums_add(const struct cell *cell, const struct result *result)
{
    struct sum *sum = &sums[cell->way - ways];

    sum->cells++;
    sum->given += result->given;
    sum->packets += result->packets;
    sum->sent += result->sent;
    sum->received += result->received;
    sum->refused += result->refused;
    sum->past += result->past;
    if (cell->place != PLACE_PRESSED)
        return;
    sum->pressed_cells++;
    sum->pressed += result->pressed;
}

static struct sum sum_of_all(void)
{
    struct sum all = { 0 };

    for (size_t i = 0; i < way_count; i++) {
        all.cells += sums[i].cells;
        all.given += sums[i].given;
        all.packets += sums[i].packets;
        all.sent += sums[i].sent;
        all.received += sums[i].received;
        all.refused += sums[i].refused;
        all.past += sums[i].past;
        all.pressed_cells += sums[i].pressed_cells;
        all.pressed += sums[i].pressed;
    }
    return all;
}

static void print_sum(const char *name, const struct sum *sum)
{
    printf("%-10s%8" PRIu64 "%10" PRIu64 "%12" PRIu64 "%12" PRIu64 "%12" PRIu64 "%10" PRIu64
           "%10" PRIu64 "%16" PRIu64 "%9" PRIu64 "\n",
           name, sum->cells, sum->given, sum->packets, sum->sent, sum->received, sum->refused,
           sum->packets - sum->sent - sum->refused, sum->past, sum->pressed);
}

void sums_print(void)
{
    const struct sum all = sum_of_all();

    printf("\n%-10s%8s%10s%12s%12s%12s%10s%10s%16s%9s\n", "", "cells", "faults", "packets", "sent",
           "received", "refused", "unsent", "past the stack", "pressed");
    for (size_t i = 0; i < way_count; i++)
        print_sum(ways[i].name, &sums[i]);
    print_sum("together", &all);
}

bool sums_add_up(void)
{
    bool adds_up = true;

    for (size_t i = 0; i < way_count; i++) {
        if (sums[i].sent == sums[i].received)
            continue;
        printf("red: by %s %" PRIu64 " packets were sent, and %" PRIu64 " received\n", ways[i].name,
               sums[i].sent, sums[i].received);
        adds_up = false;
    }
    return adds_up;
}

/* A sender that is held up may find the queue empty, but not each time. */
bool sums_have_pressure(void)
{
    enum { ENOUGH = 10 };
    const struct sum all = sum_of_all();

    if (all.pressed_cells < ENOUGH || all.pressed > 0)
        return true;
    puts("red: the queue of W8 was never full");
    return false;
}
