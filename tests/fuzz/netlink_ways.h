/* netlink_ways.h: ways that are found and remembered while the kernel says what an input has. */
#ifndef NETLINK_WAYS_H
#define NETLINK_WAYS_H

struct fuzz_input;

void find_ways(struct fuzz_input *input);

#endif
