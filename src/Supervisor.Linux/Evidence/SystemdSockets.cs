using System.Globalization;
using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Finds the socket unit for a socket that systemd holds, by the ListenStream= and similar lines of the active units. systemd
/// tells it only over D-Bus.
/// </summary>
internal static class SystemdSockets
{
    private const string Suffix = ".socket";

    private static readonly string[] Directories =
    [
        "/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system", "/lib/systemd/system",
    ];

    private static readonly string[] Keys = ["ListenStream=", "ListenDatagram=", "ListenSequentialPacket="];

    /// <summary>Sets the unit of process 1 in each holder to its socket unit, where one matches.</summary>
    public static List<SocketHolder> Name(List<SocketHolder> holders) =>
        holders.ConvertAll(holder => holder.Processes.Any(IsSystemd) && UnitOf(holder.Address) is { } unit
            ? holder with { Processes = [.. holder.Processes.Select(process => Named(process, unit))] }
            : holder);

    private static HolderProcess Named(HolderProcess process, string unit) => IsSystemd(process) ? process with { Unit = unit } : process;

    private static bool IsSystemd(HolderProcess process) => process is { Pid: 1, Command: "systemd" };

    private static string? UnitOf(string address)
    {
        try
        {
            return Active().FirstOrDefault(unit => Lines(unit).Any(value => IsSame(value, address)));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The active socket units: systemd keeps a link with the invocation of each unit.</summary>
    private static IEnumerable<string> Active()
    {
        const string units = "/run/systemd/units", prefix = "invocation:";
        return Directory.Exists(units)
            ? Directory.EnumerateFileSystemEntries(units, $"{prefix}*{Suffix}").Select(path => Path.GetFileName(path)[prefix.Length..])
            : Directories.Where(Directory.Exists).SelectMany(directory => Directory.EnumerateFiles(directory, "*" + Suffix))
                .Select(path => Path.GetFileName(path)).Distinct();
    }

    private static IEnumerable<string> Lines(string unit)
    {
        var at = unit.IndexOf('@', StringComparison.Ordinal);
        string[] names = at < 0 ? [unit] : [unit, unit[..(at + 1)] + Suffix];
        var main = Directories.SelectMany(directory => names.Select(name => Path.Combine(directory, name))).FirstOrDefault(File.Exists);
        var parts = Directories.Select(directory => Path.Combine(directory, unit + ".d")).Where(Directory.Exists)
            .SelectMany(directory => Directory.EnumerateFiles(directory, "*.conf"));
        return parts.Prepend(main).OfType<string>().SelectMany(File.ReadLines).Select(line => line.Trim())
            .SelectMany(line => Keys.Where(key => line.StartsWith(key, StringComparison.Ordinal)).Select(key => line[key.Length..].Trim()));
    }

    /// <summary>Whether a value such as 8080, 127.0.0.1:8080 or /run/a.sock is that address.</summary>
    private static bool IsSame(string value, string address)
    {
        var rest = address[(address.IndexOf("://", StringComparison.Ordinal) + 3)..];
        if (rest.StartsWith('/') || rest.StartsWith('@'))
        {
            return value.Replace("%t/", "/run/", StringComparison.Ordinal) == rest;
        }

        var port = rest[(rest.LastIndexOf(':') + 1)..];
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? value == port : value == rest;
    }
}
