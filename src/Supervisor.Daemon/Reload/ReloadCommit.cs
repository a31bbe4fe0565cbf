using System.Collections.Immutable;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reload;

/// <summary>The step of a reload that changes the running daemon: listeners first, then services. It cannot fail.</summary>
internal sealed class ReloadCommit(
    ReloadContext daemon, RetiredSockets retired, List<ServiceRunner> removed, PreparedSockets prepared,
    Dictionary<string, WorkerIdentity> identities)
{
    private readonly List<string> _warnings = [];

    /// <summary>What was not applied as written.</summary>
    public List<string> Warnings => _warnings;

    public void Listeners(IEnumerable<ListenerStep> steps) =>
        daemon.Listeners.Set([.. steps.Select(Commit).OfType<ListenerHandle>()]);

    /// <summary>In the order of <c>after</c>.</summary>
    public void Services(IEnumerable<PlannedService> services)
    {
        foreach (var diff in StartOrder.Sort(
            [.. services.Select(service => service.Diff)], diff => diff.Name, diff => diff.After?.After ?? []))
        {
            Commit(diff);
        }
    }

    /// <summary>The new handle of the listener; null if it is removed.</summary>
    private ListenerHandle? Commit(ListenerStep step)
    {
        if (step.Diff.After is not { } after)
        {
            daemon.Conflicts.Forget(step.Handle!);
            retired.Add(step.Handle!, null, null);
            return null;
        }

        if (prepared.Of(step) is { } made)
        {
            if (step.Handle is { } former)
            {
                retired.Add(former, made, prepared.BridgeTo(made));
            }
            else
            {
                daemon.Events.Watch(made);
            }

            SocketTakers.Record(made);
            return made;
        }

        var handle = step.Handle!;
        if (handle.Descriptor is not null)
        {
            daemon.Conflicts.Forget(handle);
            var isRenewed = Mend(handle, step.Planned.Former!.Mends);
            if (!isRenewed && handle.Drift.FirstOrDefault(change => change.Name == SocketChange.File) is not null)
            {
                _warnings.Add($"listener {after.Name}: {daemon.Drift.FileFinding(handle)}: listenctl history {after.Name} says why");
            }
        }
        else if (!daemon.Conflicts.Awaits(handle))
        {
            _warnings.Add($"listener {after.Name}: still has no socket: {handle.Diagnosis?.Verdict ?? handle.Failure?.ToString()}");
        }

        if (!step.Diff.IsUnchanged)
        {
            daemon.Drift.Check(handle);
            if (step.Diff.ChangesShards && handle.Sockets.Count > after.Shards)
            {
                daemon.Factory.Shards.Shrink(handle, after.Shards, daemon.Loop.Now);
            }

            _warnings.AddRange(daemon.Factory.Reconfigurer.Change(handle, after).Select(refused => $"listener {after.Name}: {refused}"));
        }

        return handle;
    }

    /// <summary>
    /// Sets right what the plan has found. A path that did not answer is looked at again. Whether the listener gets another socket soon.
    /// </summary>
    private bool Mend(ListenerHandle handle, IReadOnlyCollection<ListenerMend> mends)
    {
        if (mends.Any(mend => mend.Setting == RunningState.BacklogSetting))
        {
            daemon.Factory.Reconfigurer.RaiseBacklog(handle);
        }

        return (mends.Any(mend => mend.Setting == RunningState.FileSetting) || handle.IsPathSilent || handle.HasDrifted)
            && daemon.Drift.CheckFile(handle, isAsked: true);
    }

    private void Commit(ServiceDiff diff)
    {
        var runner = daemon.Services.Find(diff.Name);
        if (diff.After is not { } after)
        {
            removed.Add(runner!);
            runner!.Post(new StopRequested());
            return;
        }

        if (runner is null)
        {
            var added = daemon.Services.Add(after);
            daemon.Events.Watch(added);
            added.Requests.Activate();
            return;
        }

        var moved = IsMoved(runner.Generations.Next.Listeners, after.Listeners);
        var returns = removed.Remove(runner);
        if (moved && runner.IsDemanded)
        {
            // The worker that it starts serves what waits in the old socket.
            runner.Post(new DemandArrived());
        }

        if (!diff.IsUnchanged || moved || returns)
        {
            runner.Requests.Change(
                after, [.. after.Listeners.Select(name => daemon.Listeners.Find(name)!)], identities[after.Name],
                diff.NeedsNewWorkers || moved || (returns && !ServiceReloadImpact.SameWorker(runner.State.Spec, after)));
        }

        if (returns || (runner.State.AwaitsDemand && after.Start == StartMode.Now))
        {
            runner.Requests.Activate();
        }
    }

    /// <summary>Whether these names lead to other listeners than before.</summary>
    private bool IsMoved(IReadOnlyList<ListenerHandle> before, ImmutableArray<string> names)
    {
        for (var i = 0; i < names.Length; i++)
        {
            if (i >= before.Count || daemon.Listeners.Find(names[i]) != before[i])
            {
                return true;
            }
        }

        return names.Length != before.Count;
    }
}
