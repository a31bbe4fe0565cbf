using Supervisor.Core.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>The processes of a service's workers, for questions from outside. Lives on the loop.</summary>
public sealed class WorkerTable
{
    private readonly ServiceContext _service;

    internal WorkerTable(ServiceContext service) => _service = service;

    /// <summary>The facts that identify each living worker's processes.</summary>
    public IEnumerable<WorkerFacts> Facts => _service.Processes.Values.Where(process => !process.IsEnding).Select(process => process.Facts);

    /// <summary>The tokens of all workers, also of those of which only other processes than the main process remain.</summary>
    public IEnumerable<string> Tokens => _service.Processes.Values.Select(process => process.Token).Where(token => token.Length > 0);

    /// <summary>The process of a worker; null if there is none.</summary>
    public WorkerProcess? Process(int workerId) => _service.Processes.GetValueOrDefault(workerId);

    /// <summary>Whether the workers are, or were last, started as that user.</summary>
    public bool RunAs(uint uid) =>
        (_service.Generations.Next.Identity is { } identity && (identity.Uid ?? Processes.EffectiveUid) == uid)
        || _service.Processes.Values.Any(process => process.Uid == uid);

    /// <summary>The paths of the workers' notify sockets, and of their other sockets in that directory.</summary>
    public IEnumerable<string> NotifySockets => _service.Processes.Values
        .SelectMany(process => (string?[])[process.Notify?.Path, process.Einhorn?.Path]).OfType<string>();

    /// <summary>Makes the files of notify sockets again that another program has removed.</summary>
    public void RestoreNotifySockets()
    {
        foreach (var process in _service.Processes.Values)
        {
            process.Notify?.Restore(process.Uid);
            process.Einhorn?.Restore(process.Uid);
        }
    }
}
