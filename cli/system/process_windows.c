/* process_windows.c: how the process begins, and words for errnos (Windows). */
#define _CRT_RAND_S /* rand_s */
#include "system.h"

#ifdef _WIN32

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "complain.h"

/* mingw-w64 would take the * in an argument for files: it is an address here. */
extern int _CRT_glob;
int _CRT_glob = 0;

/* Payloads are bytes; and to whoever reads what is printed, a line ends as on other systems. */
bool process_begin(void)
{
    WSADATA winsock;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        _setmode(fd, _O_BINARY);
    if (WSAStartup(MAKEWORD(2, 2), &winsock) == 0)
        return true;
    complain("Windows gives no sockets (Winsock 2.2)");
    return false;
}

uint32_t process_random(void)
{
    unsigned number;
    return rand_s(&number) == 0 ? number : (uint32_t)clock_time_of_day_ns();
}

/* ---- Words ----------------------------------------------------------------------------------- */

struct words {
    int error;
    const char *text;
};

static const char *find(const struct words *words, int error)
{
    while (words->text != NULL && words->error != error)
        words++;
    return words->text;
}

/* Errnos that the C library has, and no words for. */
const char *words_of_error(int error)
{
    static const struct words words[] = {
        { EADDRINUSE, "Address already in use" },
        { EADDRNOTAVAIL, "Cannot assign requested address" },
        { EAFNOSUPPORT, "Address family not supported by protocol" },
        { ECONNREFUSED, "Connection refused" },
        { ECONNRESET, "Connection reset by peer" },
        { EDESTADDRREQ, "Destination address required" },
        { EHOSTUNREACH, "No route to host" },
        { EISCONN, "Transport endpoint is already connected" },
        { EMSGSIZE, "Message too long" },
        { ENETDOWN, "Network is down" },
        { ENETUNREACH, "Network is unreachable" },
        { ENOBUFS, "No buffer space available" },
        { ENOPROTOOPT, "Protocol not available" },
        { ENOTCONN, "Transport endpoint is not connected" },
        { ENOTSOCK, "Socket operation on non-socket" },
        { EOPNOTSUPP, "Operation not supported" },
        { ETIMEDOUT, "Connection timed out" },
        { EWOULDBLOCK, "Resource temporarily unavailable" },
        { 0, NULL },
    };
    const char *text = find(words, error);
    return text != NULL ? text : strerror(error);
}

/* Not by gai_strerror, which may speak the user's language, with a newline at the end. */
const char *words_of_lookup(int error)
{
    static const struct words words[] = {
        { EAI_AGAIN, "Temporary failure in name resolution" },
        { EAI_FAMILY, "Address family not supported" },
        { EAI_MEMORY, "Not enough memory" },
        { EAI_NONAME, "Name or service not known" },
        { 0, NULL },
    };
    const char *text = find(words, error);
    return text != NULL ? text : "the name cannot be looked up";
}

#endif
