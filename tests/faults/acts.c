/* acts.c: close, dup2 and fork. The child has copies of all descriptors and of all memory that is
 * not shared, and lives until the load is sent. */
#define _GNU_SOURCE
#include "acts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static int pipe_end = -1; /* to read from */

bool is_done_meanwhile(enum act act)
{
    return act == ACT_CLOSE || act == ACT_REPLACE || act == ACT_FORK;
}

/* By the end of a pipe, which is no socket, or else by a socket of the same kind. */
static void replace(int error, int fd, int family)
{
    int ends[2] = { -1, -1 };

    if (error == ENOTSOCK && pipe2(ends, O_CLOEXEC) == 0)
        pipe_end = ends[0];
    if (error != ENOTSOCK)
        ends[1] = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    dup3(ends[1], fd, O_CLOEXEC);
    close(ends[1]);
}

static void make_child(void)
{
    child = fork();
    if (child != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

bool acts_do(enum act act, int error, int fd, int family)
{
    if (act == ACT_CLOSE)
        close(fd);
    else if (act == ACT_REPLACE)
        replace(error, fd, family);
    else if (child <= 0)
        make_child();
    return act == ACT_CLOSE;
}

bool acts_end(void)
{
    int readable = 0;

    if (child > 0 && kill(child, SIGKILL) == 0)
        waitpid(child, NULL, 0);
    child = 0;
    if (pipe_end < 0)
        return false;
    ioctl(pipe_end, FIONREAD, &readable);
    close(pipe_end);
    pipe_end = -1;
    return readable > 0;
}
