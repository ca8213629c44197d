/* platform.h: the only place that asks which system this is. Included before any other header. */
#ifndef UB_PLATFORM_H
#define UB_PLATFORM_H

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sendmmsg, recvmmsg */
#endif
#if defined(__linux__) && !defined(_FILE_OFFSET_BITS)
#define _FILE_OFFSET_BITS 64 /* the rings of AF_XDP are mapped from offsets beyond 4 GiB */
#endif

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* sendmmsg(2) and recvmmsg(2); UDPBATCH_NO_MMSG is the build option that leaves them out. */
#if defined(__linux__) && !defined(UDPBATCH_NO_MMSG)
#define UB_HAVE_MMSG 1
#else
#define UB_HAVE_MMSG 0
#endif

/* AF_XDP, and rtnetlink(7) to ask for routes; UDPBATCH_NO_XDP is the build option that leaves them
 * out. Kernel headers before 5.4 do not know of the wake-up flag. */
#if defined(__linux__) && !defined(UDPBATCH_NO_XDP) && defined(__has_include)
#if __has_include(<linux/if_xdp.h>)
#include <linux/if_xdp.h>
#endif
#endif
#ifdef XDP_USE_NEED_WAKEUP
#define UB_HAVE_XDP 1
#else
#define UB_HAVE_XDP 0
#endif

/* A message of the socket interface as the back ends of this system hand it over. */
#if UB_HAVE_MMSG
typedef struct mmsghdr ub_message;
#else
typedef struct msghdr ub_message;
#endif

/* A send must not raise SIGPIPE when the descriptor turns out to be a stream. */
#ifdef MSG_NOSIGNAL
#define UB_SEND_FLAGS MSG_NOSIGNAL
#else
#define UB_SEND_FLAGS 0
#endif

/* UDP segmentation and receive offload (linux/udp.h; netinet/udp.h of older libcs is behind). */
#ifdef __linux__
#define UB_SOL_UDP     17
#define UB_UDP_SEGMENT 103
#define UB_UDP_GRO     104
#else
#define UB_SOL_UDP     (-1)
#define UB_UDP_SEGMENT (-1)
#define UB_UDP_GRO     (-1)
#endif

/* Control messages that ask more for a packet than its address (ip(7), ipv6(7)). */
#if defined(__linux__) && defined(SCM_TXTIME) && defined(IPV6_DONTFRAG)
#define UB_HAVE_META 1
#else
#define UB_HAVE_META 0
#endif

/* Control messages that tell more of a received datagram than its source, and the queue of errors
 * (ip(7), ipv6(7)). */
#ifdef __linux__
#define UB_HAVE_REPORTS 1
#else
#define UB_HAVE_REPORTS 0
#endif

/* Socket options that are asked for where they exist: -1 is none. */
#ifdef SO_RXQ_OVFL
#define UB_RXQ_OVFL SO_RXQ_OVFL
#else
#define UB_RXQ_OVFL (-1)
#endif

#ifdef SO_MEMINFO
#define UB_MEMINFO SO_MEMINFO
#else
#define UB_MEMINFO (-1)
#endif

#ifdef SO_TXTIME
#define UB_TXTIME SO_TXTIME
#else
#define UB_TXTIME (-1)
#endif

#ifdef IP_MTU_DISCOVER
#define UB_MTU_DISCOVER   IP_MTU_DISCOVER
#define UB_PMTUDISC_DO    IP_PMTUDISC_DO
#define UB_PMTUDISC_PROBE IP_PMTUDISC_PROBE
#else
#define UB_MTU_DISCOVER   (-1)
#define UB_PMTUDISC_DO    (-1)
#define UB_PMTUDISC_PROBE (-1)
#endif

#ifdef SO_NETNS_COOKIE
#define UB_NETNS_COOKIE SO_NETNS_COOKIE
#else
#define UB_NETNS_COOKIE (-1)
#endif

#define UB_MEMINFO_DROPS 8 /* SK_MEMINFO_DROPS of linux/sock_diag.h */

#ifdef SO_PROTOCOL
#define UB_PROTOCOL SO_PROTOCOL
#else
#define UB_PROTOCOL (-1)
#endif

/* How many bytes of the send buffer are taken; SIOCOUTQ of linux/sockios.h. */
#ifdef __linux__
#define UB_OUTQ 0x5411
#else
#define UB_OUTQ 0
#endif

#ifdef IP_RECVERR
#define UB_IP_RECVERR IP_RECVERR
#else
#define UB_IP_RECVERR (-1)
#endif

#ifdef IPV6_RECVERR
#define UB_IPV6_RECVERR IPV6_RECVERR
#else
#define UB_IPV6_RECVERR (-1)
#endif

#ifndef ENONET
#define ENONET 0x7fff /* an errno that this system does not have */
#endif

#endif
