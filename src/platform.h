/* platform.h: the only place that asks which system this is. Included before any other header. */
#ifndef UB_PLATFORM_H
#define UB_PLATFORM_H

#ifdef __cplusplus
#error "udpbatch is to be compiled as C; its header may be included from C++"
#endif
#if defined(_FEATURES_H) && !defined(_GNU_SOURCE) /* of glibc and musl */
#error "a system header came first: compile udpbatch by itself, or with -D_GNU_SOURCE"
#endif

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sendmmsg, recvmmsg */
#endif
#if defined(__linux__) && !defined(_FILE_OFFSET_BITS)
#define _FILE_OFFSET_BITS 64 /* the rings of AF_XDP are mapped from offsets beyond 4 GiB */
#endif

#if defined(__NetBSD__) && !defined(_NETBSD_SOURCE)
#define _NETBSD_SOURCE /* -std=c11 hides all but C's own otherwise */
#endif
#if defined(_WIN32) && !defined(_WIN32_WINNT)
#define _WIN32_WINNT 0x0602 /* Windows 8: WSAPoll, WSASendMsg */
#endif

#if defined(_WIN32) && !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN /* names like CMSG_DATA are another's there */
#endif

#include "../include/udpbatch.h" /* by its place: no -I is needed; and the sockets' headers */

#include <errno.h>

/* Winsock's messages, errors and clock, or those of POSIX. */
#ifdef _WIN32
#define UB_HAVE_WINSOCK 1
#include <mswsock.h>
/* As WSA_CMSG_LEN and its like, which mix signed and unsigned numbers. */
#define UB_ALIGNED(len)         (((len) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define UB_CONTROL_LEN(len)     (UB_ALIGNED(sizeof(WSACMSGHDR)) + (len))
#define UB_CONTROL_SPACE(len)   UB_ALIGNED(UB_CONTROL_LEN(len))
#define UB_CONTROL_DATA(header) ((unsigned char *)(header) + UB_ALIGNED(sizeof(WSACMSGHDR)))
typedef WSACMSGHDR ub_control;
typedef WSABUF ub_buffer;
#else
#define UB_HAVE_WINSOCK 0
#include <poll.h>
#include <sys/uio.h>
#define UB_CONTROL_LEN   CMSG_LEN
#define UB_CONTROL_SPACE CMSG_SPACE
#define UB_CONTROL_DATA  CMSG_DATA
typedef struct cmsghdr ub_control;
typedef struct iovec ub_buffer;
#endif

/* sendmmsg(2) and recvmmsg(2): Linux, FreeBSD, NetBSD, OpenBSD since 7.2. All of them have this
 * flag, and no others. UDPBATCH_NO_MMSG is the build option that leaves them out. */
#if defined(MSG_WAITFORONE) && !defined(UDPBATCH_NO_MMSG)
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

/* musl's sendmmsg is a loop of sendmsg, as its struct has an int and padding where the kernel has a
 * long; of messages that are zeroed first the kernel understands both. */
#if defined(__linux__) && UB_HAVE_MMSG && !defined(__GLIBC__) && !defined(__BIONIC__)
#include <sys/syscall.h>
#include <unistd.h>
#define sendmmsg(fd, messages, n, flags) ((int)syscall(SYS_sendmmsg, fd, messages, n, flags))
#endif

/* A message that is made ready before it is handed over; else each is made when it is sent. */
#if UB_HAVE_MMSG
typedef struct mmsghdr ub_message;
#else
typedef unsigned char ub_message;
#endif

/* A send must not raise SIGPIPE when the descriptor turns out to be a stream. */
#ifdef MSG_NOSIGNAL
#define UB_SEND_FLAGS MSG_NOSIGNAL
#else
#define UB_SEND_FLAGS 0
#endif

/* UDP segmentation and receive offload (linux/udp.h; netinet/udp.h of older libcs is behind.
 * Windows calls them USO and URO: ws2ipdef.h, UDP_SEND_MSG_SIZE, UDP_RECV_MAX_COALESCED_SIZE and
 * UDP_COALESCED_INFO, of the same number). The room is that of a segment size in a control message.
 */
#if defined(__linux__)
#define UB_SOL_UDP      17
#define UB_UDP_SEGMENT  103
#define UB_UDP_GRO      104
#define UB_UDP_GRO_ON   1
#define UB_SEGMENT_ROOM UB_CONTROL_SPACE(sizeof(ub_segment))
typedef uint16_t ub_segment;
#elif defined(_WIN32)
#define UB_SOL_UDP      IPPROTO_UDP
#define UB_UDP_SEGMENT  2
#define UB_UDP_GRO      3
#define UB_UDP_GRO_ON   65535 /* the longest train that is asked for */
#define UB_SEGMENT_ROOM UB_CONTROL_SPACE(sizeof(ub_segment))
typedef uint32_t ub_segment;
#else
#define UB_SOL_UDP      (-1)
#define UB_UDP_SEGMENT  (-1)
#define UB_UDP_GRO      (-1)
#define UB_UDP_GRO_ON   1
#define UB_SEGMENT_ROOM 32 /* of which nothing is used; CMSG_SPACE is no constant everywhere */
typedef uint16_t ub_segment;
#endif

/* Whether what ICMP brings is told to sockets that are neither connected nor asked for it. */
#ifdef _WIN32
#define UB_ALL_HEAR_ICMP 1
#else
#define UB_ALL_HEAR_ICMP 0
#endif

/* Whether trains are received unless they are asked for: Windows' drivers have damaged some. */
#ifdef _WIN32
#define UB_UDP_GRO_BY_ITSELF 0
#else
#define UB_UDP_GRO_BY_ITSELF 1
#endif

/* Whether uname(2) tells of a release that ub_gso_kernel may know. */
#ifdef __linux__
#define UB_HAVE_RELEASE 1
#else
#define UB_HAVE_RELEASE 0
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

/* The queue of errors, which the kernel's own headers describe (ip(7), IP_RECVERR). */
#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/errqueue.h>)
#define UB_HAVE_ERROR_QUEUE 1
#endif
#endif
#ifndef UB_HAVE_ERROR_QUEUE
#define UB_HAVE_ERROR_QUEUE 0
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
#elif defined(__linux__) && !defined(__sparc__) && !defined(__hppa__)
#define UB_NETNS_COOKIE 71 /* asm-generic/socket.h; libcs may be behind */
#else
#define UB_NETNS_COOKIE (-1)
#endif

#define UB_MEMINFO_DROPS 8 /* SK_MEMINFO_DROPS of linux/sock_diag.h */

#ifdef SO_PROTOCOL
#define UB_PROTOCOL SO_PROTOCOL
#else
#define UB_PROTOCOL (-1)
#endif

/* How many bytes of the send buffer are taken: SIOCOUTQ of linux/sockios.h, which is TIOCOUTQ of
 * sys/ioctl.h, of another number on some machines; 0: nothing tells. */
#ifdef __linux__
#define UB_OUTQ TIOCOUTQ
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

/* An errno that this system does not have. */
#ifndef ENONET
#define ENONET 0x7fff
#endif
#ifndef EHOSTDOWN
#define EHOSTDOWN 0x7ffe
#endif

#endif
