/* recv_check.c: whether what `udpbatch recv` was told goes together. */
#include "recv_check.h"

#include <string.h>

static bool is_stdout(const char *name)
{
    return name == NULL || strcmp(name, "-") == 0;
}

bool recv_check(const struct recv_settings *settings, struct reason *reason)
{
    const char *file =
        settings->common.capture != NULL ? settings->common.capture : settings->output;

    if (settings->address.sa.sa_family == 0)
        return reason_give(reason, "no address, give --bind ADDR:PORT");
    if (settings->common.capture != NULL && settings->output != NULL)
        return reason_give(reason, "--pcap and --output are two ways to write, choose one");
    if (settings->common.capture != NULL && settings->common.lines)
        return reason_give(reason, "a capture has no lines, leave out --lines or --pcap");
    if (settings->common.json && is_stdout(file))
        return reason_give(reason, "--json and the %s cannot share standard output, %s",
                           settings->common.capture != NULL ? "capture" : "payloads",
                           settings->common.capture != NULL ? "give --pcap a file" : "add -o FILE");
    return true;
}
