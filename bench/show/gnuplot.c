/* gnuplot.c: runs gnuplot, and writes what it reads. */
#include "gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Returns an errno. The user's own gnuplotrc is not read. */
static int spawn(int input, int output, int errors, pid_t *child)
{
    char name[] = "gnuplot", defaults[] = "--default-settings";
    char *arguments[] = { name, defaults, NULL };
    posix_spawn_file_actions_t actions;

    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (error == 0)
        error = posix_spawnp(child, name, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Reads all there is, and keeps the end of it. */
static void read_complaint(int fd, char *text, size_t size)
{
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
    }
    text[len] = '\0';
}

/* gnuplot repeats the line, points into it, and says in the last line what is wrong. */
static const char *last_line(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    const char *newline = strrchr(text, '\n');
    return newline != NULL ? newline + 1 : text;
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

static bool explain(int error, struct reason *reason)
{
    if (error == ENOENT)
        return reason_give(reason, "gnuplot is needed (Debian: gnuplot-nox)");
    return reason_give(reason, "cannot run gnuplot: %s", strerror(error));
}

/* A script in a file, and one pipe to read from: neither side can wait for the other for ever. */
bool gnuplot_run(FILE *script, int output, struct reason *reason)
{
    /* Some C libraries tell only by this status that there is no such program. */
    enum { STATUS_NOT_FOUND = 127 };
    int errors[2];
    char complaint[1024];
    pid_t child = -1;

    if (fflush(script) != 0 || lseek(fileno(script), 0, SEEK_SET) < 0 ||
        pipe2(errors, O_CLOEXEC) < 0)
        return explain(errno != ENOENT ? errno : EIO, reason);
    int error = spawn(fileno(script), output, errors[1], &child);
    close(errors[1]);
    if (error == 0)
        read_complaint(errors[0], complaint, sizeof complaint);
    close(errors[0]);
    if (error != 0)
        return explain(error, reason);

    int status = wait_for(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NOT_FOUND)
        return explain(ENOENT, reason);
    return status == 0 || reason_give(reason, "gnuplot failed: %s", last_line(complaint));
}
