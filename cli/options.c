/* options.c: from a table of options to settings, and to --help. */
#include "options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "backends.h"
#include "capture_source.h"
#include "json.h"
#include "units.h"

/* What getopt_long returns for row i is FIRST_CODE + i, which is no character. */
enum { FIRST_CODE = 256, HELP_CODE = FIRST_CODE + OPTION_ROWS_MAX };

const struct option_row help_row = { "help", 'h', NULL, "show this help", "Show help.", NULL, 0 };

enum { FORM_TEXT = 80 };

/* ---- Help ---------------------------------------------------------------------------------- */

/* "-o, --output FILE". Returns its length. */
static int write_form(const struct option_row *row, char text[FORM_TEXT])
{
    const bool has_letter = row->letter != '\0', has_argument = row->argument != NULL;
    const char letter[] = { '-', row->letter, ',', ' ', '\0' };
    return snprintf(text, FORM_TEXT, "%s--%s%s%s", has_letter ? letter : "    ", row->name,
                    has_argument ? " " : "", has_argument ? row->argument : "");
}

static int widest_form(const struct option_row *rows)
{
    char text[FORM_TEXT];
    int widest = write_form(&help_row, text);
    for (; rows->name != NULL; rows++) {
        int width = write_form(rows, text);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_row(const struct option_row *row, int width)
{
    char text[FORM_TEXT];
    write_form(row, text);
    printf("  %-*s  %s\n", width, text, row->help);
}

static void print_help(const struct command *command)
{
    int width = widest_form(command->rows);
    printf("usage: udpbatch %s %s\n\n%s\n\n", command->name, command->synopsis, command->summary);
    for (const struct option_row *row = command->rows; row->name != NULL; row++)
        print_row(row, width);
    print_row(&help_row, width);
    printf("\n%s", command->notes);
}

/* ---- Parsing ------------------------------------------------------------------------------- */

/* The table in the two forms that getopt_long takes. */
struct getopt_tables {
    struct option long_options[OPTION_ROWS_MAX + 2];
    char letters[2 * OPTION_ROWS_MAX + 4];
};

static void add_letter(char *letters, const struct option_row *row)
{
    size_t end = strlen(letters);
    if (row->letter == '\0')
        return;
    letters[end] = row->letter;
    letters[end + 1] = row->argument != NULL ? ':' : '\0';
}

static void make_tables(const struct option_row *rows, struct getopt_tables *tables)
{
    int i = 0;
    /* The colon asks for ':' instead of '?' where an argument is missing. */
    *tables = (struct getopt_tables){ .letters = ":" };
    for (; i < OPTION_ROWS_MAX && rows[i].name != NULL; i++) {
        int takes = rows[i].argument != NULL ? required_argument : no_argument;
        tables->long_options[i] = (struct option){ rows[i].name, takes, NULL, FIRST_CODE + i };
        add_letter(tables->letters, &rows[i]);
    }
    assert(rows[i].name == NULL);
    tables->long_options[i] = (struct option){ help_row.name, no_argument, NULL, HELP_CODE };
    add_letter(tables->letters, &help_row);
}

static const struct option_row *find_row(const struct option_row *rows, int code)
{
    if (code >= FIRST_CODE)
        return &rows[code - FIRST_CODE];
    while (rows->letter != code)
        rows++;
    return rows;
}

static int apply(const struct option_row *row, void *settings, const char *argument)
{
    struct reason reason;
    if (row->set == NULL) {
        *(bool *)(void *)((char *)settings + row->flag) = true;
        return OPTIONS_GO_ON;
    }
    if (row->set(settings, argument, &reason))
        return OPTIONS_GO_ON;
    if (argument != NULL)
        complain("--%s %s: %s", row->name, argument, reason.text);
    else
        complain("--%s: %s", row->name, reason.text);
    return STATUS_USAGE;
}

static int complain_unknown(const struct command *command, const char *word)
{
    if (optopt >= FIRST_CODE)
        complain("%s: this option takes no argument", word);
    else if (optopt != 0)
        complain("there is no option -%c; see udpbatch %s --help", optopt, command->name);
    else
        complain("there is no option %s; see udpbatch %s --help", word, command->name);
    return STATUS_USAGE;
}

static int complain_missing(const struct option_row *row)
{
    complain("--%s needs an argument: --%s %s", row->name, row->name, row->argument);
    return STATUS_USAGE;
}

static int parse_one(const struct command *command, void *settings, int code, const char *word)
{
    switch (code) {
    case '?':
        return complain_unknown(command, word);
    case ':':
        return complain_missing(find_row(command->rows, optopt));
    case 'h':
    case HELP_CODE:
        print_help(command);
        return STATUS_DONE;
    default:
        return apply(find_row(command->rows, code), settings, optarg);
    }
}

static int parse_operands(const struct command *command, void *settings, int argc, char **argv)
{
    struct reason reason;
    for (int i = optind; i < argc; i++) {
        if (command->set_operand == NULL)
            reason_give(&reason, "not an option; see udpbatch %s --help", command->name);
        else if (command->set_operand(settings, argv[i], &reason))
            continue;
        complain("%s: %s", argv[i], reason.text);
        return STATUS_USAGE;
    }
    return OPTIONS_GO_ON;
}

int options_parse(const struct command *command, void *settings, int argc, char **argv)
{
    struct getopt_tables tables;
    int code;

    make_tables(command->rows, &tables);
    opterr = 0;
    while ((code = getopt_long(argc, argv, tables.letters, tables.long_options, NULL)) != -1) {
        int status = parse_one(command, settings, code, argv[optind - 1]);
        if (status != OPTIONS_GO_ON)
            return status;
    }
    return parse_operands(command, settings, argc, argv);
}

/* ---- Options of several subcommands --------------------------------------------------------- */

/* Of a shorter one much would be that waits end up to a millisecond late. */
static const double INTERVAL_LEAST = 0.01, INTERVAL_MOST = 1e9;

/* Those that receive, or all. */
static void list_backends(bool receiving, char *text, size_t size)
{
    const char *name;
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; (name = udpbatch_backend_name(i)) != NULL && len < size; i++)
        if (!receiving || backend_receives(name))
            len += (size_t)snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "", name);
}

static bool refuse_backend(const char *why, bool receiving, struct reason *reason)
{
    char names[160];
    list_backends(receiving, names, sizeof names);
    return reason_give(reason, "%s; there are %s", why, names);
}

/* NULL if there is none of that name. */
static const char *find_backend(const char *argument)
{
    const char *name;
    size_t i = 0;
    while ((name = udpbatch_backend_name(i)) != NULL && strcmp(name, argument) != 0)
        i++;
    return name;
}

bool set_backend(void *settings, const char *argument, struct reason *reason)
{
    const char *name = find_backend(argument);
    ((struct common_settings *)settings)->backend = name;
    return name != NULL || refuse_backend("no such back end", false, reason);
}

bool set_receiving_backend(void *settings, const char *argument, struct reason *reason)
{
    const char *name = find_backend(argument);
    ((struct common_settings *)settings)->backend = name;
    if (name == NULL)
        return refuse_backend("no such back end", true, reason);
    return backend_receives(name) || refuse_backend("it only sends", true, reason);
}

bool set_capture(void *settings, const char *argument, struct reason *reason)
{
    struct common_settings *common = settings;
    if (!capture_is_built_in())
        return reason_give(reason, "this udpbatch was built without libpcap, which it takes");
    if (argument[0] == '\0')
        return reason_give(reason, "the name of the file is missing");
    if (common->capture != NULL)
        return reason_give(reason, "one capture at a time, give this option once");
    common->capture = argument;
    return true;
}

/* Packets are counted as the integers of JSON. */
bool set_count(void *settings, const char *argument, struct reason *reason)
{
    return units_read_count(argument, 1, INT64_MAX, &((struct common_settings *)settings)->count) ||
           reason_give(reason, "write a number of packets above 0");
}

bool set_for(void *settings, const char *argument, struct reason *reason)
{
    return units_read_seconds(argument, &((struct common_settings *)settings)->seconds) ||
           reason_give(reason, "write a number of seconds above 0, such as 10 or 0.5");
}

bool set_interval(void *settings, const char *argument, struct reason *reason)
{
    double *interval = &((struct common_settings *)settings)->interval;
    return units_read_number(argument, INTERVAL_LEAST, INTERVAL_MOST, interval) ||
           reason_give(reason, "write a number of seconds from 0.01, such as 1 or 0.5");
}

bool set_json(void *settings, const char *argument, struct reason *reason)
{
    (void)argument;
    if (!json_is_built_in())
        return reason_give(reason, "this udpbatch was built without jansson, which it takes");
    ((struct common_settings *)settings)->json = true;
    return true;
}
