using System.Globalization;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Paths;

/// <summary>
/// Walks a path from the root, component by component, as the kernel does, and holds a descriptor of each component. So the
/// file that is judged is the file that is used, even if another process renames it. Links are read and walked in the same way.
/// Owns its descriptors.
/// </summary>
/// <remarks>
/// <para>
/// A component is trusted if its owner is (<see cref="PathTrust"/>) and no other user can write to it. Every user may write to
/// a directory with the sticky bit: there only root and the owners of the directory and of an entry can rename or remove the
/// entry (unlink(2), EPERM). The walk checks the entry's owner next.
/// </para>
/// <para>
/// The owner of "/" is trusted, because that user can replace everything below. In a user namespace without the host's root it
/// is the overflow user (user_namespaces(7)); otherwise no path would be usable.
/// </para>
/// <para>
/// Links of /proc/PID/fd and similar do not lead where their text says ("magic links", openat2(2)). The walk follows their
/// text, which does not exist. A walk for another user must not enter /proc, because it shows the calling thread, which has the
/// daemon's memory.
/// </para>
/// </remarks>
public sealed class PathWalk : IDisposable
{
    /// <summary>How many links the kernel follows: MAXSYMLINKS, linux/namei.h.</summary>
    public const int MaxLinks = 40;

    private readonly List<PathStep> _steps = [];
    private readonly List<string> _names = [];
    private readonly Stack<string> _ahead = new();
    private readonly PathTrust _trust;
    private readonly bool _forAnother;
    private readonly bool _stopAtFlaw;
    private ulong _device;
    private bool _isForeignFileSystem;
    private uint _rootOwner;

    private PathWalk(PathTrust trust, bool forAnother, bool stopAtFlaw)
    {
        _trust = trust;
        _stopAtFlaw = stopAtFlaw;
        _forAnother = forAnother;
    }

    /// <summary>Every component, beginning with the root, including the links.</summary>
    public IReadOnlyList<PathStep> Steps => _steps;

    /// <summary>The directory of the last component; null if the walk did not get there.</summary>
    public DescriptorHandle? Parent { get; private set; }

    /// <summary>The last component's name in <see cref="Parent"/>.</summary>
    public string Name { get; private set; } = "";

    /// <summary>
    /// The file that the path leads to, opened with O_PATH; null if it does not exist, or if the walk did not get there.
    /// </summary>
    public DescriptorHandle? Target { get; private set; }

    /// <summary>Owner and mode of <see cref="Target"/>.</summary>
    public Files.Status TargetStatus { get; private set; }

    /// <summary>Why the walk stopped before the last component. ENOENT for the last one is not an error.</summary>
    public SystemCallError? Error { get; private set; }

    /// <summary>Whether the walk stopped at a flaw, as requested.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>The path without links, as far as the walk got.</summary>
    public string RealPath => "/" + string.Join('/', _names);

    /// <summary>The first component that is not trusted; null if all are.</summary>
    public PathStep? FirstFlaw => _steps.Find(step => step.Flaw != PathFlaw.None);

    /// <summary>Whether the path does not exist.</summary>
    public bool IsMissing => Error is null ? Target is null : Error.Value.Errno is ENOENT or ENOTDIR;

    /// <summary>The links on the path, for messages: <c> (/srv/current -> releases/3)</c>; empty if there are none.</summary>
    public string Links
    {
        get
        {
            var links = _steps.Where(step => step.Target is not null).Select(step => $"{step.Path} -> {step.Target}").ToArray();
            return links.Length == 0 ? "" : $" ({string.Join(", ", links)})";
        }
    }

    /// <summary>
    /// Walks a path. It may access slow file systems of other users: not on the loop, unless every component is known to be
    /// trusted.
    /// </summary>
    /// <param name="path">An absolute path, or one relative to the working directory.</param>
    /// <param name="trust">The trusted owners.</param>
    /// <param name="followLast">Whether to follow a link as the last component.</param>
    /// <param name="forAnother">Whether this thread has another user's rights (<see cref="ForeignCall{T}"/>).</param>
    /// <param name="stopAtFlaw">Whether to access nothing in an untrusted directory or behind an untrusted link.</param>
    public static PathWalk Of(string path, PathTrust trust, bool followLast = true, bool forAnother = false, bool stopAtFlaw = false)
    {
        var walk = new PathWalk(trust, forAnother, stopAtFlaw);
        walk.Error = walk.Walk(Path.IsPathRooted(path) ? path : Environment.CurrentDirectory + "/" + path, followLast);
        return walk;
    }

    /// <summary>
    /// Creates the missing directories of a path, with <paramref name="mode"/> less the umask, and walks it. It creates nothing
    /// in an untrusted directory.
    /// </summary>
    public static PathWalk MakeDirectories(string path, PathTrust trust, int mode)
    {
        while (true)
        {
            var walk = Of(path, trust);
            if (walk is not { Target: null, Parent: { } parent, FirstFlaw: null } || walk.Error is not (null or { Errno: ENOENT }))
            {
                return walk;
            }

            if (FilesAt.MakeDirectory(parent, walk.Name, mode) is { Errno: not EEXIST } refused)
            {
                walk.Error = refused;
                return walk;
            }

            walk.Dispose();
        }
    }

    /// <summary>Hands the descriptor of the target over to the caller.</summary>
    public DescriptorHandle? TakeTarget()
    {
        var target = Target;
        Target = null;
        return target;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Parent?.Dispose();
        Target?.Dispose();
    }

    private SystemCallError? Walk(string path, bool followLast)
    {
        var links = 0;
        var at = FilesAt.Root(out var refused);
        if (at is null)
        {
            return refused;
        }

        if (Files.GetStatus(at, out var status) is { } unseen)
        {
            at.Dispose();
            return unseen;
        }

        _rootOwner = status.Uid;
        Add(at, status, null);
        Put(path);
        if (_ahead.Count == 0)
        {
            (Parent, Name, Target, TargetStatus) = (Descriptors.Duplicate(at, out _), ".", at, status);
            return null;
        }

        while (_ahead.TryPop(out var name))
        {
            var next = FilesAt.Pin(at, name, out refused);
            if (next is null)
            {
                // A missing component can be created here.
                (Parent, Name) = (at, name);
                return refused.Errno == ENOENT && _ahead.Count == 0 ? null : refused;
            }

            if (Files.GetStatus(next, out status) is { } hidden)
            {
                at.Dispose();
                next.Dispose();
                return hidden;
            }

            if (_forAnother && status.IsDirectory && FilesAt.FileSystemOf(next) == FilesAt.ProcFileSystem)
            {
                at.Dispose();
                next.Dispose();
                return new SystemCallError("openat", EACCES);
            }

            if (name == "..")
            {
                if (_names.Count > 0)
                {
                    _names.RemoveAt(_names.Count - 1);
                }
            }
            else if (name != ".")
            {
                _names.Add(name);
            }

            var isLast = _ahead.Count == 0;
            if (status.IsLink && (!isLast || followLast))
            {
                var target = FilesAt.ReadLink(next, out refused);
                next.Dispose();
                if (target is null || ++links > MaxLinks)
                {
                    at.Dispose();
                    return target is null ? refused : new SystemCallError("openat", ELOOP);
                }

                AddStep(status, target, Judge(null, status));
                if (_stopAtFlaw && _steps[^1].Flaw != PathFlaw.None)
                {
                    IsStopped = true;
                    at.Dispose();
                    return null;
                }

                _names.RemoveAt(_names.Count - 1);
                if (target.StartsWith('/'))
                {
                    at.Dispose();
                    _names.Clear();
                    at = FilesAt.Root(out refused);
                    if (at is null)
                    {
                        return refused;
                    }
                }

                Put(target);
                if (_ahead.Count == 0)
                {
                    // The target is "/" or ".".
                    _ahead.Push(".");
                }

                continue;
            }

            Add(next, status, null);
            if (isLast)
            {
                (Parent, Name, Target, TargetStatus) = (at, name, next, status);
                return null;
            }

            at.Dispose();
            at = next;
            if (_stopAtFlaw && _steps[^1].Flaw != PathFlaw.None)
            {
                IsStopped = true;
                at.Dispose();
                return null;
            }

            if (!status.IsDirectory)
            {
                at.Dispose();
                return new SystemCallError("openat", ENOTDIR);
            }
        }

        throw new InvalidOperationException(path);
    }

    /// <summary>Puts the components of a path before the remaining ones.</summary>
    private void Put(string path)
    {
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(name => name != ".").Reverse())
        {
            _ahead.Push(name);
        }
    }

    private void Add(DescriptorHandle component, Files.Status status, string? target)
    {
        if (status.Device != _device || _steps.Count == 0)
        {
            _device = status.Device;
            _isForeignFileSystem = FilesAt.FileSystemOf(component) == FilesAt.FuseFileSystem
                && !(FuseOwner(_device) is { } owner && Accepts(owner));
        }

        AddStep(status, target, Judge(component, status));
    }

    private void AddStep(Files.Status status, string? target, PathFlaw flaw) => _steps.Add(new PathStep(RealPath, status, target, flaw));

    private bool Accepts(uint uid) => uid == _rootOwner || _trust.Accepts(uid);

    private PathFlaw Judge(DescriptorHandle? component, Files.Status status)
    {
        const int group = 0x10, others = 0x2, sticky = 0x200;
        if (_isForeignFileSystem)
        {
            return PathFlaw.FileSystem;
        }

        if (!Accepts(status.Uid))
        {
            return PathFlaw.Owner;
        }

        // A link has no mode, and a device's driver decides on writes. In a sticky directory the owners of the entries count.
        if (component is null || status.IsLink || status.IsCharacterDevice || (status.IsDirectory && (status.Permissions & sticky) != 0))
        {
            return PathFlaw.None;
        }

        return (status.Permissions & others) != 0 ? PathFlaw.Others
            : (status.Permissions & group) != 0 && (!_trust.AcceptsGroup(status.Gid) || FilesAt.HasAccessList(component)) ? PathFlaw.Group
            : PathFlaw.None;
    }

    /// <summary>
    /// The user who mounted a FUSE file system: user_id= in /proc/self/mountinfo (fuse(4), mount options); null if it is not
    /// listed.
    /// </summary>
    private static uint? FuseOwner(ulong device)
    {
        const string key = "user_id=";
        var major = ((device >> 8) & 0xFFF) | ((device >> 32) & ~0xFFFUL);
        var minor = (device & 0xFF) | ((device >> 12) & ~0xFFUL);
        var wanted = string.Create(CultureInfo.InvariantCulture, $"{major}:{minor}");
        try
        {
            foreach (var line in File.ReadLines("/proc/self/mountinfo"))
            {
                var fields = line.Split(' ');
                if (fields.Length > 2 && fields[2] == wanted
                    && fields[^1].Split(',').FirstOrDefault(option => option.StartsWith(key, StringComparison.Ordinal)) is { } option
                    && uint.TryParse(option[key.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var uid))
                {
                    return uid;
                }
            }
        }
        catch (IOException)
        {
            // Without the owner the file system is not trusted.
        }

        return null;
    }
}
