/*
 * What a generation of workers is pinned to: its working directory, its program, the interpreter in the program's #! line, and
 * the script that an argument names. The first worker of a generation reports what it is executed from. A later worker gets
 * the identities (device and inode), the paths and the descriptors, and finds the same files again, wherever the configured
 * path leads by then. All with the worker's rights. Included by launch.c only.
 *
 * A program finds its neighbours by its own path, so a path is preferred to the descriptor, in this order:
 *   1. the configured path, if it still leads there by the same directory
 *   2. the same path with the links of its directory resolved: a virtual environment's python is a link in its own directory
 *   3. the file's own path
 *   4. the path that the descriptor has now, if the directory was renamed
 *   5. the descriptor: the file was removed or replaced
 *   6. without a descriptor, the file that replaced it
 */
#ifndef LISTEND_PIN_H
#define LISTEND_PIN_H
#include "rights.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stddef.h>
#include <sys/resource.h>

#define MOST_PATH 4096 /* PATH_MAX */
#define MOST_LINE 256  /* BINPRM_BUF_SIZE: what the kernel reads of a #! line */

#define FILE_TYPE 0170000 /* S_IFMT, S_IFREG */
#define REGULAR 0100000

struct pin {
    long fd;                /* -1: none */
    uint64_t device, inode; /* inode 0: not pinned */
    const char *own, *real; /* the path with its directory resolved; the file's own path */
    char moved[MOST_PATH];
};

struct identity {
    uint64_t device, inode;
    int mode;
};

static struct pin pins[LISTEND_PINS];
static int reports;

static _Noreturn void fail(int stage, long result, int detail);
static int status;

static size_t append(char *to, size_t n, const char *from)
{
    while (*from && n < MOST_PATH - 1)
        to[n++] = *from++;
    to[n] = 0;
    return n;
}

static int same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* PREFIX followed by the number of a descriptor. */
static const char *name_descriptor(char *to, const char *prefix, long fd)
{
    char digits[20];
    int n = 0;
    size_t end = append(to, 0, prefix);
    do
        digits[n++] = (char)('0' + fd % 10);
    while (fd /= 10);
    while (n)
        to[end++] = digits[--n];
    to[end] = 0;
    return to;
}

/* The path that the kernel knows for a descriptor; null if it is not known. */
static const char *path_of(long fd, char *to)
{
    char link[64];
    long length = CALL(readlinkat, AT_FDCWD, name_descriptor(link, "/proc/self/fd/", fd), to, MOST_PATH - 1);
    if (length <= 0 || to[0] != '/')
        return NULL;
    to[length] = 0;
    return to;
}

static long open_path(const char *path, int flags)
{
    return CALL(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC | flags);
}

static int identify_at(long fd, const char *path, int flags, struct identity *identity)
{
    struct statx found;
    if (CALL(statx, fd, path, flags, STATX_TYPE | STATX_INO, &found) < 0)
        return 0;
    identity->device = (uint64_t)found.stx_dev_major << 32 | found.stx_dev_minor;
    identity->inode = found.stx_ino;
    identity->mode = found.stx_mode;
    return 1;
}

static int identify(long fd, struct identity *identity)
{
    return fd >= 0 && identify_at(fd, "", AT_EMPTY_PATH, identity);
}

static int identify_path(const char *path, struct identity *identity)
{
    return identify_at(AT_FDCWD, path, 0, identity);
}

static int leads_to(const char *path, const struct pin *pin)
{
    struct identity there;
    return identify_path(path, &there) && there.device == pin->device && there.inode == pin->inode;
}

/* Copies the directory of a path, with its "/", or "."; returns where the name begins. */
static size_t copy_directory(const char *path, char *to)
{
    size_t base = 0;
    for (size_t i = 0; path[i]; i++)
        if (path[i] == '/')
            base = i + 1;
    append(to, 0, base ? path : ".");
    if (base)
        to[base < MOST_PATH ? base : MOST_PATH - 1] = 0;
    return base;
}

/* Whether two paths are in the same directory. Without /proc, whose entries of a new process the kernel would have to make. */
static int share_directory(const char *path, const char *own)
{
    static char one[MOST_PATH], other[MOST_PATH];
    struct identity first, second;
    copy_directory(path, one);
    copy_directory(own, other);
    return same(one, other) || (identify_path(one, &first) && identify_path(other, &second)
        && first.device == second.device && first.inode == second.inode);
}

/* The path with the links of its directory resolved; the path as it is where that is not known. */
static void resolve_directory(const char *path, char *to)
{
    char directory[MOST_PATH];
    size_t base = copy_directory(path, directory), end;
    long fd = open_path(directory, O_DIRECTORY);
    const char *found = fd >= 0 ? path_of(fd, to) : NULL;
    if (fd >= 0)
        CALL(close, fd);
    if (!found) {
        append(to, 0, path);
        return;
    }
    for (end = 0; to[end]; end++)
        ;
    if (to[end - 1] != '/')
        end = append(to, end, "/");
    append(to, end, path + base);
}

static void report(int which, int use, long fd, const struct identity *identity, const char *found, const char *own)
{
    struct listend_pin_report head = { LISTEND_STAGE_NONE, which, use, identity->mode, identity->device, identity->inode };
    size_t found_length = 0, own_length = 0;
    while (found[found_length])
        found_length++;
    while (own[own_length])
        own_length++;
    struct iovec parts[3] = { { &head, sizeof head }, { (void *)found, found_length + 1 }, { (void *)own, own_length } };
    int passed = (int)fd;
    /* Without a report the generation stays unpinned, or keeps the pin that it has. */
    send_rights(status, parts, 3, &passed, fd >= 0, MSG_DONTWAIT);
}

/* Reports what is at the path now. */
static void record(int which, int use, const char *path)
{
    static char own[MOST_PATH];
    struct identity there;
    long fd = open_path(path, which == LISTEND_PIN_DIRECTORY ? O_DIRECTORY : 0);
    if (identify(fd, &there) && (which == LISTEND_PIN_DIRECTORY || (there.mode & FILE_TYPE) == REGULAR)) {
        if (which != LISTEND_PIN_DIRECTORY)
            resolve_directory(path, own);
        else if (!path_of(fd, own))
            append(own, 0, path);
        report(which, use, fd, &there, path, own);
    }
    if (fd >= 0)
        CALL(close, fd);
}

/* Finds what is pinned again: how, and by which path; null: by its descriptor. */
static int find_pinned(int which, const char *path, const char **found)
{
    struct pin *pin = &pins[which];
    int use = LISTEND_USE_DESCRIPTOR;
    *found = NULL;
    if (leads_to(path, pin) && (which == LISTEND_PIN_DIRECTORY || share_directory(path, pin->own))) {
        *found = path;
        use = LISTEND_USE_PATH;
    }
    for (int i = 0; i < 3 && !*found; i++) {
        const char *tried = i == 0 ? pin->own : i == 1 ? pin->real : pin->fd >= 0 ? path_of(pin->fd, pin->moved) : NULL;
        if (tried && *tried && leads_to(tried, pin)) {
            *found = tried;
            use = LISTEND_USE_RESOLVED;
        }
    }
    if (!*found && pin->fd < 0) {
        if (CALL(faccessat, AT_FDCWD, pin->own, 0) < 0)
            fail(LISTEND_STAGE_PIN, -ENOENT, which);
        *found = pin->own;
        use = LISTEND_USE_REPLACED;
    }
    if (pin->fd < 0)
        record(which, use, *found);
    else if (use != LISTEND_USE_PATH) {
        struct identity known = { pin->device, pin->inode, 0 };
        report(which, use, -1, &known, *found ? *found : "", pin->own);
    }
    return use;
}

/* Enters the working directory: the pinned one, where there is one. */
static void enter(const char *path)
{
    struct pin *pin = &pins[LISTEND_PIN_DIRECTORY];
    const char *found = path;
    if (pin->inode)
        find_pinned(LISTEND_PIN_DIRECTORY, path, &found);
    long entered = pin->inode && pin->fd >= 0 ? CALL(fchdir, pin->fd) : CALL(chdir, found);
    if (entered < 0)
        fail(LISTEND_STAGE_DIRECTORY, entered, -1);
    if (!pin->inode && reports)
        record(LISTEND_PIN_DIRECTORY, LISTEND_USE_PATH, path);
}

static char interpreter[MOST_LINE], interpreter_argument[MOST_LINE];

/* Reads the #! line of a script: whether it is one. The kernel reads it in the same way (fs/binfmt_script.c). */
static int read_script(const char *path)
{
    static char line[MOST_LINE + 1];
    struct identity there;
    long opened = open_path(path, 0);
    int is_file = identify(opened, &there) && (there.mode & FILE_TYPE) == REGULAR;
    if (opened >= 0)
        CALL(close, opened);
    long fd = is_file ? CALL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    long length = fd >= 0 ? CALL(read, fd, line, MOST_LINE) : 0;
    if (fd >= 0)
        CALL(close, fd);
    if (length < 3 || line[0] != '#' || line[1] != '!')
        return 0;
    line[length] = 0;
    size_t n = 0, i = 2;
    while (line[i] == ' ' || line[i] == '\t')
        i++;
    while (line[i] && line[i] != ' ' && line[i] != '\t' && line[i] != '\n')
        interpreter[n++] = line[i++];
    interpreter[n] = 0;
    while (line[i] == ' ' || line[i] == '\t')
        i++;
    for (n = 0; line[i] && line[i] != '\n'; i++)
        interpreter_argument[n++] = line[i];
    while (n && (interpreter_argument[n - 1] == ' ' || interpreter_argument[n - 1] == '\t'))
        n--;
    interpreter_argument[n] = 0;
    return interpreter[0] != 0;
}

/* Lets the program inherit the descriptor, and names it as a path. */
static char *inherit(int which, char *name)
{
    CALL(fcntl, pins[which].fd, F_SETFD, 0);
    return (char *)name_descriptor(name, "/dev/fd/", pins[which].fd);
}

/* The argument that names a script: the script itself where the argument no longer leads there. */
static void pin_argument(char **argument)
{
    static char name[64];
    const char *found;
    if (!pins[LISTEND_PIN_SCRIPT].inode) {
        if (reports)
            record(LISTEND_PIN_SCRIPT, LISTEND_USE_PATH, *argument);
        return;
    }
    if (find_pinned(LISTEND_PIN_SCRIPT, *argument, &found) == LISTEND_USE_DESCRIPTOR)
        *argument = inherit(LISTEND_PIN_SCRIPT, name);
    else
        *argument = (char *)found;
}

/*
 * Sets a limit. Where a lower value will do and this one is not permitted, it becomes the highest that this process may have.
 */
static long set_limit(uint64_t resource, uint64_t soft, uint64_t hard, int may_be_lower)
{
    uint64_t limit[2] = { soft, hard };
    long result = CALL(prlimit64, 0, resource, limit, NULL);
    if (result == -EPERM && may_be_lower && CALL(prlimit64, 0, resource, NULL, limit) == 0) {
        limit[0] = soft < limit[1] ? soft : limit[1];
        result = CALL(prlimit64, 0, resource, limit, NULL);
    }
    return result;
}

/* Soft and hard limit of descriptors that leave the launcher none; hard 0: none. */
static uint64_t few_descriptors[2];

static long run_program(long fd, const char *found, char **argv, char **envp)
{
    if (few_descriptors[1])
        set_limit(RLIMIT_NOFILE, few_descriptors[0], few_descriptors[1], 0);
    return found ? CALL(execve, found, argv, envp) : CALL(execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

/* Executes the program; returns only the error. Two elements in front of argv may be overwritten. */
static long execute(const char *path, char **argv, char **envp)
{
    static char name[64];
    char link[64];
    struct pin *program = &pins[LISTEND_PIN_PROGRAM], *runner = &pins[LISTEND_PIN_INTERPRETER];
    const char *found = path, *runner_found;
    if (program->inode) {
        if (find_pinned(LISTEND_PIN_PROGRAM, path, &found) != LISTEND_USE_PATH)
            argv[0] = (char *)(found ? found : program->own);
    } else if (reports) {
        record(LISTEND_PIN_PROGRAM, LISTEND_USE_PATH, path);
    }
    if (!reports && !runner->inode)
        return run_program(program->fd, found, argv, envp);

    int is_script = read_script(found ? found : name_descriptor(link, "/proc/self/fd/", program->fd));
    if (!is_script)
        return run_program(program->fd, found, argv, envp);
    char *script = found ? (char *)found : inherit(LISTEND_PIN_PROGRAM, name);
    if (!runner->inode) {
        record(LISTEND_PIN_INTERPRETER, LISTEND_USE_PATH, interpreter);
        return run_program(program->fd, found, argv, envp);
    }
    if (find_pinned(LISTEND_PIN_INTERPRETER, interpreter, &runner_found) == LISTEND_USE_PATH)
        return run_program(program->fd, found, argv, envp);

    *argv = script;
    if (interpreter_argument[0])
        *--argv = interpreter_argument;
    *--argv = (char *)(runner_found ? runner_found : runner->own);
    return run_program(runner->fd, runner_found, argv, envp);
}
#endif
