using System.Runtime.InteropServices;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>Calls on descriptors themselves: duplicates, flags and the table.</summary>
public static class Descriptors
{
    /// <summary>
    /// dup3(2) with O_CLOEXEC: <paramref name="place"/> keeps its number and owner and becomes a duplicate of
    /// <paramref name="descriptor"/>.
    /// </summary>
    public static SystemCallError? DuplicateOnto(DescriptorHandle descriptor, DescriptorHandle place) =>
        Syscalls.dup3(descriptor.Number, place.Number, O_CLOEXEC) >= 0 ? null : SystemCallError.Last("dup3");

    /// <summary>
    /// Grows the process's descriptor table by <paramref name="descriptors"/> places in one step, up to RLIMIT_NOFILE. The
    /// table grows by doubling. While threads share it, the kernel waits at each step for an RCU grace period: 2 to 24 ms
    /// (fs/file.c, expand_fdtable, synchronize_rcu). Other threads continue if they need no new place, so a separate thread may
    /// call this. table.c reserves the first 4,096 places.
    /// </summary>
    public static void GrowTable(int descriptors)
    {
        using var some = Files.Open("/dev/null", O_RDONLY, 0, out _);
        if (some is not null)
        {
            var last = Math.Min((ulong)some.Number + (ulong)descriptors, Processes.DescriptorLimit() - 1);
            using var far = Duplicate(some, (int)Math.Min(last, int.MaxValue));
        }
    }

    private static DescriptorHandle? Duplicate(DescriptorHandle descriptor, int least)
    {
        var copy = fcntl(descriptor.Number, F_DUPFD_CLOEXEC, least);
        return copy < 0 ? null : new DescriptorHandle(copy);
    }

    /// <summary>fcntl(2) F_DUPFD_CLOEXEC: a second descriptor of the same open file, which the caller owns.</summary>
    public static DescriptorHandle? Duplicate(DescriptorHandle descriptor, out SystemCallError error)
    {
        var copy = fcntl(descriptor.Number, F_DUPFD_CLOEXEC, 3);
        error = copy < 0 ? SystemCallError.Last("fcntl") : default;
        return copy < 0 ? null : new DescriptorHandle(copy);
    }

    /// <summary>
    /// Duplicates a standard descriptor, 0 to 2, which has no handle; null if it is closed. The caller owns the duplicate.
    /// </summary>
    public static DescriptorHandle? Duplicate(int standard)
    {
        var copy = fcntl(standard, F_DUPFD_CLOEXEC, 3);
        return copy < 0 ? null : new DescriptorHandle(copy);
    }

    /// <summary>
    /// Whether two descriptors refer to one open file: kcmp(2) KCMP_FILE (Linux 3.5, CONFIG_KCMP). Also false if the kernel
    /// does not support the call.
    /// </summary>
    public static bool AreSame(DescriptorHandle one, DescriptorHandle other)
    {
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 312 : 272;
        return Syscalls.syscall5(number, Processes.CurrentPid, Processes.CurrentPid, 0, one.Number, other.Number) == 0;
    }

    /// <summary>fcntl(2) F_GETFL.</summary>
    public static SystemCallError? GetFlags(DescriptorHandle descriptor, out int flags)
    {
        flags = fcntl(descriptor.Number, F_GETFL);
        return flags >= 0 ? null : SystemCallError.Last("fcntl");
    }

    /// <summary>fcntl(2) F_SETFL with O_NONBLOCK added or removed. It applies to every descriptor of that open file.</summary>
    public static SystemCallError? SetNonBlocking(DescriptorHandle descriptor, bool value = true) =>
        GetFlags(descriptor, out var flags)
            ?? (fcntl(descriptor.Number, F_SETFL, value ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0
                ? null
                : SystemCallError.Last("fcntl"));

    /// <summary>Whether O_NONBLOCK is set.</summary>
    public static bool IsNonBlocking(DescriptorHandle descriptor) =>
        GetFlags(descriptor, out var flags) is null && (flags & O_NONBLOCK) != 0;

    /// <summary>fcntl(2) F_SETFD FD_CLOEXEC, for a descriptor that was received or inherited.</summary>
    public static SystemCallError? SetCloseOnExec(DescriptorHandle descriptor) =>
        fcntl(descriptor.Number, F_SETFD, FD_CLOEXEC) == 0 ? null : SystemCallError.Last("fcntl");
}
