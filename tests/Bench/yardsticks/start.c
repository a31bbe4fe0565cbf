/*
 * Starts COUNT workers by a launcher (launch.h), or by a mere vfork, and waits until each has said READY=1 on one socket:
 * start launcher|vfork COUNT SOCKET PROGRAM. Prints the nanosecond at which the last one had; when standard input ends, its workers end too.
 */
#define _GNU_SOURCE
#include "clock.h"
#include "launch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int image = -1;

static pid_t spawn(char **argv)
{
    int status;
    if (image >= 0) {
        pid_t launched = launch(image, argv, &status);
        close(status);
        return launched;
    }
    pid_t pid = vfork();
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
    if (argv[1][0] == 'l')
        image = launcher_image(argv[0]);
    int count = atoi(argv[2]);
    pid_t *pids = calloc((size_t)count, sizeof *pids);
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    strncpy(at.sun_path, argv[3], sizeof at.sun_path - 1);
    int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(notify, (struct sockaddr *)&at, sizeof at) != 0)
        return 1;
    setenv("NOTIFY_SOCKET", argv[3], 1);
    int ready = 0;
    char message[16];
    for (int i = 0; i < count; i++) {
        pids[i] = spawn(argv + 4);
        while (recv(notify, message, sizeof message, MSG_DONTWAIT) > 0)
            ready++;
    }
    while (ready < count && recv(notify, message, sizeof message, 0) > 0)
        ready++;
    printf("%lld\n", (long long)now());
    fflush(stdout);
    while (read(0, message, sizeof message) > 0)
        ;
    for (int i = 0; i < count; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    return 0;
}
