using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Performance;

/// <summary>
/// Gives memory back to the system once after the start and once after each time that the control socket was served: the daemon is
/// idle nearly always, and would keep what reading the configuration and an HTTP server for one request have touched. On the loop.
/// Measured by
/// tests/Bench/RestBenchmark.
/// </summary>
internal sealed class IdleMemoryTrimmer(EventLoop loop) : IDeadline
{
    /// <summary>How long after the start.</summary>
    public static readonly TimeSpan AfterStart = TimeSpan.FromSeconds(2);

    /// <summary>How long after the HTTP server has been stopped.</summary>
    public static readonly TimeSpan AfterService = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <summary>Gives memory back after that time.</summary>
    public void Begin(TimeSpan after) => NextDeadline = loop.Now + after;

    /// <summary>
    /// Gives back garbage, also what waits for a finalizer, and the program's own pages that were read once: a few milliseconds.
    /// </summary>
    public void PassDeadline()
    {
        NextDeadline = null;
        StartCollectionPause.End();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        ProgramPages.Release();
    }
}
