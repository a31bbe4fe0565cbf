using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Validation;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;
using Supervisor.Daemon.Validation;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Performance;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reload;

/// <summary>Reads the configuration again and applies the differences to the running daemon.</summary>
/// <remarks>
/// A reload has five steps. Everything that can fail is done before anything changes:
/// <list type="number">
/// <item>Read and validate the files, and look users up (<see cref="Load"/>): off the loop.</item>
/// <item>Plan (<see cref="ReloadPlan"/>): pure.</item>
/// <item>Prepare (<see cref="PreparedSockets"/>): bind the new sockets next to the old ones. A failure closes them again.</item>
/// <item>Commit: cannot fail. A roll-out that it begins can, and rolls back.</item>
/// <item>Retire the old sockets (<see cref="RetiredSockets"/>), when their last worker has exited.</item>
/// </list>
/// </remarks>
internal sealed class Reloader(ReloadContext daemon)
{
    /// <summary>What the plan of a reload that changes nothing allocates for each listener and each service, rounded up.</summary>
    private const int PlanBytes = 3 * 1024;

    private readonly RetiredSockets _retired = new(daemon.Services, daemon.Listeners, daemon.Factory, daemon.Log);
    private readonly ShardScaling _shards = new(daemon);
    private readonly SteeredDrains _steered = new(daemon);
    private readonly ReloadReport _report = new(daemon.Events, daemon.Log, daemon.Info.ConfigFile);
    private readonly List<ServiceRunner> _removed = [];
    private bool _sweeping;

    /// <summary>The configured services: without those whose workers drain because they are no longer configured.</summary>
    private IReadOnlyList<ServiceRunner> Services => _removed.Count == 0 ? daemon.Services : [.. daemon.Services.Except(_removed)];

    /// <summary>Whether sockets or services of the former configuration still exist.</summary>
    public bool IsUnderWay => !_retired.IsEmpty || _removed.Count > 0;

    /// <summary>Reads and validates the files. Any thread but the loop, which must not wait for a disk or a name service.</summary>
    /// <param name="withWarnings">Whether the result has all warnings, also if the files have not changed.</param>
    public ConfigResult Load(bool withWarnings)
    {
        if (daemon.Info.ConfigFile is not { } file)
        {
            var error = new ConfigDiagnostic(
                "command line", 0, 0, null, "there is no configuration file to read again",
                "start the daemon with --config, or restart it with other options");
            return new ConfigResult(null, [error]);
        }

        var context = ConfigLoading.Context with { IsGiven = daemon.Listeners.Given.Contains };
        var before = daemon.Config.Current;
        return ConfigLoading.LoadAgain(file, withWarnings ? before with { Stamp = null } : before, Profile.Reload, context);
    }

    /// <summary>
    /// Applies the loaded configuration, or with <paramref name="dryRun"/> only plans it. A refused configuration changes
    /// nothing; its document has a title.
    /// </summary>
    /// <param name="loaded">What the files say.</param>
    /// <param name="dryRun">Whether nothing is changed.</param>
    /// <param name="by">Who requests the reload; null if that is not known.</param>
    public ReloadDocument Apply(ConfigResult loaded, bool dryRun, Requester? by)
    {
        if (dryRun)
        {
            return Apply(loaded, dryRun);
        }

        if (by is not null)
        {
            daemon.Requests.OfDaemon("reload", by);
        }

        var document = Apply(loaded, dryRun);
        if (document is { Applied: false, Detail: { } detail })
        {
            var more = document.Errors.Count + document.Failures.Count - 1;
            var error = detail.Split('\n')[0] + (more > 0 ? string.Create(CultureInfo.InvariantCulture, $" (and {more} more)") : "");
            daemon.Config.Refuse(error, daemon.Loop.Time.GetUtcNow());
            daemon.StateChanged();
        }

        return document;
    }

    private ReloadDocument Apply(ConfigResult loaded, bool dryRun)
    {
        if (daemon.Lifecycle.IsStopRequested || (daemon.Lifecycle.IsBeingSucceeded && !dryRun))
        {
            var why = daemon.Lifecycle.IsStopRequested
                ? "listend is stopping: no reload is possible"
                : "the daemon is being replaced: reload again when that has ended";
            return _report.Refused(dryRun, [new ConfigDiagnostic(daemon.Info.ConfigFile ?? "", 0, 0, null, why, null)], [], []);
        }

        if (loaded.Config is not { } config)
        {
            return _report.Refused(dryRun, loaded.Errors, [], []);
        }

        // Otherwise a quarter of the time of the loop goes into collections that find the plan alive.
        using var pause = CollectionPause.For(config.Listeners.Length + config.Services.Length, PlanBytes);
        if (!dryRun)
        {
            // Repairs shards that a worker has shut down first: the plan needs the order of the sockets in the kernel's group.
            foreach (var handle in daemon.Listeners.Handles.Where(handle => handle.Sockets.Count > 1).ToArray())
            {
                daemon.Drift.Check(handle);
            }
        }

        var state = new RunningState(
            daemon.Listeners.Handles, _retired.Handles, Services, daemon.Drift.FileFinding, _retired.StaysOpen);
        var plan = state.PlanTo(config);
        ReloadActionDocument[] actions = [.. DaemonChanges(config).Concat(plan.Actions).Select(ReloadText.Document)];
        var identities = Identities(config);
        ConfigDiagnostic[] errors = [.. Obstacles.Find(plan, config, loaded.Places, daemon.Listeners.Handles, identities.Keys)];
        ConfigDiagnostic[] probed = dryRun ? [.. Obstacles.Probe(plan, config, loaded.Places, daemon.Factory.Evidence)] : [];
        ConfigDiagnostic[] failures = [.. loaded.Failures, .. probed.Where(found => !found.IsWarning)];
        if (errors.Length > 0 || failures.Length > 0)
        {
            return _report.Refused(dryRun, errors, failures, actions);
        }

        if (dryRun)
        {
            // A listener whose conflict the daemon watches gets its socket later, without a reload.
            var isComplete = Array.TrueForAll(
                probed, found => found.Bind is { } bind && daemon.Listeners.Find(bind.Listener) is { } handle
                    && daemon.Conflicts.Awaits(handle));
            return _report.DryRun(actions, [.. loaded.Warnings, .. probed], isComplete);
        }

        ListenerStep[] steps = [.. plan.Listeners.Select(state.Step)];
        var prepared = PreparedSockets.Make(steps, daemon.Factory, loaded.Places, daemon.Loop.Now);
        if (prepared.Failures.Count > 0)
        {
            return _report.Refused(dryRun, [], prepared.Failures, actions);
        }

        var warnings = Commit(steps, plan.Services, prepared, identities);
        daemon.Config.Replace(config, loaded.Stamp?.Hash, daemon.Loop.Time.GetUtcNow());
        return _report.Applied([.. actions.Select(action => ReloadText.Outcome(action, IsBound))], warnings);
    }

    /// <summary>
    /// Makes the socket of a UNIX listener anew, because its file is gone and cannot be put back, and rolls its services out onto
    /// it. The former socket serves what waits in its queue until its last worker has exited.
    /// </summary>
    public void Renew(ListenerHandle former)
    {
        if (daemon.Lifecycle.IsShuttingDown || daemon.Lifecycle.IsBeingSucceeded || former.Descriptor is null
            || daemon.Listeners.Find(former.Name) != former)
        {
            return;
        }

        var made = daemon.Factory.Replacer.Renew(former);
        if (made.Failure is not null)
        {
            return;
        }

        _retired.Add(former, made, null);
        daemon.Listeners.Replace(handle => handle == former, made);
        SocketTakers.Record(made);
        foreach (var runner in Services)
        {
            var next = runner.Generations.Next;
            if (next.Identity is { } identity && next.Listeners.Contains(former))
            {
                ListenerHandle[] handles = [.. next.Listeners.Select(handle => handle == former ? made : handle)];
                runner.Requests.Change(runner.State.Spec, handles, identity, newWorkers: true);
            }
        }

        daemon.Config.Refresh();
        daemon.StateChanged();
        Sweep();
    }

    private bool IsBound(string name) => daemon.Listeners.Find(name)?.Descriptor is not null;

    /// <summary>
    /// Applies a configuration that has changed while no daemon ran. Like any reload, it applies all or nothing, when the
    /// daemon already serves by the previous configuration.
    /// </summary>
    public void ApplyAtStart(ConfigResult wanted)
    {
        daemon.Log.Kind(MessageIds.ConfigChanged).Information("the configuration has changed since the last daemon read it: applying it");
        Accounts.LookUp(wanted.Draft).ContinueWith(
            _ => daemon.Loop.Post(() =>
            {
                var outcome = Apply(wanted, dryRun: false, by: null);
                _report.LogActions(outcome.Applied ? outcome.Actions : []);
            }),
            TaskScheduler.Default);
    }

    /// <summary>A service has changed: closes sockets that no worker uses, and removes services that have stopped.</summary>
    public void ServiceChanged(ServiceRunner runner)
    {
        _shards.ServiceChanged(runner.Generations.AllListeners);
        _retired.Share(runner);
        if (!_sweeping && IsUnderWay)
        {
            _sweeping = true;
            daemon.Loop.Post(Sweep);
        }
    }

    /// <summary>
    /// Delays the stop signal of the last worker that accepts on a retiring socket: new connections first go to the other
    /// socket, and the worker gets the signal when the queue is empty. False if there is nothing to wait for.
    /// </summary>
    public bool Holds(ServiceRunner runner, WorkerState worker, Action ask)
    {
        if (daemon.Lifecycle.IsShuttingDown || worker.ReadyAt is null)
        {
            return false;
        }

        if (_steered.Holds(runner, worker, ask))
        {
            return true;
        }

        var shards = _shards.LastIn(runner, worker);
        var last = _retired.LastIn(runner, worker);
        if (last.Count == 0 && shards.Count == 0)
        {
            return false;
        }

        _retired.SteerAwayFrom(last);
        _ = new QueueDrain(
            daemon.Loop,
            () => last.All(QueueDrain.IsEmpty) && !shards.Any(shard => shard.LeavingSince is not null && shard.HasWaiting),
            ask,
            shards.Count == 0 ? null : shards.Max(shard => shard.LeavingSince) + ShardScaling.Settle);
        return true;
    }

    /// <summary>Closes the sockets that are kept for workers of former configurations.</summary>
    public void Close() => _retired.Close();

    private IEnumerable<ReloadAction> DaemonChanges(ListendConfig config) => DaemonActions.Between(
        daemon.Config.Current.Daemon, config.Daemon, daemon.Info.Paths.Directory,
        daemon.Info.IsDirectoryGiven ? null : TrustedRuntimeDirectory.Of(config));

    /// <summary>The users and groups of the services, from the cache: <see cref="Load"/> has looked them up.</summary>
    private static Dictionary<string, WorkerIdentity> Identities(ListendConfig config)
    {
        var identities = new Dictionary<string, WorkerIdentity>(StringComparer.Ordinal);
        foreach (var service in config.Services)
        {
            if (WorkerIdentity.TryResolve(service, UserDirectory.Host, out var identity, out _))
            {
                identities.Add(service.Name, identity);
            }
        }

        return identities;
    }

    /// <summary>Cannot fail. Returns warnings.</summary>
    private List<string> Commit(
        IReadOnlyList<ListenerStep> steps, IReadOnlyList<PlannedService> services, PreparedSockets prepared,
        Dictionary<string, WorkerIdentity> identities)
    {
        var commit = new ReloadCommit(daemon, _retired, _removed, prepared, identities);
        commit.Listeners(steps);
        commit.Services(services);

        var reshared = services.Where(service => !service.Reshared.IsEmpty).Select(service => service.Diff.Name)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var runner in Services)
        {
            runner.Steering.Refresh();
            if (reshared.Contains(runner.Name) && runner.State.Spec.Handoff == HandoffKind.ScmRights)
            {
                runner.Requests.Restart(by: "a reload");
            }
            else
            {
                runner.Shards.Cover();
            }
        }

        // A listener may have got its socket now.
        foreach (var runner in Services
            .Where(runner => runner.Requests.Blocked is not null
                && runner.Generations.Next.Listeners.All(handle => handle.Descriptor is not null)))
        {
            runner.Requests.Activate();
        }

        _shards.ServiceChanged(daemon.Listeners.Handles);
        Sweep();
        daemon.Listeners.Prune(handle => daemon.Services.Any(runner => runner.Generations.Uses(handle)));
        return commit.Warnings;
    }

    private void Sweep()
    {
        _sweeping = false;
        foreach (var runner in _removed.Where(runner => runner.IsGone).ToArray())
        {
            _removed.Remove(runner);
            daemon.Services.Remove(runner);
        }

        if (_retired.Sweep(_removed.Contains))
        {
            // The saved state and the keeper have the new sockets.
            daemon.StateChanged();
        }
    }
}
