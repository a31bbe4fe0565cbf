using System.Globalization;

namespace Supervisor.Core;

/// <summary>Durations for messages, with the units of the configuration.</summary>
public static class Durations
{
    /// <summary>A rounded duration, such as 500ms, 1.5s, 30s, 5m or 2h.</summary>
    public static string Text(TimeSpan duration)
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
}
