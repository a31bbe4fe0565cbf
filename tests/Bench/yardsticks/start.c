/*
 * Starts COUNT workers and waits until each has sent READY=1. Prints the nanosecond of the last one. The workers exit when
 * standard input ends.
 *   start supervisor COUNT FOLDER PROGRAM: by the steps of supervised.h
 *   start vfork COUNT FOLDER PROGRAM: by a plain vfork, with only one notify socket for all
 */
#define _GNU_SOURCE
#include "clock.h"
#include "supervised.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* How many workers have sent READY=1. */
static int take(int set, int wait)
{
    struct epoll_event events[256];
    char message[4096];
    int ready = 0, n = epoll_wait(set, events, 256, wait);
    for (int i = 0; i < n; i++) {
        int fd = (int)(uint32_t)events[i].data.u64;
        switch ((enum kind)(events[i].data.u64 >> 32)) {
        case NOTIFY:
            while (recv(fd, message, sizeof message, 0) > 0)
                ready++;
            break;
        case STATUS:
            epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
            close(fd);
            break;
        case OUTPUT:
            while (read(fd, message, sizeof message) > 0)
                ;
            break;
        case END:
        case INPUT:
            exit(1);
        }
    }
    return ready;
}

static pid_t start_plain(char **argv)
{
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
    int supervised = argv[1][0] == 's', count = atoi(argv[2]), set = epoll_create1(EPOLL_CLOEXEC), ready = 0;
    int image = supervised ? launcher_image(argv[0]) : -1;
    pid_t *pids = calloc((size_t)count, sizeof *pids);
    char byte, path[96];
    mkdir(argv[3], 0755);
    if (!supervised) {
        snprintf(path, sizeof path, "%s/all.sock", argv[3]);
        watch(set, notify_socket(path), NOTIFY);
    }
    for (int i = 0; i < count; i++)
        pids[i] = supervised ? start_supervised(set, image, argv[3], i, argv + 4).pid : start_plain(argv + 4);
    while (ready < count)
        ready += take(set, -1);
    printf("%lld\n", (long long)now());
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    for (int i = 0; i < count; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    return 0;
}
