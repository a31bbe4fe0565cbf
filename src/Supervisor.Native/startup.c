/*
 * Says why the program cannot start where the runtime cannot: it then returns -1 from main() without a word.
 *
 * The runtime needs some 90 MB of address space and a second thread before it calls the program. The linker puts
 * __wrap___managed__Main (--wrap, Spawn.targets) in place of the program's entry. If the process exits before that is called, the
 * runtime has not started.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

extern int __real___managed__Main(int count, char **arguments);

static int started;

static void write_text(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

__attribute__((destructor)) static void end(void)
{
    if (started)
        return;
    write_text(program_invocation_short_name);
    write_text(": cannot start: the host does not give the .NET runtime the memory or the threads that it needs; raise the limit of memory"
        " (ulimit -v, LimitAS=, MemoryMax=) or of processes (ulimit -u, LimitNPROC=, TasksMax=, pids.max)\n");
    _exit(1);
}

int __wrap___managed__Main(int count, char **arguments)
{
    started = 1;
    return __real___managed__Main(count, arguments);
}
