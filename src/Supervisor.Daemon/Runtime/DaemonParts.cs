using Supervisor.Daemon.Control;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reload;
using Supervisor.Daemon.Reports;
using Supervisor.Daemon.Validation;
using Supervisor.Daemon.Web;
using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;
using Supervisor.Linux.Paths;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Makes and owns the parts of the daemon that exist before its sockets do. Only the composition root uses it: each part gets what
/// it uses, and no part gets this object.
/// </summary>
internal sealed class DaemonParts : IDisposable
{
    /// <summary>How long a program of systemd may take that the daemon needs.</summary>
    private static readonly TimeSpan ProgramPatience = TimeSpan.FromSeconds(10);

    private readonly StartRequest _request;
    private readonly LogLimit _limit;
    private readonly Spawner _spawner;
    private readonly ServiceDriftWatch _serviceDrift;

    /// <summary>The parts of a new daemon, or of one that continues.</summary>
    /// <param name="request">What was decided before.</param>
    /// <param name="clock">Where the previous daemon's clock began; null for now.</param>
    /// <param name="tokenMark">The mark of the tokens of the previous daemon's workers; null for a new one.</param>
    public DaemonParts(StartRequest request, long? clock = null, string? tokenMark = null)
    {
        _request = request;
        var log = request.Log;
        Loop = new EventLoop(request.System.Time, clock);
        Config = new ConfigInForce(request.Config, request.Origin);
        Events = new EventLog(Loop);
        _limit = new LogLimit(Loop, log);
        Requests = new ChangeRequests(Events, _limit, log);
        Overflows = new OverflowWatch(
            Loop, Events, log, () => Listeners!.Handles,
            handle => Services!.UsersOf(handle) is [var user, ..] ? user.State.Generation : null);
        Systemd = new SystemdNotify(request.System.Systemd, Lifecycle, request.System.Time, log);
        Orphans = new OrphanReaper(Loop);
        Cgroups = CgroupTree.Find();
        Limited = new LimitedCgroups(Loop, Cgroups, request.Info.Paths.Directory, RunProgram);
        Tokens = new WorkerTokens(tokenMark);

        // Workers have this variable too. It tells a successor, or a clean-up, to which daemon the process belongs.
        Disposer = new Disposer(Loop, [$"LISTEND_BROKER={request.Info.Paths.BrokerSocket}"], log);
        _spawner = new Spawner(request.Info.Paths.NotifyDirectory, request.Info.Paths.BrokerSocket, request.System.Time, Orphans, Cgroups)
        {
            Disposer = Disposer,
            Limited = Limited,
            Tokens = Tokens,
            OnDescriptors = descriptors => DescriptorsMade?.Invoke(descriptors),
        };
        Factory = new ListenerFactory(request.System.Time, log, _limit, spec => LeftoverHolders.Of(ServicesOf(spec.Name)),
            request.Info.Paths.SpareDirectory);
        Listeners = new ListenerTable(Factory);
        Services = new ServiceTable(spec => new ServiceRunner(
            Loop, _spawner, spec, [.. spec.Listeners.Select(name => Listeners.Find(name)!)], log, Disposer, Orphans,
            request.LogsToJournal));
        Order = new ServiceOrder(Loop, Services);
        Drift = new DriftWatch(Loop, Factory);
        Interfaces = new InterfaceWatch(Loop, Drift, () => Listeners.Handles);
        _serviceDrift = new ServiceDriftWatch(Drift);
        Conflicts = new ConflictWatch(Loop, Factory, log);
        ConfigFiles = new ConfigFileCheck(request.Info.ConfigFile, Loop.Time);
        Metrics = new Metrics(Loop, request.Info, Config, ConfigFiles, Listeners, Services);
        var readiness = new SharedAnswer<string[]>(
            new Readiness(Loop, Lifecycle, Listeners, Services, Drift).ReadAsync, MetricsServer.Freshness, Loop.Time);
        Lifecycle.StopRequested += readiness.Forget;
        MetricsEndpoint = new MetricsEndpoint(
            Loop,
            new WebResources(
                Metrics.ReadAsync, readiness.AskAsync,
                new LiveSources(Loop, request.Info, Lifecycle, Config, ConfigFiles, Listeners, Services, Overflows, Events)),
            log);
        Reloader = new Reloader(new ReloadContext(
            Loop, request.Info, Lifecycle, Config, Listeners, Services, Events, Requests, Drift, Factory, Conflicts,
            () => StateChanged?.Invoke(), log));
        Connect();
    }

    /// <summary>Something changed that a successor has to know.</summary>
    public event Action? StateChanged;

    /// <summary>A spawn has made descriptors, which the holder needs at once.</summary>
    public event Action<IReadOnlyList<KeyValuePair<string, DescriptorHandle>>>? DescriptorsMade;

    /// <summary>A service has changed, or was removed.</summary>
    public event Action<ServiceRunner>? ServiceChanged;

    public EventLoop Loop { get; }

    public Lifecycle Lifecycle { get; } = new();

    public ConfigInForce Config { get; }

    public EventLog Events { get; }

    public ChangeRequests Requests { get; }

    public OverflowWatch Overflows { get; }

    public SystemdNotify Systemd { get; }

    public OrphanReaper Orphans { get; }

    public CgroupTree? Cgroups { get; }

    public LimitedCgroups Limited { get; }

    public WorkerTokens Tokens { get; }

    public Disposer Disposer { get; }

    public ListenerFactory Factory { get; }

    public ListenerTable Listeners { get; }

    public ServiceTable Services { get; }

    public ServiceOrder Order { get; }

    public DriftWatch Drift { get; }

    public ConflictWatch Conflicts { get; }

    public InterfaceWatch Interfaces { get; }

    public ConfigFileCheck ConfigFiles { get; }

    public Metrics Metrics { get; }

    public MetricsEndpoint MetricsEndpoint { get; }

    public Reloader Reloader { get; }

    /// <summary>Whether listeners are configured and none has a socket or is yet to be given one.</summary>
    public bool HasNothingToServe =>
        Listeners.Handles.Count > 0 && Listeners.Handles.All(handle => handle.Descriptor is null && !handle.IsAwaited);

    /// <summary>Starts the services that wait for a listener, which now has its socket.</summary>
    public void StartServicesOf(ListenerHandle handle)
    {
        foreach (var runner in Services.Where(
            runner => !Lifecycle.IsShuttingDown && runner.Requests.Blocked is not null
                && runner.Generations.Next.Listeners.Contains(handle)))
        {
            runner.Requests.Activate();
        }
    }

    /// <summary>Writes the buffered output of the workers, and the log.</summary>
    public void Flush()
    {
        Services.FlushOutput();
        _request.FlushLog();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        MetricsEndpoint.Dispose();
        Overflows.Dispose();
        Interfaces.Dispose();
        Conflicts.Dispose();
        _limit.Dispose();
        _spawner.Dispose();
        Disposer.Dispose();
        Limited.Dispose();
        Orphans.Dispose();
        Loop.Dispose();
    }

    /// <summary>Runs a program that leaves a process behind on purpose.</summary>
    private void RunProgram(string path, IReadOnlyList<string> arguments, Action<string?> onEnded) => UpgradePreflight.Run(
        Loop, Orphans, path, arguments, Succession.EnvironmentWithout(name => name is "NOTIFY_SOCKET"), [], ProgramPatience,
        result => onEnded(result.Failure), leavesProcesses: true);

    private IEnumerable<string> ServicesOf(string listener) =>
        Config.Current.Services.Where(service => service.Listeners.Contains(listener)).Select(service => service.Name);

    private void Connect()
    {
        Conflicts.Cleared += handle =>
        {
            StartServicesOf(handle);
            Interfaces.Update();
        };
        Drift.NeedsNewSocket += Reloader.Renew;
        Drift.Checked += handle => Overflows.Look(handle);
        Services.Added += runner =>
        {
            runner.Steering.Steerer = Factory.Steerer;
            runner.Requests.Bind = handle => Conflicts.TryNow(handle);
            runner.Requests.Order = (spec, isStart) => isStart ? Order.BeforeStart(spec) : Order.BeforeRollout(spec);
            runner.Signals.HoldsBack = (worker, ask) => Reloader.Holds(runner, worker, ask);
            _serviceDrift.Add(runner);
            runner.Changed += (_, _) =>
            {
                ServiceChanged?.Invoke(runner);
                Reloader.ServiceChanged(runner);
                Order.ServiceChanged(runner);
                foreach (var handle in runner.Generations.Next.Listeners)
                {
                    Overflows.Look(handle);
                }
            };
        };
        Services.Removed += runner =>
        {
            StateChanged?.Invoke();
            Order.ServiceChanged(runner);
            _serviceDrift.Remove(runner);
            Events.Daemon("service-removed", $"service {runner.Name} was removed: it is not configured any more");
            ServiceChanged?.Invoke(runner);
        };
        Config.Replaced += previous =>
        {
            var (before, now) = (previous.Daemon, Config.Current.Daemon);
            PathTrust.InForce = PathAudit.Trust(now);
            Limited.Retry();
            Interfaces.Update();
            if (before.Metrics != now.Metrics || !before.MetricsHosts.SequenceEqual(now.MetricsHosts))
            {
                _ = MetricsEndpoint.ApplyAsync(now);
            }
        };
    }
}
