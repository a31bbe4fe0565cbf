/*
 * Sends descriptors over a SOCK_SEQPACKET socket, 253 per packet.
 *   broker pair COUNT BYTES      a sender and a receiver of COUNT of them, with BYTES of text for each
 *   broker take SOCKET COUNT     only a receiver: takes COUNT listeners of listend from its broker, three times
 * Prints the nanoseconds from the request to the last descriptor, and closes the descriptors afterwards.
 */
#define _GNU_SOURCE
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EACH = 253, PACKET = 65536 };

static char packet[PACKET];

static int receive(int from, int *into)
{
    char control[CMSG_SPACE(sizeof(int) * EACH)];
    struct iovec vector = { packet, sizeof packet };
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) <= 0 || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        exit(1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header)
        exit(2);
    int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(into, CMSG_DATA(header), sizeof(int) * (size_t)count);
    return count;
}

static void receive_all(int from, const char *request, size_t length, int count)
{
    int *got = malloc(sizeof(int) * (size_t)(count + EACH));
    int64_t begin = now();
    if (send(from, request, length, 0) < 0)
        exit(3);
    int have = 0;
    while (have < count)
        have += receive(from, got + have);
    printf("%lld\n", (long long)(now() - begin));
    fflush(stdout);
    for (int i = 0; i < have; i++)
        close(got[i]);
    free(got);
}

static void serve(int to, const int *sockets, int count, size_t bytes)
{
    char request[PACKET];
    if (recv(to, request, sizeof request, 0) <= 0)
        exit(4);
    for (int sent = 0; sent < count;) {
        int n = count - sent < EACH ? count - sent : EACH;
        char control[CMSG_SPACE(sizeof(int) * EACH)] = { 0 };
        struct iovec vector = { packet, bytes * (size_t)n + 1 };
        struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n) };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
        memcpy(CMSG_DATA(header), sockets + sent, sizeof(int) * (size_t)n);
        if (sendmsg(to, &message, 0) < 0)
            exit(5);
        sent += n;
    }
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (argc > 3 && strcmp(argv[1], "take") == 0) {
        int count = atoi(argv[3]);
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        strncpy(at.sun_path, argv[2], sizeof at.sun_path - 1);
        int broker = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (connect(broker, (struct sockaddr *)&at, sizeof at) != 0)
            return 6;
        /* Names of three characters, so one request holds that many. */
        static char request[PACKET];
        char *end = request + sprintf(request, "{\"method\":\"take\",\"listeners\":[");
        for (int i = 0; i < count; i++)
            end += sprintf(end, "%s\"%c%c%c\"", i ? "," : "", 'a' + i / 676, 'a' + i / 26 % 26, 'a' + i % 26);
        end += sprintf(end, "]}");
        for (int i = 0; i < 3; i++)
            receive_all(broker, request, (size_t)(end - request), count);
        return 0;
    }
    int count = argc > 3 ? atoi(argv[2]) : 0;
    size_t bytes = argc > 3 ? (size_t)atoi(argv[3]) : 0;
    int pair[2];
    if (count <= 0 || (bytes + 1) * EACH > PACKET || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return 7;
    pid_t sender = fork();
    if (sender == 0) {
        int *sockets = malloc(sizeof(int) * (size_t)count);
        for (int i = 0; i < count; i++)
            sockets[i] = socket(AF_UNIX, SOCK_DGRAM, 0);
        /* Two rounds warm up, as with the broker. */
        for (int i = 0; i < 3; i++)
            serve(pair[1], sockets, count, bytes);
        _exit(0);
    }
    char ready = '?';
    for (int i = 0; i < 3; i++)
        receive_all(pair[0], &ready, 1, count);
    int status;
    waitpid(sender, &status, 0);
    return status;
}
