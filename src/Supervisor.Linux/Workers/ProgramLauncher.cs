using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Starts the program of a worker or a hook with its identity, its limits, its descriptors and pipes for its output. Main thread
/// only.
/// </summary>
internal sealed class ProgramLauncher : IDisposable
{
    private readonly DescriptorHandle _null;

    /// <summary>Opens what every start needs.</summary>
    public ProgramLauncher()
    {
        const int readWrite = 2;
        _null = Files.Open("/dev/null", readWrite, 0, out var error) ?? throw new SystemCallException(
            error, "opening /dev/null for the workers", "make it: mknod -m 666 /dev/null c 1 3");
        if (ChildProcess.Prepare() is { } unprepared)
        {
            throw new SystemCallException(unprepared, "preparing the launcher of the workers");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _null.Dispose();

    /// <summary>
    /// Starts a program with pipes for its output, and with descriptors from <paramref name="first"/> on: 0, or 3. A connection that is
    /// its standard input is its standard output too, for which there is no pipe then. <paramref name="last"/> follows the others, and
    /// is taken over like <paramref name="cgroup"/> and <paramref name="ready"/>.
    /// </summary>
    public Child? Launch(
        ServiceSpec spec,
        WorkerIdentity identity,
        IReadOnlyList<string> command,
        IReadOnlyList<string> environment,
        string? searchPath,
        IReadOnlyList<string> pidVariables,
        List<DescriptorHandle> passed,
        int first,
        bool isOneOfMany,
        PinnedLaunch pins,
        out string? failure,
        DescriptorHandle? cgroup = null,
        Action<DescriptorHandle?, DescriptorHandle>? onPipes = null,
        DescriptorHandle? ready = null,
        bool isConnection = false,
        DescriptorHandle? last = null)
    {
        var isAnswer = isConnection && first == 0;
        DescriptorHandle?[] others = [cgroup, ready, last];
        if (Pipes.Open(!isAnswer, identity, others, out failure) is not { } pipes)
        {
            return null;
        }

        List<DescriptorHandle?> descriptors = [_null, isAnswer ? passed[0] : pipes.OutputEnd, pipes.ErrorEnd];
        for (var i = 0; i < passed.Count; i++)
        {
            // A listener as standard input; other listeners follow the standard descriptors.
            if (first == 0 && i == 0)
            {
                descriptors[0] = passed[0];
            }
            else
            {
                descriptors.Add(passed[i]);
            }
        }

        if (last is not null)
        {
            descriptors.Add(last);
        }

        if (ready is not null && Place(ready, spec.Readiness.Descriptor, descriptors) is { } taken)
        {
            pipes.Close(others);
            failure = taken;
            return null;
        }

        onPipes?.Invoke(pipes.Output, pipes.Error);
        var plan = PlanOf(spec, identity, command, environment, searchPath, pidVariables, pins, descriptors, cgroup);
        using var template = new LaunchTemplate(plan);
        return Start(template, plan, spec, first, descriptors, cgroup, pipes, [.. others.OfType<DescriptorHandle>()], null, isOneOfMany,
            out failure);
    }

    /// <summary>
    /// Lays out what the processes of connections have in common, which have a connection as descriptor <paramref name="first"/>: 0 or 3.
    /// </summary>
    public ConnectionTemplate Prepare(
        ServiceSpec spec, WorkerIdentity identity, IReadOnlyList<string> environment, string? searchPath,
        IReadOnlyList<string> pidVariables, int first, bool hasCgroup, PinnedLaunch pins)
    {
        // Only their number counts.
        var descriptors = new DescriptorHandle?[Math.Max(first + 1, 3)];
        var plan = PlanOf(spec, identity, spec.Command, environment, searchPath, pidVariables, pins, descriptors, hasCgroup ? _null : null);
        return new ConnectionTemplate(spec, identity, plan, first, hasCgroup);
    }

    /// <summary>
    /// Starts the process of a connection, with more variables of its own. <paramref name="cgroup"/> is taken over.
    /// </summary>
    public Child? Launch(
        ConnectionTemplate template, DescriptorHandle connection, IReadOnlyList<string> own, DescriptorHandle? cgroup, bool isOneOfMany,
        out string? failure)
    {
        var isAnswer = template.First == 0;
        if (Pipes.Open(!isAnswer, template.Identity, [cgroup], out failure) is not { } pipes)
        {
            return null;
        }

        DescriptorHandle?[] descriptors = isAnswer ? [connection, connection, pipes.ErrorEnd]
            : [_null, pipes.OutputEnd, pipes.ErrorEnd, connection];
        return Start(template.Common, template.Plan, template.Spec, template.First, descriptors, cgroup, pipes,
            cgroup is null ? [] : [cgroup], own, isOneOfMany, out failure);
    }

    /// <summary>The plan of a program with these descriptors.</summary>
    private static ChildProcess.Plan PlanOf(
        ServiceSpec spec, WorkerIdentity identity, IReadOnlyList<string> command, IReadOnlyList<string> environment, string? searchPath,
        IReadOnlyList<string> pidVariables, PinnedLaunch pins, IReadOnlyList<DescriptorHandle?> descriptors, DescriptorHandle? cgroup)
    {
        var program = pins.Program ?? command[0];
        return new ChildProcess.Plan
        {
            Path = program,
            SearchPath = program.Contains('/', StringComparison.Ordinal) ? null : searchPath ?? DefaultPath,
            Arguments = command,
            Environment = environment,
            PidVariables = pidVariables,
            Descriptors = descriptors,
            Directory = spec.WorkingDirectory,
            Uid = identity.Uid,
            Gid = identity.Gid,
            Groups = identity.Groups,
            Limits = [.. spec.Limits.Select(limit => (
                limit.Resource,
                Highest(limit, limit.Soft ?? limit.Value),
                Highest(limit, limit.Value),
                limit.IsInfinite() || limit.Soft is not null))],
            Umask = spec.Umask,
            Nice = spec.Nice,
            NoNewPrivileges = spec.NoNewPrivileges,
            IgnoreSigpipe = spec.IgnoreSigpipe,
            AmbientCapabilities = Capabilities.Bits(spec.Capabilities),

            // If set-user-id programs are allowed explicitly, they keep the bounding set. Root needs its capabilities.
            DropsBoundingSet = spec.NoNewPrivileges && identity.Uid is > 0,
            Cgroup = cgroup,
            Pins = pins.Files,
            ReportsPins = pins.Reports,
            ScriptArgument = pins.Reports || pins.Files.ContainsKey(PinKind.Script) ? PinnedArgument(spec, command) : 0,
        };
    }

    /// <summary>
    /// Starts a child, which takes over its ends of the pipes and <paramref name="owned"/>; <paramref name="own"/>: the variables of the
    /// process of a connection.
    /// </summary>
    private static Child? Start(
        LaunchTemplate template, ChildProcess.Plan plan, ServiceSpec spec, int first, IReadOnlyList<DescriptorHandle?> descriptors,
        DescriptorHandle? cgroup, Pipes pipes, DescriptorHandle[] owned, IReadOnlyList<string>? own, bool isOneOfMany,
        out string? failure)
    {
        DescriptorHandle[] ends = pipes.OutputEnd is { } outputEnd ? [outputEnd, pipes.ErrorEnd] : [pipes.ErrorEnd];
        var launched = ChildProcess.Start(
            template, descriptors, cgroup, [.. ends, .. owned], own ?? [], isWatched: own is null, out var step);
        if (launched is null)
        {
            pipes.Output?.Dispose();
            pipes.Error.Dispose();
            failure = Describe(step);
            return null;
        }

        if (!isOneOfMany)
        {
            ChildProcess.Finish();
        }

        failure = null;
        return new Child(launched.Pid, launched.Pidfd, pipes.Output, pipes.Error, new PendingLaunch(launched, Describe));

        string Describe(ChildProcess.Failure step) => step.Stage == SpawnStage.Pin
            ? PinText.Missing((PinKind)step.Detail, plan.Pins[(PinKind)step.Detail], spec)
            : SpawnFailureText.For(spec, plan.Arguments[0], step, first);
    }

    /// <summary>
    /// Gives a descriptor its number in the worker, after the others; why not, if another one has that number.
    /// </summary>
    private static string? Place(DescriptorHandle ready, int number, List<DescriptorHandle?> descriptors)
    {
        if (number < descriptors.Count)
        {
            return $"ready = \"fd:{number}\": the worker's listeners and stored descriptors have the numbers up to "
                + $"{descriptors.Count - 1}; choose a higher number";
        }

        while (descriptors.Count < number)
        {
            descriptors.Add(null);
        }

        descriptors.Add(ready);
        return null;
    }

    /// <summary>
    /// The argument that names the script to pin; 0: there is none. A path with a placeholder is another file in each worker.
    /// </summary>
    private static int PinnedArgument(ServiceSpec spec, IReadOnlyList<string> command)
    {
        var argument = ScriptArgument.IndexOf(command);
        return argument < spec.Command.Length && Placeholders.AreIn(spec.Command[argument]) ? 0 : argument;
    }

    /// <summary>
    /// The value to set. No process may have more descriptors than fs.nr_open, so RLIM_INFINITY is refused for them
    /// (do_prlimit(), kernel/sys.c).
    /// </summary>
    private static ulong Highest(ResourceLimit limit, ulong value) =>
        limit.Name == "nofile" && value == ulong.MaxValue && Sysctl.ReadNumber("fs.nr_open") is { } most ? (ulong)most : value;

    /// <summary>The search path for programs of a service whose environment has no PATH.</summary>
    public const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>The remedy if a limit is reached; empty for another error.</summary>
    public static string Exhausted(string errno) => errno switch
    {
        "EMFILE" => "; the daemon's limit of open files is reached: raise LimitNOFILE= in its unit, or ulimit -n",
        "ENFILE" => "; the host's limit of open files is reached: raise fs.file-max",
        "ENOSPC" => "; the runtime directory's file system is full",
        _ => "",
    };

    /// <summary>The pipes of a program's output.</summary>
    private readonly record struct Pipes(
        DescriptorHandle? Output, DescriptorHandle? OutputEnd, DescriptorHandle Error, DescriptorHandle ErrorEnd)
    {
        /// <summary>
        /// Makes the pipes: that of the errors, and that of the output if <paramref name="hasOutput"/>. On failure closes
        /// <paramref name="others"/> too.
        /// </summary>
        public static Pipes? Open(bool hasOutput, WorkerIdentity identity, DescriptorHandle?[] others, out string? failure)
        {
            DescriptorHandle? output = null;
            DescriptorHandle? outputEnd = null;
            DescriptorHandle? error = null;
            DescriptorHandle? errorEnd = null;
            var refused = (hasOutput ? Files.Pipe(out output, out outputEnd) : null) ?? Files.Pipe(out error, out errorEnd);

            // The kernel gives the lowest free number, so the last one shows how many are in use.
            var limit = Processes.DescriptorLimit();
            if (refused is not null || (ulong)errorEnd!.Number + DescriptorReserve.FromWorkers >= limit)
            {
                Array.ForEach([output, outputEnd, error, errorEnd, .. others], descriptor => descriptor?.Dispose());
                failure = refused is { } pipeError
                    ? $"output pipe: {pipeError}{Exhausted(pipeError.Name)}"
                    : $"descriptors: the last {DescriptorReserve.FromWorkers} of {limit} are reserved for the daemon, the others are in use"
                        + Exhausted("EMFILE");
                return null;
            }

            if (identity.Uid is { } owner && owner != Processes.EffectiveUid)
            {
                // So the worker can reopen them by /dev/stdout and /dev/stderr.
                if (outputEnd is not null)
                {
                    Files.SetPinnedOwner(outputEnd, owner, uint.MaxValue);
                }

                Files.SetPinnedOwner(errorEnd, owner, uint.MaxValue);
            }

            failure = null;
            return new Pipes(output, outputEnd, error!, errorEnd);
        }

        /// <summary>Closes the pipes and <paramref name="others"/>.</summary>
        public void Close(DescriptorHandle?[] others) =>
            Array.ForEach([Output, OutputEnd, Error, ErrorEnd, .. others], descriptor => descriptor?.Dispose());
    }

    /// <summary>A child and the read ends of its output, as far as there is a pipe; the caller owns all.</summary>
    public sealed record Child(int Pid, DescriptorHandle Pidfd, DescriptorHandle? Output, DescriptorHandle Error, PendingLaunch Launch);
}
