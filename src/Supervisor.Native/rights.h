/* Sends messages with descriptors (SCM_RIGHTS, unix(7)), for the programs without libc. */
#ifndef LISTEND_RIGHTS_H
#define LISTEND_RIGHTS_H
#include "raw_call.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define MOST_RIGHTS 253 /* SCM_MAX_FD: descriptors in one message */

/* sendmsg(2) with any number of descriptors up to MOST_RIGHTS: returns bytes or -errno. */
static long send_rights(int socket, struct iovec *parts, size_t part_count, const int *fds, size_t count, int flags)
{
    union {
        char bytes[CMSG_SPACE(MOST_RIGHTS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = parts;
    message.msg_iovlen = part_count;
    if (count > 0) {
        memset(&control, 0, CMSG_SPACE(count * sizeof(int)));
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    return call(__NR_sendmsg, socket, (long)&message, MSG_NOSIGNAL | flags, 0, 0);
}
#endif
