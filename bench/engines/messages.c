/* messages.c: packets as the messages of sendmmsg(2), for the engines that call it themselves. */
#include "messages.h"

#include <stdlib.h>

#include "address.h"

bool messages_allocate(struct messages *messages, size_t n)
{
    messages->headers = malloc(n * sizeof *messages->headers);
    messages->rooms = malloc(n * sizeof *messages->rooms);
    messages->addresses = malloc(n * sizeof *messages->addresses);
    if (messages->headers != NULL && messages->rooms != NULL && messages->addresses != NULL)
        return true;
    messages_free(messages);
    return false;
}

void messages_free(struct messages *messages)
{
    free(messages->headers);
    free(messages->rooms);
    free(messages->addresses);
}

void messages_build(struct messages *messages, const struct udpbatch_packet *packets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        messages->addresses[i] = *packets[i].to;
        messages->rooms[i] = (struct iovec){ (void *)(uintptr_t)packets[i].data, packets[i].len };
        messages->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &messages->addresses[i],
            .msg_namelen = address_len(&messages->addresses[i]),
            .msg_iov = &messages->rooms[i],
            .msg_iovlen = 1,
        };
    }
}
