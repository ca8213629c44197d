/* device.h: a network device and its offloads (Linux ethtool interface; elsewhere all is unknown).
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "cli.h"
#include "complain.h"

/* Offloads that matter to a sender, by the kernel's names: see ethtool(8) -k. */
enum device_offload {
    OFFLOAD_UDP_SEGMENTATION,     /* tx-udp-segmentation: trains are cut by the device */
    OFFLOAD_GENERIC_SEGMENTATION, /* tx-generic-segmentation: trains pass the stack whole */
    OFFLOAD_CHECKSUM,             /* tx-checksum-ip-generic, or tx-checksum-ipv4 */
    OFFLOAD_SCATTER_GATHER,       /* tx-scatter-gather */
    OFFLOADS
};

enum offload_state { OFFLOAD_UNKNOWN, OFFLOAD_OFF, OFFLOAD_ON };

struct device {
    char name[16]; /* empty: not known */
    int mtu;       /* 0: not known */
    enum offload_state offloads[OFFLOADS];
    bool is_fixed[OFFLOADS]; /* ethtool(8) cannot switch it */
};

/* The kernel's name of an offload, "tx-udp-segmentation"; of two, the first. */
const char *device_offload_name(enum device_offload offload);

/* Describes the device of that name, in the network namespace of the calling thread. What the
 * system does not tell stays unknown. */
void device_describe(struct device *device, const char *name);

/* The device by which datagrams leave to the address: the one with the address that the kernel
 * would send from, or loopback to an address of this host; without a name if that cannot be told.
 * Nothing is sent. */
void device_of_route(struct device *device, const union udpbatch_addr *to);

/* Switches tx-udp-segmentation off, for all who use the device: it stays off when the process ends.
 * Returns false, and the reason, if that failed or had no effect. */
bool device_segmentation_off(const char *name, struct reason *reason);

#endif
