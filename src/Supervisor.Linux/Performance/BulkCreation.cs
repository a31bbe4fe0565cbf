using Supervisor.Native;

namespace Supervisor.Linux.Performance;

/// <summary>
/// Prepares the process for making thousands of listeners in a row. Justified by the benchmark "listeners" (tests/Bench.Probe,
/// ListenersProbe).
/// </summary>
public static class BulkCreation
{
    /// <summary>
    /// Call before so many listeners are made, and dispose afterwards: no collection runs in between, and there is room for
    /// their descriptors.
    /// </summary>
    public static CollectionPause Prepare(int listeners)
    {
        const int many = 2048;
        if (listeners >= many)
        {
            // Growing the descriptor table makes the caller wait; the first listeners have room as it is.
            BackgroundThread.Start("table", 0, () => Descriptors.GrowTable(listeners));
        }

        // A handle with its history takes a third of it; the rest is the plan, and the event for the log.
        const int bytesEach = 3 * 1024;
        return CollectionPause.For(listeners, bytesEach);
    }
}
