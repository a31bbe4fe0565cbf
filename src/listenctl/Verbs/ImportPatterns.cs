using System.IO.Enumeration;

namespace Supervisor.Listenctl.Verbs;

/// <summary>Finds the files of a pattern with <c>*</c> and <c>?</c>, glob(7). A name that begins with a dot needs a dot in the pattern.</summary>
internal static class ImportPatterns
{
    private const int MaxFiles = 10_000;

    /// <summary>The files, sorted.</summary>
    /// <param name="pattern">An absolute path; each part can be a pattern.</param>
    public static IReadOnlyList<string> Files(string pattern)
    {
        var parts = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        IEnumerable<string> places = ["/"];
        for (var i = 0; i < parts.Length; i++)
        {
            var (part, isLast) = (parts[i], i == parts.Length - 1);
            places = places.SelectMany(place => Entries(place, part, isLast)).Take(MaxFiles);
        }

        return [.. places.Order(StringComparer.Ordinal)];
    }

    private static List<string> Entries(string place, string part, bool isLast)
    {
        if (part.AsSpan().IndexOfAny('*', '?') < 0)
        {
            var path = Path.Combine(place, part);
            return (isLast ? File.Exists(path) : Directory.Exists(path)) ? [path] : [];
        }

        try
        {
            return [.. (isLast ? Directory.EnumerateFiles(place) : Directory.EnumerateDirectories(place))
                .Where(path => IsMatch(part, Path.GetFileName(path)))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool IsMatch(string part, string name) =>
        (part[0] == '.' || name[0] != '.') && FileSystemName.MatchesSimpleExpression(part, name, ignoreCase: false);
}
