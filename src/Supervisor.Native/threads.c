/*
 * A reserve of threads for a process that is permitted no further one (RLIMIT_NPROC, pids.max).
 *
 * The .NET runtime ends the program when a thread that it needs does not start, and workers can use up what they share with the daemon.
 * The linker puts __wrap_SystemNative_CreateThread (--wrap, Spawn.targets) in place of the runtime's function: a thread that the kernel
 * refuses becomes one of the reserve. With an empty reserve the caller tries again until there is room. The main thread never waits, so
 * the last threads of the reserve are kept for it. A thread that the caller can do without gets none and fails at once.
 *
 * A reserved thread has touched two pages of its stack. It gets its role once: the runtime detaches a thread when it exits.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { RESERVE = 8, KEPT_FOR_MAIN = 4, PAUSE_NS = 50 * 1000 * 1000 };

struct role {
    void *(*body)(void *);
    void *argument;
};

/* The runtime's own function. An executable that does not wrap it, and a test under the JIT, have none. */
extern int32_t __real_SystemNative_CreateThread(uintptr_t stack, void *(*body)(void *), void *argument) __attribute__((weak));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static struct role roles[RESERVE];
static int idle, pending, wanted;
static __thread int optional;

static void *wait_for_role(void *unused)
{
    struct role role;
    (void)unused;
    pthread_mutex_lock(&lock);
    while (pending == 0)
        pthread_cond_wait(&given, &lock);
    role = roles[--pending];
    pthread_mutex_unlock(&lock);
    return role.body(role.argument);
}

static void refill(void)
{
    pthread_attr_t detached;
    pthread_t thread;
    if (pthread_attr_init(&detached) != 0)
        return;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_mutex_lock(&lock);
    while (idle < wanted && pthread_create(&thread, &detached, wait_for_role, NULL) == 0)
        idle++;
    pthread_mutex_unlock(&lock);
    pthread_attr_destroy(&detached);
}

static int take(struct role role, int kept)
{
    int taken = 0;
    pthread_mutex_lock(&lock);
    /* A thread that has a role and has not taken it yet is no longer idle: the reserve can be full again before it runs. */
    if (idle > kept && pending < RESERVE) {
        idle--;
        roles[pending++] = role;
        pthread_cond_signal(&given);
        taken = 1;
    }
    pthread_mutex_unlock(&lock);
    return taken;
}

/* Whether the calling thread can do without the threads that it starts from now on. */
void listend_threads_optional(int value)
{
    optional = value;
}

/* Fills the reserve as far as the kernel permits. Whether it is full. */
int listend_threads_reserve(void)
{
    wanted = RESERVE;
    refill();
    return __atomic_load_n(&idle, __ATOMIC_RELAXED) == RESERVE;
}

int32_t __wrap_SystemNative_CreateThread(uintptr_t stack, void *(*body)(void *), void *argument)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    int is_main = syscall(SYS_gettid) == getpid();
    for (;;) {
        if (__real_SystemNative_CreateThread(stack, body, argument)) {
            if (__atomic_load_n(&idle, __ATOMIC_RELAXED) < wanted)
                refill();
            return 1;
        }
        if (optional || wanted == 0)
            return 0;
        if (take((struct role) { body, argument }, is_main ? 0 : KEPT_FOR_MAIN))
            return 1;
        if (is_main)
            return 0;
        nanosleep(&pause, NULL);
    }
}
