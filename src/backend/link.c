/* link.c: the device that frames leave by, by netdevice(7). */
#include "link.h"

#if UB_HAVE_XDP

#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool request(const struct ub_link *link, int fd, uint16_t what, struct ifreq *answer)
{
    *answer = (struct ifreq){ .ifr_ifindex = (int)link->index };
    return ioctl(fd, SIOCGIFNAME, answer) == 0 && ioctl(fd, what, answer) == 0;
}

/* A number of /proc/sys/net/ipv6/conf. If it cannot be read, it is as it was before: the program
 * may have used up its descriptors, changed its root, or refused itself to open files. Nothing is
 * allocated for it. */
static uint32_t in6_setting(const char *device, const char *name, uint32_t before)
{
    char text[64 + IFNAMSIZ];

    snprintf(text, sizeof text, "/proc/sys/net/ipv6/conf/%s/%s", device, name);
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return before;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len <= 0)
        return before;
    text[len] = '\0';
    return (uint32_t)strtoul(text, NULL, 10);
}

/* Routers may tell hosts of a smaller MTU and of a hop limit (RFC 4861, 4.2). A socket tells the
 * one of "all" where it has none of its own. */
static void read_in6_settings(struct ub_link *link, const char *device)
{
    uint32_t mtu = in6_setting(device, "mtu", link->mtu_in6);

    link->mtu_in6 = mtu < link->mtu ? mtu : link->mtu;
    link->hop_limit = in6_setting(device, "hop_limit", link->hop_limit);
    link->usual_hop_limit = in6_setting("all", "hop_limit", link->usual_hop_limit);
}

void ub_link_read(struct ub_link *link, int fd)
{
    const short up = IFF_UP | IFF_RUNNING;
    struct ifreq answer;

    link->is_up = request(link, fd, SIOCGIFFLAGS, &answer) && (answer.ifr_flags & up) == up;
    if (!request(link, fd, SIOCGIFMTU, &answer))
        return;
    link->mtu = (uint32_t)answer.ifr_mtu;
    read_in6_settings(link, answer.ifr_name);
    if (request(link, fd, SIOCGIFHWADDR, &answer))
        memcpy(link->mac, answer.ifr_hwaddr.sa_data, UB_MAC);
}

/* 0: there is none of that name. */
static uint32_t index_of(const char *device, int fd)
{
    struct ifreq answer = { .ifr_ifindex = 0 };

    if (device == NULL || strlen(device) >= sizeof answer.ifr_name)
        return 0;
    strcpy(answer.ifr_name, device);
    return ioctl(fd, SIOCGIFINDEX, &answer) == 0 ? (uint32_t)answer.ifr_ifindex : 0;
}

int ub_link_open(struct ub_link *link, const char *device, int fd)
{
    struct ifreq answer;

    *link = (struct ub_link){ .index = index_of(device, fd) };
    if (link->index == 0 || !request(link, fd, SIOCGIFHWADDR, &answer))
        return -ENODEV;
    if (answer.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        return -EMEDIUMTYPE;
    ub_link_read(link, fd);
    return 0;
}

#endif
