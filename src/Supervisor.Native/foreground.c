/*
 * Starts a program in the caller's session, process group and terminal, as a shell does for a command in the foreground: it may
 * ask for a password, and Ctrl-C reaches it. spawn.c starts workers, which get a session of their own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/*
 * Returns the child's process id, or -1 and errno, also if the program cannot be executed. The child gets SIGTERM when the thread
 * that called this exits (prctl(2), PR_SET_PDEATHSIG), so a killed caller leaves no child.
 */
int listend_foreground(const char *path, char *const argv[], char *const envp[])
{
    int report[2], failure = 0;
    sigset_t all, before, none;
    if (pipe2(report, O_CLOEXEC) != 0)
        return -1;
    /* No handler of the runtime may run in the child. */
    sigfillset(&all);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t caller = getpid(), child = fork();
    if (child == 0) {
        /* The runtime ignores SIGPIPE. execve() resets the signals that it handles. */
        signal(SIGPIPE, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != caller)
            _exit(127);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(path, argv, envp);
        failure = errno;
        if (write(report[1], &failure, sizeof failure) < 0)
            _exit(126);
        _exit(127);
    }
    int refused = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    /* End of file: execve() has closed the pipe. */
    if (child > 0 && read(report[0], &failure, sizeof failure) == sizeof failure)
        refused = failure;
    close(report[0]);
    if (child > 0 && failure == 0)
        return child;
    errno = refused;
    return -1;
}
