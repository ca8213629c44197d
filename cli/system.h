/* system.h: the only place of the command that asks which system this is. What is done in another
 * way on each is declared here, in interrupt.h and in clock.h; it is done in system/, in files of
 * one mechanism and one kind of system each. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef _WIN32

typedef ADDRESS_FAMILY sa_family_t;
typedef uint16_t in_port_t;

#define NO_SOCKET      INVALID_SOCKET
#define TOTALS_WISH    "Ctrl-Break"
#define LIMITS_BUFFERS 0 /* of sockets: Windows grants what is asked for */

#else

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>

#define NO_SOCKET      (-1)
#define TOTALS_WISH    "SIGUSR1"
#define LIMITS_BUFFERS 1

#endif

/* Linux, and the headers of its kernel, which a libc other than glibc may be installed without. */
#ifdef __linux__
#if __has_include(<linux/ethtool.h>)
#define ON_LINUX 1
#endif
#endif
#ifndef ON_LINUX
#define ON_LINUX 0
#endif

/* Errnos that this system does not have. */
#ifndef ECHRNG
#define ECHRNG 0x7ffc
#endif
#ifndef EMEDIUMTYPE
#define EMEDIUMTYPE 0x7ffd
#endif

/* ---- The process ----------------------------------------------------------------------------- */

/* To be called before anything else. Returns false, and complains, if nothing can be done here. */
bool process_begin(void);

/* Another number in each run, as a rule. */
uint32_t process_random(void);

/* What to say of that which getaddrinfo(3) returned. */
const char *words_of_lookup(int error);

/* ---- Privilege ------------------------------------------------------------------------------- */

/* Capabilities that this process may use. */
struct privilege {
    unsigned count;
    bool net_raw; /* CAP_NET_RAW is one of them */
};

struct reason;

/* Whether there is a way to give them up: libcap-ng, on Linux. Without it the others do nothing. */
bool privilege_can_be_dropped(void);

/* Each returns false, with the reason, if it fails. */
bool privilege_read(struct privilege *privilege, struct reason *reason);

/* Gives up all, for good, also for programs that this one starts. To be called when all is open
 * that could take one, before anything is parsed that others wrote, and before there is a second
 * thread: they are a thread's own. The user stays the same. */
bool privilege_drop(struct reason *reason);

/* The same, but for those with which a sender past the network stack is opened: where it can only
 * be opened behind something that others wrote. */
bool privilege_drop_but_for_xdp(struct reason *reason);

/* ---- Files and pipes ------------------------------------------------------------------------- */

/* Each returns a descriptor, or -1 with errno set. A named pipe is opened without waiting for its
 * writer, but not without its reader. A file that is written is emptied. */
int file_open_to_read(const char *name);
int file_open_to_write(const char *name);

/* Whether it was opened so that it can be read. */
bool file_is_readable(int fd);

/* Whether a write can take long, and file_wait_to_write can tell: a pipe, a socket, a terminal. */
bool file_can_block(int fd);

/* So much can then be written without a wait. */
#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

/* Each waits at most so long. Returns whether a read, or a write, would not wait now. */
bool file_wait_to_read(int fd, int timeout_ms);
bool file_wait_to_write(int fd, int timeout_ms);

/* As read(2) and write(2). */
ssize_t file_read(int fd, void *bytes, size_t size);
ssize_t file_write(int fd, const void *bytes, size_t size);

/* ---- Terminals ------------------------------------------------------------------------------- */

bool terminal_is(int fd);

/* Whether the user's terminals show UTF-8, after process_begin. */
bool terminal_has_utf_8(void);

/* 0: not known. */
size_t terminal_columns(int fd);

/* ---- Sockets --------------------------------------------------------------------------------- */

/* A UDP socket that does not block and is no child's; NO_SOCKET: socket_error says why not. */
udpbatch_socket socket_open_udp(int family);
void socket_close(udpbatch_socket fd);

/* The errno of the call on a socket that has just failed. */
int socket_error(void);

/* Waits at most so long. Returns whether there is something to receive. */
bool socket_wait(udpbatch_socket fd, int timeout_ms);

/* The length of the next datagram, which may be cut; -1: socket_error says why. */
ssize_t socket_receive(udpbatch_socket fd, void *bytes, size_t size);

/* The number of a network interface; 0: errno says why not. */
unsigned interface_find(const char *name);

#endif
