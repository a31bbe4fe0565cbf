using System.Text;
using Supervisor.Core.Services;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Checks whether the files that a service names exist now: its program and those of its hooks and probes as the spawner would find
/// them, its directory, its environment files. It uses the caller's rights; a file that these rights do not show is not reported as
/// missing.
/// </summary>
public static class ServiceFiles
{
    /// <summary>A file that is not as required.</summary>
    /// <param name="Setting">The setting below the service: <c>command</c>, <c>hooks.pre_start</c>, <c>environment_files</c>.</param>
    /// <param name="Element">The element of a list, from 0; null for the whole setting.</param>
    /// <param name="Message">What is wrong.</param>
    /// <param name="Remedy">What to do; null if the message has the remedy.</param>
    public readonly record struct Fault(string Setting, int? Element, string Message, string? Remedy);

    /// <summary>All faults; empty if there are none.</summary>
    /// <param name="spec">The service.</param>
    /// <param name="path">The daemon's PATH; null if it has none.</param>
    public static IReadOnlyList<Fault> FindFaults(ServiceSpec spec, string? path)
    {
        var faults = new List<Fault>();
        var directory = spec.WorkingDirectory;
        if (directory is not null && Files.GetTargetStatus(directory, out var status) is var refused
            && (refused is not null || !status.IsDirectory))
        {
            if (refused is null)
            {
                faults.Add(new Fault("working_directory", null, $"\"{directory}\" is not a directory", "name a directory"));
            }
            else if (Absence(refused) is { } absence)
            {
                faults.Add(new Fault("working_directory", null, $"directory \"{directory}\" {absence}",
                    "create it before the service is started, or correct the path"));
            }

            directory = "";
        }

        // An unknown user is reported elsewhere, and nothing can be read for an unknown user.
        var identity = WorkerIdentity.TryLookUp(spec, out var known, out _) ? known : null;
        for (var i = 0; i < spec.EnvironmentFiles.Length && identity is not null; i++)
        {
            var file = spec.EnvironmentFiles[i];
            var ignored = new List<IgnoredLine>();
            if (!EnvironmentFile.TryRead(file, identity, out var variables, out var unread, ignored))
            {
                var named = file.TrimStart('-');
                var error = Files.GetTargetStatus(named, out var found);
                faults.Add(Absence(error) is { } absence
                    ? new Fault("environment_files", i, $"file \"{named}\" {absence}",
                        "create it before the service is started"
                        + (error?.Errno == ELOOP ? ", or correct the path" : $", or write \"-{named}\" if it may be missing"))
                    : found.IsDirectory ? new Fault("environment_files", i, $"\"{file}\" is a directory", "name a file")
                    : new Fault("environment_files", i, unread, null));
                continue;
            }

            var element = i;
            faults.AddRange(IgnoredLine.Describe(file, ignored)
                .Select(text => new Fault("environment_files", element, text.Message, text.Remedy)));

            path = variables.LastOrDefault(variable => variable.Key == "PATH").Value ?? path;
        }

        path = spec.Environment.GetValueOrDefault("PATH") ?? path;
        Program("command", 0, spec.Command);
        Program("ready", null, spec.Readiness.Command);
        Program("liveness.probe", null, spec.Liveness.Probe?.Command ?? []);
        Program(HookKind.PreStart.Setting(), 0, spec.Hooks.PreStart);
        Program(HookKind.PostReady.Setting(), 0, spec.Hooks.PostReady);
        Program(HookKind.PostStop.Setting(), 0, spec.Hooks.PostStop);
        if (!string.IsNullOrEmpty(directory) && WritableByOthers(directory) is { } open)
        {
            faults.Add(new Fault("working_directory", null, $"root works in \"{directory}\": {open.Fault}",
                $"{open.Remedy(TrustedFile.Accept(open))}, or run the service as another user"));
        }

        return faults;

        // A worker of another user executes the file with its own rights.
        PathStep? WritableByOthers(string file)
        {
            if (!PathTrust.IsRoot || identity is not { Rights: null })
            {
                return null;
            }

            using var walk = PathWalk.Of(file, PathTrust.InForce);
            return walk.FirstFlaw;
        }

        void Program(string setting, int? element, IReadOnlyList<string> command)
        {
            if (command.Count == 0)
            {
                return;
            }

            if (ProgramFault(command[0], directory, path, out var file) is var (message, remedy))
            {
                faults.Add(new Fault(setting, element, message, remedy));
            }
            else if (file is not null && WritableByOthers(file) is { } flaw)
            {
                faults.Add(new Fault(setting, element, $"root executes \"{file}\": {flaw.Fault}",
                    $"{flaw.Remedy(TrustedFile.Accept(flaw))}, or run the service as another user"));
            }
        }
    }

    /// <param name="program">The first word of a command.</param>
    /// <param name="directory">Where a relative path begins; null: where the daemon runs, which is not known; empty: that
    /// directory does not exist.</param>
    /// <param name="path">PATH of the worker.</param>
    /// <param name="file">The program's path, if it is known.</param>
    private static (string Message, string Remedy)? ProgramFault(string program, string? directory, string? path, out string? file)
    {
        file = Find(program, path);
        if (file is null)
        {
            return ($"no directory of PATH ({path ?? ProgramLauncher.DefaultPath}) has a program \"{program}\"",
                "install it, write its absolute path, or set PATH in the service's environment");
        }

        if (!Path.IsPathRooted(file))
        {
            if (string.IsNullOrEmpty(directory))
            {
                file = null;
                return null;
            }

            file = Path.Combine(directory, file);
        }

        if (Files.GetTargetStatus(file, out var status) is { } refused)
        {
            return Absence(refused) is { } absence
                ? ($"program \"{file}\" {absence}", "install it before the service is started, or correct the path") : null;
        }

        const int anybodyMayExecute = 0x49;
        return status.IsDirectory ? ($"\"{file}\" is a directory", "name the program in it")
            : (status.Permissions & anybodyMayExecute) == 0 ? ($"\"{file}\" is not executable", "chmod +x it")
            : Interpreter(file) is { } interpreter && Absence(Files.GetTargetStatus(interpreter, out _)) is { } gone
                ? ($"\"{file}\" is a script for \"{interpreter}\", which {gone}",
                    "install it, or correct the script's first line")
            : null;
    }

    /// <summary>
    /// The program's path: as written if it has a slash, else found in <paramref name="searchPath"/>; null if it is not found.
    /// </summary>
    private static string? Find(string command, string? searchPath) => command.Contains('/', StringComparison.Ordinal)
        ? command
        : (searchPath ?? ProgramLauncher.DefaultPath).Split(':').Where(directory => directory.Length > 0)
            .Select(directory => Path.Combine(directory, command))
            .FirstOrDefault(candidate => File.Exists(candidate) && AccessCheck.IsExecutable(candidate));

    /// <summary>
    /// The program that the first line of a script names (execve(2): at most 255 bytes of it); null if there is none or the
    /// file cannot be read.
    /// </summary>
    private static string? Interpreter(string file)
    {
        const int readOnly = 0, mostThatCounts = 255;
        using var opened = Files.Open(file, readOnly, 0, out _);
        Span<byte> head = stackalloc byte[mostThatCounts];
        var length = opened is null ? 0 : Math.Max(0, Files.Read(opened, head, out _));
        if (!head[..length].StartsWith("#!"u8))
        {
            return null;
        }

        var words = Encoding.UTF8.GetString(head[2..length]).Split('\n')[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 0 && Path.IsPathRooted(words[0]) ? words[0] : null;
    }

    /// <summary>Why there is nothing at a path, as a predicate; null if there is something or that is unknown.</summary>
    private static string? Absence(SystemCallError? error) => error?.Errno switch
    {
        ENOENT => "does not exist",
        ENOTDIR => "does not exist: a part of its path is not a directory",
        ELOOP => "cannot be reached: a symlink leads back to itself",
        _ => null,
    };
}
