/* closer.h: closes senders meanwhile: the kernel takes some hundredths of a second to end a socket
 * of AF_XDP, but ends several of them in the same time. */
#ifndef FAULTS_CLOSER_H
#define FAULTS_CLOSER_H

#include "udpbatch.h"

/* Devices' queues, each of which is one sender's until it is closed. */
enum { QUEUES = 16 };

uint32_t closer_free_queue(void); /* waits for one */
void close_meanwhile(struct udpbatch_sender *sender, udpbatch_socket fd, uint32_t queue);
void closer_end(void); /* waits for all */

#endif
