/* A load of TCP connections, each to be answered by one line (workers/steered.py of the end-to-end tests).
 *   connections PORT RATE STOP-FILE RESULT-FILE    until STOP-FILE exists; RESULT-FILE gets a line for each connection: when its
 *                                                  connect() was called, when that returned, when the answer was complete (seconds
 *                                                  since the epoch), and the answer
 * Exits with 1 if a connection was refused or reset, or had no answer within 20 seconds. Prints the rate that it has reached. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 65536, SOURCES = 64, BURST = 50 };
static const double patience = 20;

static struct connection {
    double began, connected;
    size_t length;
    char answer[256];
} connections[MOST];

static const char *failure = "none";
static long failures, waiting;
static FILE *results;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *why)
{
    failures++;
    failure = why;
}

static void begin(int poll, int port, long number)
{
    /* Many sources: one has not enough ports for a long run. */
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + (uint32_t)(number % SOURCES)) };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event event = { .events = EPOLLIN };
    int one = 1, client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client < 0 || client >= MOST) {
        fail("no descriptor");
        return;
    }
    setsockopt(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    event.data.fd = client;
    struct connection *this = &connections[client];
    this->length = 0;
    if (bind(client, (struct sockaddr *)&from, sizeof from) != 0 || epoll_ctl(poll, EPOLL_CTL_ADD, client, &event) != 0) {
        fail(strerror(errno));
        close(client);
        return;
    }
    this->began = now();
    if (connect(client, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
        fail(strerror(errno));
        close(client);
        return;
    }
    this->connected = now();
    waiting++;
}

static void receive(int client)
{
    struct connection *this = &connections[client];
    ssize_t got = recv(client, this->answer + this->length, sizeof this->answer - 1 - this->length, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        this->length += (size_t)got;
        if (this->length < sizeof this->answer - 1 && this->answer[this->length - 1] != '\n')
            return;
    }
    if (got <= 0) {
        fail(got < 0 ? strerror(errno) : "closed without an answer");
    } else {
        this->answer[this->length] = '\0';
        fprintf(results, "%.6f %.6f %.6f %s", this->began, this->connected, now(), this->answer);
    }
    this->began = 0;
    close(client);
    waiting--;
}

int main(int count, char **arguments)
{
    if (count != 5 || (results = fopen(arguments[4], "w")) == NULL) {
        fprintf(stderr, "usage: connections PORT RATE STOP-FILE RESULT-FILE\n");
        return 2;
    }
    struct rlimit most = { MOST, MOST };
    setrlimit(RLIMIT_NOFILE, &most);
    int port = atoi(arguments[1]), poll = epoll_create1(EPOLL_CLOEXEC), stopping = 0;
    double rate = atof(arguments[2]), start = now(), looked = start, stopped = 0;
    long begun = 0;
    struct epoll_event events[256];
    while ((!stopping || waiting > 0) && !(stopping && now() > stopped + patience)) {
        for (int i = 0; !stopping && i < BURST && (double)begun < (now() - start) * rate; i++)
            begin(poll, port, begun++);
        int seen = epoll_wait(poll, events, sizeof events / sizeof *events, 1);
        for (int i = 0; i < seen; i++)
            receive(events[i].data.fd);
        if (!stopping && now() > looked + 0.1) {
            looked = now();
            stopping = access(arguments[3], F_OK) == 0;
            stopped = looked;
        }
    }
    fclose(results);
    if (waiting > 0)
        fail("no answer");
    printf("%ld connections, %.0f/s, %ld failed, such as: %s\n", begun, (double)begun / (stopped - start), failures, failure);
    return failures != 0;
}
