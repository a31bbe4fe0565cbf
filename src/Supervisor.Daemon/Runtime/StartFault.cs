using System.ComponentModel;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Says what the host does not give to a program that starts. When the daemon serves, an exception that nothing handles is a fault of
/// the program and ends it with its stack.
/// </summary>
internal static class StartFault
{
    private const string Memory = "raise the limit of memory (ulimit -v, LimitAS=, MemoryMax=)";
    private const string Threads =
        "raise the limit of processes (ulimit -u, LimitNPROC=, TasksMax=, pids.max) or of memory (ulimit -v, LimitAS=)";

    private static bool _isOver;

    /// <summary>The start is over: what fails from now on is another fault.</summary>
    public static void End() => _isOver = true;

    /// <summary>What is missing before anything starts; null if nothing is. Main thread.</summary>
    public static string? Find()
    {
        var limit = Processes.DescriptorLimit();
        return limit <= DescriptorReserve.FromListeners
            ? $"cannot start: the limit of open files is {limit}, listend needs more than {DescriptorReserve.FromListeners}; "
                + "raise it (LimitNOFILE= in its unit, or ulimit -n)"
            : OwnProcess.CommandLine.Count == 0 ? "cannot start: /proc/self/cmdline cannot be read; mount -t proc proc /proc"
            : !ThreadReserve.TryMake() ? $"cannot start: the host permits no further thread; {Threads}"
            : null;
    }

    /// <summary>What the host refused to a start, with the remedy; null for any other fault, and when the start is over.</summary>
    public static string? Of(Exception exception)
    {
        if (_isOver)
        {
            return null;
        }

        for (var one = exception; one is not null; one = one.InnerException)
        {
            switch (one)
            {
                case SystemCallException failure:
                    return $"cannot start: {failure.Message}{After(failure.Remedy ?? Remedy(failure.Error.Errno))}";
                case OutOfMemoryException or ThreadStartException:
                    // The runtime knows no other reason than memory for a thread that does not start.
                    return $"cannot start: the host permits no further memory or thread; {Threads}";
                case Win32Exception failure when Remedy(failure.NativeErrorCode) is { } remedy:
                    return $"cannot start: {ErrnoNames.Name(failure.NativeErrorCode)}; {remedy}";
                case IOException failure when Remedy(failure.HResult) is { } remedy:
                    return $"cannot start: {ErrnoNames.Name(failure.HResult)}; {remedy}";
            }
        }

        return null;
    }

    private static string After(string? remedy) => remedy is null ? "" : $"; {remedy}";

    private static string? Remedy(int errno) => errno switch
    {
        KernelAbi.EMFILE => "raise the limit of open files (LimitNOFILE= in its unit, or ulimit -n)",
        KernelAbi.ENFILE => "raise the host's limit of open files (sysctl -w fs.file-max=N)",
        KernelAbi.EFBIG => "raise the limit of a file's size (ulimit -f, LimitFSIZE=)",
        KernelAbi.ENOMEM => Memory,
        KernelAbi.EAGAIN => Threads,
        _ => null,
    };
}
