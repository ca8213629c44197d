/* probe.c: udpbatch probe: what this machine can do for UDP, and why not. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "options.h"
#include "probe/show.h"
#include "system.h"

struct probe_settings {
    struct common_settings common;
    struct subject subject;
};

/* ---- Options -------------------------------------------------------------------------------- */

/* No packet is sent there; a connected socket has to have a port all the same. */
enum { SOME_PORT = 9 };

/* HOST, HOST:PORT, [IPv6], [IPv6]:PORT, and here also IPv6, which is put into brackets. */
static bool set_to(void *settings, const char *argument, struct reason *reason)
{
    union udpbatch_addr *to = &((struct probe_settings *)settings)->subject.to;
    const bool bare = argument[0] != '[' && strchr(argument, ':') != strrchr(argument, ':');
    char text[NI_MAXHOST];

    if (!bare)
        return address_read_host_or_target(argument, SOME_PORT, to, reason);
    if (snprintf(text, sizeof text, "[%s]", argument) >= (int)sizeof text)
        return reason_give(reason, "the name is too long");
    return address_read_host_or_target(text, SOME_PORT, to, reason);
}

static bool set_interface(void *settings, const char *argument, struct reason *reason)
{
    ((struct probe_settings *)settings)->subject.interface = argument;
    if (interface_find(argument) != 0)
        return true;
    if (errno == EMFILE || errno == ENFILE)
        return reason_give(reason, "%s", words_of_error(errno));
    return reason_give(reason, "there is no such network interface");
}

static const struct option_row rows[] = {
    { "to", 't', "HOST", "ask about the way to HOST; nothing is sent there",
      "Ask also about the route to this host, and the device that it takes. HOST is a name, which "
      "stands for its first address, or an IPv4 or IPv6 address, with or without a port. Nothing "
      "is sent there.",
      set_to, 0 },
    { "interface", 'i', "INTERFACE", "ask about this device; with --to, for the way by it",
      "Ask also about this network device, and whether it can be sent by without a copy, which may "
      "take away for a moment what arrives by it. With --to the route is asked for that leaves by "
      "it.",
      set_interface, 0 },
    { "json", 'j', NULL, "print the answers as a JSON object",
      "Print the answers as a JSON object in one line; only if built with jansson.", set_json, 0 },
    { 0 },
};

static int probe_run(int argc, char **argv);

const struct command probe_command = {
    .name = "probe",
    .summary = "Tells what this machine can do for UDP, and why not.",
    .synopsis = "[OPTION]...",
    .rows = rows,
    .run = probe_run,
    .notes = "It tries each, over loopback sockets of its own: nothing is sent to another\n"
             "host, and nothing is changed. A line says yes, no, ? or a figure; an indented\n"
             "line is the command that would change it, as root where it takes that.\n"
             "\n"
             "Exit status: 0 all could be asked, whatever the answers, 1 something failed that\n"
             "tells nothing about the machine, 2 the arguments are wrong.\n",
};

/* ---- Running --------------------------------------------------------------------------------- */

static bool show(const struct probe_settings *settings, const struct answers *answers)
{
    if (settings->common.json)
        return show_json(&settings->subject, answers);
    show_table(stdout, &settings->subject, answers, show_columns());
    return true;
}

static int ask_and_show(struct probe_settings *settings)
{
    struct answers *answers = calloc(1, sizeof *answers);
    int status = STATUS_INCOMPLETE;

    if (answers == NULL) {
        complain("%s", words_of_error(ENOMEM));
        return status;
    }
    subject_complete(&settings->subject);
    questions_ask(&settings->subject, answers);
    if (!show(settings, answers))
        complain("cannot write JSON: %s", words_of_error(ENOMEM));
    else if (answers_are_complete(answers))
        status = STATUS_DONE;
    free(answers);
    return status;
}

static int probe_run(int argc, char **argv)
{
    struct probe_settings settings = { .common = { 0 } };
    int status = options_parse(&probe_command, &settings, argc, argv);
    return status == OPTIONS_GO_ON ? ask_and_show(&settings) : status;
}
