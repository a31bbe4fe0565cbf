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

    public Rest(EventLoop loop) => NextDeadline = loop.Now + AfterStart;

    public TimeSpan? NextDeadline { get; private set; }

    public void PassDeadline()
    {
        NextDeadline = null;
        GiveBackMemory();
    }

    /// <summary>
    /// From now on until the first rest nothing is collected: whoever starts keeps most of what he makes, and workers wait for it.
    /// Where that takes more memory than it should, collecting begins again by itself.
    /// </summary>
    public static void BeginStart()
    {
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
            GC.EndNoGCRegion();
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        ProgramPages.Release();
    }
}
