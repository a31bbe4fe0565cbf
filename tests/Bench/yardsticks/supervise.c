/*
 * A minimal supervisor: starts a worker, waits until it exits, and starts the next, until standard input ends. Then it
 * stops the worker.
 *   supervise supervisor FOLDER PROGRAM ARG...: by the steps of supervised.h; closes what the exited worker had
 *   supervise vfork FOLDER PROGRAM ARG...: by a plain vfork, waits on a pidfd
 */
#define _GNU_SOURCE
#include "supervised.h"

#include <sys/wait.h>

static struct supervised start_plain(int set, char **argv)
{
    struct supervised worker = { vfork(), -1, -1, -1, -1 };
    if (worker.pid == 0) {
        execve(argv[0], argv, environ);
        _exit(127);
    }
    worker.pidfd = (int)syscall(SYS_pidfd_open, worker.pid, 0);
    watch(set, worker.pidfd, END);
    return worker;
}

static void end(const char *folder, int number, struct supervised worker)
{
    char path[96];
    siginfo_t info;
    waitid(P_PID, (id_t)worker.pid, &info, WEXITED);
    close(worker.pidfd);
    if (worker.notify < 0)
        return;
    snprintf(path, sizeof path, "%s/%d.sock", folder, number);
    unlink(path);
    close(worker.notify);
    close(worker.output);
    close(worker.error);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int supervised = argv[1][0] == 's', set = epoll_create1(EPOLL_CLOEXEC), number = 0;
    int image = supervised ? launcher_image(argv[0]) : -1;
    mkdir(argv[2], 0755);
    watch(set, 0, INPUT);
    struct supervised worker = supervised ? start_supervised(set, image, argv[2], number, argv + 3) : start_plain(set, argv + 3);
    for (;;) {
        struct epoll_event events[16];
        char message[4096];
        int n = epoll_wait(set, events, 16, -1);
        for (int i = 0; i < n; i++) {
            int fd = (int)(uint32_t)events[i].data.u64;
            switch ((enum kind)(events[i].data.u64 >> 32)) {
            case NOTIFY:
                while (recv(fd, message, sizeof message, 0) > 0)
                    ;
                break;
            case OUTPUT:
                if (read(fd, message, sizeof message) == 0)
                    epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
                break;
            case STATUS:
                epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
                close(fd);
                break;
            case END: {
                struct supervised ended = worker;
                worker = supervised ? start_supervised(set, image, argv[2], number + 1, argv + 3) : start_plain(set, argv + 3);
                end(argv[2], number++, ended);
                i = n;
                break;
            }
            case INPUT:
                kill(worker.pid, SIGKILL);
                end(argv[2], number, worker);
                return 0;
            }
        }
    }
}
