using System.Globalization;
using System.Text;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Native;

namespace Supervisor.Linux.Evidence;

/// <summary>Identifies a process: proc(5)'s comm, cmdline, status and cgroup.</summary>
internal static class ProcessFacts
{
    private const int MaxCommandLine = 400;

    /// <summary>
    /// The read limit of a file: a process that moves its arguments (prctl(2), PR_SET_MM) can show all of its memory there.
    /// </summary>
    private const int MaxBytes = 256 * 1024;

    /// <summary>Without the command line, which may have to wait for the process; null if the process has exited.</summary>
    public static HolderProcess? Read(int pid)
    {
        var directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");
        return Text(directory + "/comm") is { } command
            ? new HolderProcess(pid, command.TrimEnd('\n'), null, Unit(directory), Uid(directory), IsPredecessor: false)
            {
                IsSelf = pid == Processes.CurrentPid,
            }
            : null;
    }

    /// <summary>
    /// A variable of the environment that the process was started with; null if it is not set or cannot be read. May have to
    /// wait for the process's memory.
    /// </summary>
    public static string? Variable(int pid, string name)
    {
        var text = Text(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ"));
        return text?.Split('\0').FirstOrDefault(line => line.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
    }

    /// <summary>The systemd unit that a process's control group names: the last part of its path that ends like one.</summary>
    public static string? Unit(string directory)
    {
        foreach (var line in Text(directory + "/cgroup")?.Split('\n') ?? [])
        {
            // cgroups(7): hierarchy, controllers, path. systemd's own is 0:: or name=systemd.
            var fields = line.Split(':', 3);
            if (fields.Length == 3 && (fields[0] == "0" || fields[1] == "name=systemd"))
            {
                var unit = fields[2].Split('/').LastOrDefault(part => part.EndsWith(".service", StringComparison.Ordinal)
                    || part.EndsWith(".scope", StringComparison.Ordinal) || part.EndsWith(".socket", StringComparison.Ordinal));
                if (unit is not null)
                {
                    return unit;
                }
            }
        }

        return null;
    }

    /// <summary>
    /// Its arguments; null if they cannot be read. May have to wait for the process's memory, which may be in a file system of
    /// its own.
    /// </summary>
    public static string? CommandLine(int pid)
    {
        var text = Text(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cmdline"))?.TrimEnd('\0').Replace('\0', ' ');
        return text is null or "" ? null : text.Length > MaxCommandLine ? text[..MaxCommandLine] + "..." : text;
    }

    /// <summary>The active security modules, separated by commas; null if securityfs is not mounted.</summary>
    public static string? SecurityModules() => Text("/sys/kernel/security/lsm")?.Trim();

    private static uint Uid(string directory)
    {
        foreach (var line in Text(directory + "/status")?.Split('\n') ?? [])
        {
            if (line.StartsWith("Uid:", StringComparison.Ordinal)
                && line.Split('\t') is [_, _, { } effective, ..]
                && uint.TryParse(effective, NumberStyles.None, CultureInfo.InvariantCulture, out var uid))
            {
                return uid;
            }
        }

        return 0;
    }

    private static string? Text(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var bytes = new byte[4096];
            for (var length = 0; ;)
            {
                var count = RandomAccess.Read(file, bytes.AsSpan(length), length);
                length += count;
                if (count == 0 || length == MaxBytes)
                {
                    return Encoding.UTF8.GetString(bytes, 0, length);
                }

                if (length == bytes.Length)
                {
                    Array.Resize(ref bytes, Math.Min(length * 4, MaxBytes));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
