using System.Globalization;

namespace Supervisor.Config.Values;

/// <summary>Sizes with a unit: 1024-based KiB, MiB, GiB, TiB; 1000-based kB (or KB), MB, GB, TB; B.</summary>
public static class ByteSize
{
    /// <summary>The same as a regular expression.</summary>
    public const string Pattern = "^[0-9]+(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)$";

    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("B", 1),
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("kB", 1000), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ];

    /// <summary>Parses <paramref name="text"/>; false if it is not a size, or does not fit into a long.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits <= 0 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        foreach (var (unit, factor) in Units)
        {
            if (text.AsSpan(digits).SequenceEqual(unit))
            {
                bytes = number * factor;
                return number <= long.MaxValue / factor;
            }
        }

        return false;
    }
}
