/*
 * Finding 2. A worker's user stops every successor of its workers before it executes anything, and looks whether the daemon
 * waits for it: the broker does not answer. stopped-child DAEMON-PID BROKER SECONDS
 */
#include "attack.h"

#define MOST 64
/* They are stopped until the answer is there, and start_timeout is longer: a daemon that waits for them never answers. */
#define MOST_MS 10000

int main(int argc, char **argv)
{
    if (argc != 4)
        errno = EINVAL, broken("stopped-child DAEMON-PID BROKER SECONDS");
    int daemon = atoi(argv[1]);
    long long end = now_ms() + atof(argv[3]) * 1000, last = end + MOST_MS_TO_STOP;
    int workers[MOST], stopped[MOST], bursts = 0, caught = 0;
    while (now_ms() < end || (caught < ENOUGH_STOPPED && now_ms() < last)) {
        int count = children_of(daemon, workers, MOST), from = last_pid() + 1, held = 0;
        /* One, two or all of them: the daemon starts many at once in another way than one. */
        int victims = bursts % 3 == 2 ? count : bursts % 3 + 1;
        for (int i = 0; i < count && i < victims; i++)
            kill(workers[i], SIGKILL);
        bursts++;
        for (long long storm = now_ms() + 60; now_ms() < storm && held < MOST;)
            for (int pid = from; pid < from + 40 && held < MOST; pid++) {
                if (pid == getpid() || kill(pid, SIGSTOP) != 0)
                    continue;
                int known = 0;
                for (int i = 0; i < held; i++)
                    known |= stopped[i] == pid;
                if (!known)
                    stopped[held++] = pid;
            }
        caught += held;
        long long took = held ? ask_broker(argv[2], MOST_MS) : 0;
        for (int i = 0; i < held; i++)
            kill(stopped[i], bursts % 2 ? SIGKILL : SIGCONT);
        if (took < 0)
            succeeded("with %d processes stopped, the daemon did not answer within %d ms", held, MOST_MS);
    }
    if (caught < ENOUGH_STOPPED)
        errno = 0, broken("only %d successors were stopped in %d bursts", caught, bursts);
    failed("%d successors stopped in %d bursts, the daemon answered throughout", caught, bursts);
}
