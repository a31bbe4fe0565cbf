/*
 * A worker that an attacker has taken over: ready at once, it runs what it is ordered to (attack.h, order), as its child, and
 * tells the exit status. possessed-worker FOLDER: it hears at FOLDER/SERVICE.SLOT. It fails at once while FOLDER/crash exists.
 */
#include "attack.h"

static void obey(int client)
{
    static char words[65537];
    char *argv[256];
    int fds[MOST_DESCRIPTORS], count, n = 0, status;
    long length = receive_with(client, words, sizeof words - 1, fds, &count, 0);
    if (length <= 0)
        _exit(0);
    words[length] = 0;
    for (char *word = words; word < words + length && n < 255; word += strlen(word) + 1)
        argv[n++] = word;
    argv[n] = NULL;
    int start[2];
    if (pipe2(start, O_CLOEXEC) != 0)
        _exit(0);
    int child = fork();
    if (child == 0) {
        /* Not before nobody else here has the descriptors: what is done with the last one may matter. */
        char byte;
        close(start[1]);
        while (read(start[0], &byte, 1) > 0)
            ;
        for (int i = 0; i < count; i++)
            fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 1000);
        for (int i = 0; i < count; i++)
            dup2(fds[i], i);
        execv(argv[0], argv);
        _exit(BROKEN);
    }
    for (int i = 0; i < count; i++)
        close(fds[i]);
    close(start[1]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        _exit(0);
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    send(client, &status, sizeof status, MSG_NOSIGNAL);
    _exit(0);
}

int main(int argc, char **argv)
{
    char path[256];
    if (argc != 2)
        errno = EINVAL, broken("possessed-worker FOLDER");
    snprintf(path, sizeof path, "%s/%s.%s", argv[1], getenv("LISTEND_SERVICE"), getenv("LISTEND_WORKER"));
    char crash[256];
    snprintf(crash, sizeof crash, "%s/crash", argv[1]);
    if (access(crash, F_OK) == 0)
        return 1;
    signal(SIGPIPE, SIG_IGN);
    /* Its own output, for what is ordered. */
    dup2(1, 200);
    struct sigaction reap = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
    sigaction(SIGCHLD, &reap, NULL);
    struct sockaddr_un at = unix_address(path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    unlink(path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || chmod(path, 0777) != 0 || listen(listener, 64) != 0)
        broken("%s", path);
    notify_at(notify_path(), "READY=1", NULL, 0, 0);
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        int child = fork();
        if (child == 0) {
            struct sigaction keep = { .sa_handler = SIG_DFL };
            sigaction(SIGCHLD, &keep, NULL);
            close(listener);
            obey(client);
        }
        close(client);
    }
}
