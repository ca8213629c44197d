/* process_posix.c: how the process begins, and words for errnos (POSIX). */
#include "system.h"

#ifndef _WIN32

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "clock.h"
#include "complain.h"

/* Before anything is opened: a closed standard descriptor would be the number of the next socket,
 * and what is printed would be sent. In its place, one that can be used for nothing. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

bool process_begin(void)
{
    fill_standard_descriptors();
    setlocale(LC_CTYPE, "");  /* what terminals show; numbers are read and written as ever */
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error like any other */
    return true;
}

uint32_t process_random(void)
{
    uint32_t number = (uint32_t)clock_time_of_day_ns();
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return number;
    (void)!read(fd, &number, sizeof number);
    close(fd);
    return number;
}

const char *words_of_error(int error)
{
    return strerror(error);
}

const char *words_of_lookup(int error)
{
    return error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
}

#endif
