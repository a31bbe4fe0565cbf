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

    public Rest(EventLoop loop) => NextDeadline = loop.Now + AfterStart;

    public TimeSpan? NextDeadline { get; private set; }

    public void PassDeadline()
    {
        NextDeadline = null;
        GiveBackMemory();
    }

    /// <summary>Gives garbage, also what waits for a finalizer, and the program's own untouched pages back to the system: a few milliseconds.</summary>
    public static void GiveBackMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        ProgramPages.Release();
    }
}
