using System.Globalization;

namespace Supervisor.Linux.Kernel;

/// <summary>Names and values of counters that a file of /proc has.</summary>
internal sealed record CounterTable((string Name, string Value)[] Values)
{
    /// <summary>The TCP counters of this thread's network namespace, TcpExt of /proc/net/netstat; empty where they are hidden.</summary>
    public static CounterTable OfTcp()
    {
        // A line of names and a line of values with the same label.
        var lines = Lines("/proc/thread-self/net/netstat").Where(line => line.StartsWith("TcpExt:", StringComparison.Ordinal)).Take(2)
            .Select(line => line.Split(' ')).ToArray();
        return new CounterTable(lines.Length == 2 ? [.. lines[0].Zip(lines[1])] : []);
    }

    /// <summary>The lines of a file; empty if it cannot be read.</summary>
    public static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The counter; null if there is none.</summary>
    public long? Find(string name) => Array.Find(Values, pair => pair.Name == name) is (not null, { } value)
        && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
