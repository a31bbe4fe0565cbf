/* in-worker SOCKET PROGRAM ARG...: runs an attack as a child of a possessed worker, with this one's output. */
#include "attack.h"

int main(int argc, char **argv)
{
    int fds[] = { 0, 1, 2 };
    if (argc < 3)
        errno = EINVAL, broken("in-worker SOCKET PROGRAM ARG...");
    int status = order_end(order_begin(argv[1], argv + 2, fds, 3));
    if (status < 0)
        errno = ECONNRESET, broken("the worker was gone before it could tell");
    return status;
}
