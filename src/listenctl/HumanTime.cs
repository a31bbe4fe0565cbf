using System.Globalization;

namespace Supervisor.Listenctl;

/// <summary>Times for people: two units at most, the smaller one dropped where it says nothing.</summary>
internal static class HumanTime
{
    /// <summary>For how long, as "840ms", "12s", "3m12s", "5h07m", "3d04h".</summary>
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

    /// <summary>How long an operation took, as "612 ms", "1.2 s", "3m12s".</summary>
    public static string Elapsed(TimeSpan span) => span switch
    {
        { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalMilliseconds} ms"),
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(span.TotalSeconds * 10) / 10:0.0} s"),
        _ => Span(span),
    };

    /// <summary>A moment in a handle's life, its unit always two characters wide so that a column of them lines up.</summary>
    public static string Since(long microseconds) => microseconds switch
    {
        < 1_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds} µs"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 100 / 10.0:0.0} ms"),
        < 60_000_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 100_000 / 10.0:0.0} s "),
        _ => Span(TimeSpan.FromMicroseconds(microseconds)) + "   ",
    };

    /// <summary>A moment by the reader's clock, to the second.</summary>
    public static string Local(DateTimeOffset at, TimeProvider clock) =>
        TimeZoneInfo.ConvertTime(at, clock.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>A moment by the reader's clock, to the millisecond.</summary>
    public static string LocalPrecise(DateTimeOffset at, TimeProvider clock) =>
        TimeZoneInfo.ConvertTime(at, clock.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
