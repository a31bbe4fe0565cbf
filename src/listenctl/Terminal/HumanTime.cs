using System.Globalization;

namespace Supervisor.Listenctl.Terminal;

/// <summary>Times for people, in at most two units.</summary>
internal static class HumanTime
{
    /// <summary>A duration, as "840ms", "12s", "3m12s", "5h07m", "3d04h".</summary>
    public static string Span(TimeSpan span)
    {
        if (span < TimeSpan.Zero)
        {
            span = TimeSpan.Zero;
        }

        return span switch
        {
            { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalMilliseconds}ms"),
            { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Seconds}s"),
            { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Minutes}m{span.Seconds:00}s"),
            { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Hours}h{span.Minutes:00}m"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalDays}d{span.Hours:00}h"),
        };
    }

    /// <summary>The time that an operation took, as "612 ms", "1.2 s", "3m12s".</summary>
    public static string Elapsed(TimeSpan span) => span switch
    {
        { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalMilliseconds} ms"),
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(span.TotalSeconds * 10) / 10:0.0} s"),
        _ => Span(span),
    };

    /// <summary>Microseconds since a handle was created. The unit is always two characters wide, so a column of them is aligned.</summary>
    public static string Since(long microseconds) => microseconds switch
    {
        < 1_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds} µs"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 100 / 10.0:0.0} ms"),
        < 60_000_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 100_000 / 10.0:0.0} s "),
        _ => Span(TimeSpan.FromMicroseconds(microseconds)) + "   ",
    };

    /// <summary>Local time to the second.</summary>
    public static string Local(DateTimeOffset at, TimeProvider clock) =>
        TimeZoneInfo.ConvertTime(at, clock.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>Local time to the millisecond.</summary>
    public static string LocalPrecise(DateTimeOffset at, TimeProvider clock) =>
        TimeZoneInfo.ConvertTime(at, clock.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
