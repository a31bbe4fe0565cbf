using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>Calls on processes, by process id and by pidfd.</summary>
public static unsafe class Processes
{
    private const int BootClock = 7; // CLOCK_BOOTTIME

    /// <summary>USER_HZ, the unit of the times in /proc: 100 on every architecture of .NET.</summary>
    private const ulong TicksPerSecond = 100;
    private const int PPid = 1;
    private const int PPidfd = 3;
    private const int WExited = 4;
    private const int WNoWait = 0x01000000;
    private const int WNoHang = 1;
    private const int PrSetChildSubreaper = 36;

    // siginfo_t as waitid(2) fills it on 64-bit Linux (asm-generic/siginfo.h): three ints, padding, then the union.
    private const int SigInfoSize = 128;
    private const int SiCode = 8;
    private const int SiPid = 16;
    private const int SiStatus = 24;

    /// <summary>
    /// The time since boot in the unit and clock of field 22 of /proc/PID/stat, rounded down (CLOCK_BOOTTIME, clock_gettime(2)); 0 if it
    /// is not known.
    /// </summary>
    public static ulong TicksSinceBoot()
    {
        var now = stackalloc long[2];
        return Syscalls.clock_gettime(BootClock, now) == 0
            ? ((ulong)now[0] * TicksPerSecond) + ((ulong)now[1] * TicksPerSecond / 1_000_000_000)
            : 0;
    }

    private static long _reapingsBegun;
    private static long _reapingsEnded;

    /// <summary>How a child exited: si_code and si_status of waitid(2).</summary>
    /// <param name="Signalled">Whether a signal killed it.</param>
    /// <param name="Status">The exit status (0 to 255) or the signal's number.</param>
    /// <param name="CoreDumped">Whether it dumped core.</param>
    public readonly record struct Exit(bool Signalled, int Status, bool CoreDumped);

    /// <summary>This process's id.</summary>
    public static int CurrentPid { get; } = Syscalls.getpid();

    /// <summary>_exit(2): exits at once, without any cleanup.</summary>
    public static void ExitNow(int status) => Tmds.Linux.LibC._exit(status);

    /// <summary>getppid(2).</summary>
    public static int ParentPid => Syscalls.getppid();

    /// <summary>geteuid(2).</summary>
    public static uint EffectiveUid => Syscalls.geteuid();

    /// <summary>getegid(2).</summary>
    public static uint EffectiveGid => Syscalls.getegid();

    /// <summary>
    /// setfsuid(2): sets the user that owns this thread's new sockets (one SO_REUSEPORT group needs one user). Returns the
    /// previous user. Without CAP_SETUID nothing changes.
    /// </summary>
    public static uint SetFileSystemUid(uint uid) => (uint)Syscalls.setfsuid(uid);

    /// <summary>
    /// How the child behind <paramref name="pidfd"/> exited; null while it runs. The child stays a zombie, so its process id
    /// and session id are not reused. Linux 5.4 (P_PIDFD).
    /// </summary>
    public static Exit? PeekExit(DescriptorHandle pidfd) => Wait(PPidfd, (uint)pidfd.Number, WExited | WNoHang | WNoWait);

    /// <summary>How the child with that process id exited; null while it runs.</summary>
    public static Exit? PeekExit(int pid) => Wait(PPid, (uint)pid, WExited | WNoHang | WNoWait);

    /// <summary>
    /// A mark for <see cref="HasReapedSince"/>; null while a child is being reaped. Any thread.
    /// </summary>
    public static long? ReapingMark()
    {
        var ended = Volatile.Read(ref _reapingsEnded);
        return Volatile.Read(ref _reapingsBegun) == ended ? ended : null;
    }

    /// <summary>
    /// Whether this process may have reaped a child since <paramref name="mark"/>, and a list of its children that was read in the meantime
    /// may lack one that lives: /proc/PID/task/TID/children, proc(5). Any thread.
    /// </summary>
    public static bool HasReapedSince(long? mark) => Volatile.Read(ref _reapingsBegun) != mark;

    /// <summary>Reaps the child behind <paramref name="pidfd"/>; null while it runs.</summary>
    public static Exit? Reap(DescriptorHandle pidfd) => Wait(PPidfd, (uint)pidfd.Number, WExited | WNoHang);

    /// <summary>Reaps the child with that process id; null while it runs.</summary>
    public static Exit? Reap(int pid) => Wait(PPid, (uint)pid, WExited | WNoHang);

    /// <summary>The process id of a child that has exited and was not reaped; 0 if there is none.</summary>
    public static int PeekAnyExited()
    {
        var info = stackalloc byte[SigInfoSize];
        new Span<byte>(info, SigInfoSize).Clear();
        return Syscalls.waitid(0, 0, info, WExited | WNoHang | WNoWait) == 0 ? *(int*)(info + SiPid) : 0;
    }

    /// <summary>
    /// Waits until a child has exited, and does not reap it. Returns its process id, at once if one has exited already; 0 if there is no
    /// child. It blocks the calling thread.
    /// </summary>
    public static int WaitAnyExited()
    {
        var info = stackalloc byte[SigInfoSize];
        while (Syscalls.waitid(0, 0, info, WExited | WNoWait) != 0)
        {
            if (errno != EINTR)
            {
                return 0;
            }
        }

        return *(int*)(info + SiPid);
    }

    /// <summary>
    /// How a process that is not our child exited, from its pidfd: ioctl PIDFD_GET_INFO with PIDFD_INFO_EXIT (Linux 6.15). The
    /// kernel tells the status once the process's parent has reaped it, and then the pidfd hangs up. Null if it does not tell it now.
    /// </summary>
    public static Exit? ExitOfForeign(DescriptorHandle pidfd)
    {
        const int size = 64; // PIDFD_INFO_SIZE_VER0, linux/pidfd.h
        const ulong exitWanted = 1 << 3; // PIDFD_INFO_EXIT
        const int exitCode = 60; // offsetof(struct pidfd_info, exit_code)
        const nuint request = (3u << 30) | (size << 16) | (0xFFu << 8) | 11; // PIDFD_GET_INFO
        var info = stackalloc byte[size];
        new Span<byte>(info, size).Clear();
        *(ulong*)info = exitWanted;
        if (Syscalls.ioctl(pidfd.Number, request, info) != 0 || (*(ulong*)info & exitWanted) == 0)
        {
            return null;
        }

        // Encoded as for wait(2): the exit status in the second byte, or the signal in the low seven bits and the core bit.
        var status = *(int*)(info + exitCode);
        return (status & 0x7F) != 0 ? new Exit(true, status & 0x7F, (status & 0x80) != 0) : new Exit(false, (status >> 8) & 0xFF, false);
    }

    /// <summary>setns(2): moves the calling thread into a namespace of that type (CLONE_NEWNET and so on).</summary>
    public static SystemCallError? EnterNamespace(DescriptorHandle file, int type) =>
        Syscalls.setns(file.Number, type) == 0 ? null : SystemCallError.Last("setns");

    /// <summary>pidfd_send_signal(2): never reaches another process with a reused id. Linux 5.1.</summary>
    public static SystemCallError? Signal(DescriptorHandle pidfd, int signal) =>
        Syscalls.syscall(424, pidfd.Number, signal, 0, 0) == 0 ? null : SystemCallError.Last("pidfd_send_signal");

    /// <summary>getsid(2): the session of any process, also of a zombie; -1 if there is no such process.</summary>
    public static int SessionOf(int pid) => Syscalls.getsid(pid);

    /// <summary>
    /// getrandom(2): at most 256 bytes, which the kernel returns in one piece. It waits only if the host has just booted.
    /// </summary>
    public static void FillRandom(Span<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            while (Syscalls.getrandom(first, (nuint)bytes.Length, 0) != bytes.Length)
            {
                if (errno != EINTR)
                {
                    throw new SystemCallException(SystemCallError.Last("getrandom"), "making a token");
                }
            }
        }
    }

    /// <summary>
    /// Whether the process behind a pidfd has not been reaped: signal 0 has no effect, and only ESRCH means that there is no
    /// process.
    /// </summary>
    public static bool IsThere(DescriptorHandle pidfd) => Signal(pidfd, 0)?.Errno != ESRCH;

    /// <summary>Whether the process behind a pidfd has exited, by poll(2); also true for a zombie.</summary>
    public static bool HasExited(DescriptorHandle pidfd)
    {
        pollfd exited = new() { fd = pidfd.Number, events = POLLIN };
        return poll(&exited, 1, 0) > 0;
    }

    /// <summary>kill(2); a negative pid is a process group.</summary>
    public static SystemCallError? Kill(int pid, int signal) =>
        kill(pid, signal) == 0 ? null : SystemCallError.Last("kill");

    /// <summary>pidfd_open(2). Linux 5.3.</summary>
    public static DescriptorHandle? OpenPidfd(int pid, out SystemCallError error)
    {
        var descriptor = (int)Syscalls.syscall(434, pid, 0, 0, 0);
        error = descriptor < 0 ? SystemCallError.Last("pidfd_open") : default;
        return descriptor < 0 ? null : new DescriptorHandle(descriptor);
    }

    /// <summary>
    /// The inode number of a pidfd, which identifies the process since boot; null where pidfds have no file system of their own
    /// (pidfs, Linux 6.9).
    /// </summary>
    public static ulong? PidfdInode(DescriptorHandle pidfd)
    {
        // PID_FS_MAGIC, linux/magic.h.
        const long pidfs = 0x50494446;
        return FilesAt.FileSystemOf(pidfd) == pidfs && Files.GetStatus(pidfd, out var status) is null ? status.Inode : null;
    }

    /// <summary>The same for this process.</summary>
    public static ulong? OwnPidfdInode
    {
        get
        {
            using var pidfd = OpenPidfd(CurrentPid, out _);
            return pidfd is null ? null : PidfdInode(pidfd);
        }
    }

    /// <summary>PR_SET_CHILD_SUBREAPER: orphaned processes of workers become our children, so we can reap them. Linux 3.4.</summary>
    public static SystemCallError? BecomeSubreaper() =>
        Syscalls.prctl(PrSetChildSubreaper, 1, 0, 0, 0) == 0 ? null : SystemCallError.Last("prctl");

    /// <summary>
    /// Resets SIGCHLD to its default. The runtime's handler, or an inherited SIG_IGN, would reap our children. The daemon
    /// watches children by pidfd and does not need the signal.
    /// </summary>
    public static void ResetChildSignal() => Reset(SIGCHLD);

    /// <summary>
    /// Resets SIGTERM and SIGHUP to their defaults; call it before handlers are registered. The parent may have ignored them
    /// (nohup(1)), and the runtime installs no handler for an ignored signal. An ignored SIGINT stays ignored: a shell without
    /// job control protects its background processes from Ctrl-C in this way.
    /// </summary>
    public static void ResetRequestSignals()
    {
        Reset(SIGTERM);
        Reset(SIGHUP);
    }

    /// <summary>
    /// Ignores SIGXFSZ, which ends the process at a write beyond RLIMIT_FSIZE. The write fails with EFBIG then, like one to a full disk.
    /// </summary>
    public static void IgnoreFileSizeSignal()
    {
        sigaction action = default;
        action.sa_handler = SIG_IGN;
        _ = LibC.sigaction(SIGXFSZ, &action, null);
    }

    private static void Reset(int signal)
    {
        sigaction action = default;
        _ = LibC.sigaction(signal, &action, null);
    }

    /// <summary>
    /// Unblocks all signals on the calling thread. The parent may have blocked some, execve() keeps the mask, and a SIGTERM
    /// would stay pending for ever. One thread that accepts a signal is enough for the process.
    /// </summary>
    public static void UnblockSignals()
    {
        const int setMask = 2; // SIG_SETMASK, asm-generic/signal-defs.h
        const int setSize = 128; // sizeof(sigset_t), glibc and musl
        var none = stackalloc byte[setSize];
        new Span<byte>(none, setSize).Clear();
        _ = Syscalls.pthread_sigmask(setMask, none, null);
    }

    /// <summary>How many descriptors this process may have: its soft RLIMIT_NOFILE.</summary>
    public static ulong DescriptorLimit()
    {
        const int noFile = 7; // RLIMIT_NOFILE, asm-generic/resource.h
        var limit = stackalloc ulong[2];
        return Syscalls.getrlimit(noFile, limit) == 0 ? limit[0] : ulong.MaxValue;
    }

    /// <summary>
    /// Whether setgroups(2) is permitted in this user namespace: a container that a user has made without newgidmap(1) denies it
    /// (user_namespaces(7)).
    /// </summary>
    public static bool MaySetGroups { get; } = ReadMaySetGroups();

    private static bool ReadMaySetGroups()
    {
        try
        {
            return File.ReadAllText("/proc/self/setgroups").Trim() != "deny";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static Exit? Wait(int type, uint id, int options)
    {
        var info = stackalloc byte[SigInfoSize];
        int done;
        if ((options & WNoWait) == 0)
        {
            Interlocked.Increment(ref _reapingsBegun);
        }

        do
        {
            new Span<byte>(info, SigInfoSize).Clear();
            done = Syscalls.waitid(type, id, info, options);
        }
        while (done != 0 && errno == EINTR);
        if ((options & WNoWait) == 0)
        {
            Interlocked.Increment(ref _reapingsEnded);
        }

        var code = *(int*)(info + SiCode);
        if (done != 0 || *(int*)(info + SiPid) == 0)
        {
            return null;
        }

        var status = *(int*)(info + SiStatus);
        const int CldExited = 1, CldDumped = 3;
        return new Exit(code != CldExited, status, code == CldDumped);
    }
}
