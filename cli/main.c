/* main.c: what holds for every subcommand. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "complain.h"
#include "options.h"
#include "system.h"

static const struct command *find_command(const char *name)
{
    size_t i = 0;
    while (commands[i] != NULL && strcmp(commands[i]->name, name) != 0)
        i++;
    return commands[i];
}

static int print_help(void)
{
    printf("usage: udpbatch SUBCOMMAND [OPTION]...\n\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf("\nudpbatch SUBCOMMAND --help says more; udpbatch --version tells the version.\n");
    return STATUS_DONE;
}

static int print_version(void)
{
    printf("udpbatch %s\n", udpbatch_version());
    return STATUS_DONE;
}

static int complain_about(const char *word)
{
    complain("there is no %s %s; see udpbatch --help", word[0] == '-' ? "option" : "subcommand",
             word);
    return STATUS_USAGE;
}

static int run_command(const char *name, int argc, char **argv)
{
    const struct command *command = find_command(name);
    if (command == NULL)
        return complain_about(name);
    complain_as(command->name);
    return command->run(argc, argv);
}

/* "help SUBCOMMAND" is "SUBCOMMAND --help". */
static int run_help(const char *name)
{
    char command[] = "udpbatch", option[] = "--help";
    char *arguments[] = { command, option, NULL };
    return name != NULL ? run_command(name, 2, arguments) : print_help();
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        complain("no subcommand; see udpbatch --help");
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return print_version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help();
    if (strcmp(argv[1], "help") == 0)
        return run_help(argv[2]);
    return run_command(argv[1], argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int status = process_begin() ? run(argc, argv) : STATUS_USAGE;

    if (fflush(stdout) != 0)
        complain("cannot write standard output: %s", words_of_error(errno));
    else if (ferror(stdout)) /* of an earlier write, which has left no errno */
        complain("cannot write standard output: some of it is missing");
    else
        return status;
    return status > STATUS_INCOMPLETE ? status : STATUS_INCOMPLETE;
}
