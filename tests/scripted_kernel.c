/* scripted_kernel.c: a kernel that answers sendmmsg and sendmsg by a script. */
#include "platform.h"

#include "scripted_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

enum { FIRST_PORT = 1000 };

struct script_state kernel;
unsigned kernel_taken[SCRIPT_PACKETS];
unsigned kernel_strange;

union udpbatch_addr script_targets[SCRIPT_PACKETS];
const uint32_t script_shared_payload[2] = { SCRIPT_SHARED, ~(uint32_t)SCRIPT_SHARED };
static uint32_t payloads[SCRIPT_PACKETS][2];

int script_next_error(struct script_state *state, size_t packet)
{
    const struct script_packet *script = &state->script->packets[packet];
    unsigned try = state->tries[packet]++;
    unsigned last = 0;

    while (last < SCRIPT_ERRORS && script->errors[last] != 0)
        last++;
    if (try < last)
        return script->errors[try];
    return script->for_good && last > 0 ? script->errors[last - 1] : 0;
}

unsigned script_next_count(struct script_state *state, unsigned messages)
{
    unsigned call = state->calls++;
    unsigned most = call < SCRIPT_COUNTS ? state->script->most[call] : 0;
    return most != 0 && most < messages ? most : messages;
}

void script_packets(struct udpbatch_packet *packets, size_t n, unsigned without_address)
{
    for (uint32_t i = 0; i < n; i++) {
        payloads[i][0] = i;
        payloads[i][1] = ~i;
        script_targets[i].in4 = (struct sockaddr_in){ .sin_family = AF_INET,
                                                      .sin_port = htons((uint16_t)(FIRST_PORT + i)),
                                                      .sin_addr = { htonl(INADDR_LOOPBACK) } };
        bool has_address = without_address == 0 || i % without_address != 0;
        packets[i] = (struct udpbatch_packet){ .data = payloads[i],
                                               .len = sizeof payloads[i],
                                               .to = has_address ? &script_targets[i] : NULL };
    }
}

void kernel_play(const struct script *script)
{
    kernel = (struct script_state){ .script = script };
    memset(kernel_taken, 0, sizeof kernel_taken);
    kernel_strange = 0;
}

/* Which packet a message is, by its address or else by its payload; SCRIPT_PACKETS if it is none,
 * or not as it was given. */
static size_t packet_of(const struct msghdr *message)
{
    const union udpbatch_addr *to = message->msg_name;
    uint32_t payload[2];

    if (message->msg_iovlen != 1 || message->msg_iov->iov_len != sizeof payload)
        return SCRIPT_PACKETS;
    memcpy(payload, message->msg_iov->iov_base, sizeof payload);
    if (message->msg_namelen != (to != NULL ? sizeof to->in4 : 0))
        return SCRIPT_PACKETS;
    size_t port = to != NULL ? ntohs(to->in4.sin_port) : 0;
    size_t packet = to != NULL ? port - FIRST_PORT : payload[0];
    bool is_whole = payload[1] == ~payload[0];
    bool is_its_own = payload[0] == packet || payload[0] == SCRIPT_SHARED;
    return is_whole && is_its_own && packet < kernel.script->n ? packet : SCRIPT_PACKETS;
}

/* Takes one message, or sets errno and does not. */
static bool take(const struct msghdr *message)
{
    size_t packet = packet_of(message);
    if (packet == SCRIPT_PACKETS) {
        kernel_strange++;
        return true;
    }
    errno = script_next_error(&kernel, packet);
    if (errno != 0)
        return false;
    kernel_taken[packet]++;
    return true;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    unsigned most = script_next_count(&kernel, count);
    unsigned taken = 0;

    (void)fd;
    (void)flags;
    while (taken < most && take(&messages[taken].msg_hdr))
        taken++;
    return taken > 0 ? (int)taken : -1;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    (void)fd;
    (void)flags;
    script_next_count(&kernel, 1);
    return take(message) ? (ssize_t)sizeof payloads[0] : -1;
}
