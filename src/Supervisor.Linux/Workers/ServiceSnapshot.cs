using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Core.Workers;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Writes the service to the manifest, and restores a successor's service from it. The state continues as it is, each worker's
/// process is found again, and what happened in the meantime becomes ordinary events.
/// </summary>
public sealed class ServiceSnapshot
{
    private readonly ServiceContext _service;
    private readonly HookRunner _hooks;
    private readonly DemandWatch _demand;
    private IReadOnlyList<ServiceEvent> _missed = [];
    private ImmutableArray<HookEffect> _waitingHooks = [];
    private (WorkerIdentity? Identity, IdentityEntry? Entry) _identity;

    internal ServiceSnapshot(ServiceContext service, HookRunner hooks, DemandWatch demand) =>
        (_service, _hooks, _demand) = (service, hooks, demand);

    /// <summary>
    /// Raised when something of <see cref="Take"/> has changed that is not in the machine's state; the argument tells whether it has to
    /// be saved at once.
    /// </summary>
    public event Action<bool>? Noted;

    /// <summary>
    /// The service's entry for a successor, with the workers' output if <paramref name="withOutput"/> is set. What has not changed
    /// since the last time is the same object.
    /// </summary>
    public ServiceEntry Take(bool withOutput)
    {
        var (hook, waiting) = _hooks.Snapshot();
        return new ServiceEntry
        {
            State = _service.State,
            Blocked = _service.Requests.Blocked,
            Manual = _service.Requests.Manual,
            Identity = Identity(),
            Workers = Workers(),
            Stored =
            [
                .. _service.Stored.All.SelectMany(
                    slot => slot.Stored.Select(stored => new StoredEntry(slot.Slot, stored.Name, stored.KeepsHungUp))),
            ],
            Hook = hook,
            WaitingHooks = waiting,
            Pins = [.. _service.Generations.SnapshotPins(_service.Name, null)],
            Output = withOutput ? TakeOutput() : null,
        };
    }

    /// <summary>Adds all descriptors of the service for a successor; their owners keep them.</summary>
    public void AddDescriptors(OutgoingDescriptors descriptors)
    {
        AddStored(descriptors);
        AddPins(descriptors);
        _hooks.AddDescriptors(_service.Name, descriptors);
        foreach (var (id, process) in _service.Processes)
        {
            process.AddDescriptors(_service.Name, id, descriptors);
        }
    }

    /// <summary>Adds the descriptors of one worker; none if it has no process.</summary>
    public void AddDescriptors(int workerId, OutgoingDescriptors descriptors) =>
        _service.Processes.GetValueOrDefault(workerId)?.AddDescriptors(_service.Name, workerId, descriptors);

    /// <summary>Adds the descriptors that workers have stored.</summary>
    public void AddStored(OutgoingDescriptors descriptors)
    {
        foreach (var (slot, stored) in _service.Stored.All)
        {
            for (var i = 0; i < stored.Count; i++)
            {
                descriptors.Add(DescriptorKey.Stored(_service.Name, slot, i), stored[i].Descriptor);
            }
        }
    }

    /// <summary>Adds the files that its generations are pinned to.</summary>
    public void AddPins(OutgoingDescriptors descriptors)
    {
        foreach (var _ in _service.Generations.SnapshotPins(_service.Name, descriptors))
        {
        }
    }

    internal void Note(bool isUrgent) => Noted?.Invoke(isUrgent);

    /// <summary>
    /// Restores a predecessor's service as it was; <see cref="Resume"/> continues it. Call it before any other method.
    /// </summary>
    /// <param name="entry">What the predecessor knew.</param>
    /// <param name="descriptors">The descriptors that it handed over.</param>
    /// <param name="areChildren">Whether its workers are children of this process.</param>
    public void Restore(ServiceEntry entry, IncomingDescriptors descriptors, bool areChildren)
    {
        _service.Restore(areChildren ? entry.State : entry.State with
        {
            // No daemon was there to receive WATCHDOG=1.
            Workers =
            [
                .. entry.State.Workers.Select(worker => worker.WatchdogDeadline is null
                    ? worker
                    : worker with { WatchdogDeadline = _service.Loop.Now + worker.Watchdog }),
            ],
        });
        _service.Requests.Blocked = entry.Blocked;
        _service.Requests.Manual = entry.Manual ?? new ManualChanges();
        if (entry.Identity is { } identity)
        {
            _service.Generations.SetNext(_service.Generations.Next.Listeners,
                new WorkerIdentity(identity.Uid, identity.Gid, identity.Groups, [.. identity.Variables.Select(Variable)]));
        }

        _service.Generations.Restore(_service.State);
        foreach (var pin in entry.Pins)
        {
            _service.Generations.PinsOf(pin.Generation).Restore(_service.Name, pin, descriptors);
        }

        if (entry.Output is { } output)
        {
            _service.Output.Lines.Restore(output.Newest,
                [.. output.Items.Select(item => item.Deserialize(OutputLineJson.Default.OutputLine)!)]);
        }

        foreach (var slot in entry.Stored.GroupBy(stored => stored.Slot))
        {
            var index = 0;
            foreach (var stored in slot)
            {
                if (descriptors.TryTake(DescriptorKey.Stored(_service.Name, slot.Key, index++), out var descriptor)
                    && _service.Stored.Store(slot.Key, stored.Name, descriptor, stored.KeepsHungUp) is not null)
                {
                    _service.Disposer.Close(Disposer.OwnerOf(_service.Name), [descriptor]);
                }
            }
        }

        // Changes are reported when everything is restored: a missed exit may start a worker.
        var missed = new List<ServiceEvent>();
        foreach (var worker in entry.Workers)
        {
            if (Adopt(worker, descriptors, areChildren && !worker.IsForeign) is { } lost)
            {
                missed.Add(new WorkerEnded(worker.Id, lost));
            }
            else if (_service.State.Workers.Any(one => one.Id == worker.Id && one.Pid is null))
            {
                // Its program had not been executed yet.
                missed.Add(new WorkerSpawned(worker.Id, worker.Pid));
            }
        }

        foreach (var worker in _service.State.Workers.Where(worker => entry.Workers.All(known => known.Id != worker.Id)))
        {
            missed.Add(new WorkerEnded(worker.Id, ExitReason.NotStarted("a successor took over before its program ran")));
        }

        if (entry.Hook is { } hook && !_hooks.Adopt(_service.Name, hook, descriptors, _service.Orphans))
        {
            missed.Add(new HookEnded(hook.Hook.Hook, hook.Hook.Generation,
                $"{hook.Hook.Hook.Setting()} was lost with the daemon that ran it"));
        }

        _waitingHooks = entry.WaitingHooks;
        _missed = missed;
    }

    /// <summary>Continues: events that no daemon handled are handled now.</summary>
    public void Resume()
    {
        _demand.Update(_service.State);
        _service.Connections.Update(_service.State);
        foreach (var waiting in _waitingHooks)
        {
            _service.RunHook(waiting);
        }

        // The previous daemon may have been killed before it told the kernel.
        _service.Steering.Update(_service.State);
        _service.Ending.AwaitOrphans();
        _service.Drains.Resume();
        _service.Health.Update();
        _service.Limits.Update();
        foreach (var worker in _service.State.Workers
            .Where(worker => _service.Processes.TryGetValue(worker.Id, out var process) && process.IsHeldBack))
        {
            _service.Signals.SendOrHoldBack(new SignalEffect(worker, _service.State.SpecOf(worker.Generation).StopSignal));
        }

        foreach (var (id, process) in _service.Processes.Where(pair => pair.Value.IsEnding).ToArray())
        {
            _service.Cleanup.Resume(id, process);
        }

        _service.Limits.ReportLost();
        foreach (var what in _missed)
        {
            _service.Post(what);
        }

        (_missed, _waitingHooks) = ([], []);
    }

    /// <summary>
    /// Continues with the process of a connection that a killed daemon had not saved; false if the service serves no connections, the
    /// process has exited, or is another user's than the service's: the worker of another service may imitate a token.
    /// </summary>
    public bool AdoptConnection(int pid, string token)
    {
        if (!_service.State.AcceptsConnections
            || _service.Generations.Of(_service.State.Generation).Identity is not { } identity
            || FoundConnection.Entry(_service.State.NextWorkerId, pid, token, _service.Loop.Time.GetUtcNow()) is not { } entry
            || entry.Uid != (identity.Uid ?? Processes.EffectiveUid))
        {
            return false;
        }

        _service.Post(new ConnectionFound(FoundConnection.Peer(_service, pid), pid));
        if (Adopt(entry, new IncomingDescriptors(), isChild: false) is { } lost)
        {
            _service.Post(new WorkerEnded(entry.Id, lost));
        }

        Note(isUrgent: true);
        return true;
    }

    /// <summary>Continues with a worker's process; if it has exited, returns how.</summary>
    private ExitReason? Adopt(WorkerEntry entry, IncomingDescriptors descriptors, bool isChild)
    {
        var worker = _service.Worker(entry.Id);
        var isEnding = worker?.MainExit is not null;
        var pidfd = descriptors.Take(DescriptorKey.Process(_service.Name, entry.Id))
            ?? (isEnding ? Files.EndedPipe() : OpenSame(entry.Pid, entry.StartTime));
        if (pidfd is null || worker is null)
        {
            pidfd?.Dispose();
            const string unseen = "exited while no daemon watched it";
            return new ExitReason(
                false, worker is not null && _service.Limits.Lost(worker, entry) is { } memory ? $"{unseen}, {memory}" : unseen);
        }

        // The process of a connection has none, and its output is the connection.
        var notify = entry.NotifyPath.Length == 0 ? null
            : descriptors.TryTake(DescriptorKey.Notify(_service.Name, entry.Id), out var socket)
            ? NotifySocket.Adopt(entry.NotifyPath, socket, _service.Disposer, Disposer.OwnerOf(_service.Name))
            : NotifySocket.Create(entry.NotifyPath, _service.Generations.Of(worker.Generation).Identity?.Uid, out _, _service.Disposer,
                Disposer.OwnerOf(_service.Name));
        if (notify is null && entry.NotifyPath.Length > 0)
        {
            pidfd.Dispose();
            return new ExitReason(false, "lost its notify socket");
        }

        var read = descriptors.Take(DescriptorKey.Output(_service.Name, entry.Id)) ?? (notify is null ? null : Files.EndedPipe());
        var output = read is null ? null
            : new OutputPipe(read, piece => _service.Watching.TakeOutput(worker, entry.Pid, piece, isError: false), entry.OutputRest);
        var error = new OutputPipe(
            descriptors.Take(DescriptorKey.Error(_service.Name, entry.Id)) ?? Files.EndedPipe(),
            piece => _service.Watching.TakeOutput(worker, entry.Pid, piece, isError: true), entry.ErrorRest);
        var process = new WorkerProcess(
            entry, pidfd, descriptors.Take(DescriptorKey.First(_service.Name, entry.Id)), notify, output, error, _service.Orphans,
            isChild, _service.Spawner.Adopt, _service.Generations.Of(worker.Generation).Identity?.Uid ?? Processes.EffectiveUid);
        if (entry.Sockets is { } inodes)
        {
            var sockets = _service.Generations.Of(worker.Generation).Listeners.SelectMany(
                handle => handle.Sockets.Concat(handle.Leaving));
            process.Sockets = [.. sockets.Where(socket => inodes.Contains(socket.Inode))];
        }

        process.Ready = descriptors.Take(DescriptorKey.Ready(_service.Name, entry.Id)) is { } ready ? new ReadyPipe(ready) : null;
        process.Einhorn = EinhornSocket.Adopt(_service.Name, entry.Id, descriptors, _service.Disposer, Disposer.OwnerOf(_service.Name));
        _service.Processes.Add(entry.Id, process);
        _service.Limits.Adopted(process);
        if (isEnding)
        {
            process.BeginEnd(worker.MainExit);
            _service.Watching.AttachOutput(process);
            return null;
        }

        _service.Watching.Attach(entry.Id, process);
        if (process.Main.First is { } first)
        {
            _service.Loop.Watch(first, () => _service.Ending.FirstEnded(process));
        }

        if (worker.Phase == WorkerPhase.Starting)
        {
            _service.Watching.WatchReadiness(entry.Id, process);
        }

        return null;
    }

    /// <summary>A pidfd of that process, unless the id belongs to another process by now.</summary>
    private static DescriptorHandle? OpenSame(int pid, ulong startTime)
    {
        var pidfd = Processes.OpenPidfd(pid, out _);
        if (pidfd is not null && startTime != 0 && ProcFile.Read(pid)?.StartTime != startTime)
        {
            pidfd.Dispose();
            return null;
        }

        return pidfd;
    }

    private IdentityEntry? Identity()
    {
        var identity = _service.Generations.Next.Identity;
        if (!ReferenceEquals(identity, _identity.Identity))
        {
            _identity = (identity, identity is null ? null : new IdentityEntry
            {
                Uid = identity.Uid,
                Gid = identity.Gid,
                Groups = identity.Groups?.ToArray(),
                Variables = [.. identity.Variables.Select(pair => $"{pair.Key}={pair.Value}")],
            });
        }

        return _identity.Entry;
    }

    /// <summary>The workers' processes, the oldest first: a dictionary changes the order of its elements.</summary>
    private ImmutableArray<WorkerEntry> Workers()
    {
        var workers = new WorkerEntry[_service.Processes.Count];
        var count = 0;
        foreach (var (id, process) in _service.Processes)
        {
            workers[count++] = process.Snapshot(id);
        }

        Array.Sort(workers, static (one, other) => one.Id.CompareTo(other.Id));
        return ImmutableCollectionsMarshal.AsImmutableArray(workers);
    }

    private StreamEntry TakeOutput()
    {
        var (lines, _, _) = _service.Output.Lines.After(0, int.MaxValue);
        return new StreamEntry(_service.Output.Lines.Newest,
            [.. lines.Select(line => JsonSerializer.SerializeToElement(line, OutputLineJson.Default.OutputLine))]);
    }

    private static KeyValuePair<string, string> Variable(string text)
    {
        var end = text.IndexOf('=', StringComparison.Ordinal);
        return new(text[..end], text[(end + 1)..]);
    }
}
