using System.Runtime;

namespace Supervisor.Daemon.Performance;

/// <summary>
/// No garbage collection while many workers are started: most of what is allocated for them stays, and they wait for it.
/// <see cref="IdleMemoryTrimmer"/> ends it. Measured by tests/Bench/StartBenchmark (200 workers).
/// </summary>
internal static class StartCollectionPause
{
    /// <summary>
    /// Bytes that may be allocated without a collection: hundreds of workers take some of these. Collecting begins again
    /// automatically when they are used up.
    /// </summary>
    private const long Budget = 16 * 1024 * 1024;

    private const int ManyWorkers = 32;

    /// <summary>With more listeners the region's first collection takes longer than it saves.</summary>
    private const int FewListeners = 256;

    /// <summary>Begins, where that many workers are worth it.</summary>
    public static void Begin(int workers, int listeners)
    {
        if (workers < ManyWorkers || listeners > FewListeners || GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            return;
        }

        try
        {
            GC.TryStartNoGCRegion(Budget);
        }
        catch (ArgumentOutOfRangeException)
        {
            // DOTNET_GCHeapHardLimit allows less.
        }
    }

    /// <summary>Ends it where it has not ended.</summary>
    public static void End()
    {
        if (GCSettings.LatencyMode != GCLatencyMode.NoGCRegion)
        {
            return;
        }

        try
        {
            GC.EndNoGCRegion();
        }
        catch (InvalidOperationException)
        {
            // Another thread has caused a collection in the meantime.
        }
    }
}
