using System.Runtime;

namespace Supervisor.Daemon.Performance;

/// <summary>
/// Pauses garbage collection while many workers start: most of their objects live on, and a collection would delay the
/// workers. <see cref="IdleMemoryTrimmer"/> ends the pause. Measured by tests/Bench/StartBenchmark (200 workers).
/// </summary>
internal static class StartCollectionPause
{
    /// <summary>
    /// The budget in bytes, more than hundreds of workers need. When it is used up, collections resume automatically.
    /// </summary>
    private const long Budget = 16 * 1024 * 1024;

    private const int ManyWorkers = 32;

    /// <summary>The limit of listeners: with more, the first collection of the region takes longer than the pause saves.</summary>
    private const int FewListeners = 256;

    /// <summary>Begins the pause if there are enough workers.</summary>
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

    /// <summary>Ends the pause if it has not ended.</summary>
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
