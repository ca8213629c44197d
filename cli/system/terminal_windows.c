/* terminal_windows.c: terminals, and how wide they are (the console of Windows). */
#include "system.h"

#ifdef _WIN32

#include <io.h>
#include <windows.h>

static HANDLE handle_of(int fd)
{
    return (HANDLE)_get_osfhandle(fd);
}

/* Not isatty(3), for which NUL is a terminal. */
bool terminal_is(int fd)
{
    DWORD mode;
    return GetConsoleMode(handle_of(fd), &mode) != 0;
}

bool terminal_has_utf_8(void)
{
    return GetConsoleOutputCP() == CP_UTF8;
}

/* What can be seen of it: its buffer may be wider. */
size_t terminal_columns(int fd)
{
    CONSOLE_SCREEN_BUFFER_INFO screen;
    if (!GetConsoleScreenBufferInfo(handle_of(fd), &screen))
        return 0;
    return (size_t)(screen.srWindow.Right - screen.srWindow.Left + 1);
}

#endif
