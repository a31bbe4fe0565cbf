/*
 * Measures the call to the child's main(): spawn launcher|vfork|posix_spawn COUNT PROGRAM SOCKET. PROGRAM stamps SOCKET, a datagram
 * socket that this program creates. Prints the nanoseconds of each round.
 */
#define _GNU_SOURCE
#include "clock.h"
#include "launch.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t spawn(const char *how, int image, char **argv)
{
    pid_t pid;
    int status;
    if (strcmp(how, "launcher") == 0) {
        pid = launch(image, argv, 1, 2, &status);
        close(status);
        return pid;
    }
    if (strcmp(how, "vfork") != 0)
        return posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) == 0 ? pid : -1;
    pid = vfork();
    if (pid == 0) {
        execve(argv[0], argv, environ);
        _exit(127);
    }
    return pid;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    strncpy(at.sun_path, argv[4], sizeof at.sun_path - 1);
    int stamps = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(stamps, (struct sockaddr *)&at, sizeof at) != 0)
        return 1;
    int image = launcher_image(argv[0]);
    for (int i = 0; i < atoi(argv[2]); i++) {
        int64_t stamp[2], begin = now();
        pid_t pid = spawn(argv[1], image, argv + 3);
        if (recv(stamps, stamp, sizeof stamp, 0) != sizeof stamp)
            return 1;
        printf("%lld\n", (long long)(stamp[1] - begin));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return 0;
}
