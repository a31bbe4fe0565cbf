/*
 * The keeper: holds duplicates of a daemon's descriptors in case the daemon dies unexpectedly, and hands them to the
 * daemon's successor. It shares nothing with the daemon: no runtime, no libc, a few pages of memory. The program is an
 * image in the daemon's executable, executed from a memory file.
 *
 * Descriptor 3 is the link to the daemon, 4 a listening socket for the successor, both SOCK_SEQPACKET; 5 is the image.
 * Packets from the daemon:
 *   'P' KEYS  with a descriptor for each key: hold them; replace one with the same key
 *   'D' KEYS  close them
 *   'V'       reply with 'V'
 *   'B'       exit: the daemon stops in good order and nothing is to be kept
 * A packet has at most TOGETHER keys, separated by newlines. To the daemon the keeper sends 'E' KEY if it cannot hold that
 * descriptor. A successor is the first process of root or of the keeper's user that connects after the link has ended. The
 * keeper sends it 'P' KEY with each descriptor, then 'O'; that connection becomes the link. Without a successor the keeper
 * exits after five minutes, so that a daemon which was meant to stop does not keep its ports.
 */
#define _GNU_SOURCE
#include "freestanding.h"
#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define MOST 65536
#define KEY 256
#define TOGETHER 16
#define PATIENCE_MS (5 * 60 * 1000)

struct entry {
    int fd;
    int length;
    char key[KEY];
};

/* The kernel allocates only the pages that are used. */
static struct entry held[MOST];
static int count;

/* A hash of each key, so that a search among thousands reads a few pages. */
static uint32_t hashes[MOST];

/* No descriptor that the keeper has received has a higher number. */
static int highest = 5;

static void exit_now(int status)
{
    for (;;)
        call(__NR_exit_group, status, 0, 0, 0, 0);
}

/* FNV-1a. */
static uint32_t hash_of(const char *key, int length)
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)key[i]) * 16777619u;
    return hash;
}

static int find(const char *key, int length)
{
    uint32_t hash = hash_of(key, length);
    for (int i = 0; i < count; i++) {
        if (hashes[i] != hash)
            continue;
        int same = held[i].length == length;
        for (int j = 0; same && j < length; j++)
            same = held[i].key[j] == key[j];
        if (same)
            return i;
    }
    return -1;
}

static int has_part(const struct entry *entry, const char *part)
{
    int size = 0;
    while (part[size])
        size++;
    for (int i = 0, j = 0; i < entry->length; i++) {
        j = entry->key[i] == part[j] ? j + 1 : entry->key[i] == part[0];
        if (j == size)
            return 1;
    }
    return 0;
}

/*
 * Whether it is a listener's socket. Closing one can block: a worker may have turned it into a connection, and messages with
 * descriptors may be queued in a UNIX one.
 */
static int is_listener(const struct entry *entry)
{
    static const char part[] = "listener/";
    int i = 0;
    while (i < (int)sizeof part - 1 && i < entry->length && entry->key[i] == part[i])
        i++;
    return i == (int)sizeof part - 1;
}

/* Whether a message is queued: closing the last descriptor of the socket also closes the descriptors in the message. */
static int has_message(int fd)
{
    char byte;
    return call(__NR_recvfrom, fd, (long)&byte, 1, MSG_PEEK | MSG_DONTWAIT, 0) >= 0;
}

/* close_range(2), or close() for each number: Linux before 5.9 lacks it, and seccomp filters refuse it. */
static void close_from_to(int first, int last)
{
    if (first > last || call(__NR_close_range, first, last, 0, 0, 0) == 0)
        return;
    for (int fd = first; fd <= last; fd++)
        call(__NR_close, fd, 0, 0, 0, 0);
}

/*
 * Closes a descriptor in a child, because closing what a worker has made can block (SO_LINGER, socket(7)). The child closes the
 * last duplicate by exiting: an exiting process does not linger (net/ipv4/af_inet.c, inet_release).
 */
static void close_elsewhere(int fd)
{
    int gate[2];
    long child;
    if (call(__NR_pipe2, (long)gate, O_CLOEXEC, 0, 0, 0) != 0)
        return;
    child = call(__NR_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        char nothing;
        /* The keeper has duplicates of all other descriptors, so closing them here does not block. */
        int first = fd < gate[0] ? fd : gate[0], last = fd < gate[0] ? gate[0] : fd;
        close_from_to(0, first - 1);
        close_from_to(first + 1, last - 1);
        close_from_to(last + 1, highest > gate[1] ? highest : gate[1]);
        call(__NR_read, gate[0], (long)&nothing, 1, 0, 0);
        exit_now(0);
    }
    if (child > 0)
        call(__NR_close, fd, 0, 0, 0, 0);
    call(__NR_close, gate[0], 0, 0, 0, 0);
    call(__NR_close, gate[1], 0, 0, 0, 0);
}

static void drop(int i)
{
    /* What a worker stored; a pinned file, whose last close waits for its file system if the file was removed. */
    if (has_part(&held[i], "/stored/") || has_part(&held[i], "/pin/") || is_listener(&held[i]) || has_message(held[i].fd))
        close_elsewhere(held[i].fd);
    else
        call(__NR_close, held[i].fd, 0, 0, 0, 0);
    count--;
    if (i != count) {
        memcpy(&held[i], &held[count], sizeof held[i]);
        hashes[i] = hashes[count];
    }
}

/*
 * Whether both are duplicates of one open file (kcmp(2)); "no" where that cannot be asked. Closing one of two duplicates never
 * blocks.
 */
static int is_same_file(int a, int b)
{
    long self = call(__NR_getpid, 0, 0, 0, 0, 0);
    return call(__NR_kcmp, self, self, KCMP_FILE, a, b) == 0;
}

/* Sends a packet with one descriptor, or with none (-1). */
static long send_packet(int socket, char what, const char *key, int length, int fd)
{
    struct iovec parts[2] = { { &what, 1 }, { (void *)key, (size_t)length } };
    return send_rights(socket, parts, 2, &fd, fd >= 0, 0);
}

/* Holds a descriptor, or closes it and replies 'E'. */
static void hold(int link, const char *key, int size, int fd, int refused)
{
    int there = find(key, size);
    if (refused || fd < 0 || size <= 0 || size > KEY || (there < 0 && count >= MOST)) {
        if (fd >= 0)
            close_elsewhere(fd);
        send_packet(link, 'E', key, size, -1);
        return;
    }
    /* A successor brings all that it has again: thousands of listeners, each of which would be closed in a child. */
    if (there >= 0 && is_same_file(held[there].fd, fd)) {
        call(__NR_close, fd, 0, 0, 0, 0);
        return;
    }
    if (there >= 0)
        drop(there);
    held[count].fd = fd;
    held[count].length = size;
    hashes[count] = hash_of(key, size);
    memcpy(held[count].key, key, (size_t)size);
    count++;
}

/* Reads one packet from the daemon: 1, or 0 if the link has ended, or -1 if no packet is queued. */
static int receive_packet(int link)
{
    char data[TOGETHER * (KEY + 1) + 1];
    union {
        char bytes[CMSG_SPACE(TOGETHER * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = { data, sizeof data };
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    long length = call(__NR_recvmsg, link, (long)&message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT, 0, 0);
    /* A daemon that died with unread replies causes one ECONNRESET, before the rest of the packets that it sent. */
    if (length == -EINTR || length == -ECONNRESET)
        return 1;
    if (length == -EAGAIN)
        return -1;
    if (length <= 0)
        return 0;

    int fds = 0, taken = 0;
    const int *fd = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        fds = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        fd = (const int *)CMSG_DATA(header);
        for (int i = 0; i < fds; i++)
            highest = fd[i] > highest ? fd[i] : highest;
    }
    int cut = (message.msg_flags & MSG_TRUNC) != 0;
    switch (data[0]) {
    case 'P':
    case 'D':
        for (int from = 1, at = 1; at <= (int)length; at++)
            if (at == (int)length || data[at] == '\n') {
                const char *key = data + from;
                int size = at - from, there = -1;
                if (data[0] == 'P') {
                    hold(link, key, size, taken < fds ? fd[taken] : -1, cut);
                    taken++;
                } else if ((there = find(key, size)) >= 0) {
                    drop(there);
                }
                from = at + 1;
            }
        break;
    case 'V':
        send_packet(link, 'V', "", 0, -1);
        break;
    case 'B':
        exit_now(0);
    }
    for (; taken < fds; taken++)
        call(__NR_close, fd[taken], 0, 0, 0, 0);
    return 1;
}

/* Accepts a connection. If the peer may take over, sends it all descriptors and returns the connection, which is the new link. */
static int accept_successor(int listener)
{
    int peer = (int)call(__NR_accept4, listener, 0, 0, SOCK_CLOEXEC, 0);
    if (peer < 0)
        return -1;
    highest = peer > highest ? peer : highest;
    struct { int pid; uint32_t uid, gid; } who = { 0, ~0u, ~0u };
    uint32_t length = sizeof who;
    call(__NR_getsockopt, peer, SOL_SOCKET, SO_PEERCRED, (long)&who, (long)&length);
    if (who.uid == 0 || who.uid == (uint32_t)call(__NR_geteuid, 0, 0, 0, 0, 0)) {
        int i = 0;
        while (i < count && send_packet(peer, 'P', held[i].key, held[i].length, held[i].fd) > 0)
            i++;
        if (i == count && send_packet(peer, 'O', "", 0, -1) > 0)
            return peer;
    }
    call(__NR_close, peer, 0, 0, 0, 0);
    return -1;
}

__attribute__((noreturn, used)) static void keeper_main(void)
{
    int link = 3;
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } ignored = { (void *)1 /* SIG_IGN: the kernel reaps children */, 0, 0, 0 };
    call(__NR_close, 5, 0, 0, 0, 0);
    call(__NR_rt_sigaction, SIGCHLD, (long)&ignored, 0, 8, 0);
    call(__NR_prctl, PR_SET_NAME, (long)"listend-keeper", 0, 0, 0);
    /* Packets are safe in the socket, so the keeper need not preempt the daemon that sends them. */
    int priority = 0;
    call(__NR_sched_setscheduler, 0, SCHED_BATCH, (long)&priority, 0, 0);
    for (;;) {
        struct pollfd ready[2] = { { 4, POLLIN, 0 }, { link, POLLIN, 0 } };
        struct timespec_64 { int64_t s, ns; } patience = { PATIENCE_MS / 1000, 0 };
        long n = call(__NR_ppoll, (long)ready, link >= 0 ? 2 : 1, link >= 0 ? 0 : (long)&patience, 0, 8);
        if (n == 0)
            exit_now(0);
        if (link >= 0 && ready[1].revents) {
            /* Read all packets: a dead daemon may have left some, and its successor may be connecting already. */
            int more;
            while ((more = receive_packet(link)) > 0)
                ;
            if (more == 0) {
                call(__NR_close, link, 0, 0, 0, 0);
                link = -1;
            }
        }
        if (ready[0].revents && link < 0)
            link = accept_successor(4);
        else if (ready[0].revents) {
            /* The daemon is alive: reject the connection. */
            int peer = (int)call(__NR_accept4, 4, 0, 0, SOCK_CLOEXEC, 0);
            if (peer >= 0)
                call(__NR_close, peer, 0, 0, 0, 0);
        }
    }
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n and $-16, %rsp\n call keeper_main\n");
#else
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n bl keeper_main\n");
#endif
