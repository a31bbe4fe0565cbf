using System.Globalization;
using System.Text;
using Supervisor.Core.Listeners;

namespace Supervisor.Linux.Evidence;

/// <summary>Who a process is: proc(5)'s comm, cmdline, status and cgroup.</summary>
internal static class ProcessFacts
{
    private const int MaxCommandLine = 400;

    /// <summary>Null where it is gone.</summary>
    public static HolderProcess? Read(int pid)
    {
        var directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");
        return Text(directory + "/comm") is { } command
            ? new HolderProcess(pid, command.TrimEnd('\n'), CommandLine(directory), Unit(directory), Uid(directory), IsPredecessor: false)
            : null;
    }

    /// <summary>A variable of the environment that the process was started with; null where it has none or that cannot be read.</summary>
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

    private static string? CommandLine(string directory)
    {
        var text = Text(directory + "/cmdline")?.TrimEnd('\0').Replace('\0', ' ');
        return text is null or "" ? null : text.Length > MaxCommandLine ? text[..MaxCommandLine] + "..." : text;
    }

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
            return File.ReadAllText(path, Encoding.UTF8);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
