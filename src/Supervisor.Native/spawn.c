/*
 * The first steps of a child, and nothing else: it puts descriptors where they belong and executes the launcher (launch.c).
 *
 * For these few calls the child shares the daemon's memory (CLONE_VM). No other user can use that: the child runs with the
 * daemon's own credentials, so that no other user can stop or trace it (kernel/signal.c, check_kill_permission;
 * kernel/ptrace.c, __ptrace_may_access). It changes its user only in the launcher, in an address space of its own.
 *
 * The daemon waits until the child has its descriptors, and before the next child but one until it has executed the launcher.
 * Both waits are bounded: nobody else can stop the child, and the image is a memory file, which no file system can hold up.
 * In the meantime the daemon prepares the next child.
 *
 * Between clone and exec no managed code may run, and most of libc may not either. Every step is a raw system call, the
 * stack is the child's own, and all signals are blocked; the launcher unblocks them.
 */
#define _GNU_SOURCE
#include "spawn.h"

#include "raw_call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

#define CALL_OF(name, a, b, c, d, e, ...) call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define CALL(name, ...) CALL_OF(name, __VA_ARGS__, 0, 0, 0, 0, 0)

static void tell_placed(struct listend_spawn *r)
{
    __atomic_store_n(&r->placed, 1, __ATOMIC_RELEASE);
    CALL(futex, &r->placed, FUTEX_WAKE, 1);
}

static _Noreturn void leave(void)
{
    for (;;)
        CALL(exit_group, 127);
}

static _Noreturn void fail(struct listend_spawn *r, int stage, long result, int detail)
{
    r->outcome = (struct listend_outcome) { stage, (int)-result, detail };
    tell_placed(r);
    leave();
}

/*
 * The child begins with its parent's own table of descriptors and takes out of it only what lies up to its highest source:
 * a copy of all of them, each to be closed again, costs more than the rest of a spawn where there are thousands.
 */
static void unshare_descriptors(struct listend_spawn *r)
{
    int highest = 2;
    for (int i = 0; i < r->fd_count; i++)
        if (r->fds[i] > highest)
            highest = r->fds[i];
    long done = CALL(close_range, (unsigned)highest + 1, ~0U, CLOSE_RANGE_UNSHARE);
    if (done < 0)
        fail(r, LISTEND_STAGE_DESCRIPTORS, done, -1);
}

static void place_descriptors(struct listend_spawn *r)
{
    int32_t *fds = r->fds;
    /* A source that stands where another one belongs is moved out of the way first. */
    for (int i = 0; i < r->fd_count; i++)
        if (fds[i] < r->fd_count && fds[i] != i) {
            long moved = CALL(fcntl, fds[i], F_DUPFD_CLOEXEC, r->fd_count);
            if (moved < 0)
                fail(r, LISTEND_STAGE_DESCRIPTORS, moved, i);
            for (int j = i + 1; j < r->fd_count; j++)
                if (fds[j] == fds[i] && fds[j] != j)
                    fds[j] = (int)moved;
            fds[i] = (int)moved;
        }
    for (int i = 0; i < r->fd_count; i++) {
        long done = fds[i] == i ? CALL(fcntl, i, F_SETFD, 0) : CALL(dup3, fds[i], i, 0);
        if (done < 0)
            fail(r, LISTEND_STAGE_DESCRIPTORS, done, i);
    }
    /* Here and not by close-on-exec: the parent continues before that has happened (fs/exec.c, begin_new_exec), and if it is
       killed just then, its successor finds this child with the lock of the runtime directory. */
    CALL(close_range, (unsigned)r->fd_count, ~0U, 0);
}

/* Whether the kernel has close_range() (Linux 5.9) and a filter lets it pass; else the child gets a copy of the whole table. */
static int shares_descriptors;

static int child(void *argument)
{
    struct listend_spawn *r = argument;
    if (shares_descriptors)
        unshare_descriptors(r);
    place_descriptors(r);
    tell_placed(r);
    long refused = CALL(execveat, r->fd_count - 1, "", r->argv, r->envp, AT_EMPTY_PATH);
    /* As the launcher tells of its own steps. */
    struct listend_outcome outcome = { LISTEND_STAGE_LAUNCHER, (int)-refused, -1 };
    CALL(write, r->fd_count - 2, &outcome, sizeof outcome);
    leave();
}

static char stacks[LISTEND_SLOTS][16 * 1024] __attribute__((aligned(4096)));

static void wait_until(int32_t *word, int32_t value)
{
    int32_t seen;
    while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != value)
        syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

int listend_spawn(struct listend_spawn *request, int slot)
{
    unsigned long all = ~0UL, before;
    request->outcome = (struct listend_outcome) { LISTEND_STAGE_NONE, 0, -1 };
    request->pidfd = -1;
    request->placed = 0;
    request->running = 1;
    shares_descriptors = syscall(SYS_close_range, ~0U, ~0U, 0) == 0;
    int flags = CLONE_VM | CLONE_PIDFD | CLONE_CHILD_CLEARTID | SIGCHLD | (shares_descriptors ? CLONE_FILES : 0);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    request->pid = clone(child, stacks[slot] + sizeof stacks[slot], flags, request, &request->pidfd, NULL, &request->running);
    int clone_error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    if (request->pid < 0) {
        request->outcome = (struct listend_outcome) { LISTEND_STAGE_CLONE, clone_error, -1 };
        request->running = 0;
        return -1;
    }
    wait_until(&request->placed, 1);
    if (request->outcome.stage != LISTEND_STAGE_NONE) {
        siginfo_t info;
        while (waitid(P_PID, (id_t)request->pid, &info, WEXITED) != 0 && errno == EINTR)
            ;
        close(request->pidfd);
        request->pidfd = -1;
        request->running = 0;
        return -1;
    }
    return 0;
}

void listend_spawn_wait(struct listend_spawn *request)
{
    /* The kernel clears it and wakes who waits when the child has left this memory (kernel/fork.c, mm_release). */
    wait_until(&request->running, 0);
}
