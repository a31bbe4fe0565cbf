/*
 * The first steps of a child: it places descriptors and executes the launcher (launch.c), or its program at once (direct.h).
 *
 * During these few calls the child shares the daemon's memory (CLONE_VM). No other user can exploit that: the child has the
 * daemon's credentials, so no other user can stop or trace it (kernel/signal.c, check_kill_permission; kernel/ptrace.c,
 * __ptrace_may_access). Only the launcher, which has its own address space, changes the user.
 *
 * In the meantime the child's request and descriptors must not change. The daemon prepares other children, and waits when it
 * has nothing left to prepare. That wait is bounded: no other user can stop the child, and the image is a memory file, so no
 * file system can delay it. For a child that executes its program itself, the wait ends before that.
 *
 * Between clone and exec no managed code may run, and most of libc may not either. Every step is a raw system call, the
 * child has its own stack, and all signals are blocked; the launcher unblocks them.
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
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

/* Reports a failed step like the launcher. status is the caller's descriptor until the descriptors are placed. */
static _Noreturn void fail(struct listend_spawn *r, int status, int stage, long result, int detail)
{
    r->outcome = (struct listend_outcome){ stage, (int)-result, detail };
    if (!r->is_channel)
        CALL(write, status, &r->outcome, sizeof r->outcome);
    for (;;)
        CALL(exit_group, 127);
}

#include "direct.h"

/*
 * The child starts with its parent's descriptor table and copies it only up to its highest source. With thousands of
 * descriptors a full copy, each to be closed again, would cost more than the rest of a spawn.
 */
static void unshare_descriptors(struct listend_spawn *r)
{
    int highest = 2, status = r->fds[r->fd_count - 2];
    for (int i = 0; i < r->fd_count; i++)
        if (r->fds[i] > highest)
            highest = r->fds[i];
    long done = CALL(close_range, (unsigned)highest + 1, ~0U, CLOSE_RANGE_UNSHARE);
    if (done < 0)
        fail(r, status, LISTEND_STAGE_DESCRIPTORS, done, -1);
}

static void place_descriptors(struct listend_spawn *r)
{
    int32_t *fds = r->fds;
    /* First move a source whose number another source must get. */
    for (int i = 0; i < r->fd_count; i++)
        if (fds[i] >= 0 && fds[i] < r->fd_count && fds[i] != i) {
            long moved = CALL(fcntl, fds[i], F_DUPFD_CLOEXEC, r->fd_count);
            if (moved < 0)
                fail(r, fds[r->fd_count - 2], LISTEND_STAGE_DESCRIPTORS, moved, i);
            for (int j = i + 1; j < r->fd_count; j++)
                if (fds[j] == fds[i] && fds[j] != j)
                    fds[j] = (int)moved;
            fds[i] = (int)moved;
        }
    for (int i = 0; i < r->fd_count; i++) {
        if (fds[i] == LISTEND_NO_SOURCE) {
            CALL(close, i);
            continue;
        }
        long done = fds[i] == i ? CALL(fcntl, i, F_SETFD, 0) : CALL(dup3, fds[i], i, 0);
        if (done < 0)
            fail(r, fds[r->fd_count - 2], LISTEND_STAGE_DESCRIPTORS, done, i);
    }
    /*
     * Close the others here, not by close-on-exec: clone() returns in the parent earlier (fs/exec.c, begin_new_exec). If the
     * parent were killed at that moment, its successor would find this child holding the lock of the runtime directory.
     */
    CALL(close_range, (unsigned)r->fd_count, ~0U, 0);
}

/* Whether close_range() works (Linux 5.9, and no seccomp filter); otherwise the child gets a copy of the whole table. */
static int shares_descriptors;

static int child(void *argument)
{
    struct listend_spawn *r = argument;
    if (shares_descriptors)
        unshare_descriptors(r);
    place_descriptors(r);
    if (r->direct.path)
        execute_directly(r);
    long refused = CALL(execveat, r->fd_count - 1, "", r->argv, r->envp, AT_EMPTY_PATH);
    fail(r, r->fd_count - 2, LISTEND_STAGE_LAUNCHER, refused, -1);
}

/* A child uses a few hundred bytes of its stack. */
static char stacks[LISTEND_SLOTS][8 * 1024] __attribute__((aligned(4096)));

int listend_spawn(struct listend_spawn *request, int slot)
{
    unsigned long all = ~0UL, before;
    request->pidfd = -1;
    request->running = LISTEND_SPAWN_STARTS;
    request->by_launcher = 0;
    request->outcome = (struct listend_outcome){ LISTEND_STAGE_NONE, 0, 0 };
    shares_descriptors = syscall(SYS_close_range, ~0U, ~0U, 0) == 0;
    int flags = CLONE_VM | CLONE_PIDFD | CLONE_CHILD_CLEARTID | SIGCHLD | (shares_descriptors ? CLONE_FILES : 0);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    request->pid = clone(child, stacks[slot] + sizeof stacks[slot], flags, request, &request->pidfd, NULL, &request->running);
    request->error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    if (request->pid >= 0)
        return 0;
    request->running = LISTEND_SPAWN_LEFT;
    return -1;
}

void listend_spawn_wait(struct listend_spawn *request)
{
    /* When the child has left this memory, the kernel sets it to 0 and wakes the waiter (kernel/fork.c, mm_release). */
    while (__atomic_load_n(&request->running, __ATOMIC_ACQUIRE) == LISTEND_SPAWN_STARTS)
        syscall(SYS_futex, &request->running, FUTEX_WAIT, LISTEND_SPAWN_STARTS, NULL, NULL, 0);
}

void listend_spawn_release_stacks(void)
{
    madvise(stacks, sizeof stacks, MADV_DONTNEED);
}
