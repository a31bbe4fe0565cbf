using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Supervisor.Core.Protocols;

/// <summary>
/// One datagram of the notify protocol, sd_notify(3): lines of NAME=VALUE. Unknown names are kept and have no effect.
/// </summary>
/// <param name="Assignments">Name and value of each line, in order.</param>
public sealed record NotifyMessage(ImmutableArray<KeyValuePair<string, string>> Assignments)
{
    /// <summary>The most bytes of a message, as in systemd (NOTIFY_BUFFER_MAX is a page).</summary>
    public const int MaxBytes = 4096;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>READY=1.</summary>
    public bool IsReady => Has("READY", "1");

    /// <summary>STOPPING=1.</summary>
    public bool IsStopping => Has("STOPPING", "1");

    /// <summary>BARRIER=1.</summary>
    public bool IsBarrier => Has("BARRIER", "1");

    /// <summary>RELOADING=1: the worker rereads its configuration and continues to serve.</summary>
    public bool IsReloading => Has("RELOADING", "1");

    /// <summary>WATCHDOG=1: the worker resets its watchdog.</summary>
    public bool IsAlive => Has("WATCHDOG", "1");

    /// <summary>WATCHDOG=trigger: the worker requests a watchdog timeout.</summary>
    public bool IsHung => Has("WATCHDOG", "trigger");

    /// <summary>FDSTORE=1: the daemon stores the descriptors of this message.</summary>
    public bool StoresDescriptors => Has("FDSTORE", "1");

    /// <summary>FDSTOREREMOVE=1: the daemon closes the descriptors stored under <see cref="DescriptorName"/>.</summary>
    public bool RemovesDescriptors => Has("FDSTOREREMOVE", "1");

    /// <summary>FDNAME=; null if absent.</summary>
    public string? DescriptorName => Last("FDNAME");

    /// <summary>STATUS=, the last one; null if absent.</summary>
    public string? Status => Last("STATUS");

    /// <summary>MAINPID=, the new main process; null if absent or not a process id.</summary>
    public int? MainPid => Number("MAINPID") is { } pid and >= 1 and <= int.MaxValue ? (int)pid : null;

    /// <summary>ERRNO=, the worker's error; null if absent; 0: no error.</summary>
    public int? Errno => Number("ERRNO") is { } errno and <= 4095 ? (int)errno : null;

    /// <summary>WATCHDOG_USEC=, the new watchdog interval; null if absent; zero: no watchdog.</summary>
    public TimeSpan? WatchdogInterval => Microseconds("WATCHDOG_USEC");

    /// <summary>EXTEND_TIMEOUT_USEC=, the additional time from now on; null if absent.</summary>
    public TimeSpan? Extension => Microseconds("EXTEND_TIMEOUT_USEC");

    /// <summary>Parses a datagram. On failure <paramref name="error"/> is the reason.</summary>
    public static bool TryParse(
        ReadOnlySpan<byte> data, [NotNullWhen(true)] out NotifyMessage? message, [NotNullWhen(false)] out string? error)
    {
        message = null;
        string text;
        try
        {
            text = StrictUtf8.GetString(data);
        }
        catch (DecoderFallbackException)
        {
            error = "it is not UTF-8";
            return false;
        }

        var assignments = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var line in text.Split('\n'))
        {
            if (line.Length == 0)
            {
                continue;
            }

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                error = "it has a line that is not NAME=VALUE";
                return false;
            }

            assignments.Add(new(line[..equals], line[(equals + 1)..]));
        }

        message = new NotifyMessage(assignments.ToImmutable());
        error = null;
        return true;
    }

    private string? Last(string name) => Assignments.LastOrDefault(pair => pair.Key == name).Value;

    private ulong? Number(string name) =>
        ulong.TryParse(Last(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Limits values to a hundred years; systemd's "infinity" is the largest number.</summary>
    private TimeSpan? Microseconds(string name) => Number(name) is { } number
        ? TimeSpan.FromMicroseconds((long)Math.Min(number, 100UL * 365 * 24 * 3600 * 1_000_000))
        : null;

    private bool Has(string name, string value) => Assignments.Any(pair => pair.Key == name && pair.Value == value);
}
