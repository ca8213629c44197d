/* socket.h: the sockets that are sent from and listened on. */
#ifndef SOCKET_H
#define SOCKET_H

#include "cli.h"
#include "complain.h"
#include "system.h"

/* Each returns a non-blocking UDP socket, or NO_SOCKET and the reason. */

/* AF_INET, or AF_INET6 for targets of both families. */
udpbatch_socket socket_open_sending(int family, bool broadcast, struct reason *reason);

/* Bound to the address, which becomes the one that was bound. `dual`: to IPv4 too. */
udpbatch_socket socket_open_listening(union udpbatch_addr *address, bool dual,
                                      struct reason *reason);

/* Asks for a receive buffer. Returns the bytes that were granted, which may be fewer. */
size_t socket_set_buffer(udpbatch_socket fd, size_t size);

#endif
