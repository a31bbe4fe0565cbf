/*
 * A worker like listend's, in plain C: started by a launcher (launch.h), with a notify socket with a name and
 * credentials, pipes for output and error, a pidfd and a status pipe, all in one epoll set.
 */
#ifndef SUPERVISED_H
#define SUPERVISED_H
#include "launch.h"

#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum kind { NOTIFY, OUTPUT, STATUS, END, INPUT };

static int notify_socket(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int one = 1, notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    strncpy(at.sun_path, path, sizeof at.sun_path - 1);
    if (setsockopt(notify, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) != 0 || fchmod(notify, 0600) != 0
        || bind(notify, (struct sockaddr *)&at, sizeof at) != 0)
        exit(1);
    setenv("NOTIFY_SOCKET", path, 1);
    return notify;
}

static void watch(int set, int fd, enum kind kind)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)kind << 32 | (uint32_t)fd };
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

struct supervised {
    pid_t pid;
    int pidfd, notify, output, error;
};

static struct supervised start_supervised(int set, int image, const char *folder, int i, char **argv)
{
    char path[96];
    int output[2], error[2], status;
    snprintf(path, sizeof path, "%s/%d.sock", folder, i);
    int notify = notify_socket(path);
    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0)
        exit(1);
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    fcntl(error[0], F_SETFL, O_NONBLOCK);
    pid_t pid = launch(image, argv, output[1], error[1], &status);
    close(output[1]);
    close(error[1]);
    watch(set, notify, NOTIFY);
    watch(set, output[0], OUTPUT);
    watch(set, error[0], OUTPUT);
    struct supervised worker = { pid, (int)syscall(SYS_pidfd_open, pid, 0), notify, output[0], error[0] };
    watch(set, worker.pidfd, END);
    watch(set, status, STATUS);
    return worker;
}
#endif
