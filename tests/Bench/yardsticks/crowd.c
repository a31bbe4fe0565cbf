/*
 * A busy host: PROCESSES children with SOCKETS listening TCP sockets each, on 127.0.0.1: crowd PROCESSES SOCKETS.
 * Prints the port of one in the middle. All processes exit when standard input ends.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int processes = atoi(argv[1]), sockets = atoi(argv[2]), pipes[2];
    pid_t *pids = calloc((size_t)processes, sizeof *pids);
    if (pipe(pipes) != 0)
        return 1;
    for (int p = 0; p < processes; p++) {
        pids[p] = fork();
        if (pids[p] != 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct sockaddr_in at = { 0 };
        socklen_t length = sizeof at;
        for (int s = 0; s < sockets; s++) {
            at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
            int fd = socket(AF_INET, SOCK_STREAM, 0);
            if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 16) != 0
                || getsockname(fd, (struct sockaddr *)&at, &length) != 0)
                _exit(1);
        }
        int port = ntohs(at.sin_port);
        if (write(pipes[1], &port, sizeof port) != sizeof port)
            _exit(1);
        for (;;)
            pause();
    }
    int port = 0, middle = 0;
    for (int p = 0; p < processes; p++) {
        if (read(pipes[0], &port, sizeof port) != sizeof port)
            return 1;
        if (p == processes / 2)
            middle = port;
    }
    printf("%d\n", middle);
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0)
        ;
    for (int p = 0; p < processes; p++) {
        kill(pids[p], SIGKILL);
        waitpid(pids[p], NULL, 0);
    }
    return 0;
}
