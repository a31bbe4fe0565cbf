using System.Collections;

namespace Supervisor.Native;

/// <summary>
/// Arguments and environment of this process byte for byte (<see cref="ByteText"/>): the runtime replaces what is not UTF-8.
/// Without /proc, what the runtime has.
/// </summary>
public static class OwnProcess
{
    /// <summary>The environment with which the process was executed; the first of a name counts, as in getenv(3).</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Environment { get; } = ReadEnvironment();

    /// <summary>The arguments of Main; <paramref name="decoded"/> is what the runtime made of them.</summary>
    public static string[] Arguments(string[] decoded)
    {
        // A runtime may come first, with options of its own.
        var all = Read("/proc/self/cmdline");
        return all.Count < decoded.Length ? decoded : [.. all.Skip(all.Count - decoded.Length)];
    }

    /// <summary>All arguments of the process, the program's name and a runtime's options included.</summary>
    public static IReadOnlyList<string> CommandLine => Read("/proc/self/cmdline");

    private static List<KeyValuePair<string, string>> ReadEnvironment()
    {
        var variables = new List<KeyValuePair<string, string>>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in Read("/proc/self/environ"))
        {
            var end = line.IndexOf('=', StringComparison.Ordinal);
            if (end > 0 && names.Add(line[..end]))
            {
                variables.Add(new(line[..end], line[(end + 1)..]));
            }
        }

        return names.Count > 0 ? variables
            : [.. System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""))];
    }

    private static List<string> Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }

        var texts = new List<string>();
        for (ReadOnlySpan<byte> rest = bytes; !rest.IsEmpty;)
        {
            var end = rest.IndexOf((byte)0);
            texts.Add(ByteText.Decode(end < 0 ? rest : rest[..end]));
            rest = end < 0 ? [] : rest[(end + 1)..];
        }

        return texts;
    }
}
