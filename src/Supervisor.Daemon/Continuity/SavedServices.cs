using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Continuity;

/// <summary>The services as the saved state has them. Passes their descriptors to the holder. On the loop.</summary>
/// <param name="descriptors">Passes descriptors to their holder.</param>
internal sealed class SavedServices(CrashSafeDescriptors descriptors)
{
    private readonly Dictionary<ServiceRunner, ServiceEntry> _written = [];

    /// <summary>What has changed of a service. The holder gets its new descriptors at once.</summary>
    public ServiceChange Change(ServiceRunner runner)
    {
        var written = _written.GetValueOrDefault(runner);
        var entry = _written[runner] = runner.Snapshot.Take(withOutput: false);
        var before = written?.Workers ?? [];
        var (gone, set) = ListChange.Between(before, entry.Workers, static worker => worker.Id)
            ?? new ListChange<WorkerEntry, int>([.. before.Select(worker => worker.Id)], entry.Workers);
        foreach (var id in gone)
        {
            descriptors.Bring(DescriptorKey.OwnerOfWorker(entry.Name, id), new OutgoingDescriptors());
        }

        foreach (var worker in set)
        {
            var outgoing = new OutgoingDescriptors();
            runner.Snapshot.AddDescriptors(worker.Id, outgoing);
            descriptors.Bring(DescriptorKey.OwnerOfWorker(entry.Name, worker.Id), outgoing);
        }

        if (entry.Stored.Length > 0 || written?.Stored.Length > 0)
        {
            var outgoing = new OutgoingDescriptors();
            runner.Snapshot.AddStored(outgoing);
            descriptors.Bring(DescriptorKey.OwnerOfStored(entry.Name), outgoing);
        }

        if (!entry.Pins.AsSpan().SequenceEqual((written?.Pins ?? []).AsSpan()))
        {
            var outgoing = new OutgoingDescriptors();
            runner.Snapshot.AddPins(outgoing);
            descriptors.Bring(DescriptorKey.OwnerOfPins(entry.Name), outgoing);
        }

        return new ServiceChange(entry, written);
    }

    /// <summary>Whether the saved state has that state of a service, apart from the watchdogs, which a successor starts anew.</summary>
    public bool Has(ServiceRunner runner)
    {
        if (!_written.TryGetValue(runner, out var written))
        {
            return false;
        }

        var (saved, now) = (written.State, runner.State);
        return saved with { Workers = now.Workers } == now
            && saved.Workers.Length == now.Workers.Length
            && saved.Workers.Zip(now.Workers).All(pair => ReferenceEquals(pair.First, pair.Second) || IsSame(pair.First, pair.Second));
    }

    /// <summary>
    /// Whether a successor would come to the same. That the program of a connection was executed is what it concludes from a process that
    /// lives: no second entry for each of a thousand connections a second.
    /// </summary>
    private static bool IsSame(WorkerState saved, WorkerState now) =>
        saved with { WatchdogDeadline = null } == now with { WatchdogDeadline = null }
        || (saved is { Connection: not null, Phase: WorkerPhase.Starting, Pid: null } && now.Phase == WorkerPhase.Ready
            && ReferenceEquals(saved.Connection, now.Connection));

    /// <summary>Removes a service, with its descriptors.</summary>
    public void Remove(ServiceRunner runner)
    {
        if (!_written.Remove(runner, out var written))
        {
            return;
        }

        foreach (var worker in written.Workers)
        {
            descriptors.Bring(DescriptorKey.OwnerOfWorker(written.Name, worker.Id), new OutgoingDescriptors());
        }

        descriptors.Bring(DescriptorKey.OwnerOfStored(written.Name), new OutgoingDescriptors());
        descriptors.Bring(DescriptorKey.OwnerOfPins(written.Name), new OutgoingDescriptors());
    }

    /// <summary>Forgets everything: the holder has to get all descriptors again.</summary>
    public void Clear() => _written.Clear();

    /// <summary>The services that are still there when they are asked for.</summary>
    public IEnumerable<ServiceEntry> Entries(IReadOnlyList<ServiceRunner> runners)
    {
        foreach (var runner in runners)
        {
            if (_written.TryGetValue(runner, out var written))
            {
                yield return written;
            }
        }
    }
}
