using Supervisor.Control;
using Supervisor.Linux.Evidence;

namespace Supervisor.Daemon.Control;

/// <summary>
/// How many connections each worker has open. The listeners are noted on the loop; sock_diag and /proc are asked beside it,
/// since a host may have many of either.
/// </summary>
internal sealed class ConnectionCounts
{
    private readonly Dictionary<string, AcceptedConnections> _questions;

    /// <summary>On the loop.</summary>
    public ConnectionCounts(Daemon daemon) =>
        _questions = daemon.Services.ToDictionary(runner => runner.Name, runner => new AcceptedConnections(runner.Listeners), StringComparer.Ordinal);

    /// <summary>The document with the counts; null stays where a worker may not be looked into. Any thread.</summary>
    public StatusDocument Fill(StatusDocument status) => status with { Services = [.. status.Services.Select(Fill)] };

    /// <summary>One service's.</summary>
    public ServiceDocument Fill(ServiceDocument service)
    {
        if (service.Listeners.Count == 0 || !_questions.TryGetValue(service.Name, out var question))
        {
            return service;
        }

        var found = question.Of(service.Workers.Where(worker => worker.Pid is not null).Select(worker => worker.Pid!.Value));
        return service with
        {
            Workers = [.. service.Workers.Select(worker => worker.Pid is { } pid && found.GetValueOrDefault(pid) is { } connections
                ? worker with { Connections = connections.Count }
                : worker)],
        };
    }
}
