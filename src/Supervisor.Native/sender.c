/*
 * Notes who sends a signal that the runtime handles: its handlers do not say (PosixSignalContext). This handler runs in front of the
 * runtime's.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>

#define KNOWN (1u << 31) /* no process id has that bit: PID_MAX_LIMIT, linux/threads.h */

static struct sigaction behind[NSIG];
static uint64_t senders[NSIG];

static void note(int number, siginfo_t *info, void *context)
{
    /* A positive code is the kernel's own, such as the hang-up of a terminal (sigaction(2)). */
    uint64_t sender = info->si_code > 0 ? 0 : (uint64_t)info->si_uid << 32 | KNOWN | (uint32_t)info->si_pid;
    __atomic_store_n(&senders[number], sender, __ATOMIC_RELEASE);
    if (behind[number].sa_flags & SA_SIGINFO)
        behind[number].sa_sigaction(number, info, context);
    else
        behind[number].sa_handler(number);
}

/* Notes the senders of a signal from now on, if it has a handler. */
void listend_note_senders(int number)
{
    struct sigaction handler;
    if (sigaction(number, NULL, &handler) != 0 || handler.sa_handler == SIG_DFL || handler.sa_handler == SIG_IGN
        || handler.sa_sigaction == note)
        return;
    behind[number] = handler;
    handler.sa_flags |= SA_SIGINFO;
    handler.sa_sigaction = note;
    sigaction(number, &handler, NULL);
}

/*
 * The sender of the last signal of that number: the real user id in the upper half, and in the lower one bit 31 and the process id,
 * which is 0 for a process of another namespace. 0: the kernel, or none.
 */
uint64_t listend_sender(int number)
{
    return __atomic_load_n(&senders[number], __ATOMIC_ACQUIRE);
}
