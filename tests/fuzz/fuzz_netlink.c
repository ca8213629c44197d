/* fuzz_netlink.c: what rtnetlink answers and tells, of any bytes. */
#include "backend/rtnetlink.h"

#include "fuzz.h"

#include <stdlib.h>

static void tell(void *context, const struct ub_rtnl_change *change)
{
    size_t *told = context;
    (*told)++;
    require(change->what > UB_RTNL_NOTHING && change->what <= UB_RTNL_NEIGHBOUR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    size_t len, told = 0;
    void *message = take_copy(&input, size, &len);
    struct ub_rtnl_route route;
    struct ub_rtnl_neighbour neighbour;

    ub_rtnl_parse_route(message, len, &route);
    ub_rtnl_parse_neighbour(message, len, &neighbour);
    ub_rtnl_parse_changes(message, len, tell, &told);
    free(message);
    return 0;
}
