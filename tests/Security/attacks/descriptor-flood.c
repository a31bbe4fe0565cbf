/*
 * Descriptors of every kind on packets of every kind, as many and as fast as the daemon takes them.
 *   descriptor-flood KIND PATH PACKETS SECONDS SEED      KIND: broker, notify, control
 * Ends after so many packets or seconds. Has no verdict of its own: what decides is the daemon's answer time, its descriptors
 * and its memory. Says how many packets were sent.
 */
#include "attack.h"

#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

#define KINDS 24
#define LINGERING 2
#define BATCH 16
#define CONNECTIONS 5

static int kinds[KINDS], kind_count, peers[LINGERING];
static unsigned long state;

static unsigned long any(unsigned long below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void add(int fd)
{
    if (fd < 0)
        broken("descriptor %d of the collection", kind_count);
    kinds[kind_count++] = fd;
}

static void tcp_pair(int *ends)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 4) != 0 || getsockname(listener, (struct sockaddr *)&at, &length) != 0
        || connect(ends[0], (struct sockaddr *)&at, sizeof at) != 0 || (ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
        broken("a TCP connection");
    /* A listener in whose queue somebody waits. */
    int waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(waiting, (struct sockaddr *)&at, sizeof at);
    add(listener);
}

static void collect(void)
{
    int pair[2];
    char path[64];
    for (int i = 0; i < LINGERING; i++)
        add(lingering(&peers[i]));
    int set = epoll_create1(EPOLL_CLOEXEC), inner = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN };
    epoll_ctl(set, EPOLL_CTL_ADD, inner, &event);
    add(set);
    add(inner);
    add(open("/", O_PATH | O_CLOEXEC));
    add(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    add(open("/dev/null", O_RDWR | O_CLOEXEC));
    add(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    add(memfd_create("flood", MFD_CLOEXEC));
    add(eventfd(0, EFD_CLOEXEC));
    add(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    add(inotify_init1(IN_CLOEXEC));
    add((int)syscall(SYS_pidfd_open, getpid(), 0));
    snprintf(path, sizeof path, "/tmp/flood-fifo-%d", getpid());
    if (mkfifo(path, 0600) != 0)
        broken("%s", path);
    add(open(path, O_RDWR | O_CLOEXEC));
    unlink(path);
    if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0)
        broken("pipe");
    while (write(pair[1], path, sizeof path) > 0)
        ;
    add(pair[1]);
    tcp_pair(pair);
    shutdown(pair[0], SHUT_WR);
    add(pair[0]);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        broken("socketpair");
    shutdown(pair[0], SHUT_RD);
    add(pair[0]);
    /* Two sockets, each of which carries both: only the kernel's collector (net/unix/garbage.c) frees them. */
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        broken("socketpair");
    send_with(pair[0], "x", 1, pair, 2, 0);
    send_with(pair[1], "x", 1, pair, 2, 0);
    add(pair[0]);
    add(pair[1]);
}

static const char *const broker_words[] = {
    "{\"method\":\"list\"}", "{\"method\":\"take\",\"listeners\":[\"web\"]}", "{\"method\":\"put\",\"name\":\"x\"}", "{\"method\":\"drop\",\"name\":\"web\"}",
    "{\"method\":\"succeed\"}", "{", "{\"method\":7}", "\xff\xfe", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "{\"method\":\"take\",\"listeners\":[\"web\",\"web\"]}",
};
static const char *const notify_words[] = {
    "READY=1", "STATUS=\x1b[31m flood", "FDSTORE=1\nFDNAME=x", "FDSTORE=1\nFDPOLL=0\nFDNAME=y", "FDSTOREREMOVE=1\nFDNAME=x", "BARRIER=1", "MAINPID=1",
    "WATCHDOG=1", "WATCHDOG_USEC=9999999999", "X", "\xff=", "EXTEND_TIMEOUT_USEC=-1", "RELOADING=1",
};
static const char *const control_words[] = {
    "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n", "\r\n\r\n", "POST /v1/none HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "\xff\xfe\xfd",
};

int main(int argc, char **argv)
{
    if (argc != 6)
        errno = EINVAL, broken("descriptor-flood KIND PATH PACKETS SECONDS SEED");
    int is_broker = strcmp(argv[1], "broker") == 0, is_notify = strcmp(argv[1], "notify") == 0;
    int type = is_broker ? SOCK_SEQPACKET : is_notify ? SOCK_DGRAM : SOCK_STREAM;
    const char *const *words = is_broker ? broker_words : is_notify ? notify_words : control_words;
    unsigned long word_count = is_broker ? sizeof broker_words / sizeof *words : is_notify ? sizeof notify_words / sizeof *words : sizeof control_words / sizeof *words;
    long packets = atol(argv[3]), sent = 0, carried = 0, refused = 0, last_refusal = 0;
    long long end = now_ms() + atoll(argv[4]) * 1000;
    state = strtoul(argv[5], NULL, 10) * 0x9E3779B97F4A7C15 | 1;
    static char big[70000], answer[65536];
    static char control[BATCH][CMSG_SPACE(sizeof(int) * MOST_DESCRIPTORS)];
    memset(big, 'x', sizeof big);
    signal(SIGPIPE, SIG_IGN);
    collect();
    struct pollfd all[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++)
        all[i].fd = -1;
    while (sent < packets && now_ms() < end) {
        for (int i = 0; i < CONNECTIONS; i++) {
            if (all[i].fd < 0) {
                all[i] = (struct pollfd) { dial(argv[2], type | SOCK_NONBLOCK), POLLIN | POLLOUT, 0 };
                int room = 1 << 20;
                setsockopt(all[i].fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
            }
        }
        if (poll(all, CONNECTIONS, 100) <= 0)
            continue;
        for (int i = 0; i < CONNECTIONS; i++) {
            int fd = all[i].fd;
            if (fd < 0)
                continue;
            while (!is_notify && recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0)
                ;
            struct mmsghdr batch[BATCH];
            struct iovec parts[BATCH];
            int with[BATCH];
            for (int j = 0; j < BATCH; j++) {
                const char *word = words[any(word_count)];
                parts[j] = any(200) ? (struct iovec) { (void *)word, strlen(word) } : (struct iovec) { big, any(sizeof big) + 1 };
                batch[j] = (struct mmsghdr) { .msg_hdr = { .msg_iov = &parts[j], .msg_iovlen = 1 } };
                int count = any(3) ? (any(40) ? 1 + (int)any(4) : 1 + (int)any(MOST_DESCRIPTORS)) : 0;
                with[j] = count;
                if (count == 0)
                    continue;
                struct msghdr *message = &batch[j].msg_hdr;
                message->msg_control = control[j];
                message->msg_controllen = CMSG_SPACE(sizeof(int) * count);
                struct cmsghdr *header = CMSG_FIRSTHDR(message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(sizeof(int) * count);
                int *fds = (int *)CMSG_DATA(header);
                for (int k = 0; k < count; k++)
                    fds[k] = any(50) ? kinds[any(kind_count)] : fd;
            }
            /* Where the kernel refuses the descriptors (EPERM: SO_PASSRIGHTS = 0), the packets go without. */
            int done = sendmmsg(fd, batch, BATCH, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (done < 0 && (errno == EPERM || errno == ETOOMANYREFS || errno == EMSGSIZE)) {
                refused++;
                for (int j = 0; j < BATCH; j++) {
                    batch[j].msg_hdr.msg_controllen = 0;
                    with[j] = 0;
                }
                done = sendmmsg(fd, batch, BATCH, MSG_DONTWAIT | MSG_NOSIGNAL);
            }
            for (int j = 0; j < done; j++)
                carried += with[j];
            if (done > 0)
                sent += done;
            else if (errno != EAGAIN)
                last_refusal = errno;
            /* Now and then in the middle of it. */
            if ((done < 0 && errno != EAGAIN) || any(200) == 0) {
                close(fd);
                all[i].fd = -1;
            }
        }
    }
    if (sent == 0)
        errno = (int)last_refusal, broken("nothing was sent");
    printf("%s: %ld packets, %ld descriptors, %ld batches refused\n", argv[1], sent, carried, refused);
    return FAILED;
}
