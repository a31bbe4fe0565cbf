/*
 * The least that a supervisor can do: starts workers by a launcher (launch.h), or by a mere vfork, waits on their pidfds,
 * replaces the one that has ended.
 * supervise launcher|vfork COUNT PROGRAM ARG...: until standard input ends; then its workers end too.
 */
#define _GNU_SOURCE
#include "launch.h"

#include <poll.h>
#include <sys/wait.h>

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
    int count = argc > 3 ? atoi(argv[2]) : 0;
    if (argc > 3 && argv[1][0] == 'l')
        image = launcher_image(argv[0]);
    struct pollfd *watched = calloc((size_t)count + 1, sizeof *watched);
    pid_t *pids = calloc((size_t)count + 1, sizeof *pids);
    for (int i = 0; i < count; i++) {
        pids[i] = spawn(argv + 3);
        watched[i].fd = (int)syscall(SYS_pidfd_open, pids[i], 0);
        watched[i].events = POLLIN;
    }
    watched[count].fd = 0;
    watched[count].events = POLLIN;
    while (poll(watched, (nfds_t)count + 1, -1) > 0 && !watched[count].revents)
        for (int i = 0; i < count; i++)
            if (watched[i].revents) {
                siginfo_t info;
                pid_t next = spawn(argv + 3);
                waitid(P_PID, (id_t)pids[i], &info, WEXITED);
                close(watched[i].fd);
                pids[i] = next;
                watched[i].fd = (int)syscall(SYS_pidfd_open, next, 0);
            }
    for (int i = 0; i < count; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    return 0;
}
