using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// Starts programs: spawn.c clones a child, which executes the launcher (launch.c), which becomes the program. Main thread
/// only: the kernel ties a child to the thread that made it.
/// </summary>
public static unsafe class ChildProcess
{
    private const int NiceOffset = 21; // LISTEND_NICE_OFFSET, spawn.h

    /// <summary>How many children may be between clone() and the launcher at the same time: LISTEND_SLOTS, spawn.h.</summary>
    internal const int MaxConcurrent = 64;

    /// <summary>The number of <see cref="PinKind"/>s: LISTEND_PINS, spawn.h.</summary>
    public const int PinKinds = 4;

    private static readonly List<LaunchSlot> Slots = [];
    private static DescriptorHandle? _launcher;
    private static DescriptorHandle? _nothing;
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

        (_launcher, _nothing) = (launcher, nothing);
        Slots.Add(new LaunchSlot(nothing));
        return null;
    }

    /// <summary>Makes slots, so that this many children can be between clone() and the launcher at the same time.</summary>
    public static void Expect(int children)
    {
        while (_nothing is { } nothing && Slots.Count < Math.Min(children, MaxConcurrent))
        {
            Slots.Add(new LaunchSlot(nothing));
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
        DescriptorHandle? status = null;
        DescriptorHandle? statusEnd = null;
        failure = Prepare() is { } unprepared ? new Failure(SpawnStage.Launcher, unprepared.Errno, -1)
            : DescriptorPassing.Pair(out status, out statusEnd) is { } refused ? new Failure(SpawnStage.Descriptors, refused.Errno, -1)
            : default;
        if (failure.Stage != SpawnStage.None)
        {
            foreach (var descriptor in plan.Owned)
            {
                descriptor.Dispose();
            }

            return null;
        }

        var slot = FreeSlot();
        var memory = new List<nint>();
        var request = BuildRequest(plan, statusEnd!, Slots[slot], memory);
        Slots[slot].Occupy(request, memory, [statusEnd!, .. plan.Owned]);
        var done = Syscalls.listend_spawn(request, slot);
        GC.KeepAlive(plan);
        if (done == 0)
        {
            return new LaunchedProcess(request->Pid, new DescriptorHandle(request->PidDescriptor), status!);
        }

        failure = new Failure(SpawnStage.Clone, request->Error, -1);
        Slots[slot].Finish();
        status!.Dispose();
        return null;
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
            Slots.Add(new LaunchSlot(_nothing!));
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

    /// <summary>What the child needs to execute its program itself; none if the launcher has to do something that it cannot.</summary>
    private static SpawnDirect Direct(Plan plan, int sources, List<nint> memory)
    {
        if (plan is not
            {
                SearchPath: null, Directory: null, Uid: null, Gid: null, Groups: null, Limits.Count: 0, Nice: null, AmbientCapabilities: 0,
                DropsBoundingSet: false, ReportsPins: false, Pins.Count: 1,
            }
            || !plan.Pins.TryGetValue(PinKind.Program, out var pin) || pin.Inode == 0
            || Slots.Count(slot => slot.IsExecuting) >= MaxConcurrent - 1)
        {
            return default;
        }

        var (directory, own) = (DirectoryOf(plan.Path), DirectoryOf(pin.OwnPath));
        var isSame = directory == own;
        return new SpawnDirect
        {
            Path = Text(plan.Path, memory),
            Arguments = Block(plan.Arguments, memory),
            Device = pin.Device,
            Inode = pin.Inode,
            Directory = isSame ? null : Text(directory, memory),
            OwnDirectory = isSame ? null : Text(own, memory),
            Given = plan.Descriptors.Count,
            Cgroup = plan.Cgroup is null ? 0 : sources - 3,
            Umask = plan.Umask is { } umask ? umask + 1 : 0,
            NoNewPrivileges = plan.NoNewPrivileges ? 1 : 0,
            IgnoreSigpipe = plan.IgnoreSigpipe ? 1 : 0,
            PidVariables = plan.PidVariables.Count,
        };

        static string DirectoryOf(string path) => path[..(path.LastIndexOf('/') + 1)];
    }

    /// <summary>Lays out the request in unmanaged memory; launch.c documents the order of the launcher's arguments.</summary>
    private static SpawnRequest* BuildRequest(Plan plan, DescriptorHandle status, LaunchSlot slot, List<nint> memory)
    {
        // After the worker's descriptors: what is pinned, the control group, the status socket, the launcher's image.
        LaunchPin?[] pins = [.. Enumerable.Range(0, PinKinds).Select(kind => plan.Pins.GetValueOrDefault((PinKind)kind))];
        DescriptorHandle[] pinned = [.. pins.Select(pin => pin?.Descriptor).OfType<DescriptorHandle>()];
        DescriptorHandle?[] sources =
        [
            .. plan.Descriptors,
            .. pinned,
            .. plan.Cgroup is { } cgroup ? [cgroup] : Array.Empty<DescriptorHandle>(),
            status,
            _launcher!,
        ];
        var numbers = new ulong[(int)LaunchNumber.Count];
        numbers[(int)LaunchNumber.Status] = (ulong)(sources.Length - 2);
        numbers[(int)LaunchNumber.Cgroup] = plan.Cgroup is null ? 0 : (ulong)(sources.Length - 3);
        numbers[(int)LaunchNumber.Limits] = (ulong)plan.Limits.Count;
        numbers[(int)LaunchNumber.Nice] = plan.Nice is { } nice ? (ulong)(nice + NiceOffset) : 0;
        numbers[(int)LaunchNumber.Umask] = plan.Umask is { } umask ? (ulong)umask + 1 : 0;
        numbers[(int)LaunchNumber.Bounds] = plan.DropsBoundingSet ? 1u : 0;
        numbers[(int)LaunchNumber.Groups] = plan.Groups is { } groups ? (ulong)groups.Count + 1 : 0;
        numbers[(int)LaunchNumber.Gid] = plan.Gid is { } gid ? (ulong)gid + 1 : 0;
        numbers[(int)LaunchNumber.Uid] = plan.Uid is { } uid ? (ulong)uid + 1 : 0;
        numbers[(int)LaunchNumber.Ambient] = plan.AmbientCapabilities;
        numbers[(int)LaunchNumber.NoNewPrivileges] = plan.NoNewPrivileges ? 1u : 0;
        numbers[(int)LaunchNumber.IgnoreSigpipe] = plan.IgnoreSigpipe ? 1u : 0;
        numbers[(int)LaunchNumber.PidVariables] = (ulong)plan.PidVariables.Count;
        numbers[(int)LaunchNumber.Given] = (ulong)plan.Descriptors.Count;
        numbers[(int)LaunchNumber.Report] = plan.ReportsPins ? 1u : 0;
        numbers[(int)LaunchNumber.ScriptArgument] = (ulong)plan.ScriptArgument;
        SetPins(numbers.AsSpan((int)LaunchNumber.Pins), pins, plan.Descriptors.Count);

        string[] arguments =
        [
            "listend-launch",
            string.Join(' ', numbers),
            string.Join(' ', plan.Groups ?? []),
            string.Join(' ', plan.Limits.Select(limit =>
                string.Create(CultureInfo.InvariantCulture, $"{limit.Resource} {limit.Soft} {limit.Hard} {(limit.MayBeLower ? 1 : 0)}"))),
            plan.Directory ?? "",
            plan.SearchPath ?? "",
            plan.Path,
            .. pins.SelectMany(pin => new[] { pin?.OwnPath ?? "", pin?.RealPath ?? "" }),
            .. plan.Arguments,
        ];
        string[] environment =
        [
            .. plan.PidVariables.Select(name => name + (name == PidfdVariable ? "=00000000000000000000" : "=0000000000")),
            .. plan.Environment,
        ];
        var descriptors = (int*)Allocate((nuint)(sizeof(int) * sources.Length), memory);
        slot.Lower(sources).CopyTo(new Span<int>(descriptors, sources.Length));
        var request = (SpawnRequest*)Allocate((nuint)sizeof(SpawnRequest), memory);
        *request = new SpawnRequest
        {
            Arguments = Block(arguments, memory),
            Environment = Block(environment, memory),
            Direct = Direct(plan, sources.Length, memory),
            Descriptors = descriptors,
            DescriptorCount = sources.Length,
        };
        return request;
    }

    /// <summary>Descriptor, device and inode of each pin; the descriptors follow the worker's.</summary>
    private static void SetPins(Span<ulong> numbers, ReadOnlySpan<LaunchPin?> pins, int descriptors)
    {
        var next = (ulong)descriptors;
        foreach (var pin in pins)
        {
            (numbers[0], numbers[1], numbers[2]) = (pin?.Descriptor is null ? 0 : ++next, pin?.Device ?? 0, pin?.Inode ?? 0);
            numbers = numbers[3..];
        }
    }

    /// <summary>
    /// execve(2): this process becomes the program. It keeps the descriptors that are not close-on-exec, and gets
    /// <paramref name="descriptors"/> as <paramref name="first"/>, <paramref name="first"/> + 1 and so on. SIGPIPE, which the runtime
    /// ignores, is reset to its default. The method returns only on failure. Descriptors from <paramref name="first"/> on may
    /// be closed then, so the caller should only report the error.
    /// </summary>
    public static SystemCallError Replace(
        string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, IReadOnlyList<DescriptorHandle> descriptors,
        int first)
    {
        const int sigPipe = 13;
        var memory = new List<nint>();

        // A source may have a number that another source must get, so all sources are first moved out of the range.
        var away = new int[descriptors.Count];
        for (var i = 0; i < away.Length; i++)
        {
            away[i] = fcntl(descriptors[i].Number, F_DUPFD_CLOEXEC, first + descriptors.Count);
            if (away[i] < 0)
            {
                return SystemCallError.Last("fcntl");
            }
        }

        // The runtime reads signals from one of these numbers on a thread of its own: it would read what waits in a handed descriptor.
        Succession.UnshareDescriptors();
        for (var i = 0; i < away.Length; i++)
        {
            if (dup2(away[i], first + i) < 0)
            {
                return SystemCallError.Last("dup2");
            }
        }

        sigaction action = default;
        _ = LibC.sigaction(sigPipe, &action, null);
        Processes.UnblockSignals();
        _ = Syscalls.execve(Text(path, memory), Block(arguments, memory), Block(environment, memory));
        return SystemCallError.Last("execve");
    }

    private static void* Allocate(nuint size, List<nint> memory)
    {
        var block = NativeMemory.AllocZeroed(size);
        memory.Add((nint)block);
        return block;
    }

    /// <summary>A NUL-terminated string in a block of its own, which the caller frees.</summary>
    internal static byte* Text(string text, List<nint> memory)
    {
        var length = ByteText.GetByteCount(text);
        var block = (byte*)Allocate((nuint)length + 1, memory);
        ByteText.GetBytes(text, new Span<byte>(block, length));
        return block;
    }

    /// <summary>A NULL-terminated array of strings, all in one block, which the caller frees.</summary>
    internal static byte** Block(IReadOnlyList<string> strings, List<nint> memory)
    {
        var size = sizeof(byte*) * (strings.Count + 1);
        foreach (var text in strings)
        {
            size += ByteText.GetByteCount(text) + 1;
        }

        var block = (byte**)Allocate((nuint)size, memory);
        var next = (byte*)(block + strings.Count + 1);
        for (var i = 0; i < strings.Count; i++)
        {
            block[i] = next;
            var length = ByteText.GetByteCount(strings[i]);
            ByteText.GetBytes(strings[i], new Span<byte>(next, length));
            next += length + 1;
        }

        return block;
    }
}
