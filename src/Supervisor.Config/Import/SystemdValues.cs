using System.Globalization;

namespace Supervisor.Config.Import;

/// <summary>Parses values of systemd's settings; null for an invalid text.</summary>
internal static class SystemdValues
{
    /// <summary>Units of systemd.time(7), in microseconds.</summary>
    private static readonly (string[] Names, double Microseconds)[] TimeUnits =
    [
        (["usec", "us", "μs", "µs"], 1), (["msec", "ms"], 1e3), (["seconds", "second", "sec", "s"], 1e6),
        (["minutes", "minute", "min", "m"], 60e6), (["hours", "hour", "hr", "h"], 3600e6), (["days", "day", "d"], 86400e6),
        (["weeks", "week", "w"], 7 * 86400e6), (["months", "month", "M"], 30.44 * 86400e6), (["years", "year", "y"], 365.25 * 86400e6),
    ];

    public static bool? Flag(string text) => text.ToLowerInvariant() switch
    {
        "1" or "yes" or "y" or "true" or "t" or "on" => true,
        "0" or "no" or "n" or "false" or "f" or "off" => false,
        _ => null,
    };

    public static long? Integer(string text)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? hex : null;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>A size, with a suffix B, K, M, G, T, P or E to the base of 1024, src/basic/parse-util.c.</summary>
    public static long? Size(string text)
    {
        var shift = text.Length == 0 ? 0 : text[^1] switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, 'P' => 50, 'E' => 60, _ => 0 };
        var digits = shift > 0 || text is [.., 'B'] ? text.AsSpan(0, text.Length - 1) : text;
        return decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number < long.MaxValue / (1L << shift)
            ? (long)(number * (1L << shift))
            : null;
    }

    /// <summary>
    /// A span such as "5", "1min 30s" or "infinity" (<see cref="TimeSpan.MaxValue"/>). The unit of a bare number is
    /// <paramref name="bare"/> seconds.
    /// </summary>
    public static TimeSpan? Span(string text, double bare = 1)
    {
        if (text.Trim() == "infinity")
        {
            return TimeSpan.MaxValue;
        }

        var total = 0.0;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty)
        {
            return null;
        }

        while (!rest.IsEmpty)
        {
            var digits = 0;
            while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.'))
            {
                digits++;
            }

            if (!double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            rest = rest[digits..].TrimStart();
            var letters = 0;
            while (letters < rest.Length && !char.IsAsciiDigit(rest[letters]) && !char.IsWhiteSpace(rest[letters]))
            {
                letters++;
            }

            var unit = rest[..letters].ToString();
            var known = Array.Find(TimeUnits, u => u.Names.Contains(unit));
            if (unit.Length > 0 && known.Names is null)
            {
                return null;
            }

            total += number * (unit.Length == 0 ? bare * 1e6 : known.Microseconds);
            rest = rest[letters..].TrimStart();
        }

        return total < 1e15 ? TimeSpan.FromMicroseconds(total) : TimeSpan.MaxValue;
    }
}
