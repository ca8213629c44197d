/* plot.c: what a run has measured, as a picture: the file that it goes to. */
#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "gnuplot.h"
#include "plot_sheet.h"

/* How gnuplot draws a file that ends so. Its svg terminal takes points for pixels. */
static const struct terminal {
    const char *ending, *name, *font;
    double scale;
} terminals[] = {
    { ".svg", "svg", "DejaVu Sans,Verdana,sans-serif", 4.0 / 3 },
    { ".png", "pngcairo", "Sans", 1 },
};

/* NULL: the file ends otherwise. */
static const struct terminal *find_terminal(const char *file)
{
    const char *ending = strrchr(file, '.');
    for (size_t i = 0; ending != NULL && i < sizeof terminals / sizeof terminals[0]; i++)
        if (strcasecmp(ending, terminals[i].ending) == 0)
            return &terminals[i];
    return NULL;
}

static void put_terminal(FILE *script, const struct terminal *terminal, int height)
{
    fprintf(script,
            "set encoding utf8\n"
            "set terminal %s size %d,%d noenhanced background rgb 'white' font '%s,%d' fontscale "
            "%.3f\n",
            terminal->name, PLOT_WIDTH, height, terminal->font, PLOT_POINTS, terminal->scale);
}

/* A file that was not there is not left behind. */
static bool check_file(const char *file, struct reason *reason)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool is_new = fd >= 0;
    if (!is_new && errno == EEXIST)
        fd = open(file, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return reason_give(reason, "cannot be written: %s", strerror(errno));
    close(fd);
    if (is_new)
        unlink(file);
    return true;
}

/* A gnuplot can be built without the terminal. */
static bool check_gnuplot(const struct terminal *terminal, struct reason *reason)
{
    FILE *script = tmpfile();
    if (script == NULL)
        return reason_give(reason, "cannot write a temporary file: %s", strerror(errno));
    put_terminal(script, terminal, PLOT_WIDTH);
    bool is_fine = gnuplot_run(script, STDERR_FILENO, reason);
    fclose(script);
    return is_fine;
}

bool plot_check(const char *file, struct reason *reason)
{
    const struct terminal *terminal = find_terminal(file);
    if (terminal == NULL)
        return reason_give(reason, "a picture ends in .svg or .png");
    return check_file(file, reason) && check_gnuplot(terminal, reason);
}

/* Only when all is written is it known how high the sheet must be: it is written twice. */
static bool write_script(struct plot *plot, const struct terminal *terminal)
{
    plot->height = plot_put_sheet(plot);
    rewind(plot->script);
    if (ftruncate(fileno(plot->script), 0) < 0)
        return false;
    put_terminal(plot->script, terminal, plot->height);
    plot_put_sheet(plot);
    return fflush(plot->script) == 0 && !ferror(plot->script);
}

static bool copy(FILE *picture, FILE *file)
{
    char part[8192];
    size_t len;

    rewind(picture);
    while ((len = fread(part, 1, sizeof part, picture)) > 0)
        if (fwrite(part, 1, len, file) < len)
            return false;
    return !ferror(picture);
}

static bool save(FILE *picture, const char *name, struct reason *reason)
{
    FILE *file = fopen(name, "we");
    if (file == NULL)
        return reason_give(reason, "cannot write %s: %s", name, strerror(errno));
    bool is_copied = copy(picture, file);
    int error = errno;
    if (fclose(file) == 0 && is_copied)
        return true;
    return reason_give(reason, "cannot write %s: %s", name, strerror(is_copied ? errno : error));
}

static bool is_drawn(FILE *picture, struct reason *reason)
{
    return (fseek(picture, 0, SEEK_END) == 0 && ftell(picture) > 0) ||
           reason_give(reason, "gnuplot has drawn nothing");
}

/* gnuplot gets no name of a file to quote, and does not tell when it could not write one. */
static bool run_script(FILE *script, const char *name, struct reason *reason)
{
    FILE *picture = tmpfile();
    if (picture == NULL)
        return reason_give(reason, "cannot write a temporary file: %s", strerror(errno));
    bool is_saved = gnuplot_run(script, fileno(picture), reason) && is_drawn(picture, reason) &&
                    save(picture, name, reason);
    fclose(picture);
    return is_saved;
}

bool plot_draw(const struct report *report, const char *file, struct reason *reason)
{
    const struct terminal *terminal = find_terminal(file);
    struct plot plot = { .report = report, .script = tmpfile(), .height = PLOT_WIDTH };
    bool is_saved = false;

    view_engines(report, &plot.engines);
    if (terminal == NULL)
        reason_give(reason, "%s: a picture ends in .svg or .png", file);
    else if (!plot_has_panels(&plot))
        reason_give(reason, "there is nothing to draw");
    else if (plot.script == NULL || !write_script(&plot, terminal))
        reason_give(reason, "cannot write a temporary file: %s", strerror(errno));
    else
        is_saved = run_script(plot.script, file, reason);
    if (plot.script != NULL)
        fclose(plot.script);
    return is_saved;
}
