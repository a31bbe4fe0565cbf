namespace Supervisor.Config.Values;

/// <summary>Finds the word that a misspelt word stands for.</summary>
public static class Spelling
{
    /// <summary>
    /// The candidate nearest to <paramref name="word"/> by optimal string alignment distance (insertions, deletions,
    /// replacements, swaps of neighbours), within a third of the word's length, at least 1.
    /// Otherwise a candidate that begins with the word. Null without one.
    /// </summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        // A long word is not a spelling mistake, and the distance costs length times length.
        if (word.Length is 0 or > 64)
        {
            return null;
        }

        string? nearest = null;
        var least = Math.Max(1, word.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            var distance = Distance(word, candidate);
            if (distance < least && distance < candidate.Length)
            {
                least = distance;
                nearest = candidate;
            }
        }

        return nearest is null && word.Length >= 4
            ? candidates.FirstOrDefault(candidate => candidate.StartsWith(word, StringComparison.Ordinal))
            : nearest;
    }

    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (var j = 0; j <= b.Length; j++)
        {
            rows[0, j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(replaced, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
