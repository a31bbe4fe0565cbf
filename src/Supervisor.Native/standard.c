/*
 * Opens /dev/null as descriptor 0, 1 or 2 where it is closed, before the runtime starts.
 *
 * Otherwise the runtime's own files would get these numbers, and what the program prints would go into them: into a duplicate of
 * standard error, or into a socket. The runtime opens its files before main(), so this is a constructor.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

__attribute__((constructor)) static void open_standard_descriptors(void)
{
    int before = errno;
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        /* open() returns the lowest free number, which is this one. */
        if (fcntl(number, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            break;
    }
    errno = before;
}
