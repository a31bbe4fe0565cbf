/* The interface to spawn.c and launch.c. ChildProcess.cs and SpawnRequest.cs mirror it; tests/Linux.Tests/Abi compares them. */
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
    LISTEND_STAGE_PIN, /* the pinned file or directory no longer exists; the detail is an enum listend_pin */
};

/* The detail of LISTEND_STAGE_EXEC: what the path refers to. */
enum listend_exec_detail {
    LISTEND_EXEC_ABSENT = 0,
    LISTEND_EXEC_PRESENT,
    LISTEND_EXEC_DIRECTORY,
    LISTEND_EXEC_NOT_FOUND, /* a name without "/" that is in no directory of PATH */
};

/* The launcher's numbers, in order. Where 0 means "leave unchanged", the value is one more than the value to set. */
enum listend_number {
    LISTEND_NUMBER_STATUS = 0,        /* descriptor */
    LISTEND_NUMBER_CGROUP,            /* descriptor of cgroup.procs, open for writing; 0: none */
    LISTEND_NUMBER_LIMITS,            /* count */
    LISTEND_NUMBER_NICE,              /* 0: unchanged; else nice + LISTEND_NICE_OFFSET */
    LISTEND_NUMBER_UMASK,             /* 0: unchanged; else umask + 1 */
    LISTEND_NUMBER_BOUNDS,            /* 1: drop all but the ambient capabilities from the bounding set */
    LISTEND_NUMBER_GROUPS,            /* 0: unchanged; else count + 1 */
    LISTEND_NUMBER_GID,               /* 0: unchanged; else gid + 1 */
    LISTEND_NUMBER_UID,               /* 0: unchanged; else uid + 1 */
    LISTEND_NUMBER_AMBIENT,           /* capability bits */
    LISTEND_NUMBER_NO_NEW_PRIVILEGES, /* 1: set it */
    LISTEND_NUMBER_IGNORE_SIGPIPE,    /* 1: ignore it */
    LISTEND_NUMBER_PID_VARIABLES,     /* count, at the beginning of envp */
    LISTEND_NUMBER_GIVEN,             /* count of the worker's descriptors; the pinned ones follow, then these above */
    LISTEND_NUMBER_REPORT,            /* 1: report what the worker is about to be executed from */
    LISTEND_NUMBER_SCRIPT_ARGUMENT,   /* index in argv of the argument that names a script; 0: none */
    LISTEND_NUMBER_PINS,              /* LISTEND_PINS times descriptor + 1 (0: none), device, inode (0: not pinned) */
    LISTEND_NUMBERS = LISTEND_NUMBER_PINS + 12,
};

/* What a generation is pinned to. */
enum listend_pin {
    LISTEND_PIN_DIRECTORY = 0, /* the working directory */
    LISTEND_PIN_PROGRAM,       /* the program, or the script that is executed as one */
    LISTEND_PIN_INTERPRETER,   /* of the program's #! line */
    LISTEND_PIN_SCRIPT,        /* the script that an argument names */
    LISTEND_PINS,
};

/* How the launcher found a pinned file or directory. */
enum listend_use {
    LISTEND_USE_PATH = 0,   /* the configured path still leads there */
    LISTEND_USE_RESOLVED,   /* by the path that it has, after the configured path was moved */
    LISTEND_USE_DESCRIPTOR, /* it has no path any more */
    LISTEND_USE_REPLACED,   /* there is no descriptor, and another file has its path: that one */
};

/*
 * What the launcher writes for a pin; with use PATH or REPLACED a descriptor of the file follows by SCM_RIGHTS. After the struct:
 * the path by which the file was found, a NUL, and the same path with the symbolic links of its directory resolved.
 */
struct listend_pin_report {
    int32_t stage; /* LISTEND_STAGE_NONE: not a failure */
    int32_t pin;   /* enum listend_pin */
    int32_t use;   /* enum listend_use */
    int32_t mode;  /* st_mode */
    uint64_t device, inode;
};

#define LISTEND_NICE_OFFSET 21 /* nice is -20 to 19 */
#define LISTEND_NO_SOURCE (-2) /* not -1, which is a closed descriptor and must fail */

/* What the launcher writes to its status descriptor, a SOCK_SEQPACKET socket, if a step fails. */
struct listend_outcome {
    int32_t stage;  /* enum listend_spawn_stage */
    int32_t error;  /* errno of that stage */
    int32_t detail; /* index of the limit or descriptor, number of the capability, enum listend_exec_detail; else -1 */
};

/*
 * A program that the child may execute itself, without the launcher: it needs no right that the daemon does not have, and its path
 * leads to the file that the generation is pinned to. If anything is different, the child executes the launcher, which reports it.
 */
struct listend_direct {
    const char *path;           /* NULL: only by the launcher */
    char *const *argv;
    uint64_t device, inode;     /* of the pinned program */
    const char *directory;      /* the path's directory, and the one that it led to; both NULL if they are the same text */
    const char *own_directory;
    int32_t given;              /* count of the worker's descriptors: the others are for the launcher */
    int32_t cgroup;             /* the child's descriptor of cgroup.procs; 0: none */
    int32_t umask;              /* 0: unchanged; else umask + 1 */
    int32_t no_new_privileges;
    int32_t ignore_sigpipe;
    int32_t pid_variables;      /* count, at the beginning of envp */
};

/* What listend_spawn.running says. */
#define LISTEND_SPAWN_LEFT 0     /* the child has left this memory */
#define LISTEND_SPAWN_STARTS 1
#define LISTEND_SPAWN_EXECUTES 2 /* it has its descriptors, and is about to execute a program: only that can take long */

struct listend_spawn {
    char *const *argv;  /* of the launcher */
    char *const *envp;
    struct listend_direct direct;
    int32_t *fds;       /* fds[i] becomes descriptor i, which is closed for LISTEND_NO_SOURCE; overwritten. The last two are the
                           status and the launcher's image */
    int32_t fd_count;
    int32_t is_channel; /* 1: the status is a channel that many children share, see struct listend_status. Only with direct.path */
    /* results */
    int32_t pid;
    int32_t pidfd;      /* close-on-exec; the caller owns it */
    int32_t error;      /* errno of clone(), if there is no child */
    /* shared by both sides */
    int32_t running;    /* LISTEND_SPAWN_* */
    /* from the child, only with is_channel; valid when running is LISTEND_SPAWN_LEFT */
    int32_t by_launcher;            /* it executes the launcher, and has sent a status for it: struct listend_status */
    struct listend_outcome outcome; /* the step that failed before that, if any */
};

/*
 * What a child sends to the channel when it executes the launcher after all, with the daemon's end of the launcher's status socket by
 * SCM_RIGHTS. So a child that executes its program itself needs no status socket.
 */
struct listend_status {
    int32_t pid;
};

/* How many children may be between clone() and the launcher at the same time. */
#define LISTEND_SLOTS 64

/*
 * Starts a child: 0, or -1 with error set. A slot, 0 to LISTEND_SLOTS - 1, serves one child at a time. Until running is 0, the
 * request and everything that it points to must not change, nor the descriptors until listend_spawn_wait() has returned. The status
 * descriptor reports a failed step. Main thread only.
 */
int listend_spawn(struct listend_spawn *request, int slot);

/* Returns when the child has its descriptors: it has executed the launcher, is about to execute its program, or has failed. */
void listend_spawn_wait(struct listend_spawn *request);

/* Releases the memory of the slots' stacks; no child may be using one. */
void listend_spawn_release_stacks(void);
#endif
