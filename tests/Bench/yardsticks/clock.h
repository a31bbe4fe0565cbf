/* CLOCK_MONOTONIC in nanoseconds. Stopwatch uses it too, so the stamps of all programs are comparable. */
#include <stdint.h>
#include <time.h>

static inline int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
