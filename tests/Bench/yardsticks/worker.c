/*
 * The worker of every measurement: sends the start time of main() and READY=1, and waits for its end.
 * worker [SOCKET]: SOCKET, a UNIX datagram socket, gets {pid, nanoseconds}.
 */
#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void say(const char *path, const void *data, size_t length)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    sendto(s, data, length, 0, (struct sockaddr *)&to, sizeof to);
    close(s);
}

int main(int argc, char **argv)
{
    int64_t stamp[2] = { 0, now() };
    stamp[0] = getpid();
    const char *notify = getenv("NOTIFY_SOCKET");
    if (notify)
        say(notify, "READY=1", 7);
    if (argc > 1)
        say(argv[1], stamp, sizeof stamp);
    for (;;)
        pause();
}
