/* gso_kernel.c: which kernels damage trains, or refuse some. */
#include "internal.h"

#include <stdio.h>

static unsigned version_of(unsigned major, unsigned minor, unsigned patch)
{
    return major << 24 | minor << 16 | patch;
}

/* 7.0 to 7.1.4 mangle the headers of trains whose packets are all equally long, by commit b10b446,
 * until 78effd8 and 5f17ae0. 6.6.44 refuses a shorter last packet. */
enum ub_gso_kernel ub_gso_kernel(const char *release)
{
    unsigned major = 0, minor = 0, patch = 0;

    if (sscanf(release, "%3u.%3u.%4u", &major, &minor, &patch) < 2)
        return UB_GSO_WELL;
    unsigned version = version_of(major, minor, patch);
    if (version >= version_of(7, 0, 0) && version <= version_of(7, 1, 4))
        return UB_GSO_DAMAGES;
    return version == version_of(6, 6, 44) ? UB_GSO_EQUAL_ONLY : UB_GSO_WELL;
}

#if UB_HAVE_RELEASE

#include <stdatomic.h>
#include <sys/utsname.h>

/* Asked once per process: whoever comes at the same time finds the same. */
enum ub_gso_kernel ub_gso_this_kernel(void)
{
    static _Atomic int known = -1;
    int kernel = atomic_load_explicit(&known, memory_order_relaxed);
    struct utsname name;

    if (kernel < 0) {
        kernel = uname(&name) == 0 ? (int)ub_gso_kernel(name.release) : UB_GSO_WELL;
        atomic_store_explicit(&known, kernel, memory_order_relaxed);
    }
    return (enum ub_gso_kernel)kernel;
}

#else

enum ub_gso_kernel ub_gso_this_kernel(void)
{
    return UB_GSO_WELL;
}

#endif
