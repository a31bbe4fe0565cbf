/*
 * Creates COUNT TCP listeners by plain system calls, each on its own address of 127.1.0.0/16 and port 0:
 * listeners COUNT [read-back]. (On one address the kernel's search for a free port would cost a hundred times the rest.)
 * With read-back, makes the same queries as the factory and discards the results. Prints the duration in nanoseconds.
 */
#define _GNU_SOURCE
#include "clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 0;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int *sockets = calloc((size_t)count, sizeof *sockets);
    int64_t begin = now();
    for (int i = 0; i < count; i++) {
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010000u + (uint32_t)i) };
        int one = 1;
        int s = sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
            return 1;
        if (argc > 2) {
            socklen_t length = sizeof one;
            getsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, &length);
        }
        if (bind(s, (struct sockaddr *)&at, sizeof at) != 0 || listen(s, 4096) != 0)
            return 1;
        if (argc > 2) {
            struct tcp_info info;
            struct stat status;
            socklen_t length = 104;
            fstat(s, &status);
            getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &length);
            length = sizeof at;
            getsockname(s, (struct sockaddr *)&at, &length);
            fstat(s, &status);
        }
    }
    printf("%lld\n", (long long)(now() - begin));
    return 0;
}
