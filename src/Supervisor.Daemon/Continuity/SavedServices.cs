using System.Collections.Immutable;
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

    /// <summary>What the saved state lacks of a service, apart from the watchdogs, which a successor starts anew.</summary>
    public UnsavedChange Lacks(ServiceRunner runner)
    {
        if (!_written.TryGetValue(runner, out var written))
        {
            return UnsavedChange.Any;
        }

        var (saved, now) = (written.State, runner.State);
        if (saved with { Workers = now.Workers, Counters = now.Counters, NextWorkerId = now.NextWorkerId } != now)
        {
            return UnsavedChange.Any;
        }

        if (AreSame(saved.Workers, now.Workers) && saved.Counters == now.Counters && saved.NextWorkerId == now.NextWorkerId)
        {
            return UnsavedChange.None;
        }

        return AreSame([.. saved.SlotWorkers], [.. now.SlotWorkers]) ? UnsavedChange.Connections : UnsavedChange.Any;
    }

    private static bool AreSame(ImmutableArray<WorkerState> saved, ImmutableArray<WorkerState> now) => saved.Length == now.Length
        && saved.Zip(now).All(pair => ReferenceEquals(pair.First, pair.Second)
            || pair.First with { WatchdogDeadline = null } == pair.Second with { WatchdogDeadline = null });

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
