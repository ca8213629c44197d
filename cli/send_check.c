/* send_check.c: whether what `udpbatch send` was told goes together. */
#include "send_check.h"

#include <errno.h>
#include <string.h>

#include "backends.h"
#include "numbered.h"
#include "system.h"

bool send_is_numbered(const struct send_settings *settings)
{
    return settings->common.count > 0 || settings->common.seconds > 0;
}

/* ---- What excludes each other --------------------------------------------------------------- */

struct conflict {
    bool is_there;
    const char *way_out;
};

static bool check_conflicts(const struct conflict *conflicts, size_t n, struct reason *reason)
{
    for (size_t i = 0; i < n; i++)
        if (conflicts[i].is_there)
            return reason_give(reason, "%s", conflicts[i].way_out);
    return true;
}

static bool check_source(const struct send_settings *settings, struct reason *reason)
{
    const bool numbered = send_is_numbered(settings), capture = settings->common.capture != NULL;
    const bool file = settings->file != NULL, lines = settings->common.lines;
    const bool size = settings->size > 0;
    const struct conflict conflicts[] = {
        { capture && numbered, "give either --pcap, or --count and --for" },
        { capture && file, "give either --pcap or a file" },
        { capture && lines, "give either --pcap or --lines" },
        { capture && size, "give either --pcap, whose payloads have their sizes, or --size" },
        { numbered && file, "give either a file, or --count and --for, which make the packets" },
        { numbered && lines, "give either --lines, or --count and --for" },
        { numbered && size && settings->size < NUMBERED_BYTES,
          "--size must be 32 or more with --count and --for, for the header of each packet" },
        { lines && size, "give either --size or --lines" },
    };
    return check_conflicts(conflicts, sizeof conflicts / sizeof conflicts[0], reason);
}

static bool check_pace(const struct send_settings *settings, struct reason *reason)
{
    const bool rate = settings->rate.unit != RATE_UNLIMITED;
    const struct conflict conflicts[] = {
        { settings->speed > 0 && settings->common.capture == NULL, "--speed is for --pcap alone" },
        { settings->speed > 0 && rate, "give either --speed or --rate" },
        { settings->burst > 0 && !rate, "--burst needs --rate, in whose unit it is" },
    };
    return check_conflicts(conflicts, sizeof conflicts / sizeof conflicts[0], reason);
}

static bool check_map(const struct send_settings *settings, struct reason *reason)
{
    const bool map = settings->map.count > 0;
    const bool targets = settings->targets.count > 0 || settings->targets_file != NULL;
    const struct conflict conflicts[] = {
        { map && settings->common.capture == NULL, "--map is for --pcap alone" },
        { map && targets, "give either --map, or --to and --targets" },
    };
    return check_conflicts(conflicts, sizeof conflicts / sizeof conflicts[0], reason);
}

/* ---- Where it goes -------------------------------------------------------------------------- */

/* Packets are counted as the integers of JSON. */
static bool check_count(const struct send_settings *settings, struct reason *reason)
{
    return settings->common.count <= INT64_MAX / settings->targets.count ||
           reason_give(reason, "--count is too large for so many targets");
}

bool send_check_targets(struct send_settings *settings, FILE *list, struct reason *reason)
{
    struct targets *targets = &settings->targets;
    const char *name = settings->targets_file;

    if (settings->map.count > 0)
        return true;
    if (list != NULL && !targets_add_file(targets, list, name, reason))
        return false;
    if (targets->count == 0)
        return reason_give(reason, "%s names no target", name);
    return check_count(settings, reason);
}

static bool check_way(const struct send_settings *settings, struct reason *reason)
{
    return settings->map.count > 0 || settings->targets.count > 0 ||
           settings->targets_file != NULL ||
           reason_give(reason, "no target, give --to HOST:PORT or --targets FILE");
}

/* ---- By what way ---------------------------------------------------------------------------- */

/* Past the network stack: a meta with the interface would send everything by the stack. */
static bool check_xdp(const struct send_settings *settings, struct reason *reason)
{
    return (settings->interface != NULL && settings->interface[0] != '\0') ||
           reason_give(reason, "--backend xdp needs --interface INTERFACE, such as eth0");
}

/* By the network stack, which each datagram asks for the interface. */
static bool check_stack(struct send_settings *settings, struct reason *reason)
{
    struct udpbatch_meta *meta = &settings->meta;

    if (settings->xdp_option != NULL)
        return reason_give(reason, "%s is for --backend xdp alone", settings->xdp_option);
    if (settings->interface == NULL)
        return true;
    meta->flags |= UDPBATCH_META_INTERFACE;
    meta->interface_index = interface_find(settings->interface);
    return meta->interface_index != 0 ||
           reason_give(reason, "--interface %s: %s", settings->interface, words_of_error(errno));
}

bool send_check(struct send_settings *settings, struct reason *reason)
{
    if (!check_source(settings, reason) || !check_pace(settings, reason) ||
        !check_map(settings, reason) || !check_way(settings, reason))
        return false;
    return backend_is_xdp(settings->common.backend) ? check_xdp(settings, reason)
                                                    : check_stack(settings, reason);
}
