using System.Globalization;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Validation;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// What a reload will do, decided before anything is done: the difference, how each socket is moved, whom workers run as,
/// and everything that stands against it. On the loop.
/// </summary>
internal sealed class ReloadPlan
{
    private readonly ReloadContext _daemon;
    private readonly ListendConfig _config;
    private readonly ConfigPlaces _places;
    private readonly List<ListenerHandle> _leaving = [];

    /// <param name="daemon">What runs.</param>
    /// <param name="config">What is asked for.</param>
    /// <param name="places">Where it stands.</param>
    /// <param name="services">The services that are not removed already.</param>
    /// <param name="retired">Sockets that former reloads have replaced and that still live.</param>
    public ReloadPlan(ReloadContext daemon, ListendConfig config, ConfigPlaces places, IReadOnlyList<ServiceRunner> services, IEnumerable<ListenerHandle> retired)
    {
        _daemon = daemon;
        _config = config;
        _places = places;
        Diff = ConfigDiff.Between(
            [.. daemon.Listeners.Handles.Where(handle => !handle.IsGiven).Select(handle => handle.Spec)], [.. services.Select(runner => runner.State.Spec)], config.Listeners, config.Services,
            [.. services.Where(runner => runner.IsMixed).Select(runner => runner.Name)]);
        _leaving.AddRange(Diff.Listeners.Where(diff => diff.Before is not null && (diff.After is null || diff.NeedsNewSocket))
            .Select(diff => daemon.Listeners.Find(diff.Before!.Name)!).Where(handle => handle.Descriptor is not null));
        _leaving.AddRange(retired.Where(handle => handle.Descriptor is not null));
        Listeners = [.. Diff.Listeners.Select(Step)];
        AddDaemonActions();
        foreach (var step in Listeners)
        {
            Actions.Add(Action(step));
        }

        foreach (var service in Diff.Services)
        {
            AddActions(service, services.FirstOrDefault(runner => runner.Name == service.Name));
        }

        foreach (var given in daemon.Listeners.Handles.Where(handle => handle is { IsGiven: true, IsAwaited: false } && config.Listeners.Any(spec => spec.Name == handle.Name)))
        {
            Errors.Add(places.Diagnostic(
                "listener", given.Name, "", "a descriptor that was given to the daemon is held under that name",
                $"drop it first (listenctl drop {given.Name}), or choose another name"));
        }

        foreach (var service in config.Services)
        {
            // Dropped since the files were read.
            foreach (var name in service.Listeners.Where(name => !config.Listeners.Any(spec => spec.Name == name) && daemon.Listeners.Find(name)?.IsGiven != true))
            {
                Errors.Add(places.Diagnostic(
                    "service", service.Name, "listeners", $"no listener named \"{name}\" is configured or given", $"give it first: listenctl put {name} --fd N"));
            }
        }
    }

    public ConfigDiff Diff { get; }

    /// <summary>The listeners, in the order of the configuration; then those that are removed.</summary>
    public IReadOnlyList<ListenerStep> Listeners { get; }

    /// <summary>Whom the workers of each service will run as, where they are to be new.</summary>
    public Dictionary<string, WorkerIdentity> Identities { get; } = new(StringComparer.Ordinal);

    /// <summary>Names of the services whose workers are replaced for another share of their listeners' shards.</summary>
    public HashSet<string> Reshared { get; } = new(StringComparer.Ordinal);

    public List<ReloadActionDocument> Actions { get; } = [];

    public List<ConfigDiagnostic> Errors { get; } = [];

    public List<FailureDocument> Failures { get; } = [];

    /// <summary>Asks the kernel whether the new sockets could be bound, without binding them: for a dry run.</summary>
    public void Probe(EvidenceBudget budget)
    {
        foreach (var step in Listeners.Where(step => step is { Diff.After: not null, Move: ListenerMove.Beside } && step.Bridge.Count == 0))
        {
            var after = step.Diff.After!;
            var diagnosis = BindDiagnostics.Ask(after with { Address = step.At }, LeftoverHolders.Of(_config.Services.Where(service => service.Listeners.Contains(after.Name)).Select(service => service.Name)), budget);
            if (!diagnosis.Bindable && !(diagnosis.Cause == BindCause.StaleUnixPath && after.Unix.RemoveStale))
            {
                Failures.Add(Documents.Failure(BindableNow.Diagnostic(after.Name, diagnosis, _places)));
            }
        }
    }

    private static uint Device(string name) => NetworkInterfaces.Index(name) ?? 0;

    private ListenerStep Step(ListenerDiff diff)
    {
        var handle = diff.Before is null ? null : _daemon.Listeners.Find(diff.Before.Name);
        if (diff.After is not { } after)
        {
            return new ListenerStep(diff, handle, ListenerMove.None, [], diff.Before!.Address);
        }

        var at = handle is { Effective: { } effective } && diff.Before!.Address == after.Address && after.Address.Kind.IsInternet() && after.Address.Port == 0 ? effective : after.Address;
        if (handle is not null && !diff.NeedsNewSocket && handle.Descriptor is not null)
        {
            return new ListenerStep(diff, handle, ListenerMove.None, [], at);
        }

        var move = ListenerMove.Beside;
        var bridge = new List<ListenerHandle>();
        foreach (var other in _leaving)
        {
            var between = ListenerMoves.Between(other.Spec with { Address = other.Effective ?? other.Spec.Address }, other.Domain, after with { Address = at }, Device);
            switch (between)
            {
                case ListenerMove.Bridge:
                    bridge.Add(other);
                    move = ListenerMove.Bridge;
                    break;
                case ListenerMove.Rename:
                    move = ListenerMove.Rename;
                    break;
                case ListenerMove.Impossible:
                    Errors.Add(_places.Diagnostic(
                        "listener", after.Name, "", $"it needs another socket on {after.Address}, and the kernel has no room for it beside the one that serves ({string.Join(", ", diff.Changed.Select(change => change.Setting))})",
                        "give it another address, or restart the daemon"));
                    break;
                case ListenerMove.None or ListenerMove.Beside:
                    break;
                default:
                    throw new InvalidOperationException(between.ToString());
            }
        }

        return new ListenerStep(diff, handle, move, bridge, at);
    }

    private void AddDaemonActions()
    {
        var (before, after) = (_daemon.Config.Current.Daemon, _config.Daemon);
        var directory = after.RuntimeDirectory ?? RuntimePaths.Default(Processes.EffectiveUid == 0)?.Directory;
        if (!_daemon.Info.IsDirectoryGiven && directory is not null && Path.GetFullPath(directory) != _daemon.Info.Paths.Directory)
        {
            Actions.Add(new ReloadActionDocument(
                "daemon", "", "needs-restart", ["runtime_directory"], $"{_daemon.Info.Paths.Directory} stays: sockets that clients and workers know lie there; restart the daemon for another one", null));
        }

        if (!before.TrustedOwners.SequenceEqual(after.TrustedOwners))
        {
            Actions.Add(new ReloadActionDocument("daemon", "", "in-place", ["trusted_owners"], after.TrustedOwners.IsEmpty ? "only root's paths are trusted" : $"paths of {string.Join(", ", after.TrustedOwners)} are trusted", null));
        }

        string[] changed = [.. before.Metrics != after.Metrics ? ["metrics"] : (string[])[], .. before.MetricsHosts.SequenceEqual(after.MetricsHosts) ? [] : (string[])["metrics_hosts"]];
        if (changed.Length > 0)
        {
            Actions.Add(new ReloadActionDocument("daemon", "", "in-place", changed, after.Metrics is null ? "no longer served by TCP" : $"served on {after.Metrics}", null));
        }
    }

    private static ReloadActionDocument Action(ListenerStep step)
    {
        var diff = step.Diff;
        var settings = diff.Changed.Select(change => change.Setting).ToArray();
        ReloadActionDocument Of(string action, string? reason, string? loses = null) => new("listener", diff.Name, action, settings, reason, loses);
        if (diff.After is null)
        {
            return Of("removed", $"{step.Handle?.Effective?.ToString() ?? diff.Before!.Address.ToString()} is closed once nobody has it any more", step.Handle?.Descriptor is null ? null : $"{Waiting(step)} that wait in its queue then");
        }

        if (diff.Before is null)
        {
            return Of("added", $"{step.At}{(step.Bridge.Count > 0 ? ", beside " + Names(step.Bridge) + " until that one has gone, by SO_REUSEPORT" : "")}");
        }

        var former = step.Handle!;
        if (former.Descriptor is null)
        {
            return Of(diff.IsUnchanged ? "unchanged" : "in-place", $"it has no socket ({former.Failure?.Name}) and is tried again");
        }

        var fromTo = string.Join(", ", diff.Changed.Where(change => change.Change == TermChange.NewSocket).Select(change => change.Setting));
        return step.Move switch
        {
            ListenerMove.None when diff.IsRenamed => Of("renamed", $"was \"{diff.Before.Name}\": the same address, so the same socket{(settings.Length > 0 ? "; the rest is set on it" : "")}"),
            ListenerMove.None when diff.IsUnchanged => Of("unchanged", null),
            ListenerMove.None when diff.Changed.All(change => change.Change == TermChange.DaemonOnly) => Of("in-place", "the socket is not concerned"),
            ListenerMove.None when diff.ChangesShards => Shards(step, Of),
            ListenerMove.None => Of("in-place", InPlace(diff.After, diff.Changed.Where(change => change.Change == TermChange.InPlace).Select(change => change.Setting))),
            ListenerMove.Beside when diff.Before.Address != diff.After.Address => Of(
                "new-socket", $"{step.At} is bound while {former.Effective} still serves, and that one closed once its last worker has left",
                $"{Waiting(step)} that wait in the queue of the former address when it is closed"),
            ListenerMove.Beside => Of("new-socket", $"{fromTo} cannot be changed on a living socket: both share {step.At} by SO_REUSEPORT until the former one's last worker has left", Queue(step)),
            ListenerMove.Bridge => Of(
                "new-socket", $"{fromTo} cannot be changed on a living socket: {Names(step.Bridge)} gets SO_REUSEPORT, {step.At} is bound beside it, and it is closed once its last worker has left",
                Queue(step)),
            ListenerMove.Rename => Of(
                "new-socket", $"{fromTo} cannot be changed on a living socket: another one is bound beside the path and renamed over it",
                $"{Waiting(step)} that wait in the former socket's queue when its last worker leaves"),
            ListenerMove.Impossible => Of("new-socket", "cannot be done"),
            _ => throw new InvalidOperationException(step.Move.ToString()),
        };
    }

    private static ReloadActionDocument Shards(ListenerStep step, Func<string, string?, string?, ReloadActionDocument> of)
    {
        var (before, after) = (step.Handle!.Sockets.Count, step.Diff.After!.Shards);
        var steered = ShardSteering.WhyNot(step.Handle);
        var rest = step.Diff.Changed.Any(change => change.Change == TermChange.InPlace) ? "; the rest is set on the living sockets" : "";
        if (after >= before)
        {
            return of(
                "in-place",
                string.Create(CultureInfo.InvariantCulture, $"{after - before} sockets are bound beside the {before} that serve, which stay; ")
                + (steered is null ? "each gets new connections once a worker serves it" : $"they get their share of new connections at once, which waits for their workers: {steered}") + rest,
                null);
        }

        return of(
            "in-place",
            string.Create(CultureInfo.InvariantCulture, $"{before - after} of {before} sockets ")
            + (steered is null ? "get no new connections any more, and are closed when what waits in them has been served" : $"are closed when nobody waits in them: {steered}") + rest,
            steered is null ? null : "connections that come to one of these sockets while it is closed");
    }

    private static string? Queue(ListenerStep step) => step.CanSteer
        ? null
        : $"{Waiting(step)} that come to the former socket after its last worker was asked to leave";

    /// <summary>What a queue holds that is lost with its socket.</summary>
    private static string Waiting(ListenerStep step) => (step.Diff.Before ?? step.Diff.After)!.Address.Kind.Listens() ? "connections" : "datagrams";

    /// <summary>Whom settings concern that are changed on the living socket, each in its own words.</summary>
    private static string InPlace(ListenerSpec after, IEnumerable<string> settings) =>
        "set on the living socket: " + string.Join("; ", settings.Select(setting => setting switch
        {
            "listen.backlog" => "its queue holds so many at once",
            "listen.defer_accept" or "listen.fast_open" => "it holds for connections that come from now on",
            "bind.reuse_port" => after.Bind.ReusePort == true ? "another socket that has SO_REUSEPORT can be bound beside it from now on" : "no other socket can be bound beside it from now on",
            "unix.mode" or "unix.user" or "unix.group" => "it decides who may connect from now on",
            "datagram.multicast" => "it receives what is sent to these groups from now on",
            _ when setting.StartsWith("datagram.", StringComparison.Ordinal) || !after.Address.Kind.Listens() => "it has it at once",
            _ when setting.StartsWith("bind.", StringComparison.Ordinal) => "it has it from now on",
            _ => "connections that are accepted from now on have it",
        }).Distinct());

    private static string Names(IEnumerable<ListenerHandle> handles) =>
        string.Join(", ", handles.Select(handle => string.Create(CultureInfo.InvariantCulture, $"{handle.Effective} (inode {handle.Inode})")));

    private void AddActions(ServiceDiff diff, ServiceRunner? runner)
    {
        void Add(string action, IEnumerable<string> settings, string? reason) => Actions.Add(new ReloadActionDocument("service", diff.Name, action, [.. settings], reason, null));
        if (diff.After is not { } after)
        {
            Add("stopped", [], "it is not configured any more: its workers drain, then it is gone");
            return;
        }

        if (WorkerIdentity.TryResolve(after, UserDirectory.Host, out var identity, out var error))
        {
            Identities.Add(after.Name, identity);
        }
        else
        {
            // Where the files were read by a start, which does not check names.
            var missing = Accounts.Missing(new ListendConfig { Services = [after] }, _places).ToList();
            Errors.AddRange(missing.Count == 0 ? [_places.Diagnostic("service", after.Name, "", error, "try again")] : missing);
        }

        if (diff.Before is not { } before || runner is null)
        {
            Add("started", [], Count(after.Workers));
            return;
        }

        var desired = before.Workers != after.Workers ? after.Workers : runner.State.Desired;
        var reshared = diff.NeedsNewWorkers ? [] : Listeners.Where(step => step is { Handle.Descriptor: not null, Diff.After: { } wanted, Move: ListenerMove.None }
            && after.Listeners.Contains(wanted.Name) && runner.NeedsOtherShares(step.Handle, wanted.Shards, desired)).Select(step => step.Diff.Name).ToArray();
        if (reshared.Length > 0)
        {
            Reshared.Add(diff.Name);
            Add("rolled-out", [], $"{Count(desired)} replaced, {after.Rollout.Strategy.ToWireName()}: each gets another share of the shards of {string.Join(", ", reshared)}");
        }

        if (diff.IsUnchanged)
        {
            if (reshared.Length == 0)
            {
                Add("unchanged", [], null);
            }

            return;
        }

        if (before.Workers != after.Workers)
        {
            Add("scaled", ["workers"], string.Create(CultureInfo.InvariantCulture, $"from {runner.State.Desired} to {after.Workers}"));
        }

        var inPlace = diff.Changed.Where(term => !term.NeedsNewWorker && term.Setting != "workers").Select(term => term.Setting).ToArray();
        if (inPlace.Length > 0)
        {
            Add("in-place", inPlace, diff.NeedsNewWorkers ? "for the new workers; those that leave keep their own terms" : "no worker notices");
        }

        if (diff.NeedsNewWorkers)
        {
            var why = (diff.MovedListeners.IsEmpty ? "" : $"; new sockets: {string.Join(", ", diff.MovedListeners)}")
                + (diff.IsMixed ? "; the last roll-out ended between two generations" : "");
            Add("rolled-out", diff.Changed.Where(term => term.NeedsNewWorker).Select(term => term.Setting), runner.State.IsStarted || runner.Blocked is not null
                ? $"{Count(after.Workers)} replaced, {after.Rollout.Strategy.ToWireName()}{why}"
                : $"it is stopped: from its next start on{why}");
        }
    }

    private static string Count(int workers) => string.Create(CultureInfo.InvariantCulture, $"{workers} worker{(workers == 1 ? "" : "s")}");
}
