/* A child of the daemon: see spawn.c and launch.c. ChildProcess.cs and SpawnRequest.cs mirror this; tests/Linux.Tests/Abi checks it. */
#ifndef LISTEND_SPAWN_H
#define LISTEND_SPAWN_H
#include <stdint.h>

enum listend_spawn_stage {
    LISTEND_STAGE_NONE = 0,
    LISTEND_STAGE_CLONE,
    LISTEND_STAGE_LAUNCHER,
    LISTEND_STAGE_SESSION,
    LISTEND_STAGE_CGROUP,
    LISTEND_STAGE_LIMIT,
    LISTEND_STAGE_NICE,
    LISTEND_STAGE_DIRECTORY,
    LISTEND_STAGE_GROUPS,
    LISTEND_STAGE_GROUP,
    LISTEND_STAGE_USER,
    LISTEND_STAGE_CAPABILITIES,
    LISTEND_STAGE_NO_NEW_PRIVILEGES,
    LISTEND_STAGE_SIGNALS,
    LISTEND_STAGE_DESCRIPTORS,
    LISTEND_STAGE_EXEC,
};

/* The detail of LISTEND_STAGE_EXEC: what is at the path. */
enum listend_exec_detail {
    LISTEND_EXEC_ABSENT = 0,
    LISTEND_EXEC_PRESENT,
    LISTEND_EXEC_DIRECTORY,
    LISTEND_EXEC_NOT_FOUND, /* a name without "/", in none of the directories of PATH */
};

/* The launcher's numbers, in their order. Where 0 leaves something as it is, the value is one more than what is set. */
enum listend_number {
    LISTEND_NUMBER_STATUS = 0,        /* descriptor */
    LISTEND_NUMBER_CGROUP,            /* descriptor of cgroup.procs, open for writing; 0: none */
    LISTEND_NUMBER_LIMITS,            /* count */
    LISTEND_NUMBER_NICE,              /* 0: leave it; else nice + LISTEND_NICE_OFFSET */
    LISTEND_NUMBER_UMASK,             /* 0: leave it; else umask + 1 */
    LISTEND_NUMBER_BOUNDS,            /* 1: drop from the bounding set what is not ambient */
    LISTEND_NUMBER_GROUPS,            /* 0: leave them; else count + 1 */
    LISTEND_NUMBER_GID,               /* 0: leave it; else gid + 1 */
    LISTEND_NUMBER_UID,               /* 0: leave it; else uid + 1 */
    LISTEND_NUMBER_AMBIENT,           /* capability bits */
    LISTEND_NUMBER_NO_NEW_PRIVILEGES, /* 1: set it */
    LISTEND_NUMBER_PID_VARIABLES,     /* count, at the beginning of envp */
    LISTEND_NUMBERS,
};

#define LISTEND_NICE_OFFSET 21 /* nice is -20 to 19 */

/* What the launcher writes to its status descriptor when a step fails. */
struct listend_outcome {
    int32_t stage;  /* enum listend_spawn_stage */
    int32_t error;  /* errno of that stage */
    int32_t detail; /* index of the limit or descriptor, number of the capability, enum listend_exec_detail; else -1 */
};

struct listend_spawn {
    char *const *argv;  /* of the launcher */
    char *const *envp;
    int32_t *fds;       /* fds[i] becomes descriptor i; overwritten. The last two are the status and the launcher's image */
    int32_t fd_count;
    /* results */
    int32_t pid;
    int32_t pidfd;      /* close-on-exec, the caller's */
    int32_t error;      /* errno of clone(), where there is no child */
    /* between the two sides */
    int32_t running;    /* not 0 until the child has left this memory */
};

/* How many children may be on their way to the launcher at the same time. */
#define LISTEND_SLOTS 64

/*
 * 0, or -1 with the error set where there is no child. A slot, 0 to LISTEND_SLOTS - 1, is used by one child at a time. Until
 * running is 0 the request, all that it points to and the descriptors stay as they are. How the steps went comes by the status.
 * Main thread only.
 */
int listend_spawn(struct listend_spawn *request, int slot);

/* Returns when the child has executed the launcher or has failed. */
void listend_spawn_wait(struct listend_spawn *request);

/* Gives back the memory of the slots' stacks: no child is on its way. */
void listend_spawn_rest(void);
#endif
