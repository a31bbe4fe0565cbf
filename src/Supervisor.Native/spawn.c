/*
 * The child's side of vfork, and nothing else.
 *
 * Between fork and exec no managed code may run, and most of libc may not either: the child shares the parent's
 * memory (CLONE_VM) while the parent's thread waits (CLONE_VFORK), so glibc's setuid family, which signals every
 * thread of the process, would reach the daemon's. Every step is therefore a raw system call, the stack is the
 * child's own, and all signals are blocked until the handlers are gone. Because the memory is shared, a step that
 * fails writes {stage, errno} straight into the request, and the parent reads it as soon as it goes on: clone()
 * returns when the child has executed the program or left. Where many are spawned, the parent goes on at once
 * (listend_spawn_begin), does what the next one needs, and asks later; what it handed over stays as it is until then.
 *
 * Order: a table of descriptors of its own, session, cgroup, limits, nice, umask, groups, group, user, directory, capabilities, no_new_privs, signals,
 * descriptors, pid slots, exec. The directory comes after the user, so that it is entered with the worker's rights;
 * no_new_privs after what needs privilege.
 */
#define _GNU_SOURCE
#include "spawn.h"

#include "raw_call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

/* The kernel's own struct sigaction (asm/signal.h): libc's has another layout. */
struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask;
};

/* A step of the child's. errno is not its own, since its thread-local storage is its parent's: the number goes into the request. */
static long step(struct listend_spawn *r, long number, long a, long b, long c, long d, long e)
{
    long result = call(number, a, b, c, d, e);
    if (result >= 0 || result < -4095)
        return result;
    r->error = (int)-result;
    return -1;
}

#define STEP_OF(r, name, a, b, c, d, e, ...) step(r, __NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define STEP(r, name, ...) STEP_OF(r, name, __VA_ARGS__, 0, 0, 0, 0, 0)

static _Noreturn void fail(struct listend_spawn *r, int stage, int detail)
{
    r->detail = detail;
    r->stage = stage;
    for (;;)
        STEP(r, exit_group, 127);
}

static void write_pid(char *slot, long pid)
{
    char digits[20];
    int n = 0;
    do {
        digits[n++] = (char)('0' + pid % 10);
        pid /= 10;
    } while (pid);
    while (n)
        *slot++ = digits[--n];
    *slot = 0;
}

static void keep_capabilities(struct listend_spawn *r)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    if (STEP(r, capget, &header, data) != 0)
        fail(r, LISTEND_STAGE_CAPABILITIES, -1);
    for (int i = 0; i < 2; i++) {
        uint32_t bits = (uint32_t)(r->ambient >> (32 * i));
        if (r->uid != UINT32_MAX && r->uid != 0)
            data[i].permitted = data[i].effective = data[i].permitted & bits;
        data[i].inheritable |= bits;
    }
    if (STEP(r, capset, &header, data) != 0)
        fail(r, LISTEND_STAGE_CAPABILITIES, -1);
    for (int cap = 0; cap < 64; cap++)
        if (r->ambient >> cap & 1)
            if (STEP(r, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0)
                fail(r, LISTEND_STAGE_CAPABILITIES, cap);
}

static void place_descriptors(struct listend_spawn *r)
{
    int32_t *fds = r->fds;
    /* A source that stands where another one belongs is moved out of the way first. */
    for (int i = 0; i < r->fd_count; i++)
        if (fds[i] < r->fd_count && fds[i] != i) {
            int moved = (int)STEP(r, fcntl, fds[i], F_DUPFD_CLOEXEC, r->fd_count);
            if (moved < 0)
                fail(r, LISTEND_STAGE_DESCRIPTORS, i);
            for (int j = i + 1; j < r->fd_count; j++)
                if (fds[j] == fds[i] && fds[j] != j)
                    fds[j] = moved;
            fds[i] = moved;
        }
    for (int i = 0; i < r->fd_count; i++) {
        long done = fds[i] == i ? STEP(r, fcntl, i, F_SETFD, 0) : STEP(r, dup3, fds[i], i, 0);
        if (done < 0)
            fail(r, LISTEND_STAGE_DESCRIPTORS, i);
    }
    /* Here and not by close-on-exec: the parent goes on before that has happened (fs/exec.c, begin_new_exec), and if it is
       killed just then, its successor finds this child with the lock of the runtime directory. The table is the child's
       own (Linux 5.9). */
    STEP(r, close_range, (unsigned)r->fd_count, ~0U, 0);
}

/*
 * The child begins with its parent's own table of descriptors where it can, and takes out of it only what lies up to its
 * highest source: a copy of all of them, each to be closed again, costs more than the rest of a spawn where there are
 * thousands.
 */
static void unshare_descriptors(struct listend_spawn *r)
{
    int highest = r->cgroup_fd > 2 ? r->cgroup_fd : 2;
    for (int i = 0; i < r->fd_count; i++)
        if (r->fds[i] > highest)
            highest = r->fds[i];
    if (STEP(r, close_range, (unsigned)highest + 1, ~0U, CLOSE_RANGE_UNSHARE) != 0)
        fail(r, LISTEND_STAGE_DESCRIPTORS, -1);
}

static int child(void *argument)
{
    struct listend_spawn *r = argument;

    if (r->shares_descriptors)
        unshare_descriptors(r);
    if (STEP(r, setsid, 0) < 0)
        fail(r, LISTEND_STAGE_SESSION, -1);
    if (r->cgroup_fd >= 0 && STEP(r, write, r->cgroup_fd, "0", 1) != 1)
        fail(r, LISTEND_STAGE_CGROUP, -1);
    for (int i = 0; i < r->limit_count; i++) {
        uint64_t limit[2] = { r->limits[i].value, r->limits[i].value };
        if (STEP(r, prlimit64, 0, r->limits[i].resource, limit, NULL) != 0)
            fail(r, LISTEND_STAGE_LIMIT, i);
    }
    if (r->nice != INT32_MIN && STEP(r, setpriority, PRIO_PROCESS, 0, r->nice) != 0)
        fail(r, LISTEND_STAGE_NICE, -1);
    if (r->umask >= 0)
        STEP(r, umask, r->umask);

    if (r->group_count >= 0 && STEP(r, setgroups, r->group_count, r->groups) != 0)
        fail(r, LISTEND_STAGE_GROUPS, -1);
    if (r->gid != UINT32_MAX && STEP(r, setresgid, r->gid, r->gid, r->gid) != 0)
        fail(r, LISTEND_STAGE_GROUP, -1);
    if (r->uid != UINT32_MAX) {
        if (r->ambient && STEP(r, prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
            fail(r, LISTEND_STAGE_CAPABILITIES, -1);
        if (STEP(r, setresuid, r->uid, r->uid, r->uid) != 0)
            fail(r, LISTEND_STAGE_USER, -1);
    }
    if (r->directory && STEP(r, chdir, r->directory) != 0)
        fail(r, LISTEND_STAGE_DIRECTORY, -1);
    /* The daemon's own ambient capabilities are not the worker's (Linux 4.3; where there are none, there is none to clear). */
    STEP(r, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (r->ambient)
        keep_capabilities(r);
    if (r->no_new_privileges && STEP(r, prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail(r, LISTEND_STAGE_NO_NEW_PRIVILEGES, -1);

    /* The raw call also reaches 32 and 33, which glibc keeps from its own; the runtime leaves SIGPIPE ignored. */
    struct kernel_sigaction by_default = { 0 };
    for (int signal = 1; signal <= 64; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            STEP(r, rt_sigaction, signal, &by_default, NULL, 8);

    place_descriptors(r);

    long pid = STEP(r, getpid, 0);
    for (int i = 0; i < r->pid_slot_count; i++)
        write_pid(r->pid_slots[i], pid);

    unsigned long none = 0;
    if (STEP(r, rt_sigprocmask, SIG_SETMASK, &none, NULL, 8) != 0)
        fail(r, LISTEND_STAGE_SIGNALS, -1);
    STEP(r, execve, r->path, r->argv, r->envp);
    fail(r, LISTEND_STAGE_EXEC, -1);
}

/* Children that have not executed their program yet, each on a stack of its own. */
static struct listend_spawn *begun[LISTEND_AT_ONCE];
static char stacks[LISTEND_AT_ONCE][32 * 1024] __attribute__((aligned(4096)));
static int highest;
static int dumpable;

static int begin(struct listend_spawn *request, int waits)
{
    unsigned long all = ~0UL, before;
    int place = 0, others = 0;

    for (int i = 0; i < LISTEND_AT_ONCE; i++)
        if (begun[i])
            others++;
    while (place < LISTEND_AT_ONCE && begun[place])
        place++;
    request->stage = LISTEND_STAGE_NONE;
    request->error = 0;
    request->detail = -1;
    request->pidfd = -1;
    request->running = !waits;
    if (place == LISTEND_AT_ONCE) {
        request->stage = LISTEND_STAGE_CLONE;
        request->error = EAGAIN;
        return -1;
    }
    /* Closes nothing: whether the call is there (Linux 5.9) and a filter lets it pass, before anything depends on it. */
    if (request->shares_descriptors)
        request->shares_descriptors = syscall(SYS_close_range, ~0U, ~0U, 0) == 0;
    if (others == 0)
        dumpable = prctl(PR_GET_DUMPABLE);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    int flags = CLONE_VM | CLONE_PIDFD | SIGCHLD | (waits ? CLONE_VFORK : CLONE_CHILD_CLEARTID) | (request->shares_descriptors ? CLONE_FILES : 0);
    request->pid = clone(child, stacks[place] + sizeof stacks[place], flags, request, &request->pidfd, NULL, &request->running);
    int clone_error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    if (request->pid < 0) {
        request->stage = LISTEND_STAGE_CLONE;
        request->error = clone_error;
        return -1;
    }
    begun[place] = request;
    if (place > highest)
        highest = place;
    return 0;
}

int listend_spawn_begin(struct listend_spawn *request)
{
    return begin(request, 0);
}

int listend_spawn_end(struct listend_spawn *request)
{
    /* The kernel clears it and wakes whoever waits when the child has left this memory (kernel/fork.c, mm_release). */
    while (__atomic_load_n(&request->running, __ATOMIC_ACQUIRE) != 0)
        syscall(SYS_futex, &request->running, FUTEX_WAIT, 1, NULL, NULL, 0);
    int others = 0;
    for (int i = 0; i < LISTEND_AT_ONCE; i++) {
        if (begun[i] == request)
            begun[i] = NULL;
        if (begun[i])
            others++;
    }
    /* What many at once have touched is nobody's any more. */
    if (others == 0 && highest > 1) {
        madvise(stacks, sizeof stacks, MADV_DONTNEED);
        highest = 0;
    }
    /* A child that changes its user marks the memory that it shares with us (kernel/cred.c, commit_creds). By now it has its own. */
    if (prctl(PR_GET_DUMPABLE) != dumpable)
        prctl(PR_SET_DUMPABLE, dumpable);
    if (request->stage != LISTEND_STAGE_NONE) {
        siginfo_t info;
        while (waitid(P_PID, (id_t)request->pid, &info, WEXITED) != 0 && errno == EINTR)
            ;
        close(request->pidfd);
        request->pidfd = -1;
        return -1;
    }
    return 0;
}

int listend_spawn(struct listend_spawn *request)
{
    return begin(request, 1) != 0 ? -1 : listend_spawn_end(request);
}
