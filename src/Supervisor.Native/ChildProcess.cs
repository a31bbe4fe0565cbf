using System.Runtime.InteropServices;
using System.Text;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>Spawns a program by the child's side of vfork in spawn.c. Main thread only.</summary>
public static unsafe class ChildProcess
{
    /// <summary>What a child is to be.</summary>
    public sealed record Plan
    {
        /// <summary>The executable: an absolute path, or one relative to <see cref="Directory"/>, which is entered before.</summary>
        public required string Path { get; init; }

        /// <summary>argv, the program's name included.</summary>
        public required IReadOnlyList<string> Arguments { get; init; }

        /// <summary>NAME=VALUE each.</summary>
        public required IReadOnlyList<string> Environment { get; init; }

        /// <summary>Names of variables whose value is to be the child's own process id (LISTEN_PID, WATCHDOG_PID).</summary>
        public IReadOnlyList<string> PidVariables { get; init; } = [];

        /// <summary>Element i becomes descriptor i; they stay the caller's.</summary>
        public required IReadOnlyList<DescriptorHandle> Descriptors { get; init; }

        /// <summary>chdir, or null.</summary>
        public string? Directory { get; init; }

        /// <summary>User id, or null: the daemon's own.</summary>
        public uint? Uid { get; init; }

        /// <summary>Group id, or null: the daemon's own.</summary>
        public uint? Gid { get; init; }

        /// <summary>Supplementary groups, or null: the daemon's own.</summary>
        public IReadOnlyList<uint>? Groups { get; init; }

        /// <summary>Resource and value, soft and hard alike.</summary>
        public IReadOnlyList<(int Resource, ulong Value)> Limits { get; init; } = [];

        /// <summary>Umask, or null.</summary>
        public int? Umask { get; init; }

        /// <summary>Nice level, or null.</summary>
        public int? Nice { get; init; }

        /// <summary>PR_SET_NO_NEW_PRIVS.</summary>
        public bool NoNewPrivileges { get; init; }

        /// <summary>Ambient capabilities, a bit each.</summary>
        public ulong AmbientCapabilities { get; init; }

        /// <summary>cgroup.procs open for writing, or null; stays the caller's.</summary>
        public DescriptorHandle? Cgroup { get; init; }

        /// <summary>
        /// Whether the caller leaves all of these descriptors open, and as they are, until the child is finished. Then the child
        /// begins with the daemon's own table and copies only what lies up to the highest of them.
        /// </summary>
        public bool KeepsDescriptors { get; init; }
    }

    /// <summary>A child that runs: its process id and its pidfd, which the caller owns.</summary>
    public readonly record struct Started(int Pid, DescriptorHandle Pidfd);

    /// <summary>The step that failed, its errno, and the index of the limit or descriptor where it was one.</summary>
    public readonly record struct Failure(SpawnStage Stage, int Errno, int Detail);

    /// <summary>How many may have begun and not been finished at a time: spawn.h.</summary>
    public const int MostAtOnce = 65;

    /// <summary>
    /// Spawns. Returns when the program has been executed or a step has failed; then <paramref name="failure"/> says
    /// which, and no process is left.
    /// </summary>
    public static Started? Spawn(Plan plan, out Failure failure) => Begin(plan, waits: true, out failure)?.Finish(out failure);

    /// <summary>
    /// The first half of a spawn: there is a child, which takes its steps beside this process unless this one
    /// <paramref name="waits"/> for them. Null where there is none, <see cref="MostAtOnce"/> being under way included. Whoever
    /// gets one finishes it; the plan's descriptors may be closed before, unless the plan says otherwise.
    /// </summary>
    public static Begun? Begin(Plan plan, bool waits, out Failure failure)
    {
        var memory = new List<nint>();
        var request = Lay(plan, waits || plan.KeepsDescriptors, memory);
        var done = waits ? Syscalls.listend_spawn(request) : Syscalls.listend_spawn_begin(request);
        GC.KeepAlive(plan);
        failure = new Failure((SpawnStage)request->Stage, request->Error, request->Detail);
        var begun = new Begun(request, memory, isDone: waits);
        if (done == 0)
        {
            return begun;
        }

        begun.Free();
        return null;
    }

    /// <summary>A child that may have steps before it, and what it needs for them.</summary>
    public sealed class Begun
    {
        private readonly List<nint> _memory;
        private readonly bool _isDone;
        private SpawnRequest* _request;

        internal Begun(SpawnRequest* request, List<nint> memory, bool isDone)
        {
            _request = request;
            _memory = memory;
            _isDone = isDone;
        }

        /// <summary>
        /// The second half, once: returns when the program has been executed or a step has failed; then
        /// <paramref name="failure"/> says which, and no process is left.
        /// </summary>
        public Started? Finish(out Failure failure)
        {
            ObjectDisposedException.ThrowIf(_request is null, this);
            var done = _isDone ? 0 : Syscalls.listend_spawn_end(_request);
            failure = new Failure((SpawnStage)_request->Stage, _request->Error, _request->Detail);
            Started? started = done == 0 ? new Started(_request->Pid, new DescriptorHandle(_request->PidDescriptor)) : null;
            Free();
            return started;
        }

        internal void Free()
        {
            _request = null;
            foreach (var block in _memory)
            {
                NativeMemory.Free((void*)block);
            }
        }
    }

    /// <summary>The whole request in memory of its own.</summary>
    private static SpawnRequest* Lay(Plan plan, bool keepsDescriptors, List<nint> memory)
    {
        var environment = new List<string>(plan.Environment.Count + plan.PidVariables.Count);
        environment.AddRange(plan.Environment);
        var firstSlot = environment.Count;
        foreach (var name in plan.PidVariables)
        {
            environment.Add(name + "=0000000000");
        }

        var environmentBlock = Block(environment, memory);
        var slots = (byte**)Allocate((nuint)(sizeof(byte*) * Math.Max(1, plan.PidVariables.Count)), memory);
        for (var i = 0; i < plan.PidVariables.Count; i++)
        {
            slots[i] = environmentBlock[firstSlot + i] + Encoding.UTF8.GetByteCount(plan.PidVariables[i]) + 1;
        }

        var groups = (uint*)Allocate((nuint)(sizeof(uint) * Math.Max(1, plan.Groups?.Count ?? 0)), memory);
        for (var i = 0; i < (plan.Groups?.Count ?? 0); i++)
        {
            groups[i] = plan.Groups![i];
        }

        var limits = (SpawnLimit*)Allocate((nuint)(sizeof(SpawnLimit) * Math.Max(1, plan.Limits.Count)), memory);
        for (var i = 0; i < plan.Limits.Count; i++)
        {
            limits[i] = new SpawnLimit { Resource = plan.Limits[i].Resource, Value = plan.Limits[i].Value };
        }

        var descriptors = (int*)Allocate((nuint)(sizeof(int) * Math.Max(1, plan.Descriptors.Count)), memory);
        for (var i = 0; i < plan.Descriptors.Count; i++)
        {
            descriptors[i] = plan.Descriptors[i].Number;
        }

        var request = (SpawnRequest*)Allocate((nuint)sizeof(SpawnRequest), memory);
        *request = new SpawnRequest
        {
            Path = Text(plan.Path, memory),
            Arguments = Block(plan.Arguments, memory),
            Environment = environmentBlock,
            PidSlots = slots,
            PidSlotCount = plan.PidVariables.Count,
            Directory = plan.Directory is null ? null : Text(plan.Directory, memory),
            Groups = groups,
            GroupCount = plan.Groups?.Count ?? -1,
            Limits = limits,
            LimitCount = plan.Limits.Count,
            Descriptors = descriptors,
            DescriptorCount = plan.Descriptors.Count,
            Ambient = plan.AmbientCapabilities,
            CgroupDescriptor = plan.Cgroup?.Number ?? -1,
            Umask = plan.Umask ?? -1,
            Nice = plan.Nice ?? int.MinValue,
            NoNewPrivileges = plan.NoNewPrivileges ? 1 : 0,
            Uid = plan.Uid ?? uint.MaxValue,
            Gid = plan.Gid ?? uint.MaxValue,
            SharesDescriptors = keepsDescriptors ? 1 : 0,
        };
        return request;
    }

    /// <summary>
    /// execve(2): this process becomes the program, with the descriptors <paramref name="descriptors"/> at
    /// <paramref name="first"/> and the numbers that follow; of its others those stay that are not close-on-exec. What the
    /// runtime ignores (SIGPIPE) is at its default again. Returns only where it fails, and then the descriptors from
    /// <paramref name="first"/> on may be gone: nothing but an error message should follow.
    /// </summary>
    public static SystemCallError Replace(
        string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, IReadOnlyList<DescriptorHandle> descriptors, int first)
    {
        const int sigPipe = 13;
        var memory = new List<nint>();

        // What is to be moved may stand where another is to go, so all of it first goes out of the way.
        var away = new int[descriptors.Count];
        for (var i = 0; i < away.Length; i++)
        {
            away[i] = fcntl(descriptors[i].Number, F_DUPFD_CLOEXEC, first + descriptors.Count);
            if (away[i] < 0)
            {
                return SystemCallError.Last("fcntl");
            }
        }

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

    private static byte* Text(string text, List<nint> memory)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        var block = (byte*)Allocate((nuint)length + 1, memory);
        Encoding.UTF8.GetBytes(text, new Span<byte>(block, length));
        return block;
    }

    /// <summary>A NULL-terminated array of strings, all in one block.</summary>
    private static byte** Block(IReadOnlyList<string> strings, List<nint> memory)
    {
        var size = sizeof(byte*) * (strings.Count + 1);
        foreach (var text in strings)
        {
            size += Encoding.UTF8.GetByteCount(text) + 1;
        }

        var block = (byte**)Allocate((nuint)size, memory);
        var next = (byte*)(block + strings.Count + 1);
        for (var i = 0; i < strings.Count; i++)
        {
            block[i] = next;
            var length = Encoding.UTF8.GetByteCount(strings[i]);
            Encoding.UTF8.GetBytes(strings[i], new Span<byte>(next, length));
            next += length + 1;
        }

        return block;
    }
}
