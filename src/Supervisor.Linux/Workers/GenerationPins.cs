using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// What one generation is pinned to: the files that its first worker was executed from. Owns their descriptors, and closes them
/// by <paramref name="close"/>, because the last close of a removed file can wait for its file system. Lives on the loop.
/// </summary>
internal sealed class GenerationPins(Action<IReadOnlyList<DescriptorHandle>> close) : IDisposable
{
    private readonly Dictionary<PinKind, PinnedFile> _files = [];
    private readonly HashSet<(PinKind, PinUse)> _reported = [];
    private readonly List<Action> _waiting = [];
    private int? _pinning;
    private ConnectionTemplate? _template;

    /// <summary>Whether a worker has been executed, and later ones get the same files.</summary>
    public bool IsPinned { get; private set; }

    /// <summary>Whether a worker is being executed that will pin the generation, so that others have to wait.</summary>
    public bool IsPinning => _pinning is not null;

    /// <summary>What a worker is executed from.</summary>
    public PinnedLaunch Worker => new(Files(_ => true), !IsPinned, _files.GetValueOrDefault(PinKind.Program)?.Found);

    /// <summary>What a hook gets: the working directory. It has a program of its own.</summary>
    public PinnedLaunch Hook => new(Files(kind => kind == PinKind.Directory), false, null);

    /// <summary>
    /// What the processes of connections have in common, for the files that the generation is pinned to; null: not laid out. Owned.
    /// </summary>
    public ConnectionTemplate? Template
    {
        get => _template;
        set
        {
            _template?.Dispose();
            _template = value;
        }
    }

    /// <summary>Calls back when the worker that is being executed is known to have succeeded or failed.</summary>
    public void Wait(Action onDecided) => _waiting.Add(onDecided);

    /// <summary>A worker of a generation that is not pinned is being executed.</summary>
    public void Begin(int workerId)
    {
        if (!IsPinned)
        {
            _pinning = workerId;
        }
    }

    /// <summary>
    /// Takes over what the launcher of a worker has reported; <paramref name="succeeded"/>: the program was executed, or the
    /// launcher was killed. One that was killed before it reported its program pins nothing. Returns the files that were not
    /// where the configuration says, once each.
    /// </summary>
    public IReadOnlyList<PinReport> Settle(int workerId, IReadOnlyList<PinReport> reports, bool succeeded)
    {
        var unused = new List<DescriptorHandle>();
        var isFirst = _pinning == workerId;
        if (isFirst)
        {
            succeeded &= reports.Any(report => report.Kind == PinKind.Program);
            _pinning = null;
            IsPinned = succeeded;
        }

        foreach (var report in reports)
        {
            var isKept = report.Descriptor is not null && succeeded && (isFirst || Repins(report));
            if ((isKept ? Keep(report) : report.Descriptor) is { } left)
            {
                unused.Add(left);
            }
        }

        Close(unused);
        return [.. reports.Where(report => report.Use != PinUse.Path && _reported.Add((report.Kind, report.Use)))];
    }

    /// <summary>The callbacks of those that wait; they wait no longer.</summary>
    public IReadOnlyList<Action> TakeWaiting()
    {
        Action[] all = [.. _waiting];
        _waiting.Clear();
        return all;
    }

    /// <summary>The pins for a successor. Adds their descriptors to <paramref name="descriptors"/> unless that is null.</summary>
    public IEnumerable<PinEntry> Snapshot(string service, int generation, OutgoingDescriptors? descriptors)
    {
        foreach (var (kind, file) in IsPinned ? _files : [])
        {
            descriptors?.Add(DescriptorKey.Pin(service, generation, Name(kind)), file.Descriptor);
            yield return new PinEntry
            {
                Generation = generation,
                Kind = Name(kind),
                Device = file.Device,
                Inode = file.Inode,
                Found = file.Found,
                OwnPath = file.OwnPath,
                RealPath = file.RealPath,
            };
        }
    }

    /// <summary>
    /// Restores a predecessor's pin; ignores one of an unknown kind. Without its descriptor the launcher finds the file by its
    /// path, and recognises it by device and inode.
    /// </summary>
    public void Restore(string service, PinEntry entry, IncomingDescriptors descriptors)
    {
        var descriptor = descriptors.Take(DescriptorKey.Pin(service, entry.Generation, entry.Kind));
        if (Array.IndexOf(Kinds, entry.Kind) is var kind and >= 0)
        {
            IsPinned = true;
            _files[(PinKind)kind] = new PinnedFile(entry.Device, entry.Inode, entry.Found, entry.OwnPath, entry.RealPath, descriptor);
        }
        else if (descriptor is not null)
        {
            Close([descriptor]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Template = null;
        Close([.. _files.Values.Select(file => file.Descriptor).OfType<DescriptorHandle>()]);
        _files.Clear();
    }

    private static readonly string[] Kinds = ["directory", "program", "interpreter", "script"];

    /// <summary>The name of a kind in the state and the control interface.</summary>
    public static string Name(PinKind kind) => Kinds[(int)kind];

    /// <summary>Whether the daemon had lost the descriptor of a pinned file, which the launcher has found again.</summary>
    private bool Repins(PinReport report) => _files.TryGetValue(report.Kind, out var file) && file.Descriptor is null;

    /// <summary>Pins a file, and returns the descriptor that it replaces.</summary>
    private DescriptorHandle? Keep(PinReport report)
    {
        Template = null;
        var descriptor = report.Descriptor!;
        var found = _files.TryGetValue(report.Kind, out var before) ? before.Found : report.Found;
        _files[report.Kind] = new PinnedFile(report.Device, report.Inode, found, report.OwnPath,
            OpenFiles.ReadLink($"/proc/self/fd/{descriptor.Number}") ?? report.OwnPath, descriptor);
        return before?.Descriptor;
    }

    private Dictionary<PinKind, LaunchPin> Files(Predicate<PinKind> isChosen) =>
        _files.Where(pair => isChosen(pair.Key)).ToDictionary(pair => pair.Key, pair => new LaunchPin(
            pair.Value.Device, pair.Value.Inode, pair.Value.OwnPath, pair.Value.RealPath, pair.Value.Descriptor));

    private void Close(List<DescriptorHandle> descriptors)
    {
        if (descriptors.Count > 0)
        {
            close(descriptors);
        }
    }

    private sealed record PinnedFile(
        ulong Device, ulong Inode, string Found, string OwnPath, string RealPath, DescriptorHandle? Descriptor);
}

/// <summary>What one process of a generation is executed from.</summary>
/// <param name="Files">The pinned files.</param>
/// <param name="Reports">Whether the launcher reports what it uses, which pins the generation.</param>
/// <param name="Program">The path by which the pinned program was found; null if it is not pinned.</param>
internal sealed record PinnedLaunch(IReadOnlyDictionary<PinKind, LaunchPin> Files, bool Reports, string? Program);
