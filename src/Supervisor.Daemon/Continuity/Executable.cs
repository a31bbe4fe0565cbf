using Supervisor.Daemon.Validation;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The program that this process was started as, by its path and not by its file. An upgrade puts another file, or another target
/// of a link, at that path; /proc/self/exe still names the old file.
/// </summary>
/// <param name="Path">The program's absolute path.</param>
/// <param name="Prefix">The arguments before those of Main: the program's name, and the assembly's path if a runtime executes it.</param>
/// <param name="Arguments">The arguments of Main.</param>
internal sealed record Executable(string Path, IReadOnlyList<string> Prefix, IReadOnlyList<string> Arguments)
{
    /// <summary>
    /// The program of this process, from the <paramref name="arguments"/> of Main. Call it before the working directory or PATH can change.
    /// </summary>
    public static Executable Current(string[] arguments)
    {
        string[] command = [.. OwnProcess.CommandLine];
        if (command.Length == 0)
        {
            // Without /proc.
            command = ["listend"];
        }

        var prefix = command.Length > arguments.Length ? command[..^arguments.Length] : command[..1];
        var name = prefix[0];
        var path = name.Contains('/', StringComparison.Ordinal)
            ? System.IO.Path.GetFullPath(name)
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(directory => directory.StartsWith('/'))
                .Select(directory => System.IO.Path.Combine(directory, name)).FirstOrDefault(AccessCheck.IsExecutable);

        // argv[0] may be any text: it counts only if it names the running file.
        if (path is null || Files.GetTargetStatus(path, out var named) is not null
            || Files.GetTargetStatus("/proc/self/exe", out var running) is not null
            || (named.Device, named.Inode) != (running.Device, running.Inode))
        {
            const string deleted = " (deleted)";
            path = OpenFiles.ReadLink("/proc/self/exe") ?? path ?? name;
            path = path.EndsWith(deleted, StringComparison.Ordinal) ? path[..^deleted.Length] : path;
        }

        return new Executable(path, [path, .. prefix.Skip(1)], arguments);
    }

    /// <summary>
    /// Why the file at the path cannot be executed, or must not be executed because another user may have put it there; null if it
    /// may be executed. Waits for the file system, so do not call it on the loop.
    /// </summary>
    public string? Flaw()
    {
        if (Files.GetTargetStatus(Path, out var status) is { } error)
        {
            return $"{Path}: {error.Name} ({error.Text})";
        }

        return !status.IsRegular ? $"{Path} is not a regular file"
            : !AccessCheck.IsExecutable(Path)
                ? $"{Path} is not executable: run chmod 755 {Path}, and check that its file system is not mounted noexec"
            : PathAudit.ExecutableFlaw(Path);
    }

    /// <summary>Device and inode of the file at the path.</summary>
    public (ulong Device, ulong Inode) Identity =>
        Files.GetTargetStatus(Path, out var status) is null ? (status.Device, status.Inode) : default;
}
