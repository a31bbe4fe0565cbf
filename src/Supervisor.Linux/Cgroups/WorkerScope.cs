using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>
/// A delegated scope of systemd next to the daemon's unit, for the cgroups of workers with limits. It is for systemd before 254: there
/// the daemon's own unit cannot have controllers below it, because systemd could not start the daemon again beside living workers
/// (EBUSY, status 219/CGROUP). A process without a task holds the scope open, so it outlives the daemon and is adopted by the next one.
/// </summary>
internal sealed class WorkerScope
{
    private const string Slice = "listend.slice";
    private const string Anchor = "anchor";

    private static readonly string[] Programs = ["/usr/bin/systemd-run", "/bin/systemd-run"];

    /// <summary>Leaves a process behind that waits for ever.</summary>
    private const string AnchorScript = "sleep infinity < /dev/null > /dev/null 2>&1 &";

    private readonly string _name;
    private readonly bool _isUser;

    /// <summary>The scope of the daemon with that runtime directory.</summary>
    /// <param name="mount">Where cgroups are mounted.</param>
    /// <param name="own">The daemon's cgroup.</param>
    /// <param name="runtimeDirectory">The daemon's runtime directory.</param>
    public WorkerScope(CgroupMount mount, string own, string runtimeDirectory)
    {
        _name = $"listend-workers-{Sanitized(runtimeDirectory)}.scope";
        var manager = own.Split('/').TakeWhile(part => !part.StartsWith("user@", StringComparison.Ordinal)).ToArray();
        _isUser = own.Contains("/user@", StringComparison.Ordinal) || Processes.EffectiveUid != 0;
        var above = own.Contains("/user@", StringComparison.Ordinal) ? string.Join('/', own.Split('/')[..(manager.Length + 1)]) : "";
        Directory = mount.DirectoryOf($"{above}/{Slice}/{_name}");
    }

    /// <summary>The scope's cgroup.</summary>
    public string Directory { get; }

    /// <summary>Whether the scope exists and has a process, so that systemd keeps it. Any thread.</summary>
    public bool Exists => CgroupFile.Number(CgroupFile.Lines(Directory, "cgroup.events"), "populated") == 1;

    /// <summary>Whether that process holds the scope open. Any thread.</summary>
    public bool HasAnchor(int pid) => WorkerCgroup.Members(Path.Combine(Directory, Anchor)).Contains(pid);

    /// <summary>Whether systemd is the init process: sd_booted(3).</summary>
    public static bool IsSystemdInit => System.IO.Directory.Exists("/run/systemd/system");

    /// <summary>The program that makes the scope, and its arguments; null if systemd-run is not installed.</summary>
    /// <param name="withPolicy">Whether OOMPolicy= is given, which scopes have since systemd 253.</param>
    public (string Program, string[] Arguments)? Command(bool withPolicy) =>
        Programs.FirstOrDefault(AccessCheck.IsExecutable) is not { } program ? null : (program,
        [
            "systemd-run", .. _isUser ? ["--user"] : Array.Empty<string>(), "--scope", "--quiet", "--collect", "--unit=" + _name,
            "--slice=" + Slice, "--description=Workers of listend", "-p", "Delegate=yes", "-p", "TasksMax=infinity",
            .. withPolicy ? ["-p", "OOMPolicy=continue"] : Array.Empty<string>(),
            "--", "/bin/sh", "-c", AnchorScript,
        ]);

    /// <summary>Moves the process that holds the scope open into a cgroup of its own. Null, or the error.</summary>
    public SystemCallError? PutAnchor()
    {
        if (CgroupFile.Lines(Directory, "cgroup.procs").Length == 0)
        {
            return null;
        }

        var anchor = Path.Combine(Directory, Anchor);
        return FilesAt.MakeDirectory(anchor, 0x1ED) is { Name: not "EEXIST" } unmade
            ? unmade
            : CgroupControllers.MoveAll(Directory, anchor);
    }

    /// <summary>Lets systemd remove the scope when no worker is left in it.</summary>
    public void End() => WorkerCgroup.TryKill(Path.Combine(Directory, Anchor));

    /// <summary>A path as a part of a unit's name: systemd.unit(5).</summary>
    private static string Sanitized(string path) => string.Concat(path.Trim('/')
        .Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' ? c.ToString(CultureInfo.InvariantCulture) : "-"));
}
