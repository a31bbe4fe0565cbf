using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Performance;

/// <summary>
/// Returns memory to the system after the start and each time the HTTP server stops. The daemon is idle most of the time and
/// would keep the memory of the configuration and of the last requests. On the loop. Measured by tests/Bench/RestBenchmark.
/// </summary>
internal sealed class IdleMemoryTrimmer(EventLoop loop) : IDeadline
{
    /// <summary>The delay after the start.</summary>
    public static readonly TimeSpan AfterStart = TimeSpan.FromSeconds(2);

    /// <summary>The delay after the stop of the HTTP server.</summary>
    public static readonly TimeSpan AfterService = TimeSpan.FromSeconds(1);

    /// <summary>How long finalizers have between both collections; clients are answered in that time.</summary>
    private static readonly TimeSpan BetweenCollections = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// A larger heap is not compacted, because the loop stands still meanwhile: some 1 ms for each MiB. With thousands of listeners it
    /// keeps what the collection in the background has freed.
    /// </summary>
    private const long MostCompacted = 12 * 1024 * 1024;

    private bool _isCollected;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <summary>Returns memory after a delay.</summary>
    public void Begin(TimeSpan after)
    {
        NextDeadline = loop.Now + after;
        _isCollected = false;
    }

    /// <summary>
    /// Returns garbage, objects with a finalizer included, and pages of the executable. Takes a few milliseconds.
    /// </summary>
    public void PassDeadline()
    {
        if (!_isCollected)
        {
            StartCollectionPause.End();
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
            (_isCollected, NextDeadline) = (true, loop.Now + BetweenCollections);
            return;
        }

        NextDeadline = null;
        if (GC.GetTotalMemory(forceFullCollection: false) <= MostCompacted)
        {
            GC.WaitForPendingFinalizers();
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }

        ProgramPages.Release();
    }
}
