/* scripted_winsock.c: the scripted kernel as Winsock asks it.
 *
 * The pointers by which a program calls what it imports are defined here, before the import library
 * has its say. An error goes to the library as the errno of the script: what Winsock's own mean is
 * tested in test_winsock.c. */
#include "internal.h"

#include "scripted_kernel.h"
#include "system.h"

/* Beyond all errors of Winsock. */
enum { SCRIPTED = 0x20000 };

static int fail_with(int error)
{
    WSASetLastError(SCRIPTED + error);
    return SOCKET_ERROR;
}

int __real_ub_socket_error(void);
int __wrap_ub_socket_error(void);

int __wrap_ub_socket_error(void)
{
    int error = WSAGetLastError();
    return error > SCRIPTED ? error - SCRIPTED : __real_ub_socket_error();
}

/* ---- Sending --------------------------------------------------------------------------------- */

static struct script_request request_of(const WSAMSG *message)
{
    struct script_request request = script_request_to(message->name, message->namelen);
    const unsigned char *control = (const unsigned char *)message->Control.buf;
    const ub_control *c;
    size_t at = 0;

    for (size_t i = 0; i < message->dwBufferCount; i++)
        script_add_bytes(&request, message->lpBuffers[i].buf, message->lpBuffers[i].len);
    while ((c = ub_control_get(control, message->Control.len, &at)) != NULL)
        script_add_control(&request, c->cmsg_level, c->cmsg_type, WSA_CMSG_DATA(c),
                           c->cmsg_len - WSA_CMSG_LEN(0));
    return request;
}

int WSAAPI WSASendMsg(SOCKET fd, LPWSAMSG message, DWORD flags, LPDWORD sent,
                      LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE completed)
{
    struct script_request request = request_of(message);

    (void)fd;
    assert_int_equal(flags, 0);
    assert_null(overlapped);
    assert_null(completed);
    script_next_count(&kernel, 1);
    int error = kernel_take(&request, true);
    if (error != 0)
        return fail_with(error);
    *sent = (DWORD)request.len;
    return 0;
}

extern int(WSAAPI *__imp_WSASendMsg)(SOCKET, LPWSAMSG, DWORD, LPDWORD, LPWSAOVERLAPPED,
                                     LPWSAOVERLAPPED_COMPLETION_ROUTINE);
int(WSAAPI *__imp_WSASendMsg)(SOCKET, LPWSAMSG, DWORD, LPDWORD, LPWSAOVERLAPPED,
                              LPWSAOVERLAPPED_COMPLETION_ROUTINE) = WSASendMsg;

/* ---- Asking ---------------------------------------------------------------------------------- */

typedef int(WSAAPI *getsockopt_call)(SOCKET, int, int, char *, int *);

static int real_getsockopt(SOCKET fd, int level, int option, char *value, int *len)
{
    static getsockopt_call call;
    if (call == NULL) {
        FARPROC found = GetProcAddress(GetModuleHandleA("ws2_32.dll"), "getsockopt");
        memcpy(&call, &found, sizeof call);
    }
    return call(fd, level, option, value, len);
}

static int WSAAPI ask(SOCKET fd, int level, int option, char *value, int *len)
{
    if (level != UB_SOL_UDP || option != UB_UDP_SEGMENT)
        return real_getsockopt(fd, level, option, value, len);
    if (kernel_no_segment_option != 0)
        return fail_with(kernel_no_segment_option);
    memset(value, 0, (size_t)*len);
    return 0;
}

extern getsockopt_call __imp_getsockopt;
getsockopt_call __imp_getsockopt = ask;
