using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// Calls that Tmds.LibC lacks. Its <c>errno</c> returns the value that the marshaller saved, so a call whose errno is used
/// needs SetLastError here; otherwise errno belongs to an earlier call.
/// </summary>
internal static unsafe partial class Syscalls
{
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int renameat2(int olddirfd, byte* oldpath, int newdirfd, byte* newpath, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint getxattr(byte* path, byte* name, byte* value, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint getrandom(byte* buffer, nuint length, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint getdents64(int fd, byte* entries, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint readlinkat(int directory, byte* path, byte* target, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int faccessat(int directory, byte* path, int mode, int flags);

    [LibraryImport("libc")]
    internal static partial int setfsuid(uint uid);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int dup3(int oldfd, int newfd, int flags);

    [LibraryImport("libc", SetLastError = true, EntryPoint = "fcntl")]
    internal static partial int fcntl_lock(int fd, int command, FileLocks.FileLock* what);

    [LibraryImport("libc")]
    internal static partial uint umask(uint mask);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int waitid(int idtype, uint id, byte* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint syscall(nint number, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static partial nint syscall5(nint number, nint a, nint b, nint c, nint d, nint e);

    [LibraryImport("libc")]
    internal static partial int pthread_sigmask(int how, byte* set, byte* former);

    [LibraryImport("libc")]
    internal static partial int getrlimit(int resource, ulong* limit);

    [LibraryImport("libc")]
    internal static partial int getgrouplist(byte* user, uint group, uint* groups, int* count);

    [LibraryImport("libc")]
    internal static partial int getsid(int pid);

    [LibraryImport("libc")]
    internal static partial int madvise(void* start, nuint length, int advice);

    [LibraryImport("libc")]
    internal static partial uint geteuid();

    [LibraryImport("libc")]
    internal static partial uint getegid();

    [LibraryImport("libc")]
    internal static partial int getpid();

    [LibraryImport("libc")]
    internal static partial int getppid();

    /// <summary>poll(2); the one of Tmds.LibC does not save errno.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int poll(Tmds.Linux.pollfd* descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int execve(byte* path, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    internal static partial int getpwnam_r(byte* name, Passwd* entry, byte* buffer, nuint length, Passwd** result);

    [LibraryImport("libc")]
    internal static partial int getpwuid_r(uint uid, Passwd* entry, byte* buffer, nuint length, Passwd** result);

    [LibraryImport("libc")]
    internal static partial int getgrnam_r(byte* name, Group* entry, byte* buffer, nuint length, Group** result);

    [LibraryImport("libc")]
    internal static partial int getgrgid_r(uint gid, Group* entry, byte* buffer, nuint length, Group** result);

    [LibraryImport("libc")]
    internal static partial int clock_gettime(int clock, long* time);

    [LibraryImport("listend_spawn")]
    internal static partial int listend_spawn(SpawnRequest* request, int slot);

    [LibraryImport("listend_spawn")]
    internal static partial void listend_spawn_wait(SpawnRequest* request);

    [LibraryImport("listend_spawn")]
    internal static partial void listend_spawn_release_stacks();

    [LibraryImport("listend_spawn", SetLastError = true)]
    internal static partial int listend_foreground(byte* path, byte** arguments, byte** environment);

    [LibraryImport("listend_spawn")]
    internal static partial void listend_note_senders(int signal);

    [LibraryImport("listend_spawn")]
    internal static partial ulong listend_sender(int signal);

    [LibraryImport("listend_spawn")]
    internal static partial int listend_threads_reserve();

    [LibraryImport("listend_spawn")]
    internal static partial void listend_threads_optional(int value);

    /// <summary>struct passwd, pwd.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Passwd
    {
        public byte* Name;
        public byte* Password;
        public uint Uid;
        public uint Gid;
        public byte* Gecos;
        public byte* Directory;
        public byte* Shell;
    }

    /// <summary>struct group, grp.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Group
    {
        public byte* Name;
        public byte* Password;
        public uint Gid;
        public byte** Members;
    }

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int mknodat(int directory, byte* name, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int mkdirat(int directory, byte* name, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int linkat(int olddirfd, byte* oldpath, int newdirfd, byte* newpath, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int inotify_add_watch(int fd, byte* path, uint mask);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int inotify_rm_watch(int fd, int watch);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setns(int fd, int type);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int symlinkat(byte* target, int directory, byte* name);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int unlinkat(int directory, byte* name, int flags);

    [LibraryImport("libc")]
    internal static partial int fstatfs(int fd, long* buffer);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int memfd_create(byte* name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fallocate(int file, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint sendfile(int to, int from, long* offset, nint count);

    [LibraryImport("libc", SetLastError = true, EntryPoint = "fcntl")]
    internal static partial int fcntl_int(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int socketpair(int domain, int type, int protocol, int* pair);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(int descriptor, nuint request, byte* argument);

    [LibraryImport("listend_spawn")]
    internal static partial byte* listend_keeper_image(nuint* length);

    [LibraryImport("listend_spawn")]
    internal static partial byte* listend_launcher_image(nuint* length);

    [LibraryImport("listend_spawn")]
    internal static partial byte* listend_disposer_image(nuint* length);

    [LibraryImport("libc")]
    internal static partial int sigemptyset(byte* set);

    [LibraryImport("libc")]
    internal static partial int sigaddset(byte* set, int signal);
}
