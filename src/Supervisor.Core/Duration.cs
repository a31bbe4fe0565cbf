using System.Globalization;
using System.Text;

namespace Supervisor.Core;

/// <summary>
/// The text of durations as in the configuration and on the command line: whole numbers with h, m, s and ms, such as "500ms",
/// "30s" or "1m30s". Messages show them rounded, in the same units.
/// </summary>
public static class Duration
{
    /// <summary>The format as a regular expression.</summary>
    public const string Pattern = "^(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

    /// <summary>The longest duration that a setting accepts; a .NET timer can wait at most 49.7 days (2^32 - 2 ms).</summary>
    public static readonly TimeSpan Max = TimeSpan.FromHours(1000);

    private static readonly (string Unit, long Milliseconds)[] Units = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

    /// <summary>Parses <paramref name="text"/>: each unit at most once, larger units first. False for everything else.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        long total = 0;
        var rest = text.AsSpan();
        var next = 0;
        if (rest.IsEmpty)
        {
            return false;
        }

        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is <= 0 or > 12)
            {
                return false;
            }

            var number = long.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9');
            var unit = letters < 0 ? rest : rest[..letters];
            var index = IndexOf(unit, next);
            if (index < 0)
            {
                return false;
            }

            total += number * Units[index].Milliseconds;
            next = index + 1;
            rest = rest[unit.Length..];
        }

        // 12 digits of hours are 3.6e18 ms, which fits into a long but not into a TimeSpan.
        if (total > TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond || total < 0)
        {
            return false;
        }

        duration = TimeSpan.FromTicks(total * TimeSpan.TicksPerMillisecond);
        return true;
    }

    /// <summary>The shortest spelling in whole milliseconds, rounded down.</summary>
    public static string Format(TimeSpan duration)
    {
        var rest = (long)duration.TotalMilliseconds;
        var text = new StringBuilder();
        foreach (var (unit, milliseconds) in Units)
        {
            if (rest >= milliseconds)
            {
                text.Append(CultureInfo.InvariantCulture, $"{rest / milliseconds}{unit}");
                rest %= milliseconds;
            }
        }

        return text.Length == 0 ? "0s" : text.ToString();
    }

    /// <summary>The duration for a message, rounded: such as 250us, 500ms, 1.5s, 5m or 1h30m. No setting accepts "us".</summary>
    public static string Rounded(TimeSpan duration)
    {
        var milliseconds = duration.TotalMilliseconds;
        return milliseconds switch
        {
            < 1 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds * 1000:0}us"),
            < 10 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.#}ms"),
            < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0}ms"),
            < 60_000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.##}s"),
            < 3_600_000 when duration.Seconds == 0 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMinutes:0}m"),
            < 3_600_000 => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(duration.TotalMinutes):0}m{duration.Seconds}s"),
            _ when duration.Minutes == 0 => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(duration.TotalHours):0}h"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(duration.TotalHours):0}h{duration.Minutes}m"),
        };
    }

    private static int IndexOf(ReadOnlySpan<char> unit, int from)
    {
        for (var i = from; i < Units.Length; i++)
        {
            if (unit.SequenceEqual(Units[i].Unit))
            {
                return i;
            }
        }

        return -1;
    }
}
