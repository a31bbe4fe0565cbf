/*
 * Finding 8. Requests of a process with 60 ancestors, from many connections at once: each request has the daemon look for
 * whose process it is. ancestors BROKER LISTENER SECONDS
 */
#include "attack.h"

#define DEPTH 60
#define CONNECTIONS 64

int main(int argc, char **argv)
{
    if (argc != 4)
        errno = EINVAL, broken("ancestors BROKER LISTENER SECONDS");
    /* The deepest does the work; each of the others waits for its child and passes the status on. */
    for (int depth = 0; depth < DEPTH; depth++) {
        int child = fork(), status;
        if (child < 0)
            broken("fork");
        if (child > 0) {
            waitpid(child, &status, 0);
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : BROKEN);
        }
        setsid();
    }
    char request[256], answer[65536];
    struct pollfd all[CONNECTIONS];
    int count = 0;
    long sent = 0, answered = 0;
    snprintf(request, sizeof request, "{\"method\":\"take\",\"listeners\":[\"%s\"]}", argv[2]);
    for (; count < CONNECTIONS - 1; count++) {
        int fd = dial(argv[1], SOCK_SEQPACKET | SOCK_NONBLOCK);
        if (fd < 0 && errno == EAGAIN)
            break;
        if (fd < 0)
            broken("connection %d", count);
        all[count] = (struct pollfd) { fd, POLLIN | POLLOUT, 0 };
    }
    long long end = now_ms() + atof(argv[3]) * 1000, longest = 0, last[CONNECTIONS];
    for (int i = 0; i < count; i++)
        last[i] = now_ms();
    while (now_ms() < end) {
        if (poll(all, count, 2000) == 0)
            succeeded("nothing came of %d connections for 2 s", count);
        for (int i = 0; i < count; i++) {
            if (all[i].fd >= 0 && all[i].revents & (POLLHUP | POLLERR)) {
                /* Sent away; the next one may get in. */
                close(all[i].fd);
                all[i].fd = dial(argv[1], SOCK_SEQPACKET | SOCK_NONBLOCK);
                continue;
            }
            if (all[i].revents & POLLIN)
                while (recv(all[i].fd, answer, sizeof answer, MSG_DONTWAIT) > 0) {
                    long long now = now_ms();
                    longest = now - last[i] > longest ? now - last[i] : longest;
                    last[i] = now;
                    answered++;
                }
            if (all[i].revents & POLLOUT)
                while (send(all[i].fd, request, strlen(request), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
                    sent++;
        }
    }
    if (sent < 1000)
        errno = 0, broken("%ld requests were sent on %d connections", sent, count);
    /* What decides is what the independent client measures; that the own answers are slow is what a flood deserves. */
    failed("%ld requests, %ld answers, the longest pause %lld ms", sent, answered, longest);
}
