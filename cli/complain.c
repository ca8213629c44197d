/* complain.c: one line on stderr for whatever goes wrong. */
#include "complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "printable.h"
#include "system.h"

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

void complain(const char *format, ...)
{
    char line[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    /* A newline or an escape sequence in an argument must not become more lines, or worse. */
    printable_make(line, strlen(line), terminal_has_utf_8(), "");
    if (speaker != NULL)
        fprintf(stderr, "udpbatch %s: %s\n", speaker, line);
    else
        fprintf(stderr, "udpbatch: %s\n", line);
}
