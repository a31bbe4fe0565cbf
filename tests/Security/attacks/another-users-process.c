/*
 * Finding 14. A set-user-id program, executed in a worker with the worker's environment, is another user's process:
 * the daemon's successor must not kill it. another-users-process FILE: its process id is written there by who stays.
 */
#include "attack.h"

int main(int argc, char **argv)
{
    char text[32];
    int ready[2];
    if (argc == 3) {
        if (geteuid() != 0 || setresuid(0, 0, 0) != 0)
            return BROKEN;
        /* In the worker's folder, as the worker's user could not. */
        int fd = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0644);
        snprintf(text, sizeof text, "%d", getpid());
        if (fd < 0 || write(fd, text, strlen(text)) < 0)
            return BROKEN;
        close(fd);
        close(9);
        signal(SIGTERM, SIG_IGN);
        for (;;)
            pause();
    }
    if (argc != 2 || pipe(ready) != 0)
        errno = EINVAL, broken("another-users-process FILE");
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            char *words[] = { argv[0], argv[1], "stay", NULL };
            int null = open("/dev/null", O_RDWR);
            for (int i = 0; i < 3; i++)
                dup2(null, i);
            dup2(ready[1], 9);
            for (int i = 3; i < 64; i++)
                if (i != 9)
                    close(i);
            execv(argv[0], words);
        }
        _exit(0);
    }
    close(ready[1]);
    if (read(ready[0], text, 1) != 0 || access(argv[1], F_OK) != 0)
        broken("%s", argv[1]);
    failed("a process of root carries the worker's environment");
}
