/*
 * The launcher of launch.h: the steps of a worker without privileges to drop, then its program. No libc, like listend's:
 * compiled with -nostdlib. launcher PROGRAM ARG...: descriptor 3 is the status pipe's end, 4 this image.
 */
#define _GNU_SOURCE
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stddef.h>

static long call(long n, long a, long b, long c, long d)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#endif
}

__attribute__((noreturn, used)) static void launch(long *stack)
{
    char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1;
    unsigned long none = 0, action[4] = { 0, 0, 0, 0 };
    call(__NR_fcntl, 3, F_SETFD, FD_CLOEXEC, 0);
    call(__NR_setsid, 0, 0, 0, 0);
    call(__NR_close, 4, 0, 0, 0);
    call(__NR_umask, 022, 0, 0, 0);
    call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0);
    call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0);
    for (int signal = 1; signal <= 64; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            call(__NR_rt_sigaction, signal, (long)action, 0, 8);
    call(__NR_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, 8);
    call(__NR_execve, (long)argv[1], (long)(argv + 1), (long)envp, 0);
    for (;;)
        call(__NR_exit_group, 127, 0, 0, 0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call launch\n");
#else
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n bl launch\n");
#endif
