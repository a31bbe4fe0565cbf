using System.Globalization;

namespace Supervisor.Listenctl.Verbs;

/// <summary>A duration as users write it: "500ms", "30s", "5m", "1h30m".</summary>
internal static class Duration
{
    /// <summary>Parses <paramref name="text"/>: whole numbers, each with its unit, of us, ms, s, m, h, d.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty)
        {
            return false;
        }

        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || !long.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return false;
            }

            rest = rest[digits..];
            var letters = rest.IndexOfAnyExceptInRange('a', 'z');
            var unit = letters < 0 ? rest : rest[..letters];
            long? ticks = unit switch
            {
                "us" => TimeSpan.TicksPerMicrosecond,
                "ms" => TimeSpan.TicksPerMillisecond,
                "s" => TimeSpan.TicksPerSecond,
                "m" or "min" => TimeSpan.TicksPerMinute,
                "h" => TimeSpan.TicksPerHour,
                "d" => TimeSpan.TicksPerDay,
                _ => null,
            };
            if (ticks is not { } each || number > (long.MaxValue - duration.Ticks) / each)
            {
                return false;
            }

            duration += TimeSpan.FromTicks(number * each);
            rest = rest[unit.Length..];
        }

        return true;
    }
}
