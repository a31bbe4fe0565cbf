/*
 * A client with many connections to 127.0.0.1: connect PORT COUNT. Prints how many are established, and keeps them until standard input
 * ends.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int count = atoi(argv[2]), made = 0;
    struct rlimit files = { .rlim_cur = (rlim_t)count + 64, .rlim_max = (rlim_t)count + 64 };
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        return 1;
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    for (; made < count; made++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
            return 1;
    }
    printf("%d\n", made);
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0)
        ;
    return 0;
}
