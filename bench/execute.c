/* execute.c: a program of the system, run in a network namespace. */
#include "execute.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_TEXT = 256, COMMAND_WORDS = 48, COMPLAINT_TEXT = 160, COMMAND_ABSENT = 127 };

static const struct {
    const char *command, *package;
} PACKAGES[] = {
    { "ip", "iproute2" },
    { "tc", "iproute2" },
    { "nft", "nftables" },
};

static const char *package_of(const char *command)
{
    for (size_t i = 0; i < sizeof PACKAGES / sizeof *PACKAGES; i++)
        if (strcmp(PACKAGES[i].command, command) == 0)
            return PACKAGES[i].package;
    return command;
}

static void split(char *text, char *words[COMMAND_WORDS])
{
    size_t n = 0;
    char *rest;
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert(n < COMMAND_WORDS - 1);
        words[n++] = word;
    }
    words[n] = NULL;
}

/* The programs lie where the path of those who do not configure networks may not lead. */
static void extend_path(void)
{
    const char *path = getenv("PATH");
    char longer[4096];
    snprintf(longer, sizeof longer, "%s:/usr/sbin:/sbin", path != NULL ? path : "/usr/bin:/bin");
    setenv("PATH", longer, 1);
}

/* What the child of a fork does: all that it writes goes to the pipe. */
static _Noreturn void become_command(int space, int output, char *words[])
{
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    extend_path();
    if (setns(space, CLONE_NEWNET) == 0)
        execvp(words[0], words);
    if (errno == ENOENT)
        _exit(COMMAND_ABSENT);
    dprintf(STDERR_FILENO, "%s\n", strerror(errno));
    _exit(EXIT_FAILURE);
}

/* Reads to the end, so that the writer is never stopped by a full pipe; keeps the first line. */
static void read_complaint(int fd, char complaint[COMPLAINT_TEXT])
{
    FILE *stream = fdopen(fd, "r");
    complaint[0] = '\0';
    if (stream == NULL) {
        close(fd);
        return;
    }
    if (fgets(complaint, COMPLAINT_TEXT, stream) != NULL)
        while (getc(stream) != EOF)
            continue;
    complaint[strcspn(complaint, "\n")] = '\0';
    fclose(stream);
}

/* Returns the exit status, or -1 if the command did not end by itself. */
static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Returns as wait_for, with what the command complained of. */
static int run(int space, char *words[], char complaint[COMPLAINT_TEXT])
{
    int ends[2];
    pid_t child = -1;

    if (pipe2(ends, O_CLOEXEC) == 0) {
        child = fork();
        if (child == 0)
            become_command(space, ends[1], words);
        close(ends[1]);
        if (child < 0)
            close(ends[0]);
    }
    if (child < 0) {
        snprintf(complaint, COMPLAINT_TEXT, "%s", strerror(errno));
        return -1;
    }
    read_complaint(ends[0], complaint);
    return wait_for(child);
}

/* The complaint without the prefix that ip, tc and nft give to it. */
static const char *gist(const char *complaint)
{
    static const char *const PREFIXES[] = { "RTNETLINK answers: ", "Error: " };
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (strncmp(complaint, PREFIXES[i], strlen(PREFIXES[i])) == 0)
            return complaint + strlen(PREFIXES[i]);
    return complaint[0] != '\0' ? complaint : "it failed and did not say why";
}

bool execute(int space, const char *command, struct reason *reason)
{
    char copy[COMMAND_TEXT], complaint[COMPLAINT_TEXT];
    char *words[COMMAND_WORDS];

    assert(strlen(command) < sizeof copy);
    snprintf(copy, sizeof copy, "%s", command);
    split(copy, words);
    switch (run(space, words, complaint)) {
    case EXIT_SUCCESS:
        return true;
    case COMMAND_ABSENT:
        return reason_give(reason, "%s is needed (Debian: %s)", words[0], package_of(words[0]));
    default:
        return reason_give(reason, "%s: %s", command, gist(complaint));
    }
}
