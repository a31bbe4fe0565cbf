/*
 * How listend starts a worker, in plain C: vfork; the child puts its descriptors in place and executes a launcher without
 * libc (launcher.c) from a memory file; the launcher takes the steps of a worker and executes the program. A
 * close-on-exec pipe reports the exec.
 */
#ifndef LAUNCH_H
#define LAUNCH_H
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

/* The launcher next to this program, as a sealed memory file; exits without one. */
static int launcher_image(const char *program)
{
    char path[4096], data[65536];
    const char *slash = program;
    for (const char *c = program; *c; c++)
        if (*c == '/')
            slash = c + 1;
    snprintf(path, sizeof path, "%.*slauncher", (int)(slash - program), program);
    int file = open(path, O_RDONLY | O_CLOEXEC), image = memfd_create("launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    long length = read(file, data, sizeof data);
    if (length <= 0 || write(image, data, (size_t)length) != length)
        exit(1);
    fcntl(image, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    close(file);
    return image;
}

/* Starts argv with that output and error; *status is the read end of the pipe that is closed by the exec. */
static pid_t launch(int image, char **argv, int output, int error, int *status)
{
    char *words[16] = { "launcher" };
    int ends[2];
    sigset_t all, before;
    for (int i = 0; argv[i] && i < 14; i++)
        words[i + 1] = argv[i];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        if (output != 1)
            dup3(output, 1, 0);
        if (error != 2)
            dup3(error, 2, 0);
        int high = fcntl(image, F_DUPFD, 10);
        int pipe_end = fcntl(ends[1], F_DUPFD, 10);
        dup3(pipe_end, 3, 0);
        dup3(high, 4, 0);
        syscall(SYS_close_range, 5U, ~0U, 0);
        syscall(SYS_execveat, 4, "", words, environ, AT_EMPTY_PATH);
        _exit(127);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    *status = ends[0];
    return pid;
}
#endif
