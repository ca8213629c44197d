/* device.c: a network device, by ioctl(2): SIOCGIFMTU and SIOCETHTOOL. */
#include "device.h"

#include "system.h"

#if ON_LINUX

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "address.h"

/* ---- Asking the kernel ----------------------------------------------------------------------- */

/* With errno set on failure. */
static bool request_of(int number, struct ifreq *request, const char *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    snprintf(request->ifr_name, sizeof request->ifr_name, "%s", name);
    bool done = ioctl(fd, (unsigned long)number, request) >= 0;
    int error = errno;
    close(fd);
    errno = error;
    return done;
}

static bool ethtool(const char *name, void *command)
{
    struct ifreq request = { .ifr_data = command };
    return request_of(SIOCETHTOOL, &request, name);
}

static int mtu_of(const char *name)
{
    struct ifreq request = { .ifr_mtu = 0 };
    return request_of(SIOCGIFMTU, &request, name) ? request.ifr_mtu : 0;
}

/* ---- Features -------------------------------------------------------------------------------- */

enum { BLOCK_BITS = 32 };

/* A device's features: names[i] is that of bit i % 32 of block i / 32. */
struct features {
    uint32_t count;
    struct ethtool_gstrings *names;
    struct ethtool_gfeatures *states;
};

static uint32_t feature_count(const char *name)
{
    union {
        struct ethtool_sset_info info;
        char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
    } query = { .info = { .cmd = ETHTOOL_GSSET_INFO,
                          .sset_mask = UINT64_C(1) << ETH_SS_FEATURES } };
    uint32_t count = 0;

    if (ethtool(name, &query) && query.info.sset_mask != 0)
        memcpy(&count, query.room + sizeof query.info, sizeof count);
    return count;
}

static uint32_t blocks_of(uint32_t count)
{
    return (count + BLOCK_BITS - 1) / BLOCK_BITS;
}

static bool read_names(struct features *features, const char *name)
{
    features->names =
        calloc(1, sizeof *features->names + (size_t)features->count * ETH_GSTRING_LEN);
    if (features->names == NULL)
        return false;
    features->names->cmd = ETHTOOL_GSTRINGS;
    features->names->string_set = ETH_SS_FEATURES;
    features->names->len = features->count;
    return ethtool(name, features->names);
}

static bool read_states(struct features *features, const char *name)
{
    uint32_t blocks = blocks_of(features->count);
    features->states =
        calloc(1, sizeof *features->states + blocks * sizeof *features->states->features);
    if (features->states == NULL)
        return false;
    features->states->cmd = ETHTOOL_GFEATURES;
    features->states->size = blocks;
    return ethtool(name, features->states);
}

static void features_free(struct features *features)
{
    free(features->names);
    free(features->states);
    *features = (struct features){ 0 };
}

/* None at all if the system does not tell. */
static struct features features_of(const char *name)
{
    struct features features = { .count = feature_count(name) };
    if (!read_names(&features, name) || !read_states(&features, name))
        features_free(&features);
    return features;
}

/* The bit of that name, or features->count. */
static uint32_t find_feature(const struct features *features, const char *feature)
{
    for (uint32_t i = 0; i < features->count; i++) {
        const char *name = (const char *)features->names->data + (size_t)i * ETH_GSTRING_LEN;
        if (strncmp(name, feature, ETH_GSTRING_LEN) == 0)
            return i;
    }
    return features->count;
}

static enum offload_state feature_state(const struct features *features, const char *feature)
{
    uint32_t i = find_feature(features, feature);
    if (i >= features->count)
        return OFFLOAD_UNKNOWN;
    uint32_t active = features->states->features[i / BLOCK_BITS].active;
    return (active >> i % BLOCK_BITS & 1) != 0 ? OFFLOAD_ON : OFFLOAD_OFF;
}

static bool feature_is_fixed(const struct features *features, const char *feature)
{
    uint32_t i = find_feature(features, feature);
    if (i >= features->count)
        return true;
    uint32_t available = features->states->features[i / BLOCK_BITS].available;
    return (available >> i % BLOCK_BITS & 1) == 0;
}

static bool switch_feature_off(const char *name, uint32_t i, uint32_t count)
{
    uint32_t blocks = blocks_of(count);
    struct ethtool_sfeatures *wish = calloc(1, sizeof *wish + blocks * sizeof *wish->features);
    if (wish == NULL)
        return false;
    wish->cmd = ETHTOOL_SFEATURES;
    wish->size = blocks;
    wish->features[i / BLOCK_BITS].valid = UINT32_C(1) << i % BLOCK_BITS;
    bool done = ethtool(name, wish);
    int error = errno;
    free(wish);
    errno = error;
    return done;
}

/* ---- Offloads -------------------------------------------------------------------------------- */

/* The kernel's names; a second one for what some devices do by another feature. */
static const struct {
    const char *name, *other;
} OFFLOAD_NAMES[OFFLOADS] = {
    [OFFLOAD_UDP_SEGMENTATION] = { "tx-udp-segmentation", NULL },
    [OFFLOAD_GENERIC_SEGMENTATION] = { "tx-generic-segmentation", NULL },
    [OFFLOAD_CHECKSUM] = { "tx-checksum-ip-generic", "tx-checksum-ipv4" },
    [OFFLOAD_SCATTER_GATHER] = { "tx-scatter-gather", NULL },
};

const char *device_offload_name(enum device_offload offload)
{
    return OFFLOAD_NAMES[offload].name;
}

static enum offload_state offload_state(const struct features *features, enum device_offload i)
{
    enum offload_state state = feature_state(features, OFFLOAD_NAMES[i].name);
    if (state == OFFLOAD_ON || OFFLOAD_NAMES[i].other == NULL)
        return state;
    enum offload_state other = feature_state(features, OFFLOAD_NAMES[i].other);
    return other == OFFLOAD_UNKNOWN ? state : other;
}

static bool offload_is_fixed(const struct features *features, enum device_offload i)
{
    const char *other = OFFLOAD_NAMES[i].other;
    return feature_is_fixed(features, OFFLOAD_NAMES[i].name) &&
           (other == NULL || feature_is_fixed(features, other));
}

void device_describe(struct device *device, const char *name)
{
    struct features features = features_of(name);

    *device = (struct device){ .mtu = mtu_of(name) };
    snprintf(device->name, sizeof device->name, "%s", name);
    for (int i = 0; i < OFFLOADS; i++) {
        device->offloads[i] = offload_state(&features, (enum device_offload)i);
        device->is_fixed[i] = offload_is_fixed(&features, (enum device_offload)i);
    }
    features_free(&features);
}

static bool segmentation_is_off(const char *name)
{
    struct features features = features_of(name);
    bool off = offload_state(&features, OFFLOAD_UDP_SEGMENTATION) == OFFLOAD_OFF;
    features_free(&features);
    return off;
}

bool device_segmentation_off(const char *name, struct reason *reason)
{
    const char *feature = device_offload_name(OFFLOAD_UDP_SEGMENTATION);
    struct features features = features_of(name);
    uint32_t i = find_feature(&features, feature), count = features.count;

    features_free(&features);
    if (i == count)
        return reason_give(reason, "%s does not tell of its %s", name, feature);
    if (!switch_feature_off(name, i, count))
        return reason_give(reason, "cannot switch %s of %s off: %s", feature, name,
                           words_of_error(errno));
    if (!segmentation_is_off(name))
        return reason_give(reason, "%s of %s stays on", feature, name);
    return true;
}

/* ---- Routes ---------------------------------------------------------------------------------- */

static bool find_source(const union udpbatch_addr *to, union udpbatch_addr *source)
{
    socklen_t len = sizeof *source;
    int broadcast = 1, fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &broadcast, sizeof broadcast);
    bool found =
        connect(fd, &to->sa, address_len(to)) == 0 && getsockname(fd, &source->sa, &len) == 0;
    close(fd);
    return found;
}

/* Whether a and b are one address, whatever their ports. A link-local one counts with its device:
 * several may have the same. */
static bool same_host(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
           (!IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) ||
            a->in6.sin6_scope_id == b->in6.sin6_scope_id);
}

static bool has_address(const struct ifaddrs *entry, const union udpbatch_addr *address)
{
    union udpbatch_addr own;
    if (entry->ifa_addr == NULL || entry->ifa_addr->sa_family != address->sa.sa_family)
        return false;
    memcpy(&own, entry->ifa_addr, address_len(address));
    return same_host(&own, address);
}

/* What a host sends to itself goes by its loopback device, whichever has the address; the kernel
 * then sends from the address that it sends to. */
static bool leaves_by(const struct ifaddrs *entry, const union udpbatch_addr *source,
                      const union udpbatch_addr *to)
{
    if (same_host(source, to))
        return (entry->ifa_flags & IFF_LOOPBACK) != 0;
    return has_address(entry, source);
}

void device_of_route(struct device *device, const union udpbatch_addr *to)
{
    union udpbatch_addr target = address_unmap(to), source = { 0 };
    struct ifaddrs *list;

    *device = (struct device){ 0 };
    if (!find_source(&target, &source) || getifaddrs(&list) < 0)
        return;
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        if (leaves_by(entry, &source, &target)) {
            device_describe(device, entry->ifa_name);
            break;
        }
    }
    freeifaddrs(list);
}

#else

#include <stdio.h>

const char *device_offload_name(enum device_offload offload)
{
    (void)offload;
    return "offload";
}

void device_describe(struct device *device, const char *name)
{
    *device = (struct device){ 0 };
    snprintf(device->name, sizeof device->name, "%s", name);
}

void device_of_route(struct device *device, const union udpbatch_addr *to)
{
    (void)to;
    *device = (struct device){ 0 };
}

bool device_segmentation_off(const char *name, struct reason *reason)
{
    return reason_give(reason, "this system does not tell of the offloads of %s", name);
}

#endif
