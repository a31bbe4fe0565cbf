using System.Collections.Immutable;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// Starts programs: spawn.c clones a child, which executes the launcher (launch.c), which becomes the program. Main thread
/// only: the kernel ties a child to the thread that made it.
/// </summary>
public static unsafe class ChildProcess
{
    /// <summary>How many children may be between clone() and the launcher at the same time: LISTEND_SLOTS, spawn.h.</summary>
    internal const int MaxConcurrent = 64;

    /// <summary>The number of <see cref="PinKind"/>s: LISTEND_PINS, spawn.h.</summary>
    public const int PinKinds = 4;

    /// <summary>So many places must be free: output, error, control group, status and pins.</summary>
    private const int PlacesEach = 4 + PinKinds;

    private static readonly List<LaunchSlot> Slots = [];
    private static DescriptorHandle? _launcher;
    private static LaunchPlaces? _places;
    private static int _oldest;

    /// <summary>
    /// sd_listen_fds(3), systemd 258: the inode number of the process's pidfd, which another process never gets. Only where
    /// <see cref="Processes.OwnPidfdInode"/> is known.
    /// </summary>
    public const string PidfdVariable = "LISTEN_PIDFDID";

    /// <summary>What a child runs and with which attributes.</summary>
    public sealed record Plan
    {
        /// <summary>
        /// The executable: an absolute path, or a path relative to <see cref="Directory"/>, which the child enters first. A
        /// bare name if there is a <see cref="SearchPath"/>.
        /// </summary>
        public required string Path { get; init; }

        /// <summary>
        /// The directories to search for <see cref="Path"/>, separated by ":". The search uses the worker's rights. Null if
        /// <see cref="Path"/> is a path.
        /// </summary>
        public string? SearchPath { get; init; }

        /// <summary>argv, including the program's name.</summary>
        public required IReadOnlyList<string> Arguments { get; init; }

        /// <summary>The environment: one NAME=VALUE per element.</summary>
        public required IReadOnlyList<string> Environment { get; init; }

        /// <summary>
        /// Names of variables that get the child's process id as value (LISTEN_PID, WATCHDOG_PID), or the inode number of its pidfd
        /// (<see cref="PidfdVariable"/>).
        /// </summary>
        public IReadOnlyList<string> PidVariables { get; init; } = [];

        /// <summary>
        /// Element i becomes descriptor i, which stays closed if the element is null. The caller owns them and keeps them open
        /// until <see cref="Finish"/>, except those in <see cref="Owned"/>.
        /// </summary>
        public required IReadOnlyList<DescriptorHandle?> Descriptors { get; init; }

        /// <summary>
        /// Descriptors that <see cref="Start"/> takes over. They are closed when the child has its own, or when it cannot be
        /// started.
        /// </summary>
        public IReadOnlyList<DescriptorHandle> Owned { get; init; } = [];

        /// <summary>The child's working directory; null: the daemon's own.</summary>
        public string? Directory { get; init; }

        /// <summary>User id; null: the daemon's own.</summary>
        public uint? Uid { get; init; }

        /// <summary>Group id; null: the daemon's own.</summary>
        public uint? Gid { get; init; }

        /// <summary>Supplementary groups; null: the daemon's own.</summary>
        public IReadOnlyList<uint>? Groups { get; init; }

        /// <summary>
        /// Resource, soft limit and hard limit; and whether the highest permitted hard limit will do instead.
        /// </summary>
        public IReadOnlyList<(int Resource, ulong Soft, ulong Hard, bool MayBeLower)> Limits { get; init; } = [];

        /// <summary>Umask; null: the daemon's own.</summary>
        public int? Umask { get; init; }

        /// <summary>Nice level, -20 to 19; null: the daemon's own.</summary>
        public int? Nice { get; init; }

        /// <summary>PR_SET_NO_NEW_PRIVS.</summary>
        public bool NoNewPrivileges { get; init; }

        /// <summary>Whether SIGPIPE is ignored. Every other signal has its default action.</summary>
        public bool IgnoreSigpipe { get; init; }

        /// <summary>Ambient capabilities, one bit each.</summary>
        public ulong AmbientCapabilities { get; init; }

        /// <summary>
        /// cgroup.procs, open for writing; null: the daemon's own cgroup. Ownership is as for <see cref="Descriptors"/>.
        /// </summary>
        public DescriptorHandle? Cgroup { get; init; }

        /// <summary>
        /// Whether the child drops every capability that is not in <see cref="AmbientCapabilities"/> from its bounding set
        /// (capabilities(7)).
        /// </summary>
        public bool DropsBoundingSet { get; init; }

        /// <summary>What is pinned, by <see cref="PinKind"/>: the child uses this wherever its path leads.</summary>
        public IReadOnlyDictionary<PinKind, LaunchPin> Pins { get; init; } = ImmutableDictionary<PinKind, LaunchPin>.Empty;

        /// <summary>Whether the launcher reports what it uses (<see cref="LaunchedProcess.Pins"/>).</summary>
        public bool ReportsPins { get; init; }

        /// <summary>The index in <see cref="Arguments"/> of an argument that names a script; 0: none.</summary>
        public int ScriptArgument { get; init; }
    }

    /// <summary>
    /// The step that failed, its errno and a detail: the index of the limit or descriptor, the number of the capability, or an
    /// <see cref="ExecDetail"/>; -1 if there is none.
    /// </summary>
    public readonly record struct Failure(SpawnStage Stage, int Errno, int Detail);

    /// <summary>
    /// Opens what every start needs: the launcher's memory file and some low descriptors. Call it early, while low numbers are
    /// free. Null, or the error of the call that failed.
    /// </summary>
    public static SystemCallError? Prepare()
    {
        if (Slots.Count > 0)
        {
            return null;
        }

        var launcher = Succession.Executable("listend-launch", Succession.LauncherProgram, out var error);
        var nothing = launcher is null ? null : Files.Open("/dev/null", O_RDWR, 0, out error);
        if (launcher is null || nothing is null)
        {
            launcher?.Dispose();
            return error;
        }

        if (LaunchChannel.Open() is { } unopened)
        {
            launcher.Dispose();
            nothing.Dispose();
            return unopened;
        }

        (_launcher, _places) = (launcher, new LaunchPlaces(nothing));
        Slots.Add(new LaunchSlot(_places));
        return null;
    }

    /// <summary>Makes slots, so that this many children can be between clone() and the launcher at the same time.</summary>
    public static void Expect(int children)
    {
        while (_places is { } places && Slots.Count < Math.Min(children, MaxConcurrent))
        {
            Slots.Add(new LaunchSlot(places));
        }
    }

    /// <summary>
    /// Waits until each started child has executed the launcher, is about to execute its program, or has failed. The wait is bounded:
    /// the children run with the daemon's credentials, so no other user can stop them, and the launcher is in memory.
    /// </summary>
    public static void Finish()
    {
        foreach (var slot in Slots)
        {
            slot.Finish();
        }

        if (Slots.Count > 1 && Slots.TrueForAll(slot => slot.IsFree))
        {
            Slots[1..].ForEach(slot => slot.Dispose());
            Slots.RemoveRange(1, Slots.Count - 1);
            Syscalls.listend_spawn_release_stacks();
        }
    }

    /// <summary>
    /// Starts a child; <see cref="LaunchedProcess.TryGetOutcome"/> reports whether its steps succeeded, but not before
    /// <see cref="Finish"/>. Null and <paramref name="failure"/> if there is no child.
    /// </summary>
    public static LaunchedProcess? Start(Plan plan, out Failure failure)
    {
        using var template = new LaunchTemplate(plan);
        return Start(template, plan.Descriptors, plan.Cgroup, plan.Owned, [], isWatched: true, out failure);
    }

    /// <summary>
    /// The same for a plan that many children have in common. <paramref name="descriptors"/>, <paramref name="cgroup"/> and
    /// <paramref name="owned"/> replace those of the plan, which has as many. <paramref name="own"/> are more variables, NAME=VALUE.
    /// Unless <paramref name="isWatched"/>, the process may have no <see cref="LaunchedProcess.Status"/>.
    /// </summary>
    public static LaunchedProcess? Start(
        LaunchTemplate template, IReadOnlyList<DescriptorHandle?> descriptors, DescriptorHandle? cgroup,
        IReadOnlyList<DescriptorHandle> owned, IReadOnlyList<string> own, bool isWatched, out Failure failure)
    {
        DescriptorHandle? status = null;
        DescriptorHandle? statusEnd = null;
        var isDirect = template.IsDirect && Slots.Count(slot => slot.IsExecuting) < MaxConcurrent - 1;
        var isChannel = isDirect && !isWatched;
        failure = Prepare() is { } unprepared ? new Failure(SpawnStage.Launcher, unprepared.Errno, -1)
            : !isChannel && DescriptorPassing.Pair(out status, out statusEnd) is { } refused
                ? new Failure(SpawnStage.Descriptors, refused.Errno, -1)
            : default;
        if (failure.Stage != SpawnStage.None)
        {
            foreach (var descriptor in owned)
            {
                descriptor.Dispose();
            }

            return null;
        }

        var number = FreeSlot();
        var slot = Slots[number];
        if (_places!.Free < PlacesEach)
        {
            FreePlaces();
        }

        DescriptorHandle?[] sources = [.. template.Sources(descriptors, cgroup), statusEnd ?? LaunchChannel.End, _launcher!];
        var request = template.LayOut(slot, slot.Lower(sources), isDirect, isChannel, own);
        slot.Occupy(request, template, statusEnd is null ? owned : [statusEnd, .. owned]);
        var done = Syscalls.listend_spawn(request, number);
        GC.KeepAlive(sources);
        if (done == 0)
        {
            return new LaunchedProcess(request->Pid, new DescriptorHandle(request->PidDescriptor), status, isChannel ? slot : null);
        }

        failure = new Failure(SpawnStage.Clone, request->Error, -1);
        slot.Finish();
        status?.Dispose();
        return null;
    }

    /// <summary>Frees the places of children that have their descriptors. It does not wait.</summary>
    private static void FreePlaces()
    {
        foreach (var slot in Slots)
        {
            if (slot.HasDescriptors)
            {
                slot.Finish();
            }
        }
    }

    /// <summary>
    /// A free slot, or the slot of a child that is done, or another one while there is room; else the oldest slot whose child executes
    /// the launcher, after a wait for it. One slot always is for such a child.
    /// </summary>
    private static int FreeSlot()
    {
        var free = Slots.FindIndex(slot => slot.IsFree);
        free = free >= 0 ? free : Slots.FindIndex(slot => slot.IsDone);
        if (free < 0 && Slots.Exists(slot => slot.IsExecuting) && Slots.Count < MaxConcurrent)
        {
            Slots.Add(new LaunchSlot(_places!));
            return Slots.Count - 1;
        }

        while (free < 0)
        {
            _oldest = (_oldest + 1) % Slots.Count;
            free = Slots[_oldest].IsExecuting ? -1 : _oldest;
        }

        Slots[free].Finish();
        return free;
    }

    /// <summary>
    /// execve(2): this process becomes the program. It keeps the descriptors that are not close-on-exec, and gets
    /// <paramref name="descriptors"/> as <paramref name="first"/>, <paramref name="first"/> + 1 and so on. SIGPIPE, which the runtime
    /// ignores, is reset to its default. The method returns only on failure. This thread then has its descriptors as before, and standard
    /// output and error work: the runtime writes to duplicates of them, which may have these numbers.
    /// </summary>
    public static SystemCallError Replace(
        string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, IReadOnlyList<DescriptorHandle> descriptors,
        int first)
    {
        const int sigPipe = 13;
        var memory = new List<nint>();

        // A source may have a number that another source must get, so all sources are first moved out of the range.
        var away = new int[descriptors.Count];
        var former = new int[descriptors.Count];
        for (var i = 0; i < away.Length; i++)
        {
            away[i] = fcntl(descriptors[i].Number, F_DUPFD_CLOEXEC, first + descriptors.Count);
            if (away[i] < 0)
            {
                return SystemCallError.Last("fcntl");
            }

            former[i] = fcntl(first + i, F_DUPFD_CLOEXEC, first + descriptors.Count);
        }

        // The runtime reads signals from one of these numbers on a thread of its own: it would read what waits in a handed descriptor.
        Succession.UnshareDescriptors();
        sigaction action = default;
        sigaction ignored = default;
        _ = LibC.sigaction(sigPipe, &action, &ignored);
        var failed = Execute();
        _ = LibC.sigaction(sigPipe, &ignored, null);
        for (var i = 0; i < former.Length; i++)
        {
            _ = former[i] >= 0 ? dup2(former[i], first + i) : close(first + i);
        }

        return failed;

        SystemCallError Execute()
        {
            for (var i = 0; i < away.Length; i++)
            {
                if (dup2(away[i], first + i) < 0)
                {
                    return SystemCallError.Last("dup2");
                }
            }

            Processes.UnblockSignals();
            _ = Syscalls.execve(NativeText.Of(path, memory), NativeText.Block(arguments, memory), NativeText.Block(environment, memory));
            return SystemCallError.Last("execve");
        }
    }
}
