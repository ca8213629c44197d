/* table.c: counts of cells, by way, system call and error. */
#define _GNU_SOURCE
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WHATS_MOST = 64, TEXT = 32 };

static struct spot {
    uint32_t green, red, missed; /* those in which nothing was hit are neither */
} spots[COLUMNS_MOST][WHATS_MOST];

static struct sum {
    uint64_t cells, given, packets, sent, received, refused, past;
} sums[WAYS_MOST];

/* ---- Counting -------------------------------------------------------------------------------- */

static size_t column_of(const struct cell *cell)
{
    for (size_t i = 0; i < column_count; i++)
        if (columns[i].way == cell->way && columns[i].call == cell->call)
            return i;
    return 0;
}

void table_add(const struct cell *cell, const struct result *result)
{
    struct spot *spot = &spots[column_of(cell)][cell->what - WHATS];
    struct sum *sum = &sums[cell->way - ways];

    if (result->fault[0] != '\0')
        spot->red++;
    else if (result->was_reached)
        spot->green++;
    else
        spot->missed++;
    sum->cells++;
    sum->given += result->given;
    sum->packets += result->packets;
    sum->sent += result->sent;
    sum->received += result->received;
    sum->refused += result->refused;
    sum->past += result->past;
}

static bool is_empty(const struct spot *spot)
{
    return spot->green + spot->red + spot->missed == 0;
}

bool table_is_green(bool is_whole)
{
    bool is_green = true;

    for (size_t i = 0; i < column_count; i++)
        for (size_t j = 0; j < WHAT_COUNT; j++) {
            const struct spot *spot = &spots[i][j];
            is_green &= spot->red == 0;
            if (!is_whole || is_empty(spot) || spot->green + spot->red > 0)
                continue;
            printf("red: %s of %s was never hit by %s\n", CALL_NAMES[columns[i].call],
                   columns[i].way->name, WHATS[j].name);
            is_green = false;
        }
    return is_green;
}

/* ---- Printing -------------------------------------------------------------------------------- */

/* How many positions are green, or how many of them are red. */
static const char *text_of(const struct spot *spot)
{
    static char text[TEXT];

    if (spot->red > 0)
        snprintf(text, sizeof text, "RED %u/%u", spot->red, spot->red + spot->green);
    else
        snprintf(text, sizeof text, "%u", spot->green);
    return is_empty(spot) ? "" : text;
}

static bool is_of_sending(const struct column *column)
{
    return column->call == CALL_SEND || column->call == CALL_KICK;
}

static void print_sends(void)
{
    printf("%-16s", "");
    for (size_t i = 0; i < column_count; i++)
        if (is_of_sending(&columns[i]))
            printf("%12s", columns[i].way->name);
    printf("\n%-16s", "");
    for (size_t i = 0; i < column_count; i++)
        if (is_of_sending(&columns[i]))
            printf("%12s", columns[i].call == CALL_KICK   ? "sendto"
                           : columns[i].way->has_sendmmsg ? "sendmmsg"
                                                          : "sendmsg");
    puts("");
    for (size_t j = 0; j < WHAT_COUNT; j++) {
        printf("%-16s", WHATS[j].name);
        for (size_t i = 0; i < column_count; i++)
            if (is_of_sending(&columns[i]))
                printf("%12s", text_of(&spots[i][j]));
        puts("");
    }
}

static bool is_asked_by_any(size_t what)
{
    for (size_t i = 0; i < column_count; i++)
        if (!is_of_sending(&columns[i]) && !is_empty(&spots[i][what]))
            return true;
    return false;
}

static void print_others(void)
{
    printf("\n%-22s", "");
    for (size_t j = 0; j < WHAT_COUNT; j++)
        if (is_asked_by_any(j))
            printf(" %*s", (int)(strlen(WHATS[j].name) > 5 ? strlen(WHATS[j].name) : 5),
                   WHATS[j].name);
    puts("");
    for (size_t i = 0; i < column_count; i++) {
        if (is_of_sending(&columns[i]))
            continue;
        printf("%-10s%-12s", columns[i].way->name, CALL_NAMES[columns[i].call]);
        for (size_t j = 0; j < WHAT_COUNT; j++)
            if (is_asked_by_any(j))
                printf(" %*s", (int)(strlen(WHATS[j].name) > 5 ? strlen(WHATS[j].name) : 5),
                       text_of(&spots[i][j]));
        puts("");
    }
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
    }
    return all;
}

static void print_sum(const char *name, const struct sum *sum)
{
    printf("%-10s%8" PRIu64 "%10" PRIu64 "%12" PRIu64 "%12" PRIu64 "%12" PRIu64 "%10" PRIu64
           "%10" PRIu64 "%16" PRIu64 "\n",
           name, sum->cells, sum->given, sum->packets, sum->sent, sum->received, sum->refused,
           sum->packets - sum->sent - sum->refused, sum->past);
}

static void print_sums(void)
{
    const struct sum all = sum_of_all();

    printf("\n%-10s%8s%10s%12s%12s%12s%10s%10s%16s\n", "", "cells", "faults", "packets", "sent",
           "received", "refused", "unsent", "past the stack");
    for (size_t i = 0; i < way_count; i++)
        print_sum(ways[i].name, &sums[i]);
    print_sum("together", &all);
}

bool table_adds_up(void)
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

void table_print(void)
{
    print_sends();
    print_others();
    print_sums();
}
