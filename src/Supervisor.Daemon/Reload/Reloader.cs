using System.Collections.Immutable;
using System.Globalization;
using Serilog;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Validation;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Validation;
using Supervisor.Linux;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// Reads the configuration again and applies the difference between it and what runs.
/// </summary>
/// <remarks>
/// Everything that can fail is done before anything is changed: the files are read and checked, users looked up, new
/// sockets bound beside the old ones. If one of these fails, what was made is closed again and all goes on as it was. What
/// is left cannot fail but in the way of any roll-out, which takes itself back.
/// A socket lives for as long as somebody has it or may get it: the one that a listener had before is closed when no
/// generation of workers is left that was given it; where the roll-out onto the new one is taken back, the old one is the
/// listener's again. On the loop, but for <see cref="Load"/>.
/// </remarks>
internal sealed class Reloader(ReloadContext daemon)
{
    private readonly List<RetiredSocket> _retired = [];
    private readonly ShardScaling _shards = new(daemon);
    private readonly List<ServiceRunner> _removed = [];
    private bool _sweeping;

    /// <summary>The services that the configuration has, without those that are on their way out.</summary>
    private IReadOnlyList<ServiceRunner> Services => [.. daemon.Services.Except(_removed)];

    /// <summary>Whether sockets or services of the former configuration still live.</summary>
    public bool IsUnderWay => _retired.Count > 0 || _removed.Count > 0;

    /// <summary>Reads and validates the files. Any thread but the loop, which must not wait for a disk.</summary>
    public ConfigResult Load()
    {
        if (daemon.Info.ConfigFile is not { } file)
        {
            return new ConfigResult(null, [new ConfigDiagnostic("command line", 0, 0, null, "there is no configuration file to read again", "start the daemon with --config, or restart it with other options")]);
        }

        return ConfigLoading.Load(file, Profile.Reload, ConfigLoading.Context with { IsGiven = daemon.Listeners.Given.Contains });
    }

    /// <summary>Applies what was read, or with <paramref name="dryRun"/> says what that would do.</summary>
    public ReloadDocument Apply(ConfigResult loaded, bool dryRun)
    {
        if (daemon.Lifecycle.IsShuttingDown || (daemon.Lifecycle.IsBeingSucceeded && !dryRun))
        {
            var why = daemon.Lifecycle.IsShuttingDown ? "listend is leaving: nothing is changed any more" : "the daemon is being replaced: reload again when that has ended";
            return Refused(dryRun, [new ConfigErrorDocument(daemon.Info.ConfigFile ?? "", 0, 0, null, why, null)], [], []);
        }

        if (loaded.Config is not { } config || !loaded.Errors.IsEmpty)
        {
            return Refused(dryRun, [.. loaded.Errors.Select(Documents.Error)], [], []);
        }

        if (!dryRun)
        {
            // A shard that a worker has shut down is made anew first: who stands where in the kernel's group is known then.
            foreach (var handle in daemon.Listeners.Handles.Where(handle => handle.Sockets.Count > 1).ToArray())
            {
                daemon.Drift.Check(handle);
            }
        }

        var plan = new ReloadPlan(daemon, config, loaded.Places, Services, _retired.Select(retired => retired.Former));
        if (dryRun)
        {
            plan.Probe(daemon.Factory.Evidence);
        }

        if (plan.Errors.Count > 0 || plan.Failures.Count > 0 || !loaded.Failures.IsEmpty)
        {
            return Refused(dryRun, [.. plan.Errors.Select(Documents.Error)], [.. loaded.Failures.Select(Documents.Failure), .. plan.Failures], plan.Actions);
        }

        if (dryRun)
        {
            return new ReloadDocument(DryRun: true, Applied: false, daemon.Info.ConfigFile, plan.Actions, [], [], Summary(plan, "would be"))
            {
                Warnings = [.. loaded.Warnings.Select(warning => warning.ToString())],
            };
        }

        if (!TryMake(plan, loaded.Places, out var made, out var bridges, out var failures))
        {
            return Refused(dryRun, [], failures, plan.Actions);
        }

        var warnings = Commit(plan, made, bridges);
        daemon.Config.Replace(config);
        var message = Summary(plan, "");
        daemon.Log.Kind(MessageIds.ReloadApplied).Information("reload: {Message}", message);
        foreach (var warning in warnings)
        {
            daemon.Log.Kind(MessageIds.ReloadWarning).Warning("reload: {Warning}", warning);
        }

        daemon.Events.Daemon("reloaded", "reload: " + message);
        return new ReloadDocument(DryRun: false, Applied: true, daemon.Info.ConfigFile, plan.Actions, [], [], message) { Warnings = warnings };
    }

    /// <summary>
    /// The configuration has changed while no daemon was there to read it. It is applied as any reload is, after the
    /// predecessor's has gone on: all of it or nothing.
    /// </summary>
    public void ApplyAtStart(ConfigResult wanted)
    {
        daemon.Log.Kind(MessageIds.ConfigChanged).Information("the configuration has changed since the last daemon read it: it is applied now");
        Accounts.LookUp(wanted.Draft).ContinueWith(_ => daemon.Loop.Post(() => ApplyNow(wanted)), TaskScheduler.Default);
    }

    private void ApplyNow(ConfigResult wanted)
    {
        var outcome = Apply(wanted, dryRun: false);
        foreach (var action in outcome.Actions.Where(action => outcome.Applied && action.Action != "unchanged"))
        {
            var subject = action.Name.Length == 0 ? action.Subject : $"{action.Subject} {action.Name}";
            About(action).Information("reload: {Subject}: {Action}{Settings}{Reason}", subject, action.Action, action.Settings.Count == 0 ? "" : $" ({string.Join(", ", action.Settings)})", action.Reason is { } reason ? $": {reason}" : "");
        }
    }

    /// <summary>A service has changed: sockets that nobody has any more are closed, services that are gone are let go.</summary>
    public void ServiceChanged()
    {
        _shards.ServiceChanged();
        foreach (var retired in _retired)
        {
            if (retired is { Bridge: { } bridge, Successor: { } successor } && IsServed(successor) && IsServed(retired.Former))
            {
                bridge.Share();
            }
        }

        if (!_sweeping && (_retired.Count > 0 || _removed.Count > 0))
        {
            _sweeping = true;
            daemon.Loop.Post(Sweep);
        }
    }

    /// <summary>
    /// A worker is to be asked to leave. Where it is the last one that accepts on a socket that goes away, new connections
    /// are first given to the other one, and it is asked once nobody waits in its queue any more.
    /// </summary>
    public bool Holds(ServiceRunner runner, WorkerState worker, Action ask)
    {
        if (daemon.Lifecycle.IsShuttingDown || worker.ReadyAt is null)
        {
            return false;
        }

        var shards = _shards.LastIn(runner, worker);
        var last = runner.ListenersOf(worker.Generation).Where(handle => _retired.Any(retired => retired.Former == handle || retired.Successor == handle) && !IsServed(handle)).ToArray();
        if (last.Length == 0 && shards.Count == 0)
        {
            return false;
        }

        foreach (var retired in _retired.Where(retired => retired.Bridge is not null))
        {
            if (last.Contains(retired.Former))
            {
                retired.Bridge!.Steer(retired.Successor!);
            }
            else if (last.Contains(retired.Successor))
            {
                retired.Bridge!.Steer(retired.Former);
            }
        }

        _ = new QueueDrain(
            daemon.Loop,
            () => last.All(QueueDrain.IsEmpty) && !shards.Any(shard => shard.LeavingSince is not null && shard.HasWaiting),
            ask,
            shards.Count == 0 ? null : shards.Max(shard => shard.LeavingSince) + ShardScaling.Settle);
        return true;
    }

    /// <summary>Whether somebody accepts on it, and goes on to.</summary>
    private bool IsServed(ListenerHandle handle) =>
        daemon.Services.Any(runner => runner.State.Workers.Any(worker => worker.Phase == WorkerPhase.Ready && runner.ListenersOf(worker.Generation).Contains(handle)));

    /// <summary>Closes what is still held for workers of former configurations.</summary>
    public void Close()
    {
        foreach (var retired in _retired)
        {
            daemon.Factory.Replacer.Retire(retired.Former, removePath: retired.Former.Origin == Core.Listeners.History.HandleOrigin.Created);
            retired.Bridge?.End(retired.Successor!);
        }

        _retired.Clear();
    }

    /// <summary>Binds every new socket; where one cannot be, those that could are closed again.</summary>
    private bool TryMake(
        ReloadPlan plan, ConfigPlaces places, out Dictionary<ListenerStep, ListenerHandle> made, out Dictionary<ListenerHandle, ISocketBridge> bridges, out List<FailureDocument> failures)
    {
        made = [];
        failures = [];
        bridges = [];
        var retried = new List<(ListenerHandle Handle, Core.Listeners.ListenerSpec Before)>();
        foreach (var step in plan.Listeners.Where(step => step.Diff.After is not null && step.Move != ListenerMove.None))
        {
            var after = step.Diff.After!;
            if (step.Handle is { Descriptor: null } waiting)
            {
                // It has no socket: there is nothing that could be lost, and the history goes on.
                retried.Add((waiting, waiting.Spec));
                daemon.Factory.Reconfigurer.Change(waiting, after);
                if (!daemon.Factory.Retry(waiting) && !step.Diff.IsUnchanged)
                {
                    failures.Add(Documents.Placed(Documents.Failure(waiting)!, after.Name, places));
                }

                continue;
            }

            var handle = step.Handle is { } former ? daemon.Factory.Replacer.CreateBeside(former, after, step.At, step.Bridge, step.Move == ListenerMove.Rename, step.CanSteer) : daemon.Factory.Replacer.CreateBridged(after, step.Bridge);
            if (handle.Failure is null)
            {
                made.Add(step, handle);
                if (step.CanSteer)
                {
                    // At once: what comes before has to wait on the new socket until its first worker is there.
                    bridges.Add(handle, new SocketBridge(step.Handle!, handle));
                }
                else if (handle.FormerPath is not null)
                {
                    bridges.Add(handle, new PathBridge(step.Handle!, handle));
                }
            }
            else
            {
                failures.Add(Documents.Placed(Documents.Failure(handle)!, after.Name, places));
            }
        }

        // Last of all: there may be nobody else who fails.
        var grown = new List<(ListenerHandle Handle, int Before)>();
        foreach (var step in failures.Count == 0 ? plan.Listeners.Where(step => step.Grows) : [])
        {
            var before = step.Handle!.Sockets.Count;
            if (daemon.Factory.Shards.Grow(step.Handle, step.Diff.After!, daemon.Loop.Now) is { } refused)
            {
                var diagnosis = BindDiagnostics.Explain(refused, step.Diff.After! with { Address = step.At }, step.Handle.Domain, LeftoverHolders.OfAnyService, daemon.Factory.Evidence);
                failures.Add(Documents.Failure(BindableNow.Diagnostic(step.Diff.Name, diagnosis, places)));
                break;
            }

            grown.Add((step.Handle, before));
        }

        if (failures.Count == 0)
        {
            return true;
        }

        foreach (var (handle, before) in grown)
        {
            daemon.Factory.Shards.Ungrow(handle, before, daemon.Loop.Now);
        }

        foreach (var (step, handle) in made)
        {
            var bridge = bridges.GetValueOrDefault(handle);
            bridge?.Steer(bridge.Former);
            daemon.Factory.Replacer.Undo(handle, step.Bridge);
            bridge?.End(bridge.Former);
        }

        foreach (var (handle, before) in retried)
        {
            daemon.Factory.Reconfigurer.Change(handle, before);
        }

        return false;
    }

    private List<string> Commit(ReloadPlan plan, Dictionary<ListenerStep, ListenerHandle> made, Dictionary<ListenerHandle, ISocketBridge> bridges)
    {
        var warnings = new List<string>();
        var table = new List<ListenerHandle>();
        foreach (var step in plan.Listeners)
        {
            if (step.Diff.After is not { } after)
            {
                daemon.Conflicts.Forget(step.Handle!);
                _retired.Add(new RetiredSocket(step.Handle!, null, null));
                continue;
            }

            if (made.TryGetValue(step, out var handle))
            {
                if (step.Handle is { } former)
                {
                    _retired.Add(new RetiredSocket(former, handle, bridges.GetValueOrDefault(handle)));
                }
                else
                {
                    daemon.Events.Watch(handle);
                }

                daemon.Drift.RecordTakers(handle);
            }
            else
            {
                handle = step.Handle!;
                if (handle.Descriptor is not null)
                {
                    daemon.Conflicts.Forget(handle);
                }

                if (!step.Diff.IsUnchanged)
                {
                    daemon.Drift.Check(handle);
                    if (step.Diff.ChangesShards && handle.Sockets.Count > after.Shards)
                    {
                        daemon.Factory.Shards.Shrink(handle, after.Shards, daemon.Loop.Now);
                    }

                    warnings.AddRange(daemon.Factory.Reconfigurer.Change(handle, after).Select(refused => $"listener {after.Name}: {refused}"));
                }
            }

            table.Add(handle);
        }

        daemon.Listeners.Set(table);
        foreach (var diff in plan.Diff.Services)
        {
            Commit(diff, plan);
        }

        foreach (var runner in Services)
        {
            if (plan.Reshared.Contains(runner.Name) && runner.State.Spec.Handoff == HandoffKind.ScmRights)
            {
                runner.Restart();
            }
            else
            {
                runner.CoverShards();
            }
        }

        // A listener that has its socket at last.
        foreach (var runner in Services.Where(runner => runner.Blocked is not null && runner.Listeners.All(handle => handle.Descriptor is not null)))
        {
            runner.Activate();
        }

        _shards.ServiceChanged();
        Sweep();
        daemon.Listeners.Prune(handle => daemon.Services.Any(runner => runner.Uses(handle)));
        return warnings;
    }

    private void Commit(ServiceDiff diff, ReloadPlan plan)
    {
        var runner = daemon.Services.Find(diff.Name);
        if (diff.After is not { } after)
        {
            _removed.Add(runner!);
            runner!.Post(new StopRequested());
            return;
        }

        if (runner is null)
        {
            var added = daemon.Services.Add(after);
            daemon.Events.Watch(added);
            added.Activate();
            return;
        }

        ImmutableArray<ListenerHandle> handles = [.. after.Listeners.Select(name => daemon.Listeners.Find(name)!)];
        var moved = !runner.Listeners.SequenceEqual(handles);
        var returns = _removed.Remove(runner);
        if (!diff.IsUnchanged || moved || returns)
        {
            runner.Change(after, handles, plan.Identities[after.Name], diff.NeedsNewWorkers || moved || (returns && !ServiceReloadImpact.SameWorker(runner.State.Spec, after)));
        }

        if (returns || (runner.State.AwaitsDemand && after.Start == StartMode.Now))
        {
            runner.Activate();
        }
    }

    private void Sweep()
    {
        _sweeping = false;
        foreach (var runner in _removed.Where(runner => runner.IsGone).ToArray())
        {
            _removed.Remove(runner);
            daemon.Services.Remove(runner);
        }

        // Those in between first: what is left goes back past them, where several reloads have made sockets.
        foreach (var retired in _retired.ToArray())
        {
            if (!daemon.Services.Any(runner => runner.Uses(retired.Former)))
            {
                CloseFormer(retired);
            }
        }

        foreach (var retired in _retired.ToArray())
        {
            if (daemon.Services.FirstOrDefault(runner => runner.Listeners.Contains(retired.Former) && !_removed.Contains(runner)) is { } again
                && (retired.Successor is null || !daemon.Services.Any(runner => runner.Uses(retired.Successor))))
            {
                TakeBack(retired, again);
            }
        }
    }

    /// <summary>The roll-out onto the new socket was taken back: the former one is the listener's again.</summary>
    private void TakeBack(RetiredSocket retired, ServiceRunner service)
    {
        var (former, successor, bridge) = retired;
        _retired.Remove(retired);
        daemon.Listeners.Replace(handle => handle == successor || handle.Name == former.Name, former);
        bridge?.Steer(former);
        if (successor is not null)
        {
            daemon.Factory.Replacer.Retire(successor, removePath: true);
        }

        bridge?.End(former);
        daemon.Factory.Replacer.EndBridge(former);
        daemon.Log.Kind(MessageIds.ListenerReverted).Listener(former.Name).Service(service.Name).Warning(
            "listener {Listener}: service {Service} was rolled back, so it keeps its former socket, {Address} (inode {Inode})", former.Name, service.Name, former.Effective?.ToString(), former.Inode);
    }

    /// <summary>Nobody has the former socket any more, and nobody gets it.</summary>
    private void CloseFormer(RetiredSocket retired)
    {
        var (former, successor, bridge) = retired;
        var inode = former.Inode;
        _retired.Remove(retired);
        if (successor is not null)
        {
            bridge?.Steer(successor);
            for (var i = 0; i < _retired.Count; i++)
            {
                if (_retired[i].Successor == former)
                {
                    _retired[i] = new RetiredSocket(_retired[i].Former, successor, _retired[i].Bridge?.Onto(successor));
                }
            }
        }

        daemon.Factory.Replacer.Retire(former, removePath: former.Origin == Core.Listeners.History.HandleOrigin.Created);
        if (successor is not null)
        {
            bridge?.End(successor);
            daemon.Factory.Replacer.EndBridge(successor);
        }

        foreach (var handle in daemon.Listeners.Handles)
        {
            // Bridged to it without being its successor.
            if (!_retired.Any(other => other.Successor == handle))
            {
                daemon.Factory.Replacer.EndBridge(handle);
            }
        }

        daemon.Log.Kind(MessageIds.ListenerRetired).Listener(former.Name).Information("listener {Listener}: its former socket {Address} (inode {Inode}) is closed", former.Name, former.Effective?.ToString(), inode);
    }

    private ILogger About(ReloadActionDocument action)
    {
        var about = daemon.Log.Kind(MessageIds.ReloadAction);
        return action.Subject switch
        {
            "service" => about.Service(action.Name),
            "listener" => about.Listener(action.Name),
            _ => about,
        };
    }

    private ReloadDocument Refused(bool dryRun, IReadOnlyList<ConfigErrorDocument> errors, IReadOnlyList<FailureDocument> failures, IReadOnlyList<ReloadActionDocument> actions)
    {
        string[] lines =
        [
            .. errors.Select(error => new ConfigDiagnostic(error.File, error.Line, error.Column, error.Setting, error.Message, error.Remedy).ToString()),
            .. failures.Select(failure => Documents.Line(failure, "cannot be bound")),
        ];
        if (!dryRun)
        {
            foreach (var line in lines)
            {
                daemon.Log.Kind(MessageIds.ReloadError).Error("reload: {Error}", line);
            }

            daemon.Log.Kind(MessageIds.ReloadRefused).Error("reload: refused, nothing was changed");
            daemon.Events.Daemon("reload-refused", $"reload: refused, nothing was changed: {string.Join("; ", lines)}");
        }

        const int unprocessable = 422;
        var count = string.Create(CultureInfo.InvariantCulture, $"{lines.Length} error{(lines.Length == 1 ? "" : "s")}");
        var message = $"the configuration {(dryRun ? "would be" : "is")} refused ({count}); nothing {(dryRun ? "would be" : "was")} changed";
        return new ReloadDocument(dryRun, Applied: false, daemon.Info.ConfigFile, actions, errors, failures, message)
        {
            Type = "about:blank",
            Title = "the configuration is refused",
            Status = unprocessable,
            Detail = string.Join('\n', [.. lines.Select(Printable.Line), message]),
        };
    }

    private static string Summary(ReloadPlan plan, string would)
    {
        var groups = plan.Actions.Where(action => action.Action != "unchanged").GroupBy(action => action.Action)
            .Select(group => $"{string.Join(", ", group.Select(action => action.Name.Length == 0 ? action.Subject : $"{action.Subject} {action.Name}"))}: {group.Key}").ToArray();
        return groups.Length == 0 ? "nothing has changed" : (would.Length == 0 ? "" : would + " ") + string.Join("; ", groups);
    }
}
