/*
 * A worker that reports what it was given. It sends READY=1 and answers each connection with one JSON document: the state
 * of its process at the start of main(), every socket option by getsockopt() on each listener, and the same on the
 * connection of the answer. Names and numbers come from the system's headers, so they are independent of listend's
 * catalogue.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* Linux 6.5; the headers of Debian 12 are older. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

extern char **environ;

enum shape { NUMBER, UNSIGNED, NAME, LINGER_TIME };

static const struct option {
    const char *name;
    int level, number;
    enum shape shape;
} options[] = {
#define O(level, name) { #name, level, name, NUMBER }
    O(SOL_SOCKET, SO_REUSEADDR), O(SOL_SOCKET, SO_REUSEPORT), O(SOL_SOCKET, SO_PASSCRED), O(SOL_SOCKET, SO_PASSSEC),
    O(SOL_SOCKET, SO_PASSPIDFD),
    O(SOL_SOCKET, SO_PRIORITY), O(SOL_SOCKET, SO_TIMESTAMP), O(SOL_SOCKET, SO_TIMESTAMPNS),
    O(SOL_SOCKET, SO_RCVBUF), O(SOL_SOCKET, SO_SNDBUF), O(SOL_SOCKET, SO_KEEPALIVE), O(SOL_SOCKET, SO_BROADCAST),
    O(IPPROTO_IPV6, IPV6_V6ONLY), O(IPPROTO_IPV6, IPV6_TCLASS), O(IPPROTO_IPV6, IPV6_UNICAST_HOPS), O(IPPROTO_IPV6, IPV6_RECVPKTINFO),
    O(IPPROTO_IP, IP_FREEBIND), O(IPPROTO_IP, IP_TRANSPARENT), O(IPPROTO_IP, IP_TOS), O(IPPROTO_IP, IP_TTL), O(IPPROTO_IP, IP_PKTINFO),
    O(IPPROTO_TCP, TCP_DEFER_ACCEPT), O(IPPROTO_TCP, TCP_FASTOPEN), O(IPPROTO_TCP, TCP_NODELAY), O(IPPROTO_TCP, TCP_KEEPIDLE),
    O(IPPROTO_TCP, TCP_KEEPINTVL), O(IPPROTO_TCP, TCP_KEEPCNT), O(IPPROTO_TCP, TCP_USER_TIMEOUT), O(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
#undef O
    { "SO_MARK", SOL_SOCKET, SO_MARK, UNSIGNED },
    { "SO_BINDTODEVICE", SOL_SOCKET, SO_BINDTODEVICE, NAME },
    { "TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, NAME },
    { "SO_LINGER", SOL_SOCKET, SO_LINGER, LINGER_TIME },
};

struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask;
};

static void text(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if ((unsigned char)*s < 32)
            fprintf(out, "\\u%04x", *s);
        else
            fputc(*s, out);
    fputc('"', out);
}

static void socket_options(FILE *out, int fd)
{
    fputc('{', out);
    const char *separator = "";
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const struct option *o = &options[i];
        char name[64] = { 0 };
        int number = 0;
        struct linger linger = { 0 };
        void *value = o->shape == NAME ? (void *)name : o->shape == LINGER_TIME ? (void *)&linger : (void *)&number;
        socklen_t length = o->shape == NAME ? sizeof name - 1 : o->shape == LINGER_TIME ? sizeof linger : sizeof number;
        if (getsockopt(fd, o->level, o->number, value, &length) != 0)
            continue;
        fprintf(out, "%s\"%s\":", separator, o->name);
        separator = ",";
        if (o->shape == NAME)
            text(out, name);
        else if (o->shape == LINGER_TIME && !linger.l_onoff)
            fputs("\"off\"", out);
        else if (o->shape == UNSIGNED)
            fprintf(out, "%u", (unsigned)number);
        else
            fprintf(out, "%d", o->shape == LINGER_TIME ? linger.l_linger : number);
    }
    fputc('}', out);
}

/* Everything except data that needs another descriptor, which the report would then show. */
static void descriptors(FILE *out)
{
    fputs("\"descriptors\":[", out);
    const char *separator = "";
    for (int fd = 0; fd < 1024; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags < 0)
            continue;
        char link[64], target[4096] = { 0 };
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (readlink(link, target, sizeof target - 1) < 0)
            target[0] = 0;
        fprintf(out, "%s{\"fd\":%d,\"close_on_exec\":%s,\"mode\":%d,\"target\":",
            separator, fd, flags & FD_CLOEXEC ? "true" : "false", fcntl(fd, F_GETFL) & O_ACCMODE);
        text(out, target);
        fputc('}', out);
        separator = ",";
    }
    fputs("],", out);
}

static void process(FILE *out)
{
    descriptors(out);

    fputs("\"environment\":[", out);
    for (char **e = environ; *e; e++) {
        fputs(e == environ ? "" : ",", out);
        text(out, *e);
    }

    unsigned long blocked = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, 8);
    fprintf(out, "],\"blocked\":%lu,\"not_default\":[", blocked);
    const char *separator = "";
    for (int signal = 1; signal <= 64; signal++) {
        struct kernel_sigaction action;
        if (syscall(SYS_rt_sigaction, signal, NULL, &action, 8) == 0 && action.handler != NULL) {
            fprintf(out, "%s%d", separator, signal);
            separator = ",";
        }
    }

    char cwd[4096] = "?";
    if (getcwd(cwd, sizeof cwd) == NULL)
        strcpy(cwd, "?");
    mode_t mask = umask(0);
    umask(mask);
    fputs("],\"directory\":", out);
    text(out, cwd);
    fprintf(out, ",\"pid\":%d,\"parent\":%d,\"session\":%d,\"group\":%d,\"umask\":%d,\"nice\":%d,\"no_new_privileges\":%d,",
        getpid(), getppid(), getsid(0), getpgrp(), (int)mask, getpriority(PRIO_PROCESS, 0), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));

    uid_t uid[3];
    gid_t gid[3], groups[256];
    getresuid(&uid[0], &uid[1], &uid[2]);
    getresgid(&gid[0], &gid[1], &gid[2]);
    fprintf(out, "\"uid\":[%u,%u,%u],\"gid\":[%u,%u,%u],\"groups\":[", uid[0], uid[1], uid[2], gid[0], gid[1], gid[2]);
    int count = getgroups(256, groups);
    for (int i = 0; i < count; i++)
        fprintf(out, "%s%u", i ? "," : "", groups[i]);

    fputs("],\"limits\":[", out);
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;
        getrlimit(i, &limit);
        fprintf(out, "%s[%lld,%lld]", i ? "," : "", (long long)limit.rlim_cur, (long long)limit.rlim_max);
    }

    fputs("],\"capabilities\":{", out);
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    separator = "";
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "Cap", 3) == 0) {
            fprintf(out, "%s\"%.6s\":\"%.16s\"", separator, line, line + 8);
            separator = ",";
        }
    if (status)
        fclose(status);
    fputc('}', out);
}

static void ready(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path)
        return;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const char message[] = "READY=1\nSTATUS=inspecting";
    if (sendto(fd, message, sizeof message - 1, 0, (struct sockaddr *)&address, sizeof address) < 0)
        perror("NOTIFY_SOCKET");
    close(fd);
}

int main(void)
{
    char *found = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&found, &length);
    process(memory);
    fclose(memory);

    int first = 3, count = atoi(getenv("LISTEN_FDS") ? getenv("LISTEN_FDS") : "0");
    struct pollfd wait[64];
    for (int i = 0; i < count; i++)
        wait[i] = (struct pollfd){ .fd = first + i, .events = POLLIN };
    ready();
    for (;;) {
        if (poll(wait, (nfds_t)count, -1) < 0)
            continue;
        for (int i = 0; i < count; i++) {
            int accepting = 0;
            socklen_t size = sizeof accepting;
            getsockopt(wait[i].fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &size);
            if (!wait[i].revents || !accepting)
                continue;
            int connection = accept4(wait[i].fd, NULL, NULL, SOCK_CLOEXEC);
            if (connection < 0)
                continue;
            FILE *out = fdopen(connection, "r+");
            fprintf(out, "{%s,\"through\":%d,\"accepted\":", found, wait[i].fd);
            socket_options(out, connection);
            fputs(",\"listeners\":[", out);
            for (int j = 0; j < count; j++) {
                fputs(j ? "," : "", out);
                socket_options(out, wait[j].fd);
            }
            fputs("]}\n", out);
            fflush(out);

            /* With SO_LINGER 0 close() would discard data that the client has not read yet. */
            shutdown(connection, SHUT_WR);
            char rest[256];
            while (read(connection, rest, sizeof rest) > 0)
                ;
            fclose(out);
        }
    }
}
