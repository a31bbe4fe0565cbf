/* A system call that touches no memory except its arguments': no errno, no libc. Returns -errno on failure. */
#ifndef LISTEND_RAW_CALL_H
#define LISTEND_RAW_CALL_H
#include <asm/unistd.h>

#if defined(__x86_64__)
static long call(long n, long a, long b, long c, long d, long e)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static long call(long n, long a, long b, long c, long d, long e)
{
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else
#error "only the system calls of x86_64 and aarch64 are known"
#endif

/* The same by name, with up to five arguments. */
#define CALL_OF(name, a, b, c, d, e, ...) call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define CALL(name, ...) CALL_OF(name, __VA_ARGS__, 0, 0, 0, 0, 0)
#endif
