using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>Runs a program; calls back on the loop with why it failed, or null.</summary>
/// <param name="path">The program.</param>
/// <param name="arguments">Its arguments, its name first.</param>
/// <param name="onEnded">Called once.</param>
public delegate void ProgramRun(string path, IReadOnlyList<string> arguments, Action<string?> onEnded);

/// <summary>
/// Where the cgroups of workers with limits are made. Nothing is made before a service has a limit, and only the controllers that it
/// needs are enabled. Lives on the loop; what may block runs on another thread.
/// </summary>
/// <remarks>
/// systemd 254 and later: next to the daemon's subgroup in its unit (DelegateSubgroup=). Older systemd: a scope of its own
/// (<see cref="WorkerScope"/>). Without systemd, as in a container: in the daemon's own cgroup, which is emptied into a subgroup.
/// </remarks>
public sealed class LimitedCgroups : IDisposable
{
    private static readonly LimitRefusal NoMount = new("ENOENT", "no cgroup file system of version 2 is mounted");

    private readonly EventLoop _loop;
    private readonly CgroupTree? _own;
    private readonly string _runtimeDirectory;
    private readonly ProgramRun _run;
    private readonly (CgroupMount Mount, string Own)? _mounted = CgroupMount.Find();
    private readonly WorkerScope? _scope;
    private readonly Dictionary<string, CgroupTree> _trees = new(StringComparer.Ordinal);
    private readonly List<(CgroupController Needed, Action OnPrepared)> _waiting = [];
    private Dictionary<CgroupController, LimitRefusal> _refused = [];
    private CgroupController _tried;
    private bool _isPreparing;

    /// <summary>Nothing is prepared yet.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="own">The cgroup below which workers without limits are.</param>
    /// <param name="runtimeDirectory">The daemon's runtime directory, which names what it makes.</param>
    /// <param name="run">Runs systemd-run.</param>
    public LimitedCgroups(EventLoop loop, CgroupTree? own, string runtimeDirectory, ProgramRun run)
    {
        _loop = loop;
        _own = own;
        _runtimeDirectory = runtimeDirectory;
        _run = run;
        _scope = _mounted is { } mounted && WorkerScope.IsSystemdInit
            ? new WorkerScope(mounted.Mount, mounted.Own, runtimeDirectory)
            : null;
        Events = new MemoryEvents(loop);
    }

    /// <summary>Announces that a worker runs out of memory.</summary>
    internal MemoryEvents Events { get; }

    /// <summary>The parent of the cgroups of workers with limits; null if there is none.</summary>
    internal CgroupTree? Tree { get; private set; }

    /// <summary>The controllers that are enabled below <see cref="Tree"/>.</summary>
    internal CgroupController Enabled { get; private set; }

    /// <summary>Whether it is known, for each of the controllers, that it is enabled or why it is not.</summary>
    /// <remarks>A scope that an administrator has stopped is not: its workers' successors need another one.</remarks>
    internal bool IsPrepared(CgroupController needed)
    {
        if (Tree is { } tree && !Directory.Exists(tree.Directory))
        {
            (Tree, Enabled, _tried) = (null, CgroupController.None, CgroupController.None);
            _trees.Clear();
        }

        return (needed & ~_tried) == CgroupController.None;
    }

    /// <summary>Whether that process holds open the scope in which workers are or were. Any thread.</summary>
    public bool IsAnchor(int pid) => _scope?.HasAnchor(pid) == true;

    /// <summary>Why a controller is not enabled; null if it is, or before <see cref="Prepare"/>.</summary>
    internal LimitRefusal? RefusalOf(CgroupController controller) => _refused.GetValueOrDefault(controller);

    /// <summary>
    /// Why no daemon on this host can have a controller, as far as that is known without one; null if nothing is known against it. Any
    /// thread.
    /// </summary>
    public static LimitRefusal? RefusalOfHost(CgroupController controller) =>
        CgroupMount.Find() is not { } found ? NoMount
        : CgroupControllers.OfferedIn(found.Mount.Point).HasFlag(controller) ? null
        : new LimitRefusal(
            "ENOENT", $"{CgroupControllers.Of(controller).First().Name} controller: {CgroupControllers.NotOffered}");

    /// <summary>Enables controllers, and calls back on the loop when that has succeeded or failed.</summary>
    internal void Prepare(CgroupController needed, Action onPrepared)
    {
        if (IsPrepared(needed))
        {
            onPrepared();
            return;
        }

        _waiting.Add((needed, onPrepared));
        PrepareNext();
    }

    /// <summary>Tries again what has failed: the next <see cref="Prepare"/> does.</summary>
    public void Retry() => _tried = Enabled;

    /// <summary>The cgroup of a worker that a previous daemon has started.</summary>
    internal WorkerCgroup Adopt(string path)
    {
        var parent = Path.GetDirectoryName(path)!;
        var tree = parent == _own?.Directory ? _own
            : _mounted is { } mounted && Directory.Exists(parent) ? TreeAt(parent, mounted.Mount) : null;
        tree?.Keep(path);
        return new WorkerCgroup(tree, path);
    }

    /// <summary>All workers have exited, and no successor continues: removes what was made.</summary>
    public void Close()
    {
        foreach (var tree in _trees.Values)
        {
            tree.RemoveLeftOver();
        }

        if (_scope is { } scope)
        {
            scope.End();
        }
        else if (Tree is { } made && Path.GetFileName(made.Directory) == Name)
        {
            new CgroupTree(Path.GetDirectoryName(made.Directory)!, made.Mount).Remove(made.Directory);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Events.Dispose();

    /// <summary>The name of the cgroup in the root cgroup.</summary>
    private string Name => "listend-" + _runtimeDirectory.Trim('/').Replace('/', '-');

    private void PrepareNext()
    {
        if (_isPreparing || _waiting.Count == 0)
        {
            return;
        }

        _isPreparing = true;
        var needed = _waiting.Aggregate(CgroupController.None, (sum, one) => sum | one.Needed) | Enabled;
        if (_mounted is not { } mounted)
        {
            Prepared(needed, CgroupBase.None(NoMount));
        }
        else if (!File.Exists(Path.Combine(mounted.Mount.DirectoryOf(mounted.Own), "cgroup.procs")))
        {
            Prepared(needed, CgroupBase.None(new LimitRefusal("ENOENT", "the daemon's own cgroup is not visible here")));
        }
        else if (_own is { IsWithoutDaemon: true } unit)
        {
            Begin(needed, () => CgroupBase.OfUnit(unit, needed));
        }
        else if (_scope is { } scope)
        {
            PrepareScope(scope, mounted.Mount, needed);
        }
        else
        {
            Begin(needed, () => CgroupBase.OfHost(mounted.Mount, mounted.Own, Name, needed));
        }
    }

    private void PrepareScope(WorkerScope scope, CgroupMount mount, CgroupController needed)
    {
        if (scope.Exists)
        {
            Begin(needed, () => CgroupBase.OfScope(scope, mount, needed));
            return;
        }

        Run(withPolicy: true, failure =>
        {
            if (failure is null)
            {
                Begin(needed, () => CgroupBase.OfScope(scope, mount, needed));
                return;
            }

            Run(withPolicy: false, again =>
            {
                if (again is null)
                {
                    Begin(needed, () => CgroupBase.OfScope(scope, mount, needed));
                }
                else
                {
                    // Without the scope, the workers would be next to the daemon itself.
                    Prepared(needed, CgroupBase.None(new LimitRefusal(
                        Processes.EffectiveUid == 0 ? "EBUSY" : "EACCES",
                        $"systemd makes no scope for the workers: {again}; systemd 254 and later need none (DelegateSubgroup=daemon)")));
                }
            });
        });

        void Run(bool withPolicy, Action<string?> onEnded)
        {
            if (scope.Command(withPolicy) is var (program, arguments))
            {
                _run(program, arguments, onEnded);
            }
            else
            {
                onEnded("systemd-run is not installed");
            }
        }
    }

    private void Begin(CgroupController needed, Func<CgroupBase> prepare) => Task.Run(() =>
    {
        CgroupBase made;
        try
        {
            made = prepare();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            made = CgroupBase.None(new LimitRefusal("EIO", exception.Message));
        }

        _loop.Post(() => Prepared(needed, made));
    });

    private void Prepared(CgroupController needed, CgroupBase made)
    {
        _isPreparing = false;
        _tried |= needed;
        _refused = made.Refused;
        Tree = made.Tree ?? Tree;
        if (made.Tree is { } tree)
        {
            _trees.TryAdd(tree.Directory, tree);
            Tree = _trees[tree.Directory];
            Enabled = CgroupControllers.EnabledIn(tree.Directory);
        }

        var waiting = _waiting.ToArray();
        _waiting.Clear();
        foreach (var (asked, onPrepared) in waiting)
        {
            Prepare(asked, onPrepared);
        }
    }

    private CgroupTree TreeAt(string directory, CgroupMount mount)
    {
        if (!_trees.TryGetValue(directory, out var tree))
        {
            _trees[directory] = tree = new CgroupTree(directory, mount);
        }

        return tree;
    }
}
