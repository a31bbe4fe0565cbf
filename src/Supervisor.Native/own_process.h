/* What a child does to itself before it executes a program: signals, and variables with its process id. By raw system calls. */
#ifndef LISTEND_OWN_PROCESS_H
#define LISTEND_OWN_PROCESS_H
#include "raw_call.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* The kernel's struct sigaction (asm/signal.h); libc's has another layout. */
struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask;
};

/* Writes a number after the "=" of a variable, which has room for 20 digits, or for 10 if it is a process id. */
static void write_number(char *variable, uint64_t pid)
{
    char digits[20];
    int n = 0;
    while (*variable && *variable++ != '=')
        ;
    do {
        digits[n++] = (char)('0' + pid % 10);
        pid /= 10;
    } while (pid);
    while (n)
        *variable++ = digits[--n];
    *variable = 0;
}

/* Whether a variable wants the inode number of the pidfd: LISTEN_PIDFDID, which the daemon passes only where there is pidfs. */
static int wants_pidfd(const char *variable)
{
    const char *wanted = "LISTEN_PIDFDID=";
    while (*wanted && *wanted == *variable++)
        wanted++;
    return !*wanted;
}

/* The inode number of this process's pidfd (pidfs, Linux 6.9); 0 if the kernel does not tell. */
static uint64_t own_pidfd(long pid)
{
    struct stat status = { 0 };
    long pidfd = CALL(pidfd_open, pid, 0);
    if (pidfd < 0)
        return 0;
    CALL(fstat, pidfd, &status);
    CALL(close, pidfd);
    return status.st_ino;
}

static void write_pid_variables(char *const *envp, int count)
{
    long pid = CALL(getpid, 0);
    for (int i = 0; i < count; i++)
        write_number(envp[i], wants_pidfd(envp[i]) ? own_pidfd(pid) : (uint64_t)pid);
}

/* All signals at their default: ignored ones stay ignored over execve(), and the runtime ignores SIGPIPE. */
static void reset_signals(int ignore_sigpipe)
{
    struct kernel_sigaction by_default = { 0 }, ignored = { (void *)1 /* SIG_IGN */, 0, NULL, 0 };
    for (int signal = 1; signal <= 64; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            CALL(rt_sigaction, signal, signal == SIGPIPE && ignore_sigpipe ? &ignored : &by_default, NULL, 8);
}
#endif
