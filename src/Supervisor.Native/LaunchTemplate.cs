using System.Globalization;
using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// What all children with the same plan have in common, laid out once: the arguments of the launcher and of the program, and the
/// common variables. A process of a connection adds a few variables of its own (bench "per-connection"). Main thread only.
/// </summary>
public sealed unsafe class LaunchTemplate : IDisposable
{
    private const int NiceOffset = 21; // LISTEND_NICE_OFFSET, spawn.h

    private readonly ChildProcess.Plan _plan;
    private readonly List<nint> _memory = [];
    private readonly LaunchPin?[] _pins;
    private readonly DescriptorHandle[] _pinned;
    private readonly string[] _pidVariables;
    private readonly byte** _arguments;
    private readonly byte** _environment;
    private readonly SpawnDirect _direct;

    /// <summary>The owner, and each slot whose child reads the memory.</summary>
    private int _users = 1;

    /// <summary>Lays out a plan, which has to stay valid with its pins.</summary>
    public LaunchTemplate(ChildProcess.Plan plan)
    {
        _plan = plan;
        _pins = [.. Enumerable.Range(0, ChildProcess.PinKinds).Select(kind => plan.Pins.GetValueOrDefault((PinKind)kind))];
        _pinned = [.. _pins.Select(pin => pin?.Descriptor).OfType<DescriptorHandle>()];
        _pidVariables =
        [
            .. plan.PidVariables.Select(name => name + (name == ChildProcess.PidfdVariable ? "=00000000000000000000" : "=0000000000")),
        ];
        _arguments = NativeText.Block(Arguments(), _memory);
        _environment = NativeText.Block(plan.Environment, _memory);
        _direct = Direct();
    }

    /// <summary>Whether a child can execute the program itself, without the launcher.</summary>
    internal bool IsDirect => _direct.Path is not null;

    /// <summary>A child is about to read the memory.</summary>
    internal void Retain() => _users++;

    /// <summary>A child no longer reads the memory.</summary>
    internal void Release()
    {
        if (--_users > 0)
        {
            return;
        }

        foreach (var block in _memory)
        {
            NativeMemory.Free((void*)block);
        }

        _memory.Clear();
    }

    /// <summary>Frees the memory when no child reads it any more.</summary>
    public void Dispose() => Release();

    /// <summary>
    /// The child's descriptors in their order: the worker's, what is pinned, the control group. The status socket and the launcher's image
    /// follow.
    /// </summary>
    internal IEnumerable<DescriptorHandle?> Sources(IReadOnlyList<DescriptorHandle?> descriptors, DescriptorHandle? cgroup) =>
    [
        .. descriptors,
        .. _pinned,
        .. cgroup is null ? [] : new[] { cgroup },
    ];

    /// <summary>
    /// Lays out the request of one child in the slot's memory. The process id variables are its own too: the child writes them.
    /// </summary>
    internal SpawnRequest* LayOut(LaunchSlot slot, int[] sources, bool isDirect, bool isChannel, IReadOnlyList<string> own)
    {
        var common = _plan.Environment.Count;
        var pointers = _pidVariables.Length + common + own.Count + 1;
        var size = sizeof(SpawnRequest) + (sizeof(byte*) * pointers) + (sizeof(int) * sources.Length);
        Array.ForEach(_pidVariables, variable => size += variable.Length + 1);
        for (var i = 0; i < own.Count; i++)
        {
            size += ByteText.GetByteCount(own[i]) + 1;
        }

        var request = (SpawnRequest*)slot.Memory(size);
        var environment = (byte**)(request + 1);
        var descriptors = (int*)(environment + pointers);
        var text = (byte*)(descriptors + sources.Length);
        sources.CopyTo(new Span<int>(descriptors, sources.Length));
        var next = environment;
        foreach (var variable in _pidVariables)
        {
            *next++ = text;
            text = NativeText.Write(variable, text);
        }

        new Span<nint>(_environment, common).CopyTo(new Span<nint>(next, common));
        next += common;
        for (var i = 0; i < own.Count; i++)
        {
            *next++ = text;
            text = NativeText.Write(own[i], text);
        }

        *next = null;
        *request = new SpawnRequest
        {
            Arguments = _arguments,
            Environment = environment,
            Direct = isDirect ? _direct : default,
            Descriptors = descriptors,
            DescriptorCount = sources.Length,
            IsChannel = isChannel ? 1 : 0,
        };
        return request;
    }

    /// <summary>The count of a child's descriptors, with the status socket and the launcher's image.</summary>
    private int SourceCount => _plan.Descriptors.Count + _pinned.Length + (_plan.Cgroup is null ? 0 : 1) + 2;

    /// <summary>What the child needs to execute its program itself; none if the launcher has to do something that it cannot.</summary>
    private SpawnDirect Direct()
    {
        if (_plan is not
            {
                SearchPath: null, Directory: null, Uid: null, Gid: null, Groups: null, Limits.Count: 0, Nice: null, AmbientCapabilities: 0,
                DropsBoundingSet: false, ReportsPins: false, Pins.Count: 1,
            }
            || _pins[(int)PinKind.Program] is not { Inode: not 0 } pin)
        {
            return default;
        }

        var (directory, own) = (DirectoryOf(_plan.Path), DirectoryOf(pin.OwnPath));
        var isSame = directory == own;
        return new SpawnDirect
        {
            Path = NativeText.Of(_plan.Path, _memory),
            Arguments = NativeText.Block(_plan.Arguments, _memory),
            Device = pin.Device,
            Inode = pin.Inode,
            Directory = isSame ? null : NativeText.Of(directory, _memory),
            OwnDirectory = isSame ? null : NativeText.Of(own, _memory),
            Given = _plan.Descriptors.Count,
            Cgroup = _plan.Cgroup is null ? 0 : SourceCount - 3,
            Umask = _plan.Umask is { } umask ? umask + 1 : 0,
            NoNewPrivileges = _plan.NoNewPrivileges ? 1 : 0,
            IgnoreSigpipe = _plan.IgnoreSigpipe ? 1 : 0,
            PidVariables = _plan.PidVariables.Count,
        };

        static string DirectoryOf(string path) => path[..(path.LastIndexOf('/') + 1)];
    }

    /// <summary>The launcher's arguments, in the order that launch.c documents.</summary>
    private string[] Arguments()
    {
        var numbers = new ulong[(int)LaunchNumber.Count];
        numbers[(int)LaunchNumber.Status] = (ulong)(SourceCount - 2);
        numbers[(int)LaunchNumber.Cgroup] = _plan.Cgroup is null ? 0 : (ulong)(SourceCount - 3);
        numbers[(int)LaunchNumber.Limits] = (ulong)_plan.Limits.Count;
        numbers[(int)LaunchNumber.Nice] = _plan.Nice is { } nice ? (ulong)(nice + NiceOffset) : 0;
        numbers[(int)LaunchNumber.Umask] = _plan.Umask is { } umask ? (ulong)umask + 1 : 0;
        numbers[(int)LaunchNumber.Bounds] = _plan.DropsBoundingSet ? 1u : 0;
        numbers[(int)LaunchNumber.Groups] = _plan.Groups is { } groups ? (ulong)groups.Count + 1 : 0;
        numbers[(int)LaunchNumber.Gid] = _plan.Gid is { } gid ? (ulong)gid + 1 : 0;
        numbers[(int)LaunchNumber.Uid] = _plan.Uid is { } uid ? (ulong)uid + 1 : 0;
        numbers[(int)LaunchNumber.Ambient] = _plan.AmbientCapabilities;
        numbers[(int)LaunchNumber.NoNewPrivileges] = _plan.NoNewPrivileges ? 1u : 0;
        numbers[(int)LaunchNumber.IgnoreSigpipe] = _plan.IgnoreSigpipe ? 1u : 0;
        numbers[(int)LaunchNumber.PidVariables] = (ulong)_plan.PidVariables.Count;
        numbers[(int)LaunchNumber.Given] = (ulong)_plan.Descriptors.Count;
        numbers[(int)LaunchNumber.Report] = _plan.ReportsPins ? 1u : 0;
        numbers[(int)LaunchNumber.ScriptArgument] = (ulong)_plan.ScriptArgument;
        SetPins(numbers.AsSpan((int)LaunchNumber.Pins), _pins, _plan.Descriptors.Count);
        return
        [
            "listend-launch",
            string.Join(' ', numbers),
            string.Join(' ', _plan.Groups ?? []),
            string.Join(' ', _plan.Limits.Select(limit =>
                string.Create(CultureInfo.InvariantCulture, $"{limit.Resource} {limit.Soft} {limit.Hard} {(limit.MayBeLower ? 1 : 0)}"))),
            _plan.Directory ?? "",
            _plan.SearchPath ?? "",
            _plan.Path,
            .. _pins.SelectMany(pin => new[] { pin?.OwnPath ?? "", pin?.RealPath ?? "" }),
            .. _plan.Arguments,
        ];
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
}
