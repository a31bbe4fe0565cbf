/*
 * The disposer: receives and closes descriptors that untrusted processes send to the daemon by SCM_RIGHTS. Closing a
 * descriptor can block without a bound: for a day of SO_LINGER (socket(7)), or in a file system of the sender. Here it
 * blocks only one process of a few pages: each job has its own process with its own descriptor table. The program is an
 * image in the daemon's executable, executed from a memory file.
 *
 * Descriptor 3 is the link, SOCK_SEQPACKET, on which the daemon writes jobs; 4 is this program's image. A job is a packet:
 *   'D' GATE SOCKET   read the next message from SOCKET and close its descriptors
 *   'K' GATE SOCKET   read it, and return by GATE the descriptors whose close() never calls a file system
 *   'A' GATE SOCKET   read it, and return all of its descriptors by GATE
 *   'C' GATE FD...    close these descriptors
 * GATE is one end of a socket pair. When the disposer closes it, the daemon knows that the job is done. The disposer keeps
 * the descriptors open until the daemon shuts down its side of the gate, after closing its own duplicates. So the last
 * reference is always dropped here. The reply by the gate: 'L' if some descriptors did not fit, else '-'; then for each
 * descriptor 'k' (kept) or 'r' (refused).
 */
#define _GNU_SOURCE
#include "freestanding.h"
#include "rights.h"

#include <asm/statfs.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define LINK 3
#define IMAGE 4
#define ABOVE_ALL 512

/* Longer than a healthy close() takes. SIGALRM then interrupts a close() that is still waiting, if it can be interrupted. */
#define PATIENCE_US 200000

union control {
    char bytes[CMSG_SPACE(MOST_RIGHTS * sizeof(int)) + CMSG_SPACE(64)];
    struct cmsghdr align;
};

__attribute__((noreturn)) static void exit_now(int status)
{
    for (;;)
        call(__NR_exit_group, status, 0, 0, 0, 0);
}

static void pause_ms(long ms)
{
    struct __kernel_timespec time = { ms / 1000, ms % 1000 * 1000000 };
    call(__NR_nanosleep, (long)&time, 0, 0, 0, 0);
}

/* Sets a timer whose SIGALRM ends this process, and with it an interruptible wait; 0: no timer. */
static void limit_us(long us)
{
    struct { struct { long s, us; } interval, value; } timer = { { 0, 0 }, { us / 1000000, us % 1000000 } };
    call(__NR_setitimer, 0 /* ITIMER_REAL */, (long)&timer, 0, 0, 0);
}

/* recvmsg(2): returns bytes or -errno, and the descriptors that the message carries. */
static long receive(int socket, void *data, size_t size, union control *control, int flags, const int **fds, int *count, int *lost)
{
    struct iovec part = { data, size };
    struct msghdr message;
    long length;
    do {
        memset(&message, 0, sizeof message);
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control ? control->bytes : 0;
        message.msg_controllen = control ? sizeof control->bytes : 0;
        length = call(__NR_recvmsg, socket, (long)&message, flags | MSG_CMSG_CLOEXEC, 0, 0);
    } while (length == -EINTR);
    *fds = 0;
    *count = 0;
    *lost = (message.msg_flags & MSG_CTRUNC) != 0;
    if (length < 0 || !control)
        return length;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
            *count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            *fds = (const int *)CMSG_DATA(header);
        }
    return length;
}

static void reply(int gate, const char *verdicts, int length, const int *fds, int count)
{
    struct iovec part = { (void *)verdicts, (size_t)length };
    send_rights(gate, &part, 1, fds, (size_t)count, 0);
}

static uint64_t mount_of(int directory, const char *path, int flags)
{
    struct statx status;
    memset(&status, 0, sizeof status);
    long done = call(__NR_statx, directory, (long)path, flags | AT_STATX_DONT_SYNC, STATX_MNT_ID, (long)&status);
    if (done != 0 || !(status.stx_mask & STATX_MNT_ID))
        return 0;
    return status.stx_mnt_id;
}

/*
 * Whether close() calls no file system. Only file_operations.flush can block; the kernel calls it at every close(), not only
 * the last one (fs/open.c, filp_flush). The file systems below have no flush that blocks. FUSE, NFS, SMB, AFS and eCryptfs have
 * one. overlayfs calls the file system below it, which is trusted only for the root of this mount namespace.
 */
static int closes_at_once(int fd)
{
    struct statfs status;
    if (call(__NR_fstatfs, fd, (long)&status, 0, 0, 0) != 0)
        return 0;
    switch ((uint32_t)status.f_type) {
    case 0x534F434B: /* sockets */
    case 0x50495045: /* pipes */
    case 0x09041934: /* anonymous: epoll, eventfd, timerfd, pidfd before 6.9 */
    case 0x50494446: /* pidfs */
    case 0x6E736673: /* namespaces */
    case 0x01021994: /* tmpfs, memfd, /dev */
    case 0x858458F6: /* ramfs */
    case 0x958458F6: /* hugetlbfs */
    case 0x5345434D: /* memfd_secret */
    case 0x444D4142: /* dma-buf */
    case 0x19800202: /* mqueue: its flush only removes a notification */
    case 0x00001CD1: /* devpts */
    case 0x00009FA0: /* proc */
    case 0x62656572: /* sysfs */
    case 0x0027E0EB: /* cgroup */
    case 0x63677270: /* cgroup2 */
    case 0xCAFE4A11: /* bpf */
    case 0x0000EF53: /* ext2, ext3, ext4 */
    case 0x58465342: /* XFS */
    case 0x9123683E: /* Btrfs */
    case 0xF2F52010: /* F2FS */
    case 0xCA451A4E: /* bcachefs */
    case 0x2FC12FC1: /* ZFS */
    case 0x3153464A: /* JFS */
    case 0x00004D44: /* FAT */
    case 0x2011BAB0: /* exFAT */
    case 0x7366746E: /* NTFS3 */
    case 0x00009660: /* ISO 9660 */
    case 0x73717368: /* SquashFS */
    case 0xE0F5E1E2: /* EROFS */
        return 1;
    case 0x794C7630: { /* overlayfs */
        uint64_t root = mount_of(AT_FDCWD, "/", 0);
        return root && mount_of(fd, "", AT_EMPTY_PATH) == root;
    }
    default:
        return 0;
    }
}

/* Waits until the daemon shuts down its side of the gate. */
static void await_daemon(int gate)
{
    char nothing;
    long length;
    do
        length = call(__NR_read, gate, (long)&nothing, 1, 0, 0);
    while (length > 0 || length == -EINTR);
}

static void return_descriptors(int gate, int socket, int all)
{
    static union control control;
    static char verdicts[1 + MOST_RIGHTS];
    static int kept[MOST_RIGHTS];
    const int *fds;
    char byte;
    int count, lost, most = 0;
    if (receive(socket, &byte, 1, &control, MSG_DONTWAIT, &fds, &count, &lost) < 0)
        return;
    verdicts[0] = lost ? 'L' : '-';
    limit_us(PATIENCE_US);
    for (int i = 0; i < count; i++) {
        int is_kept = all || closes_at_once(fds[i]);
        verdicts[1 + i] = is_kept ? 'k' : 'r';
        if (is_kept)
            kept[most++] = fds[i];
    }
    limit_us(0);
    reply(gate, verdicts, 1 + count, kept, most);
    await_daemon(gate);
}

/*
 * Waits for a job, reports it on the pipe and does it. Its descriptors are closed by exiting, because an exiting process does
 * not linger (net/ipv4/af_inet.c, inet_release: PF_EXITING). Any other wait happens in this process.
 */
static void run_job(int turn)
{
    static union control control;
    const int *fds;
    char job;
    int count, lost;
    long length = receive(LINK, &job, 1, &control, 0, &fds, &count, &lost);
    call(__NR_write, turn, (long)(length > 0 ? "J" : "E"), 1, 0, 0);
    call(__NR_close, turn, 0, 0, 0, 0);
    call(__NR_close, LINK, 0, 0, 0, 0);
    if (length <= 0 || count < 1)
        return;
    /* An exiting process closes descriptors in numerical order. The gate gets a high number, so that it is closed last. */
    int gate = (int)call(__NR_fcntl, fds[0], F_DUPFD_CLOEXEC, ABOVE_ALL, 0, 0);
    if (gate >= 0)
        call(__NR_close, fds[0], 0, 0, 0, 0);
    else
        gate = fds[0];
    if (job == 'C') {
        await_daemon(gate);
    } else if (count > 1 && (job == 'K' || job == 'A')) {
        return_descriptors(gate, fds[1], job == 'A');
    } else if (count > 1 && job == 'D') {
        const int *none;
        /* The call has no room for descriptors, so none is installed: the kernel drops the message's references (unix(7)). */
        limit_us(PATIENCE_US);
        receive(fds[1], &job, 1, 0, MSG_DONTWAIT, &none, &count, &lost);
    }
}

__attribute__((noreturn, used)) static void dispose(void)
{
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } ignored = { (void *)1 /* SIG_IGN: the kernel reaps children */, 0, 0, 0 };
    struct { uint64_t soft, hard; } files;
    call(__NR_close, IMAGE, 0, 0, 0, 0);
    call(__NR_prctl, PR_SET_NAME, (long)"listend-dispose", 0, 0, 0);
    call(__NR_rt_sigaction, SIGCHLD, (long)&ignored, 0, 8, 0);
    call(__NR_rt_sigaction, SIGPIPE, (long)&ignored, 0, 8, 0);
    if (call(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&files, 0) == 0) {
        files.soft = files.hard;
        call(__NR_prlimit64, 0, RLIMIT_NOFILE, (long)&files, 0, 0);
    }
    for (;;) {
        /* The child reads the job from the link, so this table never contains a descriptor of a job. */
        int turn[2];
        char said = 0;
        long child, length;
        if (call(__NR_pipe2, (long)turn, O_CLOEXEC, 0, 0, 0) != 0) {
            pause_ms(100);
            continue;
        }
        child = call(__NR_clone, SIGCHLD, 0, 0, 0, 0);
        if (child == 0) {
            call(__NR_close, turn[0], 0, 0, 0, 0);
            run_job(turn[1]);
            exit_now(0);
        }
        call(__NR_close, turn[1], 0, 0, 0, 0);
        do
            length = child < 0 ? 0 : call(__NR_read, turn[0], (long)&said, 1, 0, 0);
        while (length == -EINTR);
        call(__NR_close, turn[0], 0, 0, 0, 0);
        if (said == 'E') {
            /* The daemon has closed the link: reap the child, which has nothing to do, and exit. */
            call(__NR_wait4, child, 0, 0, 0, 0);
            exit_now(0);
        }
        if (length != 1)
            pause_ms(100);
    }
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n and $-16, %rsp\n call dispose\n");
#else
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n bl dispose\n");
#endif
