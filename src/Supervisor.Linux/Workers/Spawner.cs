using System.Collections;
using System.Globalization;
using Supervisor.Core.Handoff;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Turns a service and its listeners into a running worker: environment, descriptors, identity, then the child's side of
/// vfork. Main thread only.
/// </summary>
public sealed class Spawner : IDisposable
{
    private readonly string _notifyDirectory;
    private readonly string _brokerPath;
    private readonly TimeProvider _time;
    private readonly OrphanReaper? _orphans;
    private readonly DescriptorHandle _null;
    private readonly List<KeyValuePair<string, string>> _inherited = [];

    /// <summary>A spawner whose notify sockets lie in <paramref name="notifyDirectory"/>.</summary>
    public Spawner(string notifyDirectory, string brokerPath, TimeProvider time, OrphanReaper? orphans = null)
    {
        _orphans = orphans;
        _notifyDirectory = notifyDirectory;
        _brokerPath = brokerPath;
        _time = time;
        const int readWrite = 2;
        _null = Files.Open("/dev/null", readWrite, 0, out var error) ?? throw new SystemCallException(error, "opening /dev/null for the workers");
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            var name = (string)entry.Key;
            if (!IsOurs(name))
            {
                _inherited.Add(new(name, (string?)entry.Value ?? ""));
            }
        }
    }

    /// <summary>Whether a variable belongs to the relation of a supervisor and its child, and is not passed on.</summary>
    public static bool IsOurs(string name) =>
        name.StartsWith("LISTEN_", StringComparison.Ordinal) || name.StartsWith("NOTIFY_", StringComparison.Ordinal)
        || name.StartsWith("WATCHDOG_", StringComparison.Ordinal) || name.StartsWith("LISTEND_", StringComparison.Ordinal);

    /// <summary>
    /// Spawns a worker with duplicates of its listeners and of what its predecessor stored. The process that comes back is the caller's to watch and
    /// dispose; on failure it is null and <paramref name="failure"/> says setting, value, stage and remedy.
    /// </summary>
    public WorkerProcess? Spawn(
        ServiceSpec spec,
        WorkerIdentity identity,
        WorkerState worker,
        IReadOnlyList<ListenerHandle> listeners,
        Action<string> onOutput,
        Action<string> onError,
        out string? failure,
        IReadOnlyList<StoredDescriptor>? stored = null)
    {
        stored ??= [];
        if (listeners.FirstOrDefault(handle => handle.Descriptor is null) is { } closed)
        {
            failure = $"listener \"{closed.Name}\" has no socket: {closed.Failure?.ToString() ?? "it was closed"}";
            return null;
        }

        var handoff = HandoffEnvironment.For(
            spec.Handoff,
            [.. listeners.Select(handle => new HandedListener(handle.Name, handle.Spec.Address.Kind, handle.Domain, handle.Effective))],
            worker.Generation,
            Processes.CurrentPid,
            [.. stored.Select(one => one.Name)]);
        var notifyPath = Path.Combine(_notifyDirectory, string.Create(CultureInfo.InvariantCulture, $"{spec.Name}.{worker.Id}.sock"));
        if (Compose(spec, identity, worker, handoff, notifyPath, out failure) is not { } environment)
        {
            return null;
        }

        var path = Find(spec.Command[0], environment);
        if (path is null)
        {
            failure = $"command \"{spec.Command[0]}\": finding it: no directory of PATH has such a program; write its absolute path";
            return null;
        }

        var notify = NotifySocket.Create(notifyPath, identity.Uid, out var refused);
        if (notify is null)
        {
            failure = $"notify socket: {refused}{Exhausted(refused!.Name)}";
            return null;
        }

        var pipeRefused = Files.Pipe(out var output, out var outputEnd);
        DescriptorHandle? error = null;
        DescriptorHandle? errorEnd = null;
        pipeRefused ??= Files.Pipe(out error, out errorEnd);
        if (pipeRefused is { } pipeError)
        {
            notify.Dispose();
            output?.Dispose();
            outputEnd?.Dispose();
            error?.Dispose();
            errorEnd?.Dispose();
            failure = $"output pipe: {pipeError}{Exhausted(pipeError.Name)}";
            return null;
        }

        using (outputEnd)
        using (errorEnd)
        {
            List<DescriptorHandle> descriptors = [_null, outputEnd!, errorEnd!];
            if (handoff.FirstDescriptor is { } first)
            {
                foreach (var (handle, i) in listeners.Select((handle, i) => (handle, i)))
                {
                    if (first + i < descriptors.Count)
                    {
                        descriptors[first + i] = handle.Descriptor!;
                    }
                    else
                    {
                        descriptors.Add(handle.Descriptor!);
                    }
                }
            }

            if (handoff.FirstStored is not null)
            {
                descriptors.AddRange(stored.Select(one => one.Descriptor));
            }

            var started = ChildProcess.Spawn(
                new ChildProcess.Plan
                {
                    Path = path,
                    Arguments = spec.Command,
                    Environment = [.. environment.Select(pair => $"{pair.Key}={pair.Value}")],
                    PidVariables = spec.Watchdog > TimeSpan.Zero ? [.. handoff.PidVariables, "WATCHDOG_PID"] : handoff.PidVariables,
                    Descriptors = descriptors,
                    Directory = spec.WorkingDirectory,
                    Uid = identity.Uid,
                    Gid = identity.Gid,
                    Groups = identity.Groups,
                    Limits = [.. spec.Limits.Select(limit => (limit.Resource, limit.Value))],
                    Umask = spec.Umask,
                    Nice = spec.Nice,
                    NoNewPrivileges = spec.NoNewPrivileges,
                    AmbientCapabilities = Capabilities.Bits(spec.Capabilities),
                },
                out var step);
            if (started is not { } child)
            {
                notify.Dispose();
                output!.Dispose();
                error!.Dispose();
                failure = SpawnFailureText.For(spec, path, step, handoff.FirstDescriptor ?? HandoffEnvironment.ListenFdsStart);
                return null;
            }

            failure = null;
            return new WorkerProcess(child.Pid, child.Pidfd, notify, new OutputPipe(output!, onOutput), new OutputPipe(error!, onError), _time.GetUtcNow(), _orphans);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _null.Dispose();

    private Dictionary<string, string>? Compose(
        ServiceSpec spec, WorkerIdentity identity, WorkerState worker, HandoffEnvironment handoff, string notifyPath, out string? failure)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        void Set(IEnumerable<KeyValuePair<string, string>> variables)
        {
            foreach (var (name, value) in variables)
            {
                environment[name] = value;
            }
        }

        Set(_inherited);
        Set(identity.Variables);
        foreach (var file in spec.EnvironmentFiles)
        {
            if (!EnvironmentFile.TryRead(file, out var variables, out var error))
            {
                failure = $"environment_files \"{file}\": reading it: {error}";
                return null;
            }

            Set(variables.Where(pair => !IsOurs(pair.Key)));
        }

        Set(spec.Environment);
        Set(handoff.Variables);
        environment["NOTIFY_SOCKET"] = notifyPath;
        if (spec.Watchdog > TimeSpan.Zero)
        {
            environment["WATCHDOG_USEC"] = ((long)spec.Watchdog.TotalMicroseconds).ToString(CultureInfo.InvariantCulture);
        }

        environment["LISTEND_SERVICE"] = spec.Name;
        environment["LISTEND_WORKER"] = worker.Slot.ToString(CultureInfo.InvariantCulture);
        environment["LISTEND_GENERATION"] = worker.Generation.ToString(CultureInfo.InvariantCulture);
        environment["LISTEND_BROKER"] = _brokerPath;
        failure = null;
        return environment;
    }

    private static string? Find(string command, Dictionary<string, string> environment)
    {
        if (command.Contains('/', StringComparison.Ordinal))
        {
            return command;
        }

        var path = environment.GetValueOrDefault("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        return path.Split(':').Where(directory => directory.Length > 0).Select(directory => Path.Combine(directory, command))
            .FirstOrDefault(candidate => File.Exists(candidate) && Files.IsExecutable(candidate));
    }

    private static string Exhausted(string errno) => errno switch
    {
        "EMFILE" => "; the daemon's limit of open files is reached: raise LimitNOFILE= in its unit, or ulimit -n",
        "ENFILE" => "; the host's limit of open files is reached: raise fs.file-max",
        "ENOSPC" => "; the runtime directory's file system is full",
        _ => "",
    };
}
