/*
 * Finding 1, seen from outside, by root: traces every child of the daemon from its first instruction on, looks at each of its
 * system calls, and fails the daemon where a process of another user shares memory or descriptors with it (kcmp(2)). No
 * moment between fork and exec is left out. Children are let go when they have executed a program as another user.
 * spawn-watch DAEMON-PID: until SIGTERM.
 */
#include "attack.h"

#include <linux/kcmp.h>
#include <sys/ptrace.h>

#define MOST 4096
#define OPTIONS (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD)

static volatile sig_atomic_t leaving;
static int daemon_pid, children, moments, known[MOST];

static void on_signal(int number)
{
    (void)number;
    leaving = 1;
}

/* A number of /proc/PID/status; -1: no such process. With Uid: the first of the four that is not 0, or 0. */
static int status_of(int pid, const char *field)
{
    char path[64], line[256];
    int found = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0) {
            int of[4] = { 0 };
            sscanf(line + strlen(field), "%d %d %d %d", of, of + 1, of + 2, of + 3);
            found = of[0] ? of[0] : of[1] ? of[1] : of[2] ? of[2] : of[3];
            break;
        }
    if (file)
        fclose(file);
    return found;
}

/* Whether it is a process of another user by now. */
static int look(int pid)
{
    int uid = status_of(pid, "Uid:");
    if (uid <= 0)
        return 0;
    moments++;
    long memory = syscall(SYS_kcmp, pid, daemon_pid, KCMP_VM, 0, 0), files = syscall(SYS_kcmp, pid, daemon_pid, KCMP_FILES, 0, 0);
    if (memory < 0 && errno != ESRCH)
        broken("kcmp");
    if (memory == 0 || files == 0)
        succeeded("process %d of uid %d shares %s with the daemon", pid, uid, memory == 0 ? "its memory" : "its table of descriptors");
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        errno = EINVAL, broken("spawn-watch DAEMON-PID");
    daemon_pid = atoi(argv[1]);
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGTERM, &action, NULL);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", daemon_pid);
    DIR *threads = opendir(path);
    if (!threads)
        broken("%s", path);
    for (struct dirent *entry; (entry = readdir(threads));)
        if (entry->d_name[0] != '.' && ptrace(PTRACE_SEIZE, atoi(entry->d_name), NULL, OPTIONS) != 0 && errno != EPERM)
            broken("PTRACE_SEIZE %s", entry->d_name);
    closedir(threads);
    printf("watching\n");
    fflush(stdout);
    while (!leaving) {
        int status, pid = waitpid(-1, &status, __WALL);
        if (pid < 0)
            break;
        if (!WIFSTOPPED(status))
            continue;
        int signal = WSTOPSIG(status), event = status >> 16, is_child = status_of(pid, "Tgid:") != daemon_pid;
        if (is_child) {
            int place = 0;
            while (place < children && place < MOST && known[place] != pid)
                place++;
            if (place == children && place < MOST)
                known[children++] = pid;
            if (look(pid) && event == PTRACE_EVENT_EXEC && ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0)
                continue;
        }
        if (event == PTRACE_EVENT_STOP && (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)) {
            ptrace(PTRACE_LISTEN, pid, NULL, NULL);
            continue;
        }
        int delivered = event || signal == (SIGTRAP | 0x80) ? 0 : signal;
        ptrace(is_child ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, (long)delivered);
    }
    if (moments == 0)
        errno = 0, broken("no child of another user was seen, of %d", children);
    failed("%d children, %d moments as another user, never with the daemon's memory", children, moments);
}
