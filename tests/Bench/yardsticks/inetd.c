/*
 * The plain server of a process for each connection: inetd PORT PROGRAM ARGUMENT... Accepts, forks, and executes the program with the
 * connection as standard input and output, until its own standard input ends.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 4096) != 0)
        return 1;
    signal(SIGCHLD, SIG_IGN);
    struct pollfd both[2] = { { .fd = 0, .events = POLLIN }, { .fd = listener, .events = POLLIN } };
    while (poll(both, 2, -1) > 0 && !both[0].revents) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            continue;
        if (fork() == 0) {
            dup2(connection, 0);
            dup2(connection, 1);
            close(connection);
            signal(SIGCHLD, SIG_DFL);
            execv(argv[2], argv + 2);
            _exit(127);
        }
        close(connection);
    }
    return 0;
}
