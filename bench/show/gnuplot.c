/* gnuplot.c: runs gnuplot, and writes what it reads. */
#include "gnuplot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

/* Inside single quotes all is literal but the quote, which is doubled, and the end of the line. */
void gnuplot_put_text(FILE *script, const char *text)
{
    putc('\'', script);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            putc('\'', script);
        putc((unsigned char)*text < ' ' ? ' ' : *text, script);
    }
    putc('\'', script);
}

/* gnuplot repeats the line, points into it, and says in the last line what is wrong. */
static const char *gist(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    const char *newline = strrchr(text, '\n');
    if (text[0] == '\0')
        return CHILD_SILENT;
    return newline != NULL ? newline + 1 : text;
}

/* A script in a file, and one pipe to read from: neither side can wait for the other for ever. The
 * user's own gnuplotrc is not read. */
bool gnuplot_run(FILE *script, int output, struct reason *reason)
{
    static char name[] = "gnuplot", defaults[] = "--default-settings";
    char *const words[] = { name, defaults, NULL };
    char complaint[1024];

    if (fflush(script) != 0 || lseek(fileno(script), 0, SEEK_SET) < 0)
        return reason_give(reason, "cannot write a temporary file: %s", strerror(errno));
    const struct program program = { words, -1, fileno(script), output };
    int status = child_run(&program, complaint, sizeof complaint);
    if (status == PROGRAM_ABSENT)
        return reason_give(reason, "gnuplot is needed (Debian: gnuplot-nox)");
    return status == 0 || reason_give(reason, "gnuplot: %s", gist(complaint));
}
