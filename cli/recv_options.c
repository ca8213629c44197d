/* recv_options.c: the table of what `udpbatch recv` can be told. */
#include "recv_options.h"

#include <limits.h>
#include <string.h>

#include "address.h"
#include "system.h"
#include "units.h"

static bool set_bind(void *settings, const char *argument, struct reason *reason)
{
    struct recv_settings *recv = settings;
    return address_read_local(argument, &recv->address, &recv->dual, reason);
}

/* The kernel halves the largest int, as it doubles what it is asked for. */
static bool set_buffer(void *settings, const char *argument, struct reason *reason)
{
    return units_read_size(argument, INT_MAX / 2, &((struct recv_settings *)settings)->buffer) ||
           reason_give(reason, "write a size below 1G, such as 4M or 65536");
}

static bool set_output(void *settings, const char *argument, struct reason *reason)
{
    (void)reason;
    ((struct recv_settings *)settings)->output = argument;
    return true;
}

static const struct option_row rows[] = {
    { "bind", 'b', "ADDR:PORT", "receive here; port 0: one that is free",
      "Receive at this address. Port 0 is one that is free. `:PORT` and `*:PORT` are all "
      "addresses, of IPv4 and IPv6.",
      set_bind, 0 },
    { "count", 'n', "N", "end after N packets", "End after N datagrams.", set_count, 0 },
    { "for", 'f', "SECONDS", "end after so long", "End after so long, for example 0.5.", set_for,
      0 },
    { "output", 'o', "FILE", "write the payloads to FILE",
      "Write the payloads to FILE, which is emptied first; `-` and the default are standard "
      "output. If it is a terminal, what is no text is shown as `?`, byte by byte: it could be "
      "orders to the terminal. Text is that of UTF-8 if the locale has it, and else of ASCII. A "
      "named pipe is waited for until it has a reader.",
      set_output, 0 },
    { "pcap", 0, "FILE", "write a capture to FILE, not the payloads",
      "Write a capture (pcap, with times in nanoseconds) of the datagrams to FILE, instead of "
      "their payloads; `-` is standard output. It must not be a terminal; a reader of a pipe "
      "gets each packet as it arrives. Only if built with libpcap. Excludes --output and --lines.",
      set_capture, 0 },
    { "lines", 'l', NULL, "write a newline after each payload",
      "Write a newline after each payload.", NULL, offsetof(struct recv_settings, common.lines) },
    { "buffer", 0, "SIZE", "let the kernel hold so much, such as 4M",
      "Ask for a socket receive buffer of SIZE bytes, or with `K`, `M` or `G` in powers of 1024. A "
      "warning says so if the system grants less.",
      set_buffer, 0 },
    { "backend", 0, "BACKEND", "receive by this back end; by default the best",
      "Receive by this back end, `sendmmsg` or `portable`.", set_receiving_backend, 0 },
    { "no-trains", 0, NULL, "take each datagram from the kernel by itself",
      "Take each datagram from the kernel by itself, not as part of a train (UDP GRO).", NULL,
      offsetof(struct recv_settings, common.no_trains) },
    { "interval", 'i', "SECONDS", "say after each so long what came in it",
      "After each SECONDS, say on standard error what came in them; with --json an object each on "
      "standard output. At least 0.01.",
      set_interval, 0 },
    { "stats", 0, NULL, "print what was counted too, such as trains",
      "After the result, print what was counted.", NULL,
      offsetof(struct recv_settings, common.stats) },
    { "json", 'j', NULL, "print the result as a JSON object; needs a FILE",
      "Print the result as a JSON object on standard output; needs --output or --pcap with a file. "
      "Only if built with jansson.",
      set_json, 0 },
    { "quiet", 'q', NULL, "do not say which address is listened on",
      "Do not say which address is listened on.", NULL,
      offsetof(struct recv_settings, common.quiet) },
    { 0 },
};

const struct command recv_command = {
    .name = "recv",
    .summary = "Receives UDP and writes the payloads, one after the other.",
    .synopsis = "--bind ADDR:PORT [OPTION]...",
    .rows = rows,
    .run = recv_run,
    .notes = "Without -o, or if FILE is -, the payloads go to standard output. ADDR is as the\n"
             "HOST of udpbatch send; :PORT and *:PORT are all addresses of IPv4 and IPv6.\n"
             "SIZE is in bytes, or with K, M or G in powers of 1024. Of packets that udpbatch\n"
             "send has numbered, the report tells how many were lost and how late they came.\n"
             "It goes to standard error, with --json to standard output; " TOTALS_WISH " prints\n"
             "the totals so far.\n"
             "\n"
             "Exit status: 0 ended by --count, --for or Ctrl-C, 1 something could not be\n"
             "received or written, 2 the arguments are wrong and nothing was begun.\n",
};
