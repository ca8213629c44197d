/* commands.c: the table of subcommands. */
#include "options.h"

/* clang-format off */
const struct command *const commands[] = {
    &send_command,
    &recv_command,
    &probe_command,
#ifdef HAVE_BENCH
    &bench_command,
#endif
    &completion_command,
    NULL,
};
