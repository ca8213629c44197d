/* receivers.c: the sockets that the packets of a workload are for. */
#include "receivers.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "socket.h"

/* What a burst of the larger workloads needs, if the system grants it. */
enum { BUFFER_BYTES = 8 << 20 };

/* Of a datagram as a socket filter sees it: it begins with the UDP header. */
enum { UDP_HEADER_BYTES = 8 };

bool receivers_allocate(struct receivers *receivers, size_t count, struct reason *reason)
{
    *receivers = (struct receivers){ .fds = malloc(count * sizeof *receivers->fds),
                                     .targets = calloc(count, sizeof *receivers->targets),
                                     .buffer = SIZE_MAX };
    if (receivers->fds != NULL && receivers->targets != NULL)
        return true;
    receivers_close(receivers);
    return reason_give(reason, "%s", strerror(ENOMEM));
}

bool receivers_add(struct receivers *receivers, size_t i, int fd, struct reason *reason)
{
    union udpbatch_addr *target = &receivers->targets[i];
    socklen_t len = sizeof *target;
    char text[ADDRESS_TEXT];

    receivers->fds[receivers->count++] = fd;
    if (bind(fd, &target->sa, address_len(target)) < 0)
        return reason_give(reason, "cannot receive at %s: %s", address_write(target, text),
                           strerror(errno));
    if (getsockname(fd, &target->sa, &len) < 0)
        return reason_give(reason, "cannot open a receiver: %s", strerror(errno));
    size_t granted = socket_set_buffer(fd, BUFFER_BYTES);
    if (granted < receivers->buffer)
        receivers->buffer = granted;
    return true;
}

void receivers_close(struct receivers *receivers)
{
    for (size_t i = 0; i < receivers->count; i++)
        close(receivers->fds[i]);
    free(receivers->fds);
    free(receivers->targets);
    *receivers = (struct receivers){ 0 };
}

size_t receivers_hold(const struct receivers *receivers, size_t bytes)
{
    return receivers->buffer / (2 * (bytes + 512) + 1024);
}

static bool filter_all(const struct receivers *receivers, struct sock_filter *code, size_t len)
{
    struct sock_fprog program = { .len = (unsigned short)len, .filter = code };
    for (size_t i = 0; i < receivers->count; i++)
        if (setsockopt(receivers->fds[i], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) <
            0)
            return false;
    return true;
}

bool receivers_take(const struct receivers *receivers, uint32_t first, uint32_t last)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, UDP_HEADER_BYTES), /* too short: dropped */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, last, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    return filter_all(receivers, code, sizeof code / sizeof code[0]);
}

bool receivers_drop(const struct receivers *receivers)
{
    struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
    return filter_all(receivers, code, 1);
}

bool receivers_dropped(const struct receivers *receivers, uint64_t *packets)
{
    *packets = 0;
    for (size_t i = 0; i < receivers->count; i++) {
        uint32_t memory[SK_MEMINFO_VARS] = { 0 };
        socklen_t len = sizeof memory;
        if (getsockopt(receivers->fds[i], SOL_SOCKET, SO_MEMINFO, memory, &len) < 0)
            return false;
        *packets += memory[SK_MEMINFO_DROPS];
    }
    return true;
}

void receivers_drain(const struct receivers *receivers)
{
    char byte;
    for (size_t i = 0; i < receivers->count; i++)
        while (recv(receivers->fds[i], &byte, sizeof byte, MSG_DONTWAIT | MSG_TRUNC) >= 0)
            continue;
}
