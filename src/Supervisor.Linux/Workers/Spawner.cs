using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Starts workers: environment, descriptors, identity, then the launcher. Main thread only.</summary>
public sealed class Spawner : IDisposable
{
    /// <summary>Up to this number of workers, no room for descriptors has to be made: table.c has made it.</summary>
    private const int FewWorkers = 64;

    /// <summary>
    /// The daemon's own descriptors for each worker: notify socket, two pipes, pidfd, cgroup, and one that the worker may
    /// store.
    /// </summary>
    private const int DescriptorsEach = 6;

    private readonly string _notifyDirectory;
    private readonly string _brokerPath;
    private readonly TimeProvider _time;
    private readonly OrphanReaper? _orphans;
    private readonly ProgramLauncher _launcher = new();
    private readonly bool _hasPidfs = Processes.OwnPidfdInode is not null;
    private readonly WorkerEnvironments _environments = new();

    /// <summary>
    /// A spawner whose notify sockets are in <paramref name="notifyDirectory"/>. With <paramref name="cgroups"/>, each worker
    /// has a cgroup.
    /// </summary>
    public Spawner(string notifyDirectory, string brokerPath, TimeProvider time, OrphanReaper? orphans = null, CgroupTree? cgroups = null)
    {
        Cgroups = cgroups;
        _orphans = orphans;
        _notifyDirectory = notifyDirectory;
        _brokerPath = brokerPath;
        _time = time;
    }

    /// <summary>
    /// Receives the descriptors that connect a worker with the daemon, by service, worker and purpose, before the worker can
    /// write to them. So what the worker writes survives if the daemon is killed at that moment.
    /// </summary>
    public Action<IReadOnlyList<KeyValuePair<string, DescriptorHandle>>>? OnDescriptors { get; set; }

    /// <summary>Receives the descriptors that workers send with their messages; null if no notify socket is watched.</summary>
    public Disposer? Disposer { get; set; }

    /// <summary>Creates the tokens of workers and hooks.</summary>
    public WorkerTokens Tokens { get; init; } = new();

    /// <summary>Starts the programs of hooks and probes.</summary>
    internal ProgramSpawner Programs => field ??= new ProgramSpawner(_launcher, _environments, _brokerPath, Tokens, _orphans);

    /// <summary>The parent of the workers' cgroups; null if workers have none.</summary>
    internal CgroupTree? Cgroups { get; }

    /// <summary>Where workers with limits have their cgroups; null if there are no limits.</summary>
    public LimitedCgroups? Limited { get; init; }

    /// <summary>Announces how many workers are about to be spawned: room for their descriptors is made once.</summary>
    public static void Expect(int workers)
    {
        if (workers > FewWorkers)
        {
            Descriptors.GrowTable(workers * DescriptorsEach);
        }

        ChildProcess.Expect(workers);
    }

    /// <summary>
    /// Ends a batch of spawns: waits until the children no longer need the daemon's memory (<see cref="ChildProcess.Finish"/>).
    /// </summary>
    public static void Finish() => ChildProcess.Finish();

    /// <summary>
    /// Spawns a worker with duplicates of its listeners and of what its predecessor stored; <paramref name="share"/> selects
    /// the shards. The program may not have been executed yet: see <see cref="WorkerProcess.Launch"/>. In a batch,
    /// <see cref="Finish"/> has to follow. On failure the result is null, and <paramref name="failure"/> has setting, value,
    /// stage and remedy.
    /// </summary>
    internal WorkerProcess? Start(
        ServiceSpec spec,
        WorkerIdentity identity,
        WorkerState worker,
        IReadOnlyList<ListenerHandle> listeners,
        Action<OutputPiece> onOutput,
        Action<OutputPiece> onError,
        FileVariables fromFiles,
        GenerationPins pins,
        bool isOneOfMany,
        out string? failure,
        IReadOnlyList<StoredDescriptor>? stored = null,
        Func<ListenerHandle, IReadOnlyList<ListenerSocket>>? share = null,
        Func<ListenerHandle, ListenerSocket, string?>? cookie = null,
        IncomingConnection? connection = null,
        (WorkerCgroup? Cgroup, DescriptorHandle? Members, SetLimits Limits)? ofCgroup = null)
    {
        stored ??= [];
        share ??= static handle => handle.Sockets;
        if (connection is not null)
        {
            (listeners, share) = ([], static _ => []);
        }

        if (listeners.FirstOrDefault(handle => handle.Descriptor is null) is { } closed)
        {
            failure = $"listener \"{closed.Name}\" has no socket: {closed.Failure?.ToString() ?? "closed"}";
            return null;
        }

        var handoff = HandoffEnvironment.For(
            spec.Handoff,
            connection is not null ? [connection.Handed] :
            [.. listeners
                .SelectMany(handle => share(handle)
                    .Select(_ => new HandedListener(handle.Name, handle.Spec.Address.Kind, handle.Domain, handle.Effective)))],
            worker.Generation,
            Processes.CurrentPid,
            [.. stored.Select(one => one.Name)]);
        // Nothing is awaited from the process of a connection, and a socket file for each would cost as much as the rest of its start.
        var notifyPath = connection is null ? WorkerSocketFile.PathFor(_notifyDirectory, spec.Name, worker.Id) : null;
        var environment = _environments.Of(spec, identity, fromFiles);
        var token = Tokens.New();
        var placeholders = new Placeholders(
            spec.Name, worker.Generation, worker.Slot,
            Numbered(handoff, connection is not null ? [connection.Listener.Name]
                : listeners.SelectMany(handle => share(handle).Select(_ => handle.Name))));
        SystemCallFailure? refused = null;
        var notify = notifyPath is null ? null
            : NotifySocket.Create(notifyPath, identity.Uid, out refused, Disposer, Disposer.OwnerOf(spec.Name));
        EinhornSocket? einhorn = null;
        DescriptorHandle? einhornEnd = null;
        if (spec.Handoff == HandoffKind.Einhorn && refused is null)
        {
            einhorn = EinhornSocket.Create(
                WorkerSocketFile.PathFor(_notifyDirectory, spec.Name, worker.Id, ".einhorn"), identity.Uid, Disposer,
                Disposer.OwnerOf(spec.Name), out einhornEnd, out refused);
        }

        if (refused is not null)
        {
            notify?.Dispose();
            failure = refused.Name == "EPERM" && identity.Uid is { } uid && uid != Processes.EffectiveUid
                ? $"user \"{spec.User}\": giving it the notify socket: {refused}; only root may run workers as another user: "
                    + "run the daemon as root, or leave user out"
                : $"notify socket: {refused}{ProgramLauncher.Exhausted(refused.Name)}";
            return null;
        }

        List<DescriptorHandle> passed = connection is null ? [] : [connection.Descriptor];
        if (handoff.FirstDescriptor is { })
        {
            passed.AddRange(listeners.SelectMany(share).Select(socket => socket.Descriptor));
        }

        if (handoff.FirstStored is { })
        {
            passed.AddRange(stored.Select(one => one.Descriptor));
        }

        var variables = environment.With(
        [
            .. environment.Expanded(placeholders), .. handoff.Variables, .. Own(spec, worker, notifyPath, token), .. Cookies(),
            .. worker.Connection is { } peer ? ConnectionVariables.Of(peer) : [],
            .. einhorn is null ? [] : einhorn.Variables(worker.Slot, HandoffEnvironment.ListenFdsStart + passed.Count),
        ]);
        var (cgroup, members, limits) = ofCgroup ?? MakeCgroup(spec, worker);

        DescriptorHandle? ready = null;
        DescriptorHandle? readyEnd = null;
        if (spec.Readiness.Kind == ReadinessKind.Descriptor && Files.Pipe(out ready, out readyEnd) is { } unpiped)
        {
            cgroup?.Dispose();
            members?.Dispose();
            notify?.Dispose();
            einhorn?.Dispose();
            einhornEnd?.Dispose();
            failure = $"pipe for ready = \"fd:{spec.Readiness.Descriptor}\": {unpiped}{ProgramLauncher.Exhausted(unpiped.Name)}";
            return null;
        }

        var earliest = Processes.TicksSinceBoot();
        var child = _launcher.Launch(
            spec, identity, [.. spec.Command.Select(placeholders.Expand)], variables, environment.Path, PidVariables(spec, handoff), passed,
            handoff.FirstDescriptor ?? HandoffEnvironment.ListenFdsStart, isOneOfMany, pins.Worker, out failure, members,
            ReportDescriptors, readyEnd, isConnection: connection is not null, einhornEnd);
        if (child is null)
        {
            cgroup?.Dispose();
            notify?.Dispose();
            einhorn?.Dispose();
            ready?.Dispose();
            return null;
        }

        var process = Started(child, notify, onOutput, onError, spec, identity, cgroup, limits, token, earliest);
        process.Ready = ready is null ? null : new ReadyPipe(ready);
        process.Einhorn = einhorn;
        return process;

        // A field for each descriptor: the worker counts them.
        IEnumerable<KeyValuePair<string, string>> Cookies()
        {
            string?[] all = [.. listeners.SelectMany(handle => share(handle).Select(socket => cookie?.Invoke(handle, socket)))];
            return Array.TrueForAll(all, static one => one is null) ? [] : [new("LISTEND_COOKIES", string.Join(':', all))];
        }

        void ReportDescriptors(DescriptorHandle? output, DescriptorHandle error)
        {
            if (connection is not null)
            {
                // Most of them exit before they are saved.
                return;
            }

            OnDescriptors?.Invoke(
            [
                .. notify is null ? [] : new[] { KeyValuePair.Create(DescriptorKey.Notify(spec.Name, worker.Id), notify.Descriptor) },
                .. output is null ? [] : new[] { KeyValuePair.Create(DescriptorKey.Output(spec.Name, worker.Id), output) },
                new(DescriptorKey.Error(spec.Name, worker.Id), error),
                .. ready is null ? [] : new[] { KeyValuePair.Create(DescriptorKey.Ready(spec.Name, worker.Id), ready) },
                .. einhorn?.Descriptors(spec.Name, worker.Id) ?? [],
            ]);
        }
    }

    /// <summary>
    /// Spawns the process of a connection of a generation that is pinned, without environment files: what such processes have in common is
    /// laid out once, unless a placeholder is in the command or the environment.
    /// </summary>
    internal WorkerProcess? Start(
        ServiceSpec spec, WorkerIdentity identity, WorkerState worker, IncomingConnection connection, Action<OutputPiece> onOutput,
        Action<OutputPiece> onError, GenerationPins pins, bool isOneOfMany, out string? failure)
    {
        var (cgroup, members, limits) = MakeCgroup(spec, worker);
        if (TemplateFor(spec, identity, worker.Generation, connection, pins, hasCgroup: members is not null) is not { } template)
        {
            return Start(
                spec, identity, worker, [], onOutput, onError, FileVariables.None, pins, isOneOfMany, out failure, connection: connection,
                ofCgroup: (cgroup, members, limits));
        }

        var token = Tokens.New();
        var earliest = Processes.TicksSinceBoot();
        var child = _launcher.Launch(
            template, connection.Descriptor,
            [
                string.Create(CultureInfo.InvariantCulture, $"LISTEND_WORKER={worker.Slot}"),
                $"{WorkerTokens.Variable}={token}",
                .. ConnectionVariables.Of(connection.Peer).Select(static pair => $"{pair.Key}={pair.Value}"),
            ],
            members, isOneOfMany, out failure);
        if (child is null)
        {
            cgroup?.Dispose();
            return null;
        }

        return Started(child, null, onOutput, onError, spec, identity, cgroup, limits, token, earliest);
    }

    /// <summary>A process that was just started. Takes over the child's descriptors, the notify socket and the cgroup.</summary>
    private WorkerProcess Started(
        ProgramLauncher.Child child, NotifySocket? notify, Action<OutputPiece> onOutput, Action<OutputPiece> onError, ServiceSpec spec,
        WorkerIdentity identity, WorkerCgroup? cgroup, SetLimits limits, string token, ulong earliest) =>
        new(
            child.Pid, child.Pidfd, notify, child.Output is { } piped ? new OutputPipe(piped, onOutput) : null,
            new OutputPipe(child.Error, onError), _time.GetUtcNow(), _orphans, earliest)
        {
            Cgroup = cgroup,
            Controllers = limits.Controllers,
            Limits = limits.InForce,
            WantedLimits = spec.Cgroup,
            RefusedLimits = limits.Refused,
            Uid = identity.Uid ?? Processes.EffectiveUid,
            Token = token,
            Launch = child.Launch,
        };

    /// <summary>What the processes of connections have in common; null if it differs between two of them.</summary>
    private ConnectionTemplate? TemplateFor(
        ServiceSpec spec, WorkerIdentity identity, int generation, IncomingConnection connection, GenerationPins pins, bool hasCgroup)
    {
        if (pins.Template is { } known && known.IsFor(spec, identity, hasCgroup))
        {
            return known;
        }

        var environment = _environments.Of(spec, identity, FileVariables.None);
        if (!environment.IsCommon(ConnectionVariables.Names) || spec.Command.Any(Placeholders.AreIn))
        {
            return null;
        }

        var handoff = HandoffEnvironment.For(spec.Handoff, [connection.Handed], generation, Processes.CurrentPid);
        string[] own = ["LISTEND_WORKER", WorkerTokens.Variable];
        KeyValuePair<string, string>[] common =
        [
            .. handoff.Variables,
            new("LISTEND_SERVICE", spec.Name),
            new("LISTEND_GENERATION", generation.ToString(CultureInfo.InvariantCulture)),
            new("LISTEND_BROKER", _brokerPath),
        ];
        return pins.Template = _launcher.Prepare(
            spec, identity, environment.With(common, without: own), environment.Path, PidVariables(spec, handoff),
            handoff.FirstDescriptor ?? HandoffEnvironment.ListenFdsStart, hasCgroup, pins.Worker);
    }

    /// <summary>The variables with the process id of the worker.</summary>
    private string[] PidVariables(ServiceSpec spec, HandoffEnvironment handoff) =>
    [
        .. handoff.PidVariables,
        .. handoff.PidVariables.IsEmpty || !_hasPidfs ? [] : new[] { ChildProcess.PidfdVariable },
        .. spec.Watchdog > TimeSpan.Zero ? ["WATCHDOG_PID"] : Array.Empty<string>(),
    ];

    /// <summary>The cgroup of a worker that a previous daemon has started.</summary>
    internal WorkerCgroup Adopt(string path) => Limited?.Adopt(path) ?? new WorkerCgroup(Cgroups, path);

    /// <summary>A worker's cgroup with its limits, and its open cgroup.procs; null where the worker has none.</summary>
    private (WorkerCgroup? Cgroup, DescriptorHandle? Members, SetLimits Limits) MakeCgroup(ServiceSpec spec, WorkerState worker)
    {
        var tree = spec.Cgroup.IsEmpty ? null : Limited?.Tree;
        SystemCallError? unmade = null;
        var cgroup = tree?.Create(spec.Name, worker.Id, out unmade);
        cgroup ??= Cgroups?.Create(spec.Name, worker.Id, out _);
        var members = cgroup?.OpenMembers(out _);
        if (members is null)
        {
            // The daemon would kill an unusable cgroup instead of the worker.
            cgroup?.Dispose();
            cgroup = null;
        }

        return (cgroup, members, SetLimits.Of(cgroup?.Path, spec.Cgroup, Limited, unmade));
    }

    /// <inheritdoc/>
    public void Dispose() => _launcher.Dispose();

    /// <summary>The numbers that the listeners' descriptors have in the worker; none if the hand-off passes none.</summary>
    private static ImmutableArray<(string Listener, int Number)> Numbered(HandoffEnvironment handoff, IEnumerable<string> listeners) =>
        handoff.FirstDescriptor is { } first ? [.. listeners.Select((name, index) => (name, first + index))] : [];

    private List<KeyValuePair<string, string>> Own(ServiceSpec spec, WorkerState worker, string? notifyPath, string token)
    {
        List<KeyValuePair<string, string>> own =
        [
            .. notifyPath is null ? [] : new[] { KeyValuePair.Create("NOTIFY_SOCKET", notifyPath) },
            new("LISTEND_SERVICE", spec.Name),
            new("LISTEND_WORKER", worker.Slot.ToString(CultureInfo.InvariantCulture)),
            new("LISTEND_GENERATION", worker.Generation.ToString(CultureInfo.InvariantCulture)),
            new("LISTEND_BROKER", _brokerPath),
            new(WorkerTokens.Variable, token),
        ];
        if (spec.Watchdog > TimeSpan.Zero)
        {
            own.Add(new("WATCHDOG_USEC", ((long)spec.Watchdog.TotalMicroseconds).ToString(CultureInfo.InvariantCulture)));
        }

        return own;
    }
}
