/*
 * A worker that accepts connections and keeps them, idle, without reading: holder. Its listener is descriptor 3 (LISTEN_FDS).
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    const char *notify = getenv("NOTIFY_SOCKET");
    if (notify) {
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        strncpy(to.sun_path, notify, sizeof to.sun_path - 1);
        sendto(s, "READY=1", 7, 0, (struct sockaddr *)&to, sizeof to);
        close(s);
    }
    for (;;)
        if (accept(3, NULL, NULL) < 0) {
            struct pollfd wait = { .fd = 3, .events = POLLIN };
            poll(&wait, 1, -1);
        }
}
