/* options.h: what a subcommand can be told. One table per subcommand says it to all who ask: the
 * parser, --help, and whatever is generated from it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "cli.h"
#include "complain.h"

/* Puts an argument into the settings of a subcommand, or says why not. */
typedef bool option_setter(void *settings, const char *argument, struct reason *reason);

struct option_row {
    const char *name;
    char letter;          /* of the short form; 0: none */
    const char *argument; /* its name, or the words it can be as in "on|off"; NULL: takes none */
    const char *help;     /* in a few words */
    const char *detail;   /* in sentences, for the manual: see mdoc.h */
    option_setter *set;   /* NULL: it makes a bool of the settings true, that at the offset */
    size_t flag;
};

/* What every subcommand has besides. */
extern const struct option_row help_row;

/* A table has no more rows. */
enum { OPTION_ROWS_MAX = 40 };

struct command {
    const char *name;
    const char *summary; /* one line */
    const char *synopsis;
    const char *notes;             /* at the end of its --help */
    const struct option_row *rows; /* to the one without a name */
    option_setter *set_operand;    /* NULL: takes no operand */
    const char *operand;           /* the words it can be, as in "on|off"; NULL: a file */
    int (*run)(int argc, char **argv);
};

extern const struct command send_command;
extern const struct command recv_command;
extern const struct command bench_command;
extern const struct command probe_command;
extern const struct command completion_command;

/* All of them, NULL at the end. */
extern const struct command *const commands[];

/* What options_parse returns if there is something to do. */
enum { OPTIONS_GO_ON = -1 };

/* Fills in the settings. Returns OPTIONS_GO_ON; otherwise all has been said, and it is the status
 * to exit with. */
int options_parse(const struct command *command, void *settings, int argc, char **argv);

/* What several subcommands can be told. Their settings begin with this, and their tables name it or
 * the setters below. */
struct common_settings {
    const char *backend;
    const char *capture; /* a file; NULL: none */
    uint64_t count;      /* of packets; 0: not given */
    double seconds;      /* that it goes on for; 0: not given */
    double interval;     /* 0: none */
    bool lines, json, quiet, stats, no_trains;
};

option_setter set_backend, set_receiving_backend, set_capture, set_count, set_for, set_interval,
    set_json;

#endif
