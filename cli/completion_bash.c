/* completion_bash.c: the completion of bash. It needs no other package; bash 3.2 does, without
 * compopt, but then offers files where there is nothing to offer. */
#include "completion.h"

static const char WORDS[] =
    "# Completion of udpbatch for bash, printed by: udpbatch completion bash\n"
    "\n"
    "# Sets words to those up to the cursor, which bash cuts at = and : too.\n"
    "_udpbatch_words() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} part i\n"
    "    words=()\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        if ((i == 0)) || [[ $line == [[:blank:]]* ]]; then\n"
    "            line=${line#\"${line%%[![:blank:]]*}\"}\n"
    "            words[${#words[@]}]=''\n"
    "        fi\n"
    "        part=${COMP_WORDS[i]}\n"
    "        ((i < COMP_CWORD)) || part=$line\n"
    "        words[${#words[@]} - 1]+=$part\n"
    "        line=${line#\"$part\"}\n"
    "    done\n"
    "}\n"
    "\n"
    "# Those of the words that begin with $value.\n"
    "_udpbatch_offer() {\n"
    "    local word\n"
    "    for word; do\n"
    "        [[ $word != \"$value\"* ]] || COMPREPLY+=(\"$word\")\n"
    "    done\n"
    "}\n"
    "\n"
    "# What is no name of a device in /sys/class/net is no directory. One that the shell would "
    "read\n"
    "# as more than a name is left out.\n"
    "_udpbatch_interfaces() {\n"
    "    local IFS=$' \\t\\n' names=() name\n"
    "    if [ -d /sys/class/net ]; then\n"
    "        names=(/sys/class/net/*/)\n"
    "        names=(\"${names[@]%/}\")\n"
    "    else\n"
    "        names=($(ifconfig -l 2>/dev/null))\n"
    "    fi\n"
    "    for name in \"${names[@]##*/}\"; do\n"
    "        [[ $name == *[!a-zA-Z0-9._@-]* ]] || _udpbatch_offer \"$name\"\n"
    "    done\n"
    "}\n";

static const char DISPATCH[] =
    "# Sets takes to what comes next; value to what there is of it; before to what precedes it in\n"
    "# the same word.\n"
    "_udpbatch_next() {\n"
    "    local last=$((${#words[@]} - 1))\n"
    "    local word=${words[last]} command=${words[1]}\n"
    "    value=${word#[\\\"\\']}\n"
    "    if ((last == 1)); then\n"
    "        takes=\"$(_udpbatch_commands) help --help --version\"\n"
    "    elif [ \"$command\" = help ]; then\n"
    "        ((last > 2)) || takes=$(_udpbatch_commands)\n"
    "    elif _udpbatch_argument \"$command\" \"${words[last - 1]}\"; then\n"
    "        :\n"
    "    elif [[ $word == --*=* ]]; then\n"
    "        before=${word%%=*}=\n"
    "        value=${word#*=}\n"
    "        _udpbatch_argument \"$command\" \"${word%%=*}\" || takes=''\n"
    "    elif [[ $word == -* ]]; then\n"
    "        _udpbatch_options \"$command\"\n"
    "    else\n"
    "        _udpbatch_operand \"$command\"\n"
    "    fi\n"
    "}\n"
    "\n"
    "_udpbatch() {\n"
    "    local IFS=$' \\t\\n' words takes='' value='' before=''\n"
    "    COMPREPLY=()\n"
    "    _udpbatch_words\n"
    "    _udpbatch_next\n"
    "    # bash completes files by itself if nothing is offered, and what is before = stays.\n"
    "    [ \"$takes\" = FILE ] && return\n"
    "    type compopt >/dev/null 2>&1 && compopt +o default\n"
    "    case $takes in\n"
    "    INTERFACE) _udpbatch_interfaces ;;\n"
    "    *) _udpbatch_offer $takes ;;\n"
    "    esac\n"
    "    [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=(\"${COMPREPLY[@]/#/$before}\")\n"
    "}\n"
    "\n"
    "complete -o default -F _udpbatch udpbatch\n";

/* ---- The tables ----------------------------------------------------------------------------- */

static void write_commands(FILE *file)
{
    fputs("\n_udpbatch_commands() {\n    echo", file);
    for (size_t i = 0; commands[i] != NULL; i++)
        fprintf(file, " %s", commands[i]->name);
    fputs("\n}\n\n", file);
}

static void write_options(const struct command *command, FILE *file)
{
    fprintf(file, "    %s) takes='", command->name);
    for (const struct option_row *row = command->rows; row->name != NULL; row++)
        fprintf(file, "--%s ", row->name);
    fprintf(file, "--%s' ;;\n", help_row.name);
}

/* What `takes` is set to; nothing but words begins in small letters. */
static void write_offer(const char *argument, const struct option_row *row, FILE *file)
{
    static const char *const names[] = { [OFFER_NOTHING] = "",
                                         [OFFER_WORDS] = "",
                                         [OFFER_FILES] = "FILE",
                                         [OFFER_INTERFACES] = "INTERFACE" };
    enum offer offer = completion_offer(argument);

    fprintf(file, "takes='%s", names[offer]);
    if (offer == OFFER_WORDS)
        completion_write_words(argument, row, file);
    fputs("' ;;\n", file);
}

static void write_argument(const struct command *command, const struct option_row *row, FILE *file)
{
    fprintf(file, "    '%s --%s'", command->name, row->name);
    if (row->letter != '\0')
        fprintf(file, " | '%s -%c'", command->name, row->letter);
    fputs(") ", file);
    write_offer(row->argument, row, file);
}

static void write_arguments(const struct command *command, FILE *file)
{
    for (const struct option_row *row = command->rows; row->name != NULL; row++)
        if (row->argument != NULL)
            write_argument(command, row, file);
}

/* Where there can be none, what can come is an option. */
static void write_operand(const struct command *command, FILE *file)
{
    if (command->set_operand == NULL) {
        fprintf(file, "    %s) _udpbatch_options %s ;;\n", command->name, command->name);
        return;
    }
    fprintf(file, "    %s) ", command->name);
    write_offer(command->operand != NULL ? command->operand : "FILE", NULL, file);
}

/* A function with a case for each subcommand. */
static void write_cases(const char *comment, const char *name, const char *subject,
                        void (*write_case)(const struct command *command, FILE *file),
                        const char *otherwise, FILE *file)
{
    fprintf(file, "# %s\n_udpbatch_%s() {\n    case %s in\n", comment, name, subject);
    for (size_t i = 0; commands[i] != NULL; i++)
        write_case(commands[i], file);
    fprintf(file, "%s    esac\n}\n\n", otherwise);
}

void completion_write_bash(FILE *file)
{
    fputs(WORDS, file);
    write_commands(file);
    write_cases("Set takes to words, or FILE, or INTERFACE, or nothing.", "options", "$1",
                write_options, "", file);
    write_cases("Fails if the option takes no argument.", "argument", "\"$1 $2\"", write_arguments,
                "    *) return 1 ;;\n", file);
    write_cases("What is no option.", "operand", "$1", write_operand, "", file);
    fputs(DISPATCH, file);
}
