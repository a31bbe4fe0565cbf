using System.Runtime.InteropServices;
using Supervisor.Config.Import;

namespace Supervisor.Listenctl.Verbs;

/// <summary>Reads the facts of this host that configurations of other programs can name.</summary>
internal static class ImportHostFacts
{
    private const int MaxBytes = 256 << 10;

    /// <summary>The facts. One that cannot be read is null.</summary>
    public static ImportHost Read() => new(
        Line("/proc/sys/kernel/hostname"),
        Fields("/etc/machine-info")?.GetValueOrDefault("PRETTY_HOSTNAME"),
        Line("/etc/machine-id"),
        Line("/proc/sys/kernel/random/boot_id")?.Replace("-", "", StringComparison.Ordinal),
        Line("/proc/sys/kernel/osrelease"),
        Architecture(),
        Fields("/etc/os-release") ?? Fields("/usr/lib/os-release"),
        [.. (Text("/etc/passwd") ?? "").Split('\n').Select(User).OfType<ImportUser>()]);

    private static ImportUser? User(string line) => line.Split(':') is [var name, _, var uid, var gid, _, var home, var shell]
        ? new ImportUser(name, uid, gid, home, shell)
        : null;

    /// <summary>systemd's name of the architecture, src/basic/architecture.c.</summary>
    private static string? Architecture() => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "x86-64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        _ => null,
    };

    private static string? Line(string path) => Text(path)?.Trim() is { Length: > 0 } line ? line : null;

    /// <summary>The variables of a file of NAME=VALUE, os-release(5).</summary>
    private static Dictionary<string, string>? Fields(string path)
    {
        if (Text(path) is not { } text)
        {
            return null;
        }

        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.Split('=', 2) is [var name, var value] && !name.StartsWith('#'))
            {
                fields[name] = value.Trim('"', '\'');
            }
        }

        return fields;
    }

    private static string? Text(string path)
    {
        try
        {
            using var file = new StreamReader(path);
            var buffer = new char[MaxBytes];
            return new string(buffer, 0, file.ReadBlock(buffer));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
