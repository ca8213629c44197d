/* send_options.c: the table of what `udpbatch send` can be told. */
#include "send_options.h"

#include <string.h>

#include "address.h"
#include "source.h"

static bool set_to(void *settings, const char *argument, struct reason *reason)
{
    return targets_add(&((struct send_settings *)settings)->targets, argument, reason);
}

static bool set_targets(void *settings, const char *argument, struct reason *reason)
{
    struct send_settings *send = settings;
    if (send->targets_file != NULL)
        return reason_give(reason, "give this option once");
    send->targets_file = argument;
    return true;
}

static bool set_size(void *settings, const char *argument, struct reason *reason)
{
    return units_read_count(argument, 1, PAYLOAD_MAX, &((struct send_settings *)settings)->size) ||
           reason_give(reason, "write a number of bytes from 1 to %d", PAYLOAD_MAX);
}

static bool set_rate(void *settings, const char *argument, struct reason *reason)
{
    return units_read_rate(argument, &((struct send_settings *)settings)->rate) ||
           reason_give(reason, "write a rate above 0 in bit or pps, such as 200Mbit or 50kpps");
}

static bool set_tos(void *settings, const char *argument, struct reason *reason)
{
    struct udpbatch_meta *meta = &((struct send_settings *)settings)->meta;
    meta->flags |= UDPBATCH_META_TOS;
    return units_read_byte(argument, &meta->tos) ||
           reason_give(reason, "write a number from 0 to 255, such as 184 or 0xb8");
}

static bool set_ttl(void *settings, const char *argument, struct reason *reason)
{
    struct udpbatch_meta *meta = &((struct send_settings *)settings)->meta;
    uint64_t ttl;
    if (!units_read_count(argument, 1, UINT8_MAX, &ttl))
        return reason_give(reason, "write a number from 1 to 255");
    meta->flags |= UDPBATCH_META_TTL;
    meta->ttl = (uint8_t)ttl;
    return true;
}

static bool set_from(void *settings, const char *argument, struct reason *reason)
{
    struct udpbatch_meta *meta = &((struct send_settings *)settings)->meta;
    meta->flags |= UDPBATCH_META_LOCAL;
    return address_read_host(argument, &meta->local, reason);
}

/* What it is for is known when the back end is. */
static bool set_interface(void *settings, const char *argument, struct reason *reason)
{
    (void)reason;
    ((struct send_settings *)settings)->interface = argument;
    return true;
}

static bool set_queue(void *settings, const char *argument, struct reason *reason)
{
    struct send_settings *send = settings;
    send->xdp_option = "--queue";
    return units_read_count(argument, 0, UINT32_MAX, &send->queue) ||
           reason_give(reason, "write the number of a queue, the first is 0");
}

static bool set_xdp_mode(void *settings, const char *argument, struct reason *reason)
{
    static const char *const words[] = { [UDPBATCH_XDP_AUTO] = "auto",
                                         [UDPBATCH_XDP_COPY] = "copy",
                                         [UDPBATCH_XDP_ZERO_COPY] = "zero-copy" };
    struct send_settings *send = settings;
    send->xdp_option = "--xdp-mode";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], argument) == 0) {
            send->xdp_mode = (enum udpbatch_xdp_mode)i;
            return true;
        }
    return reason_give(reason, "write auto, copy or zero-copy");
}

static bool set_file(void *settings, const char *argument, struct reason *reason)
{
    struct send_settings *send = settings;
    if (send->file != NULL)
        return reason_give(reason, "one file at a time can be sent");
    send->file = argument;
    return true;
}

static const struct option_row rows[] = {
    { "to", 't', "HOST:PORT", "send to this target; can be given many times", NULL, set_to, 0 },
    { "targets", 'T', "FILE", "and to those in FILE, one HOST:PORT per line", NULL, set_targets,
      0 },
    { "size", 's', "BYTES", "cut into datagrams of BYTES, 1200 by default", NULL, set_size, 0 },
    { "lines", 'l', NULL, "send a datagram per line, without the newline", NULL, NULL,
      offsetof(struct send_settings, common.lines) },
    { "rate", 'r', "RATE", "send no faster: 200Mbit, 50kpps, 9600bit", NULL, set_rate, 0 },
    { "broadcast", 0, NULL, "allow broadcast addresses", NULL, NULL,
      offsetof(struct send_settings, broadcast) },
    { "tos", 0, "BYTE", "TOS or traffic class of each, such as 184 or 0xb8", NULL, set_tos, 0 },
    { "ttl", 0, "N", "time to live or hop limit of each", NULL, set_ttl, 0 },
    { "from", 0, "ADDRESS", "send from this address of this host", NULL, set_from, 0 },
    { "interface", 0, "NAME", "send by this network interface", NULL, set_interface, 0 },
    { "no-trains", 0, NULL, "hand each datagram to the kernel by itself", NULL, NULL,
      offsetof(struct send_settings, common.no_trains) },
    { "backend", 0, "NAME", "send by this back end; by default the best", NULL, set_backend, 0 },
    { "queue", 0, "N", "with --backend xdp: by this queue of the interface", NULL, set_queue, 0 },
    { "xdp-mode", 0, "MODE", "and so: auto, copy or zero-copy", NULL, set_xdp_mode, 0 },
    { "stats", 0, NULL, "print what was counted too, such as trains", NULL, NULL,
      offsetof(struct send_settings, common.stats) },
    { "json", 'j', NULL, "print the result as a JSON object", NULL, set_json, 0 },
    { "quiet", 'q', NULL, "show no progress", NULL, NULL,
      offsetof(struct send_settings, common.quiet) },
    { 0 },
};

const struct command send_command = {
    .name = "send",
    .summary = "Sends a file, or what comes in, to one or many targets by UDP.",
    .synopsis = "--to HOST:PORT [OPTION]... [FILE]",
    .rows = rows,
    .set_operand = set_file,
    .run = send_run,
    .notes = "Without FILE, or if it is -, standard input is sent. HOST is a name, an IPv4\n"
             "address or an IPv6 address in brackets, as in [::1]:9000. RATE counts payload,\n"
             "for all targets together. In the FILE of targets, # begins a comment.\n"
             "\n"
             "Exit status: 0 all was sent, 1 something was refused or left over, 2 the\n"
             "arguments are wrong and nothing was begun. Ctrl-C ends with the totals so far.\n",
};
