/* terminal_posix.c: terminals, and how wide they are (POSIX). */
#include "system.h"

#ifndef _WIN32

#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>

bool terminal_is(int fd)
{
    return isatty(fd) != 0;
}

bool terminal_has_utf_8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

size_t terminal_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

#endif
