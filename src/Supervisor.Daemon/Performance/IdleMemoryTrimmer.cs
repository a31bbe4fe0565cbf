using System.Runtime;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Performance;

/// <summary>
/// The daemon rests nearly always, and what it touched to get there (reading the configuration, making listeners, an HTTP
/// server for one request) would stay its memory for ever. This gives it back, once after the start and once after each time
/// that the control socket was served: on the loop, when all else has ended, since what runs afterwards comes back.
/// </summary>
internal sealed class IdleMemoryTrimmer(EventLoop loop) : IDeadline
{
    /// <summary>How long after the start.</summary>
    public static readonly TimeSpan AfterStart = TimeSpan.FromSeconds(2);

    /// <summary>How long after the HTTP server has been stopped.</summary>
    public static readonly TimeSpan AfterService = TimeSpan.FromSeconds(1);

    /// <summary>Bytes that may be allocated until the first rest without a collection: hundreds of workers take some of these.</summary>
    private const long BytesToStart = 16 * 1024 * 1024;

    private const int ManyWorkers = 32;
    private const int FewListeners = 256;

    public TimeSpan? NextDeadline { get; private set; }

    /// <summary>Gives back what there is to give back after so long. On the loop.</summary>
    public void Begin(TimeSpan after) => NextDeadline = loop.Now + after;

    public void PassDeadline()
    {
        NextDeadline = null;
        GiveBackMemory();
    }

    /// <summary>
    /// From now on until the first rest nothing is collected, where many workers are about to be started: most of what is made for
    /// them stays, and they wait for it. Where that takes more memory than it should, collecting begins again by itself. Not
    /// beside thousands of listeners, all of which would be looked at to begin with.
    /// </summary>
    public static void BeginStart(int workers, int listeners)
    {
        if (workers < ManyWorkers || listeners > FewListeners || GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            return;
        }

        try
        {
            GC.TryStartNoGCRegion(BytesToStart);
        }
        catch (ArgumentOutOfRangeException)
        {
            // DOTNET_GCHeapHardLimit allows less: then it is collected as ever.
        }
    }

    /// <summary>Gives garbage, also what waits for a finalizer, and the program's own untouched pages back to the system: a few milliseconds.</summary>
    private static void GiveBackMemory()
    {
        if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            try
            {
                GC.EndNoGCRegion();
            }
            catch (InvalidOperationException)
            {
                // Another thread has had the collection since.
            }
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        ProgramPages.Release();
    }
}
