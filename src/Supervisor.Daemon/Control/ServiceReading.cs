using Supervisor.Control;
using Supervisor.Core.Workers;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>
/// What the loop knows for the document of one service. <see cref="ServiceUsage"/> adds what the kernel knows, on another thread.
/// </summary>
/// <param name="Document">The document, without connections and resources.</param>
/// <param name="Question">The listeners whose connections its workers may have.</param>
/// <param name="Drains">The facts about draining workers, by process id.</param>
internal sealed record ServiceReading(ServiceDocument Document, AcceptedConnections Question, Dictionary<int, WorkerDrain> Drains)
{
    /// <summary>Reads the service. On the loop.</summary>
    /// <param name="runner">The service.</param>
    /// <param name="loop">The loop.</param>
    /// <param name="overflows">Notices what the kernel drops at its listeners.</param>
    /// <param name="wall">The time of the loop's clock in the document; null for the present time.</param>
    public static ServiceReading Of(ServiceRunner runner, EventLoop loop, OverflowWatch overflows, DateTimeOffset? wall = null)
    {
        var drains = new Dictionary<int, WorkerDrain>();
        foreach (var worker in runner.State.Workers)
        {
            if (worker.Pid is { } pid && runner.Drains.Of(worker.Id) is { } drain)
            {
                drains.Add(pid, drain);
            }
        }

        var document = ServiceDocuments.Service(runner, loop.Now, wall ?? loop.Time.GetUtcNow());
        return new ServiceReading(
            document with { Drops = Drops(runner, overflows) }, new AcceptedConnections(runner.Generations.AllListeners),
            drains);
    }

    private static List<DropsDocument> Drops(ServiceRunner runner, OverflowWatch overflows)
    {
        var drops = new List<DropsDocument>();
        foreach (var handle in runner.Generations.Next.Listeners)
        {
            if (overflows.Look(handle) is > 0 and var dropped)
            {
                drops.Add(new DropsDocument(handle.Name, dropped));
            }
        }

        return drops;
    }
}
