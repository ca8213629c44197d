/* execute.c: a program of the system, run in a network namespace. */
#include "execute.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

enum { COMMAND_TEXT = 256, COMMAND_WORDS = 48, COMPLAINT_TEXT = 400 };

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

/* The complaint without the prefix that ip, tc and nft give to it. */
static const char *gist(const char *complaint)
{
    static const char *const PREFIXES[] = { "RTNETLINK answers: ", "Error: " };
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (strncmp(complaint, PREFIXES[i], strlen(PREFIXES[i])) == 0)
            return complaint + strlen(PREFIXES[i]);
    return complaint[0] != '\0' ? complaint : CHILD_SILENT;
}

bool execute(int space, const char *command, struct reason *reason)
{
    char copy[COMMAND_TEXT], complaint[COMPLAINT_TEXT];
    char *words[COMMAND_WORDS];

    assert(strlen(command) < sizeof copy);
    snprintf(copy, sizeof copy, "%s", command);
    split(copy, words);
    const struct program program = { words, space, STDIN_FILENO, -1 };
    int status = child_run(&program, complaint, sizeof complaint);
    complaint[strcspn(complaint, "\n")] = '\0';
    if (status == PROGRAM_ABSENT)
        return reason_give(reason, "%s is needed (Debian: %s)", words[0], package_of(words[0]));
    return status == EXIT_SUCCESS || reason_give(reason, "%s: %s", command, gist(complaint));
}
