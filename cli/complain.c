/* complain.c: one line on stderr for whatever goes wrong. */
#include "complain.h"

#include <stdarg.h>
#include <stdio.h>

static const char *speaker;

bool reason_give(struct reason *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
    return false;
}

void complain_as(const char *subcommand)
{
    speaker = subcommand;
}

/* A newline or an escape sequence in an argument must not become more lines, or worse. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == '\x7f')
            *text = '?';
}

void complain(const char *format, ...)
{
    char line[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    make_printable(line);
    if (speaker != NULL)
        fprintf(stderr, "udpbatch %s: %s\n", speaker, line);
    else
        fprintf(stderr, "udpbatch: %s\n", line);
}
