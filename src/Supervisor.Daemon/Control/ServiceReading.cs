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
    public static ServiceReading Of(ServiceRunner runner, EventLoop loop)
    {
        var drains = new Dictionary<int, WorkerDrain>();
        foreach (var worker in runner.State.Workers)
        {
            if (worker.Pid is { } pid && runner.Drains.Of(worker.Id) is { } drain)
            {
                drains.Add(pid, drain);
            }
        }

        return new ServiceReading(
            ServiceDocuments.Service(runner, loop.Now, loop.Time.GetUtcNow()), new AcceptedConnections(runner.Generations.AllListeners),
            drains);
    }
}
