/*
 * A worker that is ready within a millisecond of its exec, for tests that replace hundreds of them. It serves HTTP on the
 * sockets of LISTEN_FDS, which must be non-blocking, one request per connection; "GET /slow?ms=N" is answered after N ms.
 * On SIGTERM it closes its descriptors of the listeners, serves its accepted connections and exits. On SIGUSR1 it closes them
 * and stays. With WATCHDOG_USEC it sends WATCHDOG=1 in time. With LEAK it keeps so many bytes of memory for each answer.
 *
 * The file "mode" in its working directory, read at its start, names its fault:
 *   exit      exits with status 3 at once
 *   hang      never sends READY=1
 *   stubborn  stops accepting on SIGTERM and does not exit
 *   brief     exits with status 4 after READY=1
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FIRST 3
#define MOST 2048

struct connection {
    int fd;
    int length;      /* bytes of the request so far */
    long long due;   /* when the answer is due; 0: the request is not complete */
    char request[512];
};

static struct connection connections[MOST];
static struct pollfd polled[MOST + 64];
static int count;
static volatile sig_atomic_t leaving, closing;
static size_t leak;
static char *leaked; /* not local: the compiler would leave its content out */

static void on_signal(int number)
{
    if (number == SIGTERM)
        leaving = 1;
    closing = 1;
}

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void tell(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (path && fd >= 0) {
        strncpy(to.sun_path, path, sizeof to.sun_path - 1);
        sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to);
    }
    close(fd);
}

static void drop(int i)
{
    close(connections[i].fd);
    connections[i] = connections[--count];
}

/* Reads the available bytes. The answer is due when the request is complete. */
static void hear(int i)
{
    struct connection *c = &connections[i];
    long n = recv(c->fd, c->request + c->length, sizeof c->request - 1 - c->length, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(i);
        return;
    }
    c->length += n;
    c->request[c->length] = 0;
    if (strstr(c->request, "\r\n\r\n")) {
        int ms = 0;
        sscanf(c->request, "GET /slow?ms=%d", &ms);
        c->due = now() + ms * 1000000LL + 1;
    }
}

static void answer(int i)
{
    if (leak > 0) {
        leaked = malloc(leak);
        if (leaked)
            memset(leaked, 1, leak);
    }
    char body[32], text[256];
    int length = snprintf(body, sizeof body, "%d\n", getpid());
    length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", length, body);
    send(connections[i].fd, text, length, MSG_NOSIGNAL);
    drop(i);
}

int main(void)
{
    char mode[32] = "";
    FILE *file = fopen("mode", "re");
    if (file) {
        if (!fgets(mode, sizeof mode, file))
            mode[0] = 0;
        fclose(file);
    }
    mode[strcspn(mode, "\n")] = 0;
    if (strcmp(mode, "exit") == 0)
        return 3;

    struct sigaction action = { .sa_handler = on_signal };
    sigset_t held, none;
    sigemptyset(&none);
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGUSR1);
    sigprocmask(SIG_BLOCK, &held, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);

    const char *leaking = getenv("LEAK");
    leak = leaking ? strtoul(leaking, NULL, 10) : 0;
    const char *given = getenv("LISTEN_FDS");
    int listeners = given ? atoi(given) : 0;
    const char *watchdog = getenv("WATCHDOG_USEC");
    long long interval = watchdog ? atoll(watchdog) * 1000LL / 4 : 0, next = now() + interval;
    if (strcmp(mode, "hang") != 0)
        tell("READY=1");
    if (strcmp(mode, "brief") == 0)
        return 4;

    for (;;) {
        if (closing) {
            for (int i = 0; i < listeners; i++)
                close(FIRST + i);
            listeners = 0;
        }
        if (leaving && count == 0 && strcmp(mode, "stubborn") != 0)
            return 0;

        int n = 0;
        long long wake = interval ? next : 0;
        for (; n < listeners; n++)
            polled[n] = (struct pollfd) { count < MOST ? FIRST + n : -1, POLLIN, 0 };
        for (int i = 0; i < count; i++) {
            /* Do not poll a connection with a due answer: its client sends no more. */
            polled[n++] = (struct pollfd) { connections[i].due ? -1 : connections[i].fd, POLLIN, 0 };
            if (connections[i].due && (!wake || connections[i].due < wake))
                wake = connections[i].due;
        }
        long long left = wake ? wake - now() : 0;
        struct timespec time = { left > 0 ? left / 1000000000 : 0, left > 0 ? left % 1000000000 : 0 };
        int ready = ppoll(polled, n, wake ? &time : NULL, &none);
        if (interval && now() >= next) {
            tell("WATCHDOG=1");
            next = now() + interval;
        }
        if (ready > 0) {
            for (int i = n - 1; i >= listeners; i--)
                if (polled[i].revents)
                    hear(i - listeners);
        }
        for (int i = count - 1; i >= 0; i--)
            if (connections[i].due && connections[i].due <= now())
                answer(i);
        for (int i = 0; ready > 0 && i < listeners && !closing; i++) {
            int fd;
            while (polled[i].revents && count < MOST && (fd = accept4(FIRST + i, NULL, NULL, SOCK_CLOEXEC)) >= 0)
                connections[count++] = (struct connection) { .fd = fd };
            /* The listener is shut down: it would always be ready, and signals would never be handled. */
            if (polled[i].revents & POLLHUP)
                closing = 1;
        }
    }
}
