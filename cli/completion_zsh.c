/* completion_zsh.c: the completion of zsh: a file for its $fpath, or to be sourced. */
#include "completion.h"

#include <string.h>

static const char HEAD[] = "#compdef udpbatch\n"
                           "# Completion of udpbatch for zsh, printed by: udpbatch completion zsh\n"
                           "\n";

static const char DISPATCH[] =
    "_udpbatch() {\n"
    "    local curcontext=$curcontext context state state_descr line ret=1\n"
    "    typeset -A opt_args\n"
    "    _arguments -C \\\n"
    "        '(- *)'{-h,--help}'[list the subcommands]' \\\n"
    "        '(- *)--version[tell the version]' \\\n"
    "        '1:subcommand: _udpbatch_commands and-help' \\\n"
    "        '*:: :->subcommand' && ret=0\n"
    "    if [[ $state = subcommand ]]; then\n"
    "        curcontext=${curcontext%:*}-$words[1]:\n"
    "        (( $+functions[_udpbatch_command_$words[1]] )) &&\n"
    "            _udpbatch_command_$words[1] && ret=0\n"
    "    fi\n"
    "    return ret\n"
    "}\n"
    "\n"
    "_udpbatch_command_help() {\n"
    "    _arguments '1:subcommand: _udpbatch_commands'\n"
    "}\n"
    "\n"
    "if [[ $funcstack[1] = _udpbatch ]]; then\n"
    "    _udpbatch \"$@\"\n"
    "else\n"
    "    compdef _udpbatch udpbatch\n"
    "fi\n";

/* Text between single quotes, with a backslash before the characters that mean more. */
static void write_quoted(const char *text, const char *special, FILE *file)
{
    for (; *text != '\0'; text++) {
        if (strchr(special, *text) != NULL)
            fputc('\\', file);
        if (*text == '\'')
            fputs("'\\'", file); /* out of the quotes, the quote, and in again */
        fputc(*text, file);
    }
}

static void write_commands(FILE *file)
{
    fputs("_udpbatch_commands() {\n    local -a commands=(\n", file);
    for (size_t i = 0; commands[i] != NULL; i++) {
        fprintf(file, "        '%s:", commands[i]->name);
        write_quoted(commands[i]->summary, "\\", file);
        fputs("'\n", file);
    }
    fputs("    )\n"
          "    [[ -z $1 ]] || commands+=('help:Shows the help of a subcommand.')\n"
          "    _describe -t commands subcommand commands\n"
          "}\n\n",
          file);
}

/* ":NAME:what can stand for it". */
static void write_argument(const char *argument, const struct option_row *row, FILE *file)
{
    static const char *const actions[] = { [OFFER_NOTHING] = " ",
                                           [OFFER_WORDS] = "",
                                           [OFFER_FILES] = "_files",
                                           [OFFER_INTERFACES] = "_net_interfaces" };
    enum offer offer = completion_offer(argument);

    fputc(':', file);
    write_quoted(argument, "\\:", file);
    fprintf(file, ":%s", actions[offer]);
    if (offer == OFFER_WORDS) {
        fputc('(', file);
        completion_write_words(argument, row, file);
        fputc(')', file);
    }
}

/* "{-o+,--output=}'[write the payloads to FILE]:FILE:_files'". The star before it says that it may
 * be given again: the table does not tell which may not. */
static void write_option(const struct option_row *row, FILE *file)
{
    const char *before_value = row->argument != NULL ? "+" : "",
               *equals = before_value[0] ? "=" : "";

    fputs("        '*'", file);
    if (row->letter != '\0')
        fprintf(file, "{-%c%s,--%s%s}", row->letter, before_value, row->name, equals);
    else
        fprintf(file, "--%s%s", row->name, equals);
    fputs("'[", file);
    write_quoted(row->help, "\\[]:", file);
    fputc(']', file);
    if (row->argument != NULL)
        write_argument(row->argument, row, file);
    fputs("' \\\n", file);
}

static void write_operand(const struct command *command, FILE *file)
{
    fputs("        '1", file);
    write_argument(command->operand != NULL ? command->operand : "FILE", NULL, file);
    fputs("' \\\n", file);
}

static void write_command(const struct command *command, FILE *file)
{
    fprintf(file, "_udpbatch_command_%s() {\n    _arguments -s -S : \\\n", command->name);
    for (const struct option_row *row = command->rows; row->name != NULL; row++)
        write_option(row, file);
    if (command->set_operand != NULL)
        write_operand(command, file);
    fprintf(file, "        '(- *)'{-%c,--%s}'[%s]'\n}\n\n", help_row.letter, help_row.name,
            help_row.help);
}

void completion_write_zsh(FILE *file)
{
    fputs(HEAD, file);
    write_commands(file);
    for (size_t i = 0; commands[i] != NULL; i++)
        write_command(commands[i], file);
    fputs(DISPATCH, file);
}
