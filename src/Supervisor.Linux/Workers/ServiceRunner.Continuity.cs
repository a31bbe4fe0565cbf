using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Core.Workers;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The service in the manifest, and its succession: the state goes on as it is, each worker's process is found again, and
/// what happened to it meanwhile is an event like any other.
/// </summary>
public sealed partial class ServiceRunner
{
    private IReadOnlyList<ServiceEvent> _missed = [];
    private ImmutableArray<HookEffect> _waitingHooks = [];

    /// <summary>The service for a successor; its descriptors among <paramref name="descriptors"/> where they are asked for, what its workers have written with <paramref name="withOutput"/>.</summary>
    public ServiceEntry Keep(OutgoingDescriptors? descriptors, bool withOutput)
    {
        var stored = ImmutableArray.CreateBuilder<StoredEntry>();
        foreach (var (slot, of) in _stored.All)
        {
            for (var i = 0; i < of.Count; i++)
            {
                stored.Add(new StoredEntry(slot, of[i].Name));
                descriptors?.Add(DescriptorKey.Stored(Name, slot, i), of[i].Descriptor);
            }
        }

        var (hook, waiting) = _hooks.Keep(Name, descriptors);
        return new ServiceEntry
        {
            State = State,
            Blocked = Blocked,
            Identity = _wanted.Identity is { } identity
                ? new IdentityEntry { Uid = identity.Uid, Gid = identity.Gid, Groups = identity.Groups?.ToArray(), Variables = [.. identity.Variables.Select(pair => $"{pair.Key}={pair.Value}")] }
                : null,
            Workers = [.. _processes.Select(pair => pair.Value.Keep(Name, pair.Key, descriptors))],
            Stored = stored.ToImmutable(),
            Hook = hook,
            WaitingHooks = waiting,
            Output = withOutput ? KeepOutput() : null,
        };
    }

    /// <summary>Takes over a predecessor's service, as it was; <see cref="Resume"/> goes on with it. Before anything else is asked of this runner.</summary>
    /// <param name="entry">What the predecessor knew.</param>
    /// <param name="descriptors">What it has left.</param>
    /// <param name="areChildren">Whether its workers are children of this process.</param>
    public void Restore(ServiceEntry entry, IncomingDescriptors descriptors, bool areChildren)
    {
        State = areChildren ? entry.State : entry.State with
        {
            // What was said to a daemon that was not there was heard by nobody.
            Workers = [.. entry.State.Workers.Select(worker => worker.WatchdogDeadline is null ? worker : worker with { WatchdogDeadline = _loop.Now + worker.Watchdog })],
        };
        Blocked = entry.Blocked;
        if (entry.Identity is { } identity)
        {
            _wanted = _wanted with { Identity = new WorkerIdentity(identity.Uid, identity.Gid, identity.Groups, [.. identity.Variables.Select(Variable)]) };
        }

        RestoreMeans();

        if (entry.Output is { } output)
        {
            _log.Lines.Restore(output.Newest, [.. output.Items.Select(item => item.Deserialize(OutputLineJson.Default.OutputLine)!)]);
        }

        foreach (var slot in entry.Stored.GroupBy(stored => stored.Slot))
        {
            var index = 0;
            foreach (var stored in slot)
            {
                if (descriptors.TryTake(DescriptorKey.Stored(Name, slot.Key, index++), out var descriptor) && _stored.Store(slot.Key, stored.Name, descriptor) is not null)
                {
                    _disposer.Close(Disposer.OwnerOf(Name), [descriptor]);
                }
            }
        }

        // Changes are told when everything stands: an end that was missed may start a worker.
        var missed = new List<ServiceEvent>();
        foreach (var worker in entry.Workers)
        {
            if (Adopt(worker, descriptors, areChildren && !worker.IsForeign) is { } lost)
            {
                missed.Add(new WorkerEnded(worker.Id, lost));
            }
            else if (State.Workers.Any(one => one.Id == worker.Id && one.Pid is null))
            {
                // It was on its way to its program.
                missed.Add(new WorkerSpawned(worker.Id, worker.Pid));
            }
        }

        foreach (var worker in State.Workers.Where(worker => entry.Workers.All(known => known.Id != worker.Id)))
        {
            missed.Add(new WorkerEnded(worker.Id, ExitReason.NotStarted("the daemon was succeeded meanwhile")));
        }

        if (entry.Hook is { } hook && !_hooks.Adopt(Name, hook, descriptors, _orphans))
        {
            missed.Add(new HookEnded(hook.Hook.Hook, hook.Hook.Generation, $"{hook.Hook.Hook.Setting()} was lost with the daemon that ran it"));
        }

        _waitingHooks = entry.WaitingHooks;
        _missed = missed;
    }

    /// <summary>
    /// What each generation that lives is spawned with: its own listeners by their names, and its user. The manifest has
    /// only the newest generation's; that of another one is looked up when it spawns.
    /// </summary>
    private void RestoreMeans()
    {
        _means.Clear();
        foreach (var (generation, spec) in State.Specs)
        {
            var listeners = spec.Listeners.Select(name => _wanted.Listeners.FirstOrDefault(handle => handle.Name == name)).ToArray();
            var isSame = spec.User == State.Spec.User && spec.Group == State.Spec.Group && spec.SupplementaryGroups.SequenceEqual(State.Spec.SupplementaryGroups);
            _means.Add(generation, new GenerationResources(
                listeners.Any(handle => handle is null) ? _wanted.Listeners : listeners!,
                isSame ? _wanted.Identity : null));
        }
    }

    /// <summary>Goes on: what the predecessor has missed happens now.</summary>
    public void Resume()
    {
        foreach (var waiting in _waitingHooks)
        {
            RunHook(waiting);
        }

        ResumeDrains();
        foreach (var worker in State.Workers.Where(worker => _processes.TryGetValue(worker.Id, out var process) && process.IsHeldBack))
        {
            Send(new SignalEffect(worker, State.SpecOf(worker.Generation).StopSignal));
        }

        _demand.Follow(State);
        foreach (var what in _missed)
        {
            Post(what);
        }

        (_missed, _waitingHooks) = ([], []);
    }

    /// <summary>Whether a hook runs: how it ends decides something, and only who has started it is sure to learn that.</summary>
    public bool RunsHook => !_hooks.IsIdle;

    /// <summary>Whether a notify socket at that path is one of the workers'.</summary>
    public bool HasNotifySocket(string path) => _processes.Values.Any(process => process.Notify.Path == path);

    /// <summary>Goes on with a worker's process; where it is gone, how it ended.</summary>
    private ExitReason? Adopt(WorkerEntry entry, IncomingDescriptors descriptors, bool isChild)
    {
        var pidfd = descriptors.Take(DescriptorKey.Process(Name, entry.Id)) ?? OpenSame(entry.Pid, entry.StartTime);
        if (pidfd is null || State.Workers.FirstOrDefault(one => one.Id == entry.Id) is not { } worker)
        {
            pidfd?.Dispose();
            return new ExitReason(false, "ended while no daemon watched it");
        }

        var notify = descriptors.TryTake(DescriptorKey.Notify(Name, entry.Id), out var socket)
            ? NotifySocket.Adopt(entry.NotifyPath, socket, _disposer, Disposer.OwnerOf(Name))
            : NotifySocket.Create(entry.NotifyPath, MeansOf(worker.Generation).Identity?.Uid, out _, _disposer, Disposer.OwnerOf(Name));
        if (notify is null)
        {
            pidfd.Dispose();
            return new ExitReason(false, "has no notify socket any more");
        }

        var process = new WorkerProcess(
            entry,
            pidfd,
            descriptors.Take(DescriptorKey.First(Name, entry.Id)),
            notify,
            new OutputPipe(descriptors.Take(DescriptorKey.Output(Name, entry.Id)) ?? Files.EndedPipe(), line => _log.Output(worker, entry.Pid, line, isError: false), entry.OutputRest),
            new OutputPipe(descriptors.Take(DescriptorKey.Error(Name, entry.Id)) ?? Files.EndedPipe(), line => _log.Output(worker, entry.Pid, line, isError: true), entry.ErrorRest),
            _orphans,
            isChild,
            _spawner.Cgroups,
            MeansOf(worker.Generation).Identity?.Uid ?? Processes.EffectiveUid);
        if (entry.Sockets is { } inodes)
        {
            process.Sockets = [.. MeansOf(worker.Generation).Listeners.SelectMany(handle => handle.Sockets.Concat(handle.Leaving)).Where(socket => inodes.Contains(socket.Inode))];
        }

        _processes.Add(entry.Id, process);
        Attach(entry.Id, process);
        if (process.First is { } first)
        {
            _loop.Watch(first, () => FirstEnded(process));
        }

        if (worker.Phase == WorkerPhase.Starting)
        {
            LookAt(entry.Id, process);
        }

        return null;
    }

    /// <summary>A pidfd of that process, if the id has not been given to another one since.</summary>
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

    private StreamEntry KeepOutput()
    {
        var (lines, _, _) = _log.Lines.After(0, int.MaxValue);
        return new StreamEntry(_log.Lines.Newest, [.. lines.Select(line => JsonSerializer.SerializeToElement(line, OutputLineJson.Default.OutputLine))]);
    }

    private static KeyValuePair<string, string> Variable(string text)
    {
        var end = text.IndexOf('=', StringComparison.Ordinal);
        return new(text[..end], text[(end + 1)..]);
    }
}
