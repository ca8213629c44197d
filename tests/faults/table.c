/* table.c: counts of cells, by way, system call, error and position. */
#define _GNU_SOURCE
#include "table.h"

#include "sums.h"

#include <stdio.h>
#include <string.h>

enum { WHATS_MOST = 64, TEXT = 32, DIGITS = 9 };

struct spot {
    uint32_t green, red;
};
static struct spot spots[COLUMNS_MOST][WHATS_MOST][PLACES];

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
    struct spot *spot = &spots[column_of(cell)][cell->what - WHATS][cell->place];
    bool is_green = result->fault[0] == '\0' && result->was_reached;

    spot->green += is_green;
    spot->red += !is_green;
    if (result->was_reached)
        sums_add(cell, result);
}

static void add(struct spot *sum, const struct spot *spot)
{
    sum->green += spot->green;
    sum->red += spot->red;
}

static struct spot sum_of_places(size_t column, size_t what)
{
    struct spot sum = { 0, 0 };
    for (size_t i = 0; i < PLACES; i++)
        add(&sum, &spots[column][what][i]);
    return sum;
}

static struct spot sum_of_errors(size_t column, size_t place)
{
    struct spot sum = { 0, 0 };
    for (size_t j = 0; j < WHAT_COUNT; j++)
        add(&sum, &spots[column][j][place]);
    return sum;
}

static bool is_empty(struct spot spot)
{
    return spot.green + spot.red == 0;
}

/* ---- Sends and kicks ------------------------------------------------------------------------- */

/* Each a letter of a cell's text, in that order. */
static const struct place_name {
    enum place place;
    char letter;
} OF_SEND[] = { { 0, '0' },
                { 1, '1' },
                { 2, '2' },
                { 3, '3' },
                { 4, '4' },
                { 5, '5' },
                { 6, '6' },
                { 7, '7' },
                { PLACE_LATER, '+' },
                { PLACE_IN_A_ROW, 'r' },
                { PLACE_OF_TARGET, 't' },
                { PLACE_PRESSED, 'w' } },
  OF_KICK[] = { { 0, '0' },           { 1, '1' },           { 2, '2' }, { PLACE_IN_A_ROW, 'r' },
                { PLACE_AFTER, 'a' }, { PLACE_SILENT, 's' } };

static const char legend[] =
    "How many cells are green, or X if one is not. At message 0 to 7; +: at later ones by\n"
    "chance; r: several times in a row, or for ever; t: each message to one target; w: W8,\n"
    "its queue full. Of sendto: at call 0 to 2; r: as before; a: after the ring was looked\n"
    "at; s: and nothing is told of that.\n\n";

static bool is_of_sending(const struct column *column)
{
    return column->call == CALL_SEND || column->call == CALL_KICK;
}

static const struct place_name *places_of(const struct column *column, size_t *count)
{
    *count = column->call == CALL_KICK ? COUNT_OF(OF_KICK) : COUNT_OF(OF_SEND);
    return column->call == CALL_KICK ? OF_KICK : OF_SEND;
}

static const char *letters_of(const struct column *column)
{
    static char text[TEXT];
    size_t count;
    const struct place_name *places = places_of(column, &count);

    for (size_t i = 0; i < count; i++)
        text[i] = places[i].letter;
    text[count] = '\0';
    return text;
}

static char digit_of(const struct spot *spot)
{
    if (spot->red > 0)
        return 'X';
    if (spot->green == 0)
        return '.';
    return "0123456789"[spot->green <= DIGITS ? spot->green : DIGITS];
}

static const char *digits_of(size_t column, size_t what)
{
    static char text[TEXT];
    const struct spot *several = &spots[column][what][PLACE_SEVERAL];
    size_t count;
    const struct place_name *places = places_of(&columns[column], &count);

    if (is_empty(sum_of_places(column, what)))
        return "";
    for (size_t i = 0; i < count; i++)
        text[i] = digit_of(&spots[column][what][places[i].place]);
    text[count] = '\0';
    if (!is_empty(*several))
        snprintf(text, sizeof text, several->red > 0 ? "%u, X %u" : "%u", several->green,
                 several->red);
    return text;
}

static const char *call_of(const struct column *column)
{
    if (column->call == CALL_KICK)
        return "sendto";
    return column->way->has_sendmmsg ? "sendmmsg" : "sendmsg";
}

static void print_row(const char *name, const char *(*text_of)(size_t column, size_t what),
                      size_t what)
{
    printf("%-16s", name);
    for (size_t i = 0; i < column_count; i++)
        if (is_of_sending(&columns[i]))
            printf("%14s", text_of(i, what));
    puts("");
}

static const char *way_at(size_t column, size_t what)
{
    (void)what;
    return columns[column].way->name;
}

static const char *call_at(size_t column, size_t what)
{
    (void)what;
    return call_of(&columns[column]);
}

static const char *letters_at(size_t column, size_t what)
{
    (void)what;
    return letters_of(&columns[column]);
}

static void print_sends(void)
{
    fputs(legend, stdout);
    print_row("", way_at, 0);
    print_row("", call_at, 0);
    print_row("", letters_at, 0);
    for (size_t j = 0; j < WHAT_COUNT; j++)
        print_row(WHATS[j].name, digits_of, j);
}

/* ---- All other calls ------------------------------------------------------------------------- */

static const char *text_of(struct spot spot)
{
    static char text[TEXT];

    if (spot.red > 0)
        snprintf(text, sizeof text, "X %u/%u", spot.red, spot.red + spot.green);
    else
        snprintf(text, sizeof text, "%u", spot.green);
    return is_empty(spot) ? "" : text;
}

static bool is_asked_by_any(size_t what)
{
    for (size_t i = 0; i < column_count; i++)
        if (!is_of_sending(&columns[i]) && !is_empty(sum_of_places(i, what)))
            return true;
    return false;
}

static int width_of(size_t what)
{
    size_t len = strlen(WHATS[what].name);
    return len > 5 ? (int)len : 5;
}

static void print_errors(void)
{
    printf("\n%-22s", "");
    for (size_t j = 0; j < WHAT_COUNT; j++)
        if (is_asked_by_any(j))
            printf(" %*s", width_of(j), WHATS[j].name);
    puts("");
    for (size_t i = 0; i < column_count; i++) {
        if (is_of_sending(&columns[i]))
            continue;
        printf("%-10s%-12s", columns[i].way->name, CALL_NAMES[columns[i].call]);
        for (size_t j = 0; j < WHAT_COUNT; j++)
            if (is_asked_by_any(j))
                printf(" %*s", width_of(j), text_of(sum_of_places(i, j)));
        puts("");
    }
}

/* The same cells by their position, of all errors together. */
static void print_positions(void)
{
    static const char *const names[] = { "0", "1", "2", "later", "in a row" };
    static const enum place places[] = { 0, 1, 2, PLACE_LATER, PLACE_IN_A_ROW };

    printf("\n%-22s%45s%45s\n%-22s", "at call", "while it is opened", "while it sends", "");
    for (size_t i = 0; i < 2 * COUNT_OF(names); i++)
        printf("%9s", names[i % COUNT_OF(names)]);
    puts("");
    for (size_t i = 0; i < column_count; i++) {
        if (is_of_sending(&columns[i]))
            continue;
        printf("%-10s%-12s", columns[i].way->name, CALL_NAMES[columns[i].call]);
        for (size_t j = 0; j < 2 * COUNT_OF(places); j++)
            printf("%9s", text_of(sum_of_errors(i, places[j % COUNT_OF(places)] +
                                                       (j < COUNT_OF(places) ? PLACE_OPEN : 0))));
        puts("");
    }
}

/* ---- All of it ------------------------------------------------------------------------------- */

void table_print(void)
{
    print_sends();
    print_errors();
    print_positions();
    sums_print();
}
