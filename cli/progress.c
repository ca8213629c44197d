/* progress.c: how far the work is, on stderr: a bar on a terminal, now and then a line else. */
#include "progress.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "system.h"
#include "units.h"

static const uint64_t REDRAW_NS = UINT64_C(100) * NS_PER_MS;
static const uint64_t LINE_NS = UINT64_C(5) * NS_PER_SECOND;

/* Less is no bar, which 40 columns have room for; more says no more than the percentage does. */
enum { BAR_LEAST = 4, BAR_MOST = 60 };

enum { PROGRESS_LINE = 192 };
enum { FIGURES_TEXT = 64 + 2 * UNITS_TEXT, BAR_TEXT = BAR_MOST + 4, PERCENT_TEXT = 16 };

static void write_figures(const struct progress_state *state, char text[FIGURES_TEXT])
{
    char left[UNITS_TEXT];
    int len = snprintf(text, FIGURES_TEXT, "%s", state->what);

    if (state->part <= 0)
        return;
    units_write_duration(state->seconds * (1 - state->part) / state->part, left);
    snprintf(text + len, (size_t)(FIGURES_TEXT - len), " %s left", left);
}

/* "[####....] ", or nothing where there is no room for it. */
static void write_bar(double part, size_t room, char text[BAR_TEXT])
{
    size_t width = room < BAR_MOST ? room : BAR_MOST;

    text[0] = '\0';
    if (width < BAR_LEAST)
        return;
    text[0] = '[';
    memset(text + 1, '.', width);
    memset(text + 1, '#', (size_t)(part * (double)width));
    strcpy(text + 1 + width, "] ");
}

/* The line to show in so many columns; 0: of unknown width, without a bar. */
static void write_line(const struct progress_state *state, size_t columns, char line[PROGRESS_LINE])
{
    char figures[FIGURES_TEXT], bar[BAR_TEXT] = "", percent[PERCENT_TEXT] = "";

    write_figures(state, figures);
    if (state->part >= 0) {
        size_t taken = strlen("100% [] ") + strlen(figures) + 1;
        snprintf(percent, sizeof percent, "%3d%% ", (int)(100 * state->part));
        write_bar(state->part, columns > taken ? columns - taken : 0, bar);
    }
    snprintf(line, PROGRESS_LINE, "%s%s%s", percent, bar, figures);
    /* The last column stays free: a character there would begin a new line on some terminals. */
    if (columns > 0 && columns < PROGRESS_LINE)
        line[columns - 1] = '\0';
}

void progress_begin(struct progress *progress, bool quiet, uint64_t now_ns)
{
    *progress = (struct progress){ .quiet = quiet,
                                   .terminal = terminal_is(STDERR_FILENO),
                                   .begun_ns = now_ns };
    progress->next_ns = now_ns + (progress->terminal ? REDRAW_NS : LINE_NS);
}

bool progress_is_due(const struct progress *progress, uint64_t now_ns)
{
    return !progress->quiet && now_ns >= progress->next_ns;
}

/* Over the bar before, of which nothing may be left. Blanks work on every terminal. */
static void draw(struct progress *progress, const char *line)
{
    size_t len = strlen(line);
    int blanks = progress->drawn > len ? (int)(progress->drawn - len) : 0;
    fprintf(stderr, "\r%s%*s", line, blanks, "");
    progress->drawn = len;
}

void progress_show(struct progress *progress, struct progress_state *state, uint64_t now_ns)
{
    char line[PROGRESS_LINE];

    state->seconds = clock_seconds(now_ns - progress->begun_ns);
    /* Asked each time, as a terminal can change its size. */
    write_line(state, progress->terminal ? terminal_columns(STDERR_FILENO) : 0, line);
    if (progress->terminal)
        draw(progress, line);
    else
        fprintf(stderr, "%s\n", line);
    progress->next_ns = now_ns + (progress->terminal ? REDRAW_NS : LINE_NS);
}

void progress_end(struct progress *progress)
{
    if (progress->drawn == 0)
        return;
    draw(progress, "");
    fputc('\r', stderr);
}
