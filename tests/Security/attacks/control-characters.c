/*
 * Finding 11. Everything of a process that others print, full of control characters, which a terminal would obey.
 *   control-characters listen                 listens on a TCP port, which it prints, under such a name, until it is killed
 *   control-characters broker BROKER          asks the broker under such a name
 *   control-characters worker                 the worker's part: its status, its output, its names
 */
#include "attack.h"

/* An escape sequence, the one-byte CSI and the two of UTF-8, a line of its own, carriage return, right-to-left override. */
#define EVIL "\x1b[31m\x9b" "31m\xc2\x9b" "31m\nFORGED line\rFORGED line\xe2\x80\xae\xe2\x81\xa6\x07\x7f"

int main(int argc, char **argv)
{
    if (argc < 2)
        errno = EINVAL, broken("control-characters HOW");
    if (strstr(argv[0], "FORGED") == NULL) {
        char *words[8] = { EVIL };
        for (int i = 1; i < argc && i < 7; i++)
            words[i] = argv[i];
        execv("/proc/self/exe", words);
        broken("execv");
    }
    if (prctl(PR_SET_NAME, "\x1b[31m\nFORGED\r\x9b") != 0)
        broken("PR_SET_NAME");
    if (strcmp(argv[1], "listen") == 0) {
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof at;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0 || getsockname(fd, (struct sockaddr *)&at, &length) != 0)
            broken("listen");
        printf("port %d\n", ntohs(at.sin_port));
        fflush(stdout);
        for (;;)
            pause();
    }
    if (strcmp(argv[1], "broker") == 0) {
        static const char *const words[] = {
            "{\"method\":\"" "\x1b[31m" "\"}", "{\"method\":\"take\",\"listeners\":[\"\\u001b[31m\\nFORGED\"]}", "{\"method\":\"put\",\"name\":\"\\u001b\\nFORGED\"}",
            "{\"method\":\"take\",\"listeners\":[\"web\"]}", EVIL,
        };
        for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
            char answer[65536];
            int fds[MOST_DESCRIPTORS], count, fd = dial(argv[2], SOCK_SEQPACKET);
            if (fd < 0 || send(fd, words[i], strlen(words[i]), MSG_NOSIGNAL) < 0 || receive_with(fd, answer, sizeof answer, fds, &count, 0) < 0)
                broken("the broker");
            close(fd);
        }
        failed("the broker was asked");
    }
    const char *path = notify_path();
    if (notify_at(path, "STATUS=" "\x1b[31m\x9b\xc2\x9b\rFORGED\xe2\x80\xae", NULL, 0, 0) != 0)
        broken("STATUS=");
    notify_at(path, "\x1b[31m\xe2\x80\xae", NULL, 0, 0);
    notify_at(path, "FDSTORE=1\nFDNAME=\x1b[31m", NULL, 0, 0);
    notify_at(path, "MAINPID=\x1b[31m", NULL, 0, 0);
    /* To the worker's own output, which the daemon reads: possessed-worker.c. */
    if (write(200, "line " EVIL "\n", sizeof "line " EVIL "\n" - 1) < 0)
        broken("the worker's output");
    failed("the worker has said what it can");
}
