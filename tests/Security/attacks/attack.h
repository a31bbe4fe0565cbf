/*
 * What the attacks share. An attack ends with SUCCEEDED when it did what must not be possible, with FAILED when the daemon
 * withstood, and with anything else when the attack itself does not work: a broken attack must not look like a safe daemon.
 */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SUCCEEDED 0
#define FAILED 10
#define BROKEN 70
/* So many successors an attack must have stopped; on a busy host it takes more time for that, up to so many ms. */
#define ENOUGH_STOPPED 10
#define MOST_MS_TO_STOP 40000
#define MOST_DESCRIPTORS 253 /* SCM_MAX_FD, unix(7) */
#define HELPER static __attribute__((unused))

/* The attack itself does not work. */
HELPER _Noreturn void broken(const char *format, ...)
{
    int error = errno;
    va_list list;
    va_start(list, format);
    fprintf(stderr, "broken attack: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, ": %s\n", strerror(error));
    va_end(list);
    exit(BROKEN);
}

HELPER _Noreturn void succeeded(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    printf("succeeded: ");
    vprintf(format, list);
    printf("\n");
    va_end(list);
    fflush(stdout);
    _exit(SUCCEEDED);
}

HELPER _Noreturn void failed(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    printf("failed: ");
    vprintf(format, list);
    printf("\n");
    va_end(list);
    fflush(stdout);
    _exit(FAILED);
}

HELPER long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

HELPER struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof to.sun_path)
        broken("%s is too long", path);
    strcpy(to.sun_path, path);
    return to;
}

/* Connects to a UNIX socket; -1 with errno. */
HELPER int dial(const char *path, int type)
{
    struct sockaddr_un to = unix_address(path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* One packet with descriptors on it. -1 with errno. */
HELPER int send_with(int socket, const void *data, size_t length, const int *fds, int count, int flags)
{
    char control[CMSG_SPACE(sizeof(int) * MOST_DESCRIPTORS)];
    struct iovec part = { (void *)data, length };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (count > 0) {
        memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* Receives one packet; the descriptors on it are ours. */
HELPER long receive_with(int socket, void *data, size_t length, int *fds, int *count, int flags)
{
    char control[CMSG_SPACE(sizeof(int) * MOST_DESCRIPTORS)];
    struct iovec part = { data, length };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    long n = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    *count = 0;
    if (n >= 0)
        for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
            if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
                int here = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
                memcpy(fds + *count, CMSG_DATA(header), sizeof(int) * here);
                *count += here;
            }
    return n;
}

/*
 * Asks the broker for its list, which anybody may; how long the answer took, in ms; -1: none within the limit, or there is no
 * daemon. That the connection is closed is an answer: who has too many is sent away.
 */
HELPER long long ask_broker(const char *path, int limit_ms)
{
    static const char list[] = "{\"method\":\"list\"}";
    long long start = now_ms();
    int fd = -1;
    while ((fd = dial(path, SOCK_SEQPACKET | SOCK_NONBLOCK)) < 0) {
        if (errno != EAGAIN || now_ms() - start > limit_ms)
            return -1;
        struct timespec pause = { 0, 1000000 }; /* the accept queue is full: nothing tells when it is not */
        nanosleep(&pause, NULL);
    }
    struct pollfd waits = { fd, POLLIN, 0 };
    send(fd, list, sizeof list - 1, MSG_NOSIGNAL);
    long long took = poll(&waits, 1, limit_ms) == 1 ? now_ms() - start : -1;
    close(fd);
    return took;
}


/* One message to a notify socket, with descriptors on it. -1 with errno; EAGAIN: nobody reads there for a second. */
HELPER int notify_at(const char *path, const char *text, const int *fds, int count, int flags)
{
    struct sockaddr_un to = unix_address(path);
    struct timeval second = { 1, 0 };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    int done = send_with(fd, text, strlen(text), fds, count, flags), error = errno;
    close(fd);
    errno = error;
    return done;
}

HELPER const char *notify_path(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path)
        errno = 0, broken("no NOTIFY_SOCKET");
    return path;
}

/*
 * A TCP connection whose close waits: bytes that its peer does not read, and SO_LINGER of a day. What drops the last
 * reference waits in the kernel (net/ipv4/tcp.c, tcp_close) until the peer is gone. The peer is kept open in *peer.
 */
HELPER int lingering(int *peer)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof at;
    int small = 4096, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    static char bytes[65536];
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&at, &length) != 0
        || connect(fd, (struct sockaddr *)&at, sizeof at) != 0 || (*peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
        broken("a TCP connection");
    close(listener);
    struct linger day = { 1, 86400 };
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &day, sizeof day) != 0)
        broken("SO_LINGER");
    /* Twice: the kernel grows the send buffer while it is filled. */
    for (int i = 0; i < 2; i++)
        while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            ;
    return fd;
}

/*
 * Has a possessed worker (possessed-worker.c) run a program as its child, with these descriptors as 0, 1, 2...
 * What comes back is where the exit status will be told: order_end.
 */
HELPER int order_begin(const char *socket_path, char *const argv[], const int *fds, int count)
{
    char words[65536];
    size_t used = 0;
    for (int i = 0; argv[i]; i++) {
        size_t length = strlen(argv[i]) + 1;
        if (used + length > sizeof words)
            errno = E2BIG, broken("the order");
        memcpy(words + used, argv[i], length);
        used += length;
    }
    int fd = dial(socket_path, SOCK_SEQPACKET);
    if (fd < 0)
        broken("the possessed worker at %s", socket_path);
    if (send_with(fd, words, used, fds, count, 0) != 0)
        broken("the order to %s", socket_path);
    return fd;
}

/* The exit status of what was ordered; -1: the worker was gone before it could tell. */
HELPER int order_end(int fd)
{
    int status = -1;
    if (recv(fd, &status, sizeof status, 0) != sizeof status)
        status = -1;
    close(fd);
    return status;
}

/* The parent of a process, or -1. */
HELPER int parent_of(int pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    long n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return -1;
    text[n] = 0;
    char state;
    int parent;
    char *end = strrchr(text, ')');
    return end && sscanf(end + 1, " %c %d", &state, &parent) == 2 ? parent : -1;
}

/* Where /proc says that new process ids begin. */
HELPER int last_pid(void)
{
    char text[128];
    int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    long n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        broken("/proc/loadavg");
    text[n] = 0;
    return atoi(strrchr(text, ' ') + 1);
}

/* Children of a process that may be signalled, zombies and the attack's own left out. */
HELPER int children_of(int parent, int *pids, int most)
{
    int count = 0;
    DIR *all = opendir("/proc");
    if (!all)
        broken("/proc");
    for (struct dirent *entry; (entry = readdir(all)) && count < most;) {
        int pid = atoi(entry->d_name);
        if (pid > 1 && kill(pid, 0) == 0 && parent_of(pid) == parent)
            pids[count++] = pid;
    }
    closedir(all);
    return count;
}
