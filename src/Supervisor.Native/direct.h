/*
 * Executes the program of a child without the launcher, which costs 0.1 ms: most of what a process of a connection costs more than
 * in a plain C program (bench "per-connection"). The child has the daemon's rights until its program has its own address space, so
 * no other user can stop or trace it meanwhile. Whatever fails, the launcher does it again and reports it. Included by spawn.c only.
 */
#ifndef LISTEND_DIRECT_H
#define LISTEND_DIRECT_H
#include "own_process.h"
#include "rights.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/stat.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static int has_identity(const struct statx *found, uint64_t device, uint64_t inode)
{
    return ((uint64_t)found->stx_dev_major << 32 | found->stx_dev_minor) == device && found->stx_ino == inode;
}

/* Whether the path leads to the pinned program, by the same directory as when it was pinned: pin.h, find_pinned(). */
static int is_pinned(const struct listend_direct *d)
{
    struct statx found, own;
    if (CALL(statx, AT_FDCWD, d->path, 0, STATX_INO, &found) < 0 || !has_identity(&found, d->device, d->inode))
        return 0;
    if (!d->directory)
        return 1;
    return CALL(statx, AT_FDCWD, d->directory, 0, STATX_INO, &found) == 0 && CALL(statx, AT_FDCWD, d->own_directory, 0, STATX_INO, &own) == 0
        && has_identity(&found, (uint64_t)own.stx_dev_major << 32 | own.stx_dev_minor, own.stx_ino);
}

/* Makes the status socket of the launcher, and sends the daemon's end of it. */
static void open_status(struct listend_spawn *r)
{
    int status = r->fd_count - 2, pair[2];
    struct listend_status message = { (int)CALL(getpid, 0) };
    struct iovec part = { &message, sizeof message };
    long done = CALL(socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
    if (done >= 0)
        done = send_rights(status, &part, 1, pair, 1, 0);
    /* The daemon may have died: the program is executed nevertheless. */
    if (done == -EPIPE || done == -ECONNRESET)
        done = 0;
    if (done >= 0)
        done = CALL(dup3, pair[1], status, 0);
    if (done < 0)
        fail(r, status, LISTEND_STAGE_DESCRIPTORS, done, -1);
    CALL(close, pair[0]);
    CALL(close, pair[1]);
    r->by_launcher = 1;
}

/* Returns if the launcher has to do it. */
static void execute_directly(struct listend_spawn *r)
{
    const struct listend_direct *d = &r->direct;
    unsigned long all = ~0UL, none = 0;

    /* Linux 5.11. The program gets none of the descriptors for the launcher. */
    if (CALL(close_range, (unsigned)d->given, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return;
    /* The daemon waits until here: a path of a user's can lead to a file system that takes long. */
    __atomic_store_n(&r->running, LISTEND_SPAWN_EXECUTES, __ATOMIC_RELEASE);
    CALL(futex, &r->running, FUTEX_WAKE, 1);

    if (is_pinned(d) && (!d->cgroup || CALL(write, d->cgroup, "0", 1) == 1) && CALL(setsid, 0) >= 0) {
        if (d->umask)
            CALL(umask, d->umask - 1);
        /* The worker does not inherit the daemon's ambient capabilities. */
        CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
        write_pid_variables(r->envp, d->pid_variables);
        /* Without a handler of the daemon's: a handler would run in its memory. */
        reset_signals(d->ignore_sigpipe);
        if (!d->no_new_privileges || CALL(prctl, PR_SET_NO_NEW_PRIVS, 1) >= 0) {
            CALL(rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
            CALL(execve, d->path, d->argv, r->envp);
            CALL(rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
        }
    }
    for (int i = d->given; i < r->fd_count; i++)
        CALL(fcntl, i, F_SETFD, 0);
    if (r->is_channel)
        open_status(r);
}
#endif
