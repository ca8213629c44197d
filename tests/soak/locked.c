/* locked.c: how much memory the kernel holds locked for AF_XDP: what is left of a limit is tried.
 *
 * /proc tells nothing of it: such memory is counted for a user (xdp_umem_account_pages), unless the
 * process has CAP_IPC_LOCK.
 */
#define _GNU_SOURCE
#include "soak.h"

#include <linux/capability.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All that may be locked, as it is by default; half of it is tried for, as the kernel is not done
 * at once with what was given back. */
enum { MOST = 8 << 20, TRIED = MOST / 2, STEP = 256 << 10, PATIENCE_US = 2000000, PAUSE_US = 2000 };
enum { FIRST_USER = 61000, USERS = 4000 };

static void limit_to(rlim_t bytes)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        return;
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &limit);
}

static void drop_exemption(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) < 0)
        return;
    sets[0].effective &= ~(UINT32_C(1) << CAP_IPC_LOCK);
    syscall(SYS_capset, &header, sets);
}

/* It is the real user for whom is counted: one that has no other processes. In a user namespace
 * there may be no such. */
void locked_make_counted(void)
{
    drop_exemption();
    limit_to(MOST);
    if (setreuid((uid_t)(FIRST_USER + getpid() % USERS), (uid_t)-1) < 0)
        return;
}

static bool can_lock(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct xdp_umem_reg area = { .addr = (uintptr_t)memory, .len = bytes, .chunk_size = 4096 };
    int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    bool can = setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &area, sizeof area) == 0;

    close(fd);
    munmap(memory, bytes);
    return can;
}

static unsigned try_once(void)
{
    size_t bytes = TRIED;

    limit_to(TRIED);
    while (bytes > 0 && !can_lock(bytes))
        bytes -= STEP;
    limit_to(MOST);
    return (unsigned)(TRIED - bytes) / 1024;
}

/* What was locked last, by a try too, is given back by a worker of the kernel's
 * (xp_release_deferred): the least is true. */
unsigned locked_kib(void)
{
    static unsigned others; /* what other processes of the user have */
    unsigned least = try_once();

    for (unsigned us = 0; least > others && us < PATIENCE_US; us += PAUSE_US) {
        pause_us(PAUSE_US);
        unsigned kib = try_once();
        if (kib < least)
            least = kib;
    }
    others = least;
    return least;
}
