/*
 * The independent client: GET /v1/status on the control socket every 10 ms, over one connection that is renewed every 50
 * requests, until SIGTERM. Writes "measuring" after the first answer, and at the end one line
 *   answers N failed F longest-us T client-waited-us C daemon-waited-us D pool-waited-us P
 * where C, D and P say how long, during that answer, this program, the daemon's main thread and the thread of its HTTP pool that
 * waited most were ready and had no processor (/proc/PID/task/TID/schedstat): what a busy host adds. The longest is the one that is
 * longest without that.
 */
#include "attack.h"

static volatile sig_atomic_t leaving;

static void on_signal(int number)
{
    (void)number;
    leaving = 1;
}

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static long long waited_us(int schedstat)
{
    char text[128];
    long long ran, waited;
    long n = pread(schedstat, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = 0;
    return sscanf(text, "%lld %lld", &ran, &waited) == 2 ? waited / 1000 : 0;
}

#define MOST_THREADS 256
#define POOL ".NET TP Worker"

/* The threads of the daemon's HTTP pool, and how long each has waited for a processor. */
struct pool {
    int count, id[MOST_THREADS];
    long long waited[MOST_THREADS];
};

static void read_pool(DIR *tasks, struct pool *pool)
{
    char path[64], name[64];
    pool->count = 0;
    rewinddir(tasks);
    for (struct dirent *entry; pool->count < MOST_THREADS && (entry = readdir(tasks));) {
        snprintf(path, sizeof path, "%.20s/comm", entry->d_name);
        int file = entry->d_name[0] == '.' ? -1 : openat(dirfd(tasks), path, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            continue;
        long n = read(file, name, sizeof name);
        close(file);
        if (n < (long)sizeof POOL - 1 || memcmp(name, POOL, sizeof POOL - 1) != 0)
            continue;
        snprintf(path, sizeof path, "%.20s/schedstat", entry->d_name);
        if ((file = openat(dirfd(tasks), path, O_RDONLY | O_CLOEXEC)) < 0)
            continue;
        pool->id[pool->count] = atoi(entry->d_name);
        pool->waited[pool->count++] = waited_us(file);
        close(file);
    }
}

/* The longest wait of one thread between the two; a thread that is new has waited since then. */
static long long most_waited(const struct pool *before, const struct pool *after)
{
    long long most = 0;
    for (int i = 0; i < after->count; i++) {
        long long waited = after->waited[i];
        for (int j = 0; j < before->count; j++)
            if (before->id[j] == after->id[i])
                waited -= before->waited[j];
        if (waited > most)
            most = waited;
    }
    return most;
}

/* Whether a whole answer with status 200 came within 30 s. */
static int ask(int fd)
{
    static const char request[] = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static char text[1 << 20];
    size_t used = 0;
    long long end = now_us() + 30000000;
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
        return 0;
    for (;;) {
        struct pollfd waits = { fd, POLLIN, 0 };
        int left = (int)((end - now_us()) / 1000);
        int ready = left > 0 ? poll(&waits, 1, left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready != 1)
            return 0;
        long n = recv(fd, text + used, sizeof text - 1 - used, MSG_DONTWAIT);
        if (n <= 0)
            return 0;
        used += n;
        text[used] = 0;
        char *body = strstr(text, "\r\n\r\n"), *length;
        if (!body)
            continue;
        body += 4;
        int whole = (length = strcasestr(text, "\r\nContent-Length:")) && length < body
            ? (size_t)atol(length + 17) <= used - (body - text)
            : used >= 7 && memcmp(text + used - 7, "\r\n0\r\n\r\n", 7) == 0;
        if (whole)
            return strncmp(text, "HTTP/1.1 200 ", 13) == 0;
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        errno = EINVAL, broken("answer-time CONTROL-SOCKET DAEMON-PID");
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/schedstat", argv[2]);
    DIR *tasks;
    static struct pool before, after;
    int daemon = open(path, O_RDONLY | O_CLOEXEC), own = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%s/task", argv[2]);
    if (!(tasks = opendir(path)))
        broken("%s", path);
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGTERM, &action, NULL);
    prctl(PR_SET_TIMERSLACK, 1);
    long long longest = 0, client_waited = 0, daemon_waited = 0, pool_waited = 0, next = now_us();
    long answers = 0, lost = 0;
    int fd = -1, uses = 0;
    while (!leaving) {
        read_pool(tasks, &before);
        long long start = now_us(), own_before = waited_us(own), daemon_before = waited_us(daemon);
        if (fd >= 0 && uses == 50) {
            close(fd);
            fd = -1;
        }
        if (fd < 0) {
            fd = dial(argv[1], SOCK_STREAM);
            uses = 0;
        }
        int good = fd >= 0 && ask(fd);
        long long took = now_us() - start;
        long long client = waited_us(own) - own_before, loop = waited_us(daemon) - daemon_before;
        read_pool(tasks, &after);
        long long pool = most_waited(&before, &after);
        /* The first answer is before any attack, and starts what serves the socket. */
        if (answers > 0 && took - client - loop - pool > longest - client_waited - daemon_waited - pool_waited) {
            longest = took;
            client_waited = client;
            daemon_waited = loop;
            pool_waited = pool;
        }
        uses++;
        if (good && ++answers == 1) {
            printf("measuring\n");
            fflush(stdout);
        }
        if (!good) {
            lost++;
            if (fd >= 0)
                close(fd);
            fd = -1;
        }
        next = next + 10000 > now_us() ? next + 10000 : now_us() + 10000;
        struct timespec until = { next / 1000000, next % 1000000 * 1000 };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    printf("answers %ld failed %ld longest-us %lld client-waited-us %lld daemon-waited-us %lld pool-waited-us %lld\n", answers, lost, longest, client_waited,
        daemon_waited, pool_waited);
    return 0;
}
