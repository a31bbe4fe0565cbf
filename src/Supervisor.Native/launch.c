/*
 * The launcher: the first program that a child of the daemon executes. It sets the child up as a worker, drops privileges
 * and executes the worker's program. It is a separate program without libc, so it has its own address space from its first
 * instruction on. No process of another user ever shares the daemon's memory, and the daemon never waits for one. The
 * program is an image in the daemon's executable, executed from a sealed memory file, which no process can write to.
 *
 * argv:  "listend-launch" NUMBERS GROUPS LIMITS DIRECTORY SEARCH FILE PINS, then the program's own argv
 *   NUMBERS    decimal, separated by blanks, in the order of enum listend_number
 *   GROUPS     supplementary groups, decimal
 *   LIMITS     resource, soft limit, hard limit, and whether a lower value will do, decimal
 *   DIRECTORY  working directory, or empty
 *   SEARCH     directories to search for FILE, separated by ":"; empty: FILE is a path
 *   PINS       for each enum listend_pin its path with the links of its directory resolved, and its own path (pin.h)
 * envp:  the worker's; the launcher writes the process id after the "=" of its first PID_VARIABLES strings, or the inode number
 *        of its pidfd if the variable is LISTEN_PIDFDID
 *
 * Order: session, control group, limits, nice, umask, bounding set, groups, group, user, directory, capabilities,
 * no_new_privs, signals, exec. The directory follows the user, so that chdir() uses the worker's rights. no_new_privs
 * follows the steps that need privileges. All signals are blocked at the start.
 *
 * The launcher writes a failed step as struct listend_outcome to the status descriptor, which is close-on-exec. The daemon
 * reads that struct, or the end of the file after the program was executed.
 */
#define _GNU_SOURCE
#include "spawn.h"

#include "freestanding.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>

#include "own_process.h"
#include "pin.h"

#define MOST_GROUPS 65536 /* NGROUPS_MAX, linux/limits.h */
#define FIRST_PIN 7       /* in argv */
#define ROOM 8            /* descriptors that the launcher itself opens at the same time, at most */

static uint32_t groups[MOST_GROUPS];
static char candidate[MOST_PATH];

static _Noreturn void fail(int stage, long result, int detail)
{
    struct listend_outcome outcome = { stage, (int)-result, detail };
    CALL(write, status, &outcome, sizeof outcome);
    for (;;)
        CALL(exit_group, 127);
}

static void check(int stage, long result, int detail)
{
    if (result < 0)
        fail(stage, result, detail);
}

/* Parses the next number of a text; any character except a digit is a separator. */
static uint64_t next(const char **text)
{
    uint64_t value = 0;
    while (**text && (**text < '0' || **text > '9'))
        (*text)++;
    for (; **text >= '0' && **text <= '9'; (*text)++)
        value = value * 10 + (uint64_t)(**text - '0');
    return value;
}

/*
 * Drops capabilities from the bounding set, so that no program of this worker can gain them (capabilities(7)). Without
 * CAP_SETPCAP the set stays; then no_new_privs, which is set in the same cases, has the same effect.
 */
static void drop_bounding_set(uint64_t kept)
{
    for (int cap = 0; cap < 64; cap++)
        if (!(kept >> cap & 1) && CALL(prctl, PR_CAPBSET_DROP, cap) == -EINVAL)
            break;
}

static void keep_capabilities(uint64_t ambient, int drops_others)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    check(LISTEND_STAGE_CAPABILITIES, CALL(capget, &header, data), -1);
    for (int i = 0; i < 2; i++) {
        uint32_t bits = (uint32_t)(ambient >> (32 * i));
        if (drops_others)
            data[i].permitted = data[i].effective = data[i].permitted & bits;
        data[i].inheritable |= bits;
    }
    check(LISTEND_STAGE_CAPABILITIES, CALL(capset, &header, data), -1);
    for (int cap = 0; cap < 64; cap++)
        if (ambient >> cap & 1)
            check(LISTEND_STAGE_CAPABILITIES, CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap), cap);
}

/* Describes a path that could not be executed, with the worker's rights. */
static int describe(const char *path)
{
    long directory = CALL(openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0)
        return LISTEND_EXEC_DIRECTORY;
    return CALL(faccessat, AT_FDCWD, path, 0) == 0 ? LISTEND_EXEC_PRESENT : LISTEND_EXEC_ABSENT;
}

static void read_pins(const uint64_t *numbers, char **paths)
{
    for (int i = 0; i < LISTEND_PINS; i++, numbers += 3) {
        pins[i].fd = (long)numbers[0] - 1;
        pins[i].device = numbers[1];
        pins[i].inode = numbers[2];
        pins[i].own = paths[2 * i];
        pins[i].real = paths[2 * i + 1];
        if (pins[i].fd >= 0)
            CALL(fcntl, pins[i].fd, F_SETFD, FD_CLOEXEC);
    }
}

/* Executes the first program of that name in the directories, as execvp(3) does. */
static _Noreturn void execute_found(const char *search, const char *file, char **argv, char **envp)
{
    long result = -ENOENT;
    while (*search) {
        size_t n = 0;
        for (; *search && *search != ':'; search++)
            if (n < sizeof candidate)
                candidate[n++] = *search;
        if (*search)
            search++;
        if (n == 0)
            continue;
        if (n < sizeof candidate)
            candidate[n++] = '/';
        for (const char *c = file; *c && n < sizeof candidate; c++)
            candidate[n++] = *c;
        if (n >= sizeof candidate)
            continue;
        candidate[n] = 0;
        /* Once the limit is set, the launcher can open nothing more. */
        if (few_descriptors[1] && CALL(faccessat, AT_FDCWD, candidate, 0) < 0)
            continue;
        long refused = execute(candidate, argv, envp);
        if (refused == -EACCES)
            result = refused;
        else if (refused != -ENOENT && refused != -ENOTDIR)
            fail(LISTEND_STAGE_EXEC, refused, LISTEND_EXEC_PRESENT);
        else if (refused == -ENOENT && describe(candidate) == LISTEND_EXEC_PRESENT)
            fail(LISTEND_STAGE_EXEC, refused, LISTEND_EXEC_PRESENT);
    }
    fail(LISTEND_STAGE_EXEC, result, result == -ENOENT ? LISTEND_EXEC_NOT_FOUND : LISTEND_EXEC_PRESENT);
}

__attribute__((noreturn, used)) static void launch(long *stack)
{
    char **argv = (char **)(stack + 1);
    char **envp = argv + stack[0] + 1;
    uint64_t n[LISTEND_NUMBERS];
    const char *text = argv[1];
    for (int i = 0; i < LISTEND_NUMBERS; i++)
        n[i] = next(&text);
    status = (int)n[LISTEND_NUMBER_STATUS];
    reports = (int)n[LISTEND_NUMBER_REPORT];
    read_pins(n + LISTEND_NUMBER_PINS, argv + FIRST_PIN);
    char **program = argv + FIRST_PIN + 2 * LISTEND_PINS;

    check(LISTEND_STAGE_DESCRIPTORS, CALL(fcntl, status, F_SETFD, FD_CLOEXEC), -1);
    /* A child that could not execute its program itself has a session already. */
    long session = CALL(setsid, 0);
    if (session < 0 && CALL(getsid, 0) != CALL(getpid, 0))
        fail(LISTEND_STAGE_SESSION, session, -1);
    if (n[LISTEND_NUMBER_CGROUP]) {
        long entered = CALL(write, n[LISTEND_NUMBER_CGROUP], "0", 1);
        check(LISTEND_STAGE_CGROUP, entered == 0 ? -EIO : entered, -1);
    }
    if (n[LISTEND_NUMBER_CGROUP])
        CALL(close, n[LISTEND_NUMBER_CGROUP]);
    /* The image, which follows the status. */
    CALL(close, status + 1);

    text = argv[3];
    for (int i = 0; i < (int)n[LISTEND_NUMBER_LIMITS]; i++) {
        uint64_t resource = next(&text), soft = next(&text), hard = next(&text), may_be_lower = next(&text);
        /* The descriptors are open already, but the limit says that the worker must not have so many. */
        if (resource == RLIMIT_NOFILE && soft < n[LISTEND_NUMBER_GIVEN])
            fail(LISTEND_STAGE_DESCRIPTORS, -EBADF, (int)soft);
        uint64_t few = (uint64_t)status + ROOM;
        if (resource == RLIMIT_NOFILE && soft < few) {
            few_descriptors[0] = soft;
            few_descriptors[1] = hard;
            soft = hard;
        }
        /* The launcher opens files itself, so it sets such a limit last; lowering one needs no privilege. */
        if (resource != RLIMIT_NOFILE || soft >= few)
            check(LISTEND_STAGE_LIMIT, set_limit(resource, soft, hard, (int)may_be_lower), i);
    }
    if (n[LISTEND_NUMBER_NICE])
        check(LISTEND_STAGE_NICE, CALL(setpriority, PRIO_PROCESS, 0, (long)n[LISTEND_NUMBER_NICE] - LISTEND_NICE_OFFSET), -1);
    if (n[LISTEND_NUMBER_UMASK])
        CALL(umask, n[LISTEND_NUMBER_UMASK] - 1);

    uint64_t uid = n[LISTEND_NUMBER_UID], gid = n[LISTEND_NUMBER_GID], ambient = n[LISTEND_NUMBER_AMBIENT];
    if (n[LISTEND_NUMBER_BOUNDS])
        drop_bounding_set(ambient);
    if (n[LISTEND_NUMBER_GROUPS]) {
        uint64_t count = n[LISTEND_NUMBER_GROUPS] - 1;
        text = argv[2];
        for (uint64_t i = 0; i < count && i < MOST_GROUPS; i++)
            groups[i] = (uint32_t)next(&text);
        check(LISTEND_STAGE_GROUPS, CALL(setgroups, count, groups), -1);
    }
    if (gid)
        check(LISTEND_STAGE_GROUP, CALL(setresgid, gid - 1, gid - 1, gid - 1), -1);
    if (uid) {
        if (ambient)
            check(LISTEND_STAGE_CAPABILITIES, CALL(prctl, PR_SET_KEEPCAPS, 1), -1);
        check(LISTEND_STAGE_USER, CALL(setresuid, uid - 1, uid - 1, uid - 1), -1);
    }
    if (*argv[4])
        enter(argv[4]);
    /* The worker does not inherit the daemon's ambient capabilities (Linux 4.3; older kernels have none). */
    CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
    if (ambient)
        keep_capabilities(ambient, uid > 1);
    if (n[LISTEND_NUMBER_NO_NEW_PRIVILEGES])
        check(LISTEND_STAGE_NO_NEW_PRIVILEGES, CALL(prctl, PR_SET_NO_NEW_PRIVS, 1), -1);

    reset_signals((int)n[LISTEND_NUMBER_IGNORE_SIGPIPE]);
    write_pid_variables(envp, (int)n[LISTEND_NUMBER_PID_VARIABLES]);

    unsigned long none = 0;
    check(LISTEND_STAGE_SIGNALS, CALL(rt_sigprocmask, SIG_SETMASK, &none, NULL, 8), -1);
    if (n[LISTEND_NUMBER_SCRIPT_ARGUMENT])
        pin_argument(&program[n[LISTEND_NUMBER_SCRIPT_ARGUMENT]]);
    if (*argv[5])
        execute_found(argv[5], argv[6], program, envp);
    long refused = execute(argv[6], program, envp);
    fail(LISTEND_STAGE_EXEC, refused, describe(argv[6]));
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call launch\n");
#else
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n bl launch\n");
#endif
