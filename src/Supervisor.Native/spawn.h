/* The child's side of vfork: see spawn.c. SpawnRequest.cs mirrors this layout; tests/Linux.Tests/Abi checks it. */
#ifndef LISTEND_SPAWN_H
#define LISTEND_SPAWN_H
#include <stdint.h>

enum listend_spawn_stage {
    LISTEND_STAGE_NONE = 0,
    LISTEND_STAGE_CLONE,
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

struct listend_limit {
    int32_t resource;
    int32_t reserved;
    uint64_t value;
};

struct listend_spawn {
    const char *path;
    char *const *argv;
    char *const *envp;
    char *const *pid_slots;             /* room for a pid's digits and a NUL in strings of envp (LISTEN_PID=, WATCHDOG_PID=) */
    const char *directory;              /* or null */
    const uint32_t *groups;             /* supplementary groups */
    const struct listend_limit *limits;
    int32_t *fds;                       /* fds[i] becomes descriptor i; overwritten */
    uint64_t ambient;                   /* capability bits */
    int32_t pid_slot_count;
    int32_t group_count;                /* -1: leave them */
    int32_t limit_count;
    int32_t fd_count;                   /* 3 or more */
    int32_t cgroup_fd;                  /* cgroup.procs, open for writing, or -1 */
    int32_t umask;                      /* -1: leave it */
    int32_t nice;                       /* INT32_MIN: leave it */
    int32_t no_new_privileges;
    uint32_t uid;                       /* UINT32_MAX: leave it */
    uint32_t gid;                       /* UINT32_MAX: leave it */
    /* results */
    int32_t pid;
    int32_t pidfd;
    int32_t stage;                      /* enum listend_spawn_stage; 0: the program runs */
    int32_t error;                      /* errno of that stage */
    int32_t detail;                     /* index of the limit or descriptor that failed */
    /* between the two sides */
    int32_t running;                    /* not 0 while the child has yet to execute the program, where the parent does not wait */
    int32_t shares_descriptors;         /* set where all of fds and cgroup_fd stay open until the second half: then the child begins with its parent's table */
    int32_t reserved;
};

/* How many children may have begun and not been asked for at a time. */
#define LISTEND_AT_ONCE 65

/* 0, or -1 with stage and error set. Main thread only. */
int listend_spawn(struct listend_spawn *request);

/*
 * The same in two halves. After the first one, which says 0, or -1 where there is no child, the child takes its steps beside
 * the parent; the request and all that it points to stay where and as they are until the second one, which waits for it.
 */
int listend_spawn_begin(struct listend_spawn *request);
int listend_spawn_end(struct listend_spawn *request);
#endif
