using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>Reads and writes the interface files of cgroups, which are a few lines long each. Any thread.</summary>
internal static class CgroupFile
{
    /// <summary>Writes a value in one call, as the kernel requires. Null, or the error.</summary>
    public static SystemCallError? Write(string directory, string file, string value)
    {
        const int writeOnly = 1;
        using var opened = Files.Open(Path.Combine(directory, file), writeOnly, 0, out var error);
        if (opened is null)
        {
            return error;
        }

        Files.Write(opened, System.Text.Encoding.ASCII.GetBytes(value), out var refused);
        return refused;
    }

    /// <summary>The lines; none if the file does not exist or cannot be read.</summary>
    public static string[] Lines(string directory, string file)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(directory, file));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The number in the file's first line; null if there is none, such as "max".</summary>
    public static long? Number(string directory, string file) =>
        Lines(directory, file) is [var line, ..] ? Number(line) : null;

    /// <summary>The number behind a word at the beginning of a line, such as "oom_kill 2"; null if there is none.</summary>
    public static long? Number(IEnumerable<string> lines, string key) => lines
        .Where(line => line.StartsWith(key, StringComparison.Ordinal) && line.Length > key.Length && line[key.Length] == ' ')
        .Select(line => Number(line[(key.Length + 1)..])).FirstOrDefault();

    /// <summary>The words of a file with a single line, such as cgroup.controllers.</summary>
    public static string[] Words(string directory, string file) =>
        Lines(directory, file) is [var line, ..] ? line.Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];

    private static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
