/* completion.c: udpbatch completion: what a shell reads to complete the words of a command line. */
#include "completion.h"

#include <string.h>

#include "backends.h"

struct completion_settings {
    void (*write)(FILE *file);
};

/* ---- What is completed ---------------------------------------------------------------------- */

static const struct {
    const char *argument;
    enum offer offer;
} offers[] = {
    { "FILE", OFFER_FILES },
    { "INTERFACE", OFFER_INTERFACES },
    { "BACKEND", OFFER_WORDS },
};

enum offer completion_offer(const char *argument)
{
    if (strchr(argument, '|') != NULL)
        return OFFER_WORDS;
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++)
        if (strcmp(offers[i].argument, argument) == 0)
            return offers[i].offer;
    return OFFER_NOTHING;
}

static void write_backends(bool receiving, FILE *file)
{
    const char *name, *space = "";
    for (size_t i = 0; (name = udpbatch_backend_name(i)) != NULL; i++)
        if (!receiving || backend_receives(name)) {
            fprintf(file, "%s%s", space, name);
            space = " ";
        }
}

void completion_write_words(const char *argument, const struct option_row *row, FILE *file)
{
    if (strcmp(argument, "BACKEND") == 0) {
        write_backends(row != NULL && row->set == set_receiving_backend, file);
        return;
    }
    for (; *argument != '\0'; argument++)
        fputc(*argument == '|' ? ' ' : *argument, file);
}

/* ---- The subcommand ------------------------------------------------------------------------- */

static bool set_shell(void *settings, const char *argument, struct reason *reason)
{
    struct completion_settings *completion = settings;

    if (completion->write != NULL)
        return reason_give(reason, "one shell at a time");
    if (strcmp(argument, "bash") == 0)
        completion->write = completion_write_bash;
    else if (strcmp(argument, "zsh") == 0)
        completion->write = completion_write_zsh;
    return completion->write != NULL ||
           reason_give(reason, "there is no completion for this shell; write bash or zsh");
}

static int completion_run(int argc, char **argv);

static const struct option_row rows[] = { { 0 } };

const struct command completion_command = {
    .name = "completion",
    .summary = "Prints what a shell reads to complete the words of udpbatch.",
    .synopsis = "bash|zsh",
    .rows = rows,
    .set_operand = set_shell,
    .operand = "bash|zsh",
    .run = completion_run,
    .notes =
        "In bash, for this shell, or in ~/.bashrc for all:\n\n  source <(udpbatch completion "
        "bash)\n\nIn zsh, or in ~/.zshrc after compinit:\n\n  source <(udpbatch completion "
        "zsh)\n\nExit status: 0 printed, 1 it could not be written, 2 the arguments are wrong.\n",
};

static int completion_run(int argc, char **argv)
{
    struct completion_settings settings = { 0 };
    int status = options_parse(&completion_command, &settings, argc, argv);

    if (status != OPTIONS_GO_ON)
        return status;
    if (settings.write == NULL) {
        complain("no shell, give bash or zsh");
        return STATUS_USAGE;
    }
    settings.write(stdout);
    return STATUS_DONE;
}
