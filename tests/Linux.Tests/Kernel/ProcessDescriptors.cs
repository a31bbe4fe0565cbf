using System.Globalization;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>The descriptors of this process and what they refer to.</summary>
internal static class ProcessDescriptors
{
    /// <summary>The descriptors that a test can have opened, without those that the runtime opens to load code.</summary>
    public static SortedDictionary<int, string> Open()
    {
        var open = new SortedDictionary<int, string>();
        foreach (var entry in Directory.GetFiles("/proc/self/fd"))
        {
            var number = int.Parse(Path.GetFileName(entry), CultureInfo.InvariantCulture);
            if (LinkOf(number) is { } link && !IsRuntimes(link))
            {
                open.Add(number, link);
            }
        }

        return open;
    }

    /// <summary>What a descriptor refers to, such as <c>socket:[1234]</c>; null if it is closed.</summary>
    public static string? LinkOf(int number) => Libc.ReadLink(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{number}"));

    private static bool IsRuntimes(string link) =>
        link.EndsWith(".dll", StringComparison.Ordinal) || link.EndsWith(".so", StringComparison.Ordinal)
            || link.EndsWith(".pdb", StringComparison.Ordinal)
            || link.Contains("doublemapper", StringComparison.Ordinal)
            || link.StartsWith("/proc/", StringComparison.Ordinal)
            || link.StartsWith("/sys/", StringComparison.Ordinal)
            || link.StartsWith("/dev/urandom", StringComparison.Ordinal);
}
