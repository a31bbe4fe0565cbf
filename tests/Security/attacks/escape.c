/*
 * Finding 9. A worker's process leaves everything by which it could be known: session, parent, environment, output; and keeps
 * the listener (descriptor 3). escape FILE: its process id is written there. Ends when the other one is there; whether that
 * survives its service is for who looks.
 */
#include "attack.h"

int main(int argc, char **argv)
{
    char text[32], next[256];
    int is_listening = 0, ready[2];
    socklen_t length = sizeof is_listening;
    if (argc == 3) {
        int fd = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0644);
        snprintf(text, sizeof text, "%d", getpid());
        if (fd < 0 || write(fd, text, strlen(text)) < 0)
            return BROKEN;
        close(fd);
        close(9);
        for (;;)
            pause();
    }
    if (argc != 2)
        errno = EINVAL, broken("escape FILE");
    if (getsockopt(3, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) != 0 || !is_listening || pipe(ready) != 0)
        broken("descriptor 3 is no listener");
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            char *words[] = { argv[0], argv[1], "stay", NULL }, *nothing[] = { NULL };
            int null = open("/dev/null", O_RDWR);
            for (int i = 0; i < 3; i++)
                dup2(null, i);
            dup2(ready[1], 9);
            for (int i = 4; i < 64; i++)
                if (i != 9)
                    close(i);
            execve(argv[0], words, nothing);
        }
        _exit(0);
    }
    close(ready[1]);
    if (read(ready[0], next, 1) != 0 || access(argv[1], F_OK) != 0)
        broken("%s", argv[1]);
    failed("a process without session, parent and environment holds the listener");
}
