/*
 * Finding 13, a worker's part: succeeds if the broker does not lend it its own listener within 5 s. shut-out BROKER LISTENER
 */
#include "attack.h"

int main(int argc, char **argv)
{
    char request[256], answer[65536] = "no answer";
    int fds[MOST_DESCRIPTORS], count;
    if (argc != 3)
        errno = EINVAL, broken("shut-out BROKER LISTENER");
    snprintf(request, sizeof request, "{\"method\":\"take\",\"listeners\":[\"%s\"]}", argv[2]);
    for (long long end = now_ms() + 5000; now_ms() < end;) {
        int fd = dial(argv[1], SOCK_SEQPACKET);
        struct pollfd waits = { fd, POLLIN, 0 };
        if (fd < 0 || send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 || poll(&waits, 1, 1000) != 1)
            succeeded("a worker was not heard");
        long n = receive_with(fd, answer, sizeof answer - 1, fds, &count, 0);
        answer[n > 0 ? n : 0] = 0;
        close(fd);
        if (count > 0)
            failed("a worker was served");
        if (!strstr(answer, "busy"))
            errno = 0, broken("%s", answer);
        struct timespec pause = { 0, 100000000 };
        nanosleep(&pause, NULL);
    }
    succeeded("a worker was turned away for 5 s: %s", answer);
}
