/* send_options.c: the table of what `udpbatch send` can be told. */
#include "send_options.h"

#include <string.h>

#include "address.h"
#include "source.h"
#include "system.h"

/* A capture of an hour takes six weeks, or a few milliseconds. */
static const double SPEED_LEAST = 0.001, SPEED_MOST = 1e6;

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

static bool set_speed(void *settings, const char *argument, struct reason *reason)
{
    double *speed = &((struct send_settings *)settings)->speed;
    return units_read_number(argument, SPEED_LEAST, SPEED_MOST, speed) ||
           reason_give(reason, "write a factor from 0.001 to 1000000, such as 2.0");
}

static bool set_map(void *settings, const char *argument, struct reason *reason)
{
    return address_map_add(&((struct send_settings *)settings)->map, argument, reason);
}

static bool set_rate(void *settings, const char *argument, struct reason *reason)
{
    return units_read_rate(argument, &((struct send_settings *)settings)->rate) ||
           reason_give(reason, "write a rate above 0 in bit or pps, such as 200Mbit or 50kpps");
}

static bool set_burst(void *settings, const char *argument, struct reason *reason)
{
    return units_read_size(argument, UINT32_MAX, &((struct send_settings *)settings)->burst) ||
           reason_give(reason, "write packets or bytes below 4G, as the rate: such as 64 or 64K");
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
    { "to", 't', "HOST:PORT", "send to this target; may be given often",
      "Send to this target. Can be given many times; a target that is given twice is sent to "
      "twice. HOST is a name, which stands for its first address, or an IPv4 or IPv6 address.",
      set_to, 0 },
    { "targets", 'T', "FILE", "and to those in FILE, one per line",
      "And to those in FILE, one HOST:PORT per line. `#` begins a comment; empty lines are "
      "allowed.",
      set_targets, 0 },
    { "size", 's', "BYTES", "make datagrams of BYTES, 1200 by default",
      "Cut into payloads of BYTES, 1 to 65507; the last one may be shorter. Numbered packets have "
      "32 at least. The default is 1200.",
      set_size, 0 },
    { "lines", 'l', NULL, "send a datagram per line of the file",
      "Send a payload per line, without its newline. Excludes --size. A line of more than 65507 "
      "bytes ends the sending.",
      NULL, offsetof(struct send_settings, common.lines) },
    { "count", 'n', "N", "send N numbered packets, made here",
      "Send N numbered packets to each target, instead of a file. With --for, whichever comes "
      "first ends it.",
      set_count, 0 },
    { "for", 'f', "SECONDS", "send numbered packets for so long",
      "Send numbered packets for so long, for example 0.5, instead of a file.", set_for, 0 },
    { "pcap", 0, "FILE", "send the UDP payloads of a capture",
      "Send the payloads of the UDP datagrams in this capture (pcap or pcapng, as libpcap reads "
      "them) instead of a file; `-` is standard input. To the targets, or with --map to the "
      "addresses that the capture has. Fragments, truncated and damaged packets, and all that is "
      "not UDP, are counted and skipped. Excludes --size and --lines. Only if built with libpcap.",
      set_capture, 0 },
    { "speed", 0, "FACTOR", "with its own timing; 2.0: twice as fast",
      "With the timing of the capture: 1 as it was captured, 2.0 twice as fast, 0.5 half as fast. "
      "The first payload leaves at once. Without it payloads leave as fast as they can, or by "
      "--rate.",
      set_speed, 0 },
    { "map", 0, "FROM=TO", "send what went to FROM to TO",
      "Send what went to FROM in the capture to TO. Can be given many times; the first that fits "
      "counts, and what fits none is skipped. FROM is ADDRESS, ADDRESS:PORT, `:PORT` or `*`, with "
      "the address in digits; TO is HOST:PORT, or HOST to keep the port. In place of --to and "
      "--targets.",
      set_map, 0 },
    { "rate", 'r', "RATE", "send no faster: 200Mbit, 50kpps, 9600bit",
      "Send no faster: a number with `bit` or `pps`, and before that `k`, `M` or `G` in powers of "
      "1000, as in `200Mbit` or `50kpps`. In `bit` it counts payload, without headers; in both, "
      "all targets together.",
      set_rate, 0 },
    { "burst", 0, "SIZE", "with --rate: at most so much at once",
      "With --rate: how much may leave at once after a pause; packets if the rate is in `pps`, "
      "bytes of payload if it is in `bit`. `K`, `M` and `G` are powers of 1024. The default is "
      "what 4 milliseconds are worth, of a slow rate up to 20. One packet may always leave.",
      set_burst, 0 },
    { "broadcast", 0, NULL, "allow broadcast addresses",
      "Set SO_BROADCAST, without which broadcast addresses are refused.", NULL,
      offsetof(struct send_settings, broadcast) },
    { "tos", 0, "BYTE", "TOS or traffic class of each, as 0xb8",
      "Send each datagram with this TOS byte or traffic class, DSCP and ECN together: 0 to 255, or "
      "`0x00` to `0xff`.",
      set_tos, 0 },
    { "ttl", 0, "N", "time to live or hop limit of each",
      "Send each with this time to live or hop limit, 1 to 255.", set_ttl, 0 },
    { "from", 0, "ADDRESS", "send from this address of this host",
      "Send each from this address of this host, which is written in digits and without brackets. "
      "Targets of the other family are refused.",
      set_from, 0 },
    { "interface", 0, "INTERFACE", "send by this network interface",
      "Send each by this network interface. With --backend xdp it is the one whose queue is taken, "
      "and has to be given.",
      set_interface, 0 },
    { "no-trains", 0, NULL, "hand each datagram to the kernel by itself",
      "Hand each datagram to the kernel by itself. Without it those of one size to one target "
      "leave as trains (UDP segmentation offload) where the kernel can, which costs much less.",
      NULL, offsetof(struct send_settings, common.no_trains) },
    { "backend", 0, "BACKEND", "send by this back end; by default the best",
      "Send by this back end of the library, `sendmmsg`, `portable` or `xdp`. The default is the "
      "first that is built in, and never `xdp`. It sends past the network stack, and so past "
      "packet filters, queueing disciplines and IPsec, what it can send so, and all else by the "
      "socket, see udpbatch_xdp(3). It needs --interface, the name of an Ethernet device that is "
      "up, and CAP_NET_RAW.",
      set_backend, 0 },
    { "queue", 0, "N", "with --backend xdp: by this queue",
      "With --backend xdp: send by this queue of the interface. The first is 0, the default. A "
      "queue is one program's at a time.",
      set_queue, 0 },
    { "xdp-mode", 0, "auto|copy|zero-copy", "and so; auto by default",
      "With --backend xdp: whether packets are copied on their way to the device. The default is "
      "`auto`: they are. Without a copy the receive queue of that number may hear nothing, see "
      "udpbatch_xdp(3).",
      set_xdp_mode, 0 },
    { "interval", 'i', "SECONDS", "say after each so long what was sent in it",
      "After each SECONDS, print a line with what was sent in them; with --json an object. At "
      "least 0.01. Where standard error is no terminal there are no lines of progress then.",
      set_interval, 0 },
    { "stats", 0, NULL, "print what was counted too, such as trains",
      "After the result, print what was counted.", NULL,
      offsetof(struct send_settings, common.stats) },
    { "json", 'j', NULL, "print the result as a JSON object",
      "Print the result as a JSON object, and the intervals as one each. Only if built with "
      "jansson.",
      set_json, 0 },
    { "quiet", 'q', NULL, "show no progress",
      "Show no progress. Without it there is a bar on standard error if that is a terminal, "
      "otherwise a line every 5 seconds.",
      NULL, offsetof(struct send_settings, common.quiet) },
    { 0 },
};

const struct command send_command = {
    .name = "send",
    .summary = "Sends a file, or what comes in, to one or many targets by UDP.",
    .synopsis = "[OPTION]... --to HOST:PORT [FILE]",
    .rows = rows,
    .set_operand = set_file,
    .run = send_run,
    .notes = "Without FILE, or if it is -, standard input is sent; with --count or --for,\n"
             "packets made here, of which udpbatch recv tells what was lost; with --pcap, the\n"
             "payloads of a capture; with --map, --to is left out. HOST is a name, an IPv4\n"
             "address or an IPv6 address in brackets, as in [::1]:9000. RATE in bit counts\n"
             "payload, without headers; in both, all targets together. SIZE is in packets if\n"
             "RATE is in pps, and in bytes if it is in bit. In the FILE of targets, # begins a\n"
             "comment. FROM is ADDRESS, ADDRESS:PORT, :PORT or *, and TO is HOST:PORT or HOST.\n"
             "\n"
             "Exit status: 0 all was sent, 1 something was refused or left over, 2 the\n"
             "arguments are wrong and nothing was begun. Ctrl-C ends with the totals so\n"
             "far, " TOTALS_WISH " prints them and goes on.\n",
};
