/*
 * A client of a service that starts a process for each connection: burst PORT COUNT AT_ONCE. Each connection has to get a byte and then
 * its end. Prints the nanoseconds that COUNT connections take, of which AT_ONCE are open at the same time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int count = atoi(argv[2]), most = atoi(argv[3]), begun = 0, done = 0, poll = epoll_create1(0);
    static char served[65536];
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    long long start = now();
    while (done < count) {
        for (; begun < count && begun - done < most; begun++) {
            struct epoll_event event = { .events = EPOLLIN };
            int fd = event.data.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            if (fd < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0)
                return 1;
            if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0 && errno != EINPROGRESS)
                return 1;
            served[fd] = 0;
        }
        struct epoll_event ready[64];
        int seen = epoll_wait(poll, ready, 64, 30000);
        if (seen <= 0)
            return 1;
        for (int i = 0; i < seen; i++) {
            int fd = ready[i].data.fd;
            char text[64];
            ssize_t got = read(fd, text, sizeof text);
            if (got > 0) {
                served[fd] = 1;
            } else if (got == 0 && served[fd]) {
                close(fd);
                done++;
            } else if (got == 0 || errno != EAGAIN) {
                return 1;
            }
        }
    }
    printf("%lld\n", now() - start);
    return 0;
}
