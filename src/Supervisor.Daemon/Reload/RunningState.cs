using System.Globalization;
using Supervisor.Config;
using Supervisor.Core.Listeners;
using Supervisor.Core.Reload;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reload;

/// <summary>The existing listeners and services as input of a plan, and the handles for its steps. On the loop.</summary>
internal sealed class RunningState
{
    /// <summary>The setting that a missing file of a UNIX listener belongs to.</summary>
    public const string FileSetting = "address";

    /// <summary>The setting that a queue belongs to which may be longer.</summary>
    public const string BacklogSetting = "listen.backlog";

    private readonly Func<ListenerHandle, string?> _fileFinding;
    private readonly Predicate<ListenerHandle> _staysOpen;
    private readonly long? _somaxconn = Sysctl.ReadNumber("net.core.somaxconn");
    private readonly Dictionary<RunningListener, ListenerHandle> _handles = new(ReferenceEqualityComparer.Instance);
    private readonly IReadOnlyList<RunningListener> _listeners;
    private readonly HashSet<ListenAddress> _addresses;
    private readonly IReadOnlyList<RunningListener> _retired;
    private readonly IReadOnlyList<RunningService> _services;

    /// <param name="handles">The listeners; given ones are ignored, because the configuration does not have them.</param>
    /// <param name="retired">Sockets that earlier reloads have replaced and that are still open.</param>
    /// <param name="services">The services that are not removed already.</param>
    /// <param name="fileFinding">What is wrong with the file of a UNIX listener; null if nothing is.</param>
    /// <param name="staysOpen">Whether the socket of a listener stays open for a while when another one replaces it.</param>
    public RunningState(
        IEnumerable<ListenerHandle> handles, IEnumerable<ListenerHandle> retired, IEnumerable<ServiceRunner> services,
        Func<ListenerHandle, string?> fileFinding, Predicate<ListenerHandle> staysOpen)
    {
        _fileFinding = fileFinding;
        _staysOpen = staysOpen;
        _listeners = [.. handles.Where(handle => !handle.IsGiven).Select(Read)];
        _addresses = [.. _listeners.Select(running => running.Spec.Address)];
        _retired = [.. retired.Select(Read)];
        _services = [.. services.Select(Read)];
    }

    /// <summary>The plan of a reload from this state to a configuration.</summary>
    public ReloadPlan PlanTo(ListendConfig config) => ReloadPlan.Between(
        _listeners, _retired, _services, [.. config.Listeners.Select(InRunningSpelling)], config.Services,
        name => NetworkInterfaces.Index(name) ?? 0);

    /// <summary>
    /// The specification with the spelling of a running listener, if its UNIX path leads to the same file: /var/run and /run, a
    /// double slash, a symbolic link.
    /// </summary>
    private ListenerSpec InRunningSpelling(ListenerSpec wanted)
    {
        if (!wanted.Address.HasFile || _addresses.Contains(wanted.Address))
        {
            return wanted;
        }

        var real = SocketFiles.RealPath(wanted.Address.Path!);
        var same = _listeners.FirstOrDefault(
            running => running.Spec.Address.Kind == wanted.Address.Kind && real is not null && _handles[running].RealPath == real);
        return same is null ? wanted : wanted with { Address = same.Spec.Address };
    }

    /// <summary>A step of the plan, with its handles.</summary>
    public ListenerStep Step(PlannedListener planned) =>
        new(planned, planned.Former is { } former ? _handles[former] : null, [.. planned.Bridge.Select(listener => _handles[listener])]);

    private RunningListener Read(ListenerHandle handle)
    {
        // Its sockets are in a namespace that has no path any more: the reload makes others in the new one.
        var spec = ListenerReconfigurer.IsInFormerNamespace(handle)
            ? handle.Spec with { NetworkNamespace = $"{handle.Spec.NetworkNamespace} (deleted)" }
            : handle.Spec;
        var listener = new RunningListener(spec, handle.Domain)
        {
            HasSocket = handle.Descriptor is not null,
            Effective = handle.Effective,
            Inode = handle.Inode,
            Sockets = handle.Sockets.Count,
            IsSteered = handle.Steering is not null,
            Failure = handle.Failure?.Name,
            NotSteered = () => ShardSteering.WhyNot(handle),
            StaysOpen = () => _staysOpen(handle),
            Mends = [.. Mends(handle)],
        };
        _handles.Add(listener, handle);
        return listener;
    }

    private IEnumerable<ListenerMend> Mends(ListenerHandle handle)
    {
        if (_fileFinding(handle) is { } finding)
        {
            yield return new ListenerMend(FileSetting, $"{finding}: put back");
        }

        if (ListenerReconfigurer.RaisableBacklog(handle, _somaxconn) is var (now, possible))
        {
            yield return new ListenerMend(
                BacklogSetting,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"net.core.somaxconn is {_somaxconn} now: listen() again, so its queue holds {possible} instead of {now}"));
        }
    }

    private RunningService Read(ServiceRunner runner) => new(runner.State.Spec, runner.State.Desired)
    {
        IsMixed = runner.Generations.AreMixed(runner.State),
        IsToRun = runner.State.IsStarted || runner.Requests.Blocked is not null,
        NeedsOtherShares = (listener, shards, workers) => runner.Shards.NeedsOtherShares(_handles[listener], shards, workers),
    };
}
