/* Reports the environment of a spawned program: one NAME=VALUE per line, to the descriptor that its first argument names. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv, char **envp)
{
    FILE *out = fdopen(atoi(argv[1]), "w");
    char line[4096], link[4096];
    for (int i = 0; i < argc; i++)
        fprintf(out, "arg.%d=%s\n", i, argv[i]);
    for (int i = 0; envp[i]; i++)
        fprintf(out, "env.%s\n", envp[i]);

    DIR *descriptors = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(descriptors));) {
        int number = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || number == dirfd(descriptors))
            continue;
        snprintf(line, sizeof line, "/proc/self/fd/%d", number);
        ssize_t length = readlink(line, link, sizeof link - 1);
        link[length < 0 ? 0 : length] = 0;
        fprintf(out, "fd.%d=%s\n", number, link);
        fprintf(out, "fdflags.%d=%d\n", number, fcntl(number, F_GETFD));
    }
    closedir(descriptors);

    fprintf(out, "pid=%d\nsid=%d\npgid=%d\n", getpid(), getsid(0), getpgid(0));
    fprintf(out, "cwd=%s\n", getcwd(link, sizeof link));
    errno = 0;
    fprintf(out, "nice=%d\n", getpriority(PRIO_PROCESS, 0));
    mode_t mask = umask(0);
    fprintf(out, "umask=%o\n", mask);
    for (int i = 0; i < 16; i++) {
        struct rlimit limit;
        if (getrlimit(i, &limit) == 0)
            fprintf(out, "limit.%d=%llu:%llu\n", i, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    }

    /* Uid, Gid, Groups, NoNewPrivs, SigPnd, ShdPnd, SigBlk, SigIgn, SigCgt, Cap*: as the kernel reports them. */
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status)) {
        char *colon = strchr(line, ':');
        if (colon) {
            *colon = 0;
            char *value = colon + 1;
            value += strspn(value, "\t ");
            value[strcspn(value, "\n")] = 0;
            fprintf(out, "status.%s=%s\n", line, value);
        }
    }
    fclose(status);
    fclose(out);
    return 0;
}
