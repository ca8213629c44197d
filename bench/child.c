/* child.c: processes that this one starts. None outlives it, nor the user's wish to end. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interrupt.h"

const char CHILD_SILENT[] = "it failed and did not say why";

pid_t child_fork(void)
{
    pid_t child = fork();
    if (child == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return child;
}

int child_wait(pid_t child)
{
    const bool ending = interrupted(); /* what is run then is to show what is done */
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
        if (!ending && interrupted())
            kill(child, SIGKILL);
    }
    return status;
}

/* ---- Programs ------------------------------------------------------------------------------- */

/* Some lie where the path of those who do not configure networks may not lead. */
static void extend_path(void)
{
    const char *path = getenv("PATH");
    char longer[4096];
    snprintf(longer, sizeof longer, "%s:/usr/sbin:/sbin", path != NULL ? path : "/usr/bin:/bin");
    setenv("PATH", longer, 1);
}

static _Noreturn void become(const struct program *program, int complaints)
{
    dup2(program->input, STDIN_FILENO);
    dup2(program->output >= 0 ? program->output : complaints, STDOUT_FILENO);
    dup2(complaints, STDERR_FILENO);
    extend_path();
    if (program->space < 0 || setns(program->space, CLONE_NEWNET) == 0)
        execvp(program->words[0], program->words);
    if (errno == ENOENT)
        _exit(PROGRAM_ABSENT);
    dprintf(STDERR_FILENO, "%s\n", strerror(errno));
    _exit(EXIT_FAILURE);
}

/* Reads all there is, so that the writer is never stopped by a full pipe, and keeps the end. */
static void read_complaints(int fd, pid_t child, char *text, size_t size)
{
    const bool ending = interrupted();
    size_t len = 0;

    for (;;) {
        if (len + 1 >= size) {
            len /= 2;
            memmove(text, text + size - 1 - len, len);
        }
        ssize_t n = read(fd, text + len, size - 1 - len);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        if (n > 0)
            len += (size_t)n;
        else if (!ending && interrupted())
            kill(child, SIGKILL);
    }
    text[len] = '\0';
}

int child_run(const struct program *program, char *text, size_t size)
{
    int ends[2];
    pid_t child = -1;

    if (pipe2(ends, O_CLOEXEC) == 0) {
        child = child_fork();
        if (child == 0)
            become(program, ends[1]);
        close(ends[1]);
        if (child < 0)
            close(ends[0]);
    }
    if (child < 0) {
        snprintf(text, size, "%s", strerror(errno));
        return -1;
    }
    read_complaints(ends[0], child, text, size);
    close(ends[0]);
    int status = child_wait(child);
    return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
