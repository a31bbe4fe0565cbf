using System.Globalization;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Text of a failed spawn: setting, value, stage, errno and remedy.</summary>
internal static class SpawnFailureText
{
    public static string For(ServiceSpec spec, string path, ChildProcess.Failure failure, int descriptorOffset)
    {
        var error = new SystemCallError("", failure.Errno);
        var answer = $"{error.Name} ({error.Text})";
        return failure.Stage switch
        {
            SpawnStage.Exec when failure.Detail == (int)ExecDetail.NotFound =>
                $"command \"{path}\": not found in any directory of PATH; write its absolute path",
            SpawnStage.Exec => $"command \"{path}\": executing it: {answer}; {ExecRemedy((ExecDetail)failure.Detail, error.Name)}",
            SpawnStage.Launcher when error.Name == "E2BIG" =>
                $"command \"{path}\": its arguments and environment are too large ({answer}); shorten them",
            SpawnStage.Launcher =>
                $"executing the launcher from a memory file: {answer}; "
                + (error.Name == "EACCES" ? "this host forbids executable memory files: set sysctl vm.memfd_noexec=1" : "see execveat(2)"),
            SpawnStage.Directory =>
                $"working_directory \"{spec.WorkingDirectory}\": entering it: {answer}; {DirectoryRemedy(error.Name, spec)}",
            SpawnStage.User => $"user \"{spec.User}\": setting it: {answer}; only root, or CAP_SETUID, may start workers as another user",
            SpawnStage.Group =>
                $"group \"{spec.Group ?? spec.User}\": setting it: {answer}; only root, or CAP_SETGID, may start workers as another group",
            SpawnStage.Groups => $"supplementary_groups: setting them: {answer}; only root, or CAP_SETGID, may",
            SpawnStage.Limit =>
                $"limits.{spec.Limits[failure.Detail].Name} = {spec.Limits[failure.Detail].Spelled()}: setting it: {answer}; "
                + LimitRemedy(spec.Limits[failure.Detail], error.Name),
            SpawnStage.Nice => $"nice = {spec.Nice}: setting it: {answer}; {NiceRemedy(error.Name)}",
            SpawnStage.Capabilities =>
                $"capabilities{Capability(failure.Detail)}: raising them: {answer}; the daemon can only pass on its own capabilities",
            SpawnStage.NoNewPrivileges => $"no_new_privileges: setting it: {answer}",
            SpawnStage.Descriptors =>
                $"listeners{Listener(spec, failure.Detail - descriptorOffset)}: placing descriptor {failure.Detail}: {answer}; "
                + "limits.nofile must leave room for them",
            SpawnStage.Clone =>
                $"clone: {answer}"
                + (error.Name is "EMFILE" or "ENFILE"
                    ? ProgramLauncher.Exhausted(error.Name)
                    : "; the daemon's limit of processes or memory is reached (TasksMax=, LimitNPROC= in its unit)"),
            SpawnStage.Session => $"setsid: {answer}",
            SpawnStage.Cgroup => $"entering the control group: {answer}",
            SpawnStage.Signals => $"setting signals: {answer}",
            SpawnStage.Pin => $"pinned file: {answer}",
            SpawnStage.None => answer,
            _ => throw new ArgumentOutOfRangeException(nameof(failure)),
        };
    }

    private static string ExecRemedy(ExecDetail found, string errno) => errno switch
    {
        "ENOENT" when found == ExecDetail.Present => "the file exists, but the interpreter in its first line does not",
        "ENOENT" => "the file does not exist; correct the path",
        "EACCES" when found == ExecDetail.Directory => "it is a directory; name the program in it",
        "EACCES" => "it is not executable by the worker's user, or that user may not search a directory above it; chmod +x it",
        "ENOEXEC" => "it is not a program for this machine; a script begins with #! and its interpreter",
        "ETXTBSY" => "it is open for writing; replace a program by rename, never in place",
        "E2BIG" => "its arguments and environment are too large",
        _ => "see execve(2)",
    };

    private static string Capability(int number) =>
        number >= 0 && number < Capabilities.Names.Length ? $" \"{Capabilities.Names[number]}\"" : "";

    private static string Listener(ServiceSpec spec, int index) =>
        index >= 0 && index < spec.Listeners.Length ? $" \"{spec.Listeners[index]}\"" : "";

    /// <summary>
    /// set_one_prio() (kernel/sys.c) answers EACCES to a caller that may not lower its nice level. It accepts every call for the
    /// caller itself otherwise, so another error is that of a seccomp filter.
    /// </summary>
    private static string NiceRemedy(string errno) => errno == "EACCES"
        ? "a nice level below the daemon's own needs CAP_SYS_NICE (CapabilityBoundingSet=CAP_SYS_NICE in the daemon's unit)"
        : "a system call filter forbids it: set SystemCallFilter=@resources in the daemon's unit (systemctl edit listend)";

    private static string LimitRemedy(ResourceLimit limit, string errno)
    {
        if (errno != "EPERM")
        {
            return "the kernel rejects the value";
        }

        // do_prlimit() rejects more than sysctl_nr_open for every user, kernel/sys.c.
        return limit.Name == "nofile" && Sysctl.ReadNumber("fs.nr_open") is { } most && limit.Value > (ulong)most
            ? string.Create(CultureInfo.InvariantCulture,
                $"it is above fs.nr_open, {most}: ask for {most} or less, or raise that (sysctl fs.nr_open)")
            : $"it is above the daemon's own hard limit: raise that (Limit{limit.Name.ToUpperInvariant()}= in its unit), "
                + "or run with CAP_SYS_RESOURCE";
    }

    private static string DirectoryRemedy(string errno, ServiceSpec spec) => errno switch
    {
        "ENOENT" => "the directory does not exist; create it",
        "EACCES" => (spec.User is null ? "the daemon's user" : $"user \"{spec.User}\"")
            + " may not search it, or a directory above it; grant search permission",
        "ENOTDIR" => "it is not a directory",
        _ => "see chdir(2)",
    };
}
