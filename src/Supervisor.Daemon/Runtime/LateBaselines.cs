using System.Diagnostics;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Reads the sockets of a previous daemon when this one serves, in slices: with thousands of listeners that takes longer than clients
/// should wait. A listener that gets to a worker before is read then. On the loop.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="handles">The listeners.</param>
internal sealed class LateBaselines(EventLoop loop, IReadOnlyList<ListenerHandle> handles)
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(2);

    private int _next;

    /// <summary>Reads as many as fit into a slice, and the others in later turns.</summary>
    public void Continue()
    {
        var begun = Stopwatch.GetTimestamp();
        while (_next < handles.Count)
        {
            handles[_next++].RecordBaseline();
            if (Stopwatch.GetElapsedTime(begun) > Slice)
            {
                loop.Post(Continue);
                return;
            }
        }
    }
}
