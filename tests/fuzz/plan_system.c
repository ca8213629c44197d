/* plan_system.c: what the library asks of the system, as the input has it. */
#include "plan_world.h"

bool __wrap_ub_socket_has_trains(udpbatch_socket fd);
bool __wrap_ub_socket_has_trains(udpbatch_socket fd)
{
    (void)fd;
    return world.has_trains;
}

enum ub_gso_kernel __wrap_ub_gso_this_kernel(void);
enum ub_gso_kernel __wrap_ub_gso_this_kernel(void)
{
    return world.kernel;
}

bool __wrap_ub_socket_peer_is_in4(udpbatch_socket fd);
bool __wrap_ub_socket_peer_is_in4(udpbatch_socket fd)
{
    (void)fd;
    return world_is_in4(NULL);
}

bool __wrap_ub_socket_has_txtime(udpbatch_socket fd);
bool __wrap_ub_socket_has_txtime(udpbatch_socket fd)
{
    (void)fd;
    return world.has_txtime;
}

bool __wrap_ub_socket_forbids_fragments(udpbatch_socket fd);
bool __wrap_ub_socket_forbids_fragments(udpbatch_socket fd)
{
    (void)fd;
    return world.forbids_fragments;
}

struct in_addr __wrap_ub_socket_own_in4(udpbatch_socket fd);
struct in_addr __wrap_ub_socket_own_in4(udpbatch_socket fd)
{
    (void)fd;
    return (struct in_addr){ .s_addr = htonl(INADDR_LOOPBACK) };
}

bool __wrap_ub_socket_hears_icmp(udpbatch_socket fd);
bool __wrap_ub_socket_hears_icmp(udpbatch_socket fd)
{
    (void)fd;
    return world.hears_icmp;
}

bool __wrap_ub_socket_never_takes(udpbatch_socket fd, uint32_t bytes);
bool __wrap_ub_socket_never_takes(udpbatch_socket fd, uint32_t bytes)
{
    (void)fd;
    return bytes > world.takes_most;
}

int64_t __wrap_ub_clock_ns(void);
int64_t __wrap_ub_clock_ns(void)
{
    return world.now_ns;
}
