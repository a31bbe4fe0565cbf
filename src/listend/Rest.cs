using System.Runtime;
using Supervisor.Linux;
using Supervisor.Native;

namespace Supervisor.Daemon;

/// <summary>
/// The daemon rests nearly always, and what it touched to get there (reading the configuration, making listeners, an HTTP
/// server for one request) would stay its memory for ever. Once after the start, this gives it back.
/// </summary>
internal sealed class Rest : IDeadline
{
    private static readonly TimeSpan AfterStart = TimeSpan.FromSeconds(2);

    /// <summary>Bytes that may be allocated until the first rest without a collection: hundreds of workers take some of these.</summary>
    private const long BytesToStart = 16 * 1024 * 1024;

    private const int ManyWorkers = 32;
    private const int FewListeners = 256;

    public Rest(EventLoop loop) => NextDeadline = loop.Now + AfterStart;

    public TimeSpan? NextDeadline { get; private set; }

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
    public static void GiveBackMemory()
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
