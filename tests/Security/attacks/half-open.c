/*
 * Finding 12. Connections to the metrics' address that never finish a request keep others out.
 * half-open PORT CONNECTIONS: succeeds if nobody else is answered within 10 s.
 */
#include "attack.h"

static int ask(const struct sockaddr_in *at, const char *text, char *answer, size_t size, int limit_ms)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    long n = -1;
    connect(fd, (const struct sockaddr *)at, sizeof *at);
    struct pollfd waits = { fd, POLLOUT, 0 };
    if (poll(&waits, 1, limit_ms) == 1 && send(fd, text, strlen(text), MSG_NOSIGNAL) > 0) {
        waits.events = POLLIN;
        if (poll(&waits, 1, limit_ms) == 1)
            n = recv(fd, answer, size - 1, 0);
    }
    answer[n > 0 ? n : 0] = 0;
    close(fd);
    return n > 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        errno = EINVAL, broken("half-open PORT CONNECTIONS");
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char answer[4096], text[256];
    snprintf(text, sizeof text, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n", argv[1]);
    if (!ask(&at, text, answer, sizeof answer, 5000) || strncmp(answer, "HTTP/1.1 200", 12) != 0)
        broken("nothing is served at the beginning: %s", answer);
    for (int i = 0; i < atoi(argv[2]); i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
            broken("connection %d", i);
        send(fd, "GET /metrics HTTP/1.1\r\nX: ", i % 2 ? 26 : 0, MSG_NOSIGNAL);
    }
    long long start = now_ms();
    while (now_ms() - start < 10000)
        if (ask(&at, text, answer, sizeof answer, 1000) && strncmp(answer, "HTTP/1.1 200", 12) == 0)
            failed("another client was served after %lld ms", now_ms() - start);
    succeeded("with %s connections half open nobody was served for 10 s", argv[2]);
}
