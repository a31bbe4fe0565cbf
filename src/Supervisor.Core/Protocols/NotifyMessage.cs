using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Supervisor.Core.Protocols;

/// <summary>One datagram of the notify protocol, sd_notify(3): lines of NAME=VALUE. Unknown names are kept and harmless.</summary>
/// <param name="Assignments">Name and value of each line, in order.</param>
public sealed record NotifyMessage(ImmutableArray<KeyValuePair<string, string>> Assignments)
{
    /// <summary>Bytes that a message may have; systemd takes as many (NOTIFY_BUFFER_MAX is a page).</summary>
    public const int MaxBytes = 4096;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>READY=1.</summary>
    public bool IsReady => Has("READY", "1");

    /// <summary>STOPPING=1.</summary>
    public bool IsStopping => Has("STOPPING", "1");

    /// <summary>BARRIER=1.</summary>
    public bool IsBarrier => Has("BARRIER", "1");

    /// <summary>RELOADING=1: it reads its configuration anew, and serves meanwhile.</summary>
    public bool IsReloading => Has("RELOADING", "1");

    /// <summary>WATCHDOG=1: a sign of life.</summary>
    public bool IsAlive => Has("WATCHDOG", "1");

    /// <summary>WATCHDOG=trigger: it knows that it cannot go on.</summary>
    public bool IsHung => Has("WATCHDOG", "trigger");

    /// <summary>FDSTORE=1: the descriptors of this message are to be kept.</summary>
    public bool StoresDescriptors => Has("FDSTORE", "1");

    /// <summary>FDSTOREREMOVE=1: the descriptors stored under <see cref="DescriptorName"/> are to be let go.</summary>
    public bool RemovesDescriptors => Has("FDSTOREREMOVE", "1");

    /// <summary>FDNAME=; null without.</summary>
    public string? DescriptorName => Last("FDNAME");

    /// <summary>STATUS=, the last one; null without.</summary>
    public string? Status => Last("STATUS");

    /// <summary>MAINPID=, the process that counts from now on; null without, or where it is no process id.</summary>
    public int? MainPid => Number("MAINPID") is { } pid and >= 1 and <= int.MaxValue ? (int)pid : null;

    /// <summary>ERRNO=, what went wrong; null without. 0: nothing any more.</summary>
    public int? Errno => Number("ERRNO") is { } errno and <= 4095 ? (int)errno : null;

    /// <summary>WATCHDOG_USEC=, another interval of the watchdog; null without, zero: none.</summary>
    public TimeSpan? WatchdogInterval => Microseconds("WATCHDOG_USEC");

    /// <summary>EXTEND_TIMEOUT_USEC=: so much more time from now on; null without.</summary>
    public TimeSpan? Extension => Microseconds("EXTEND_TIMEOUT_USEC");

    /// <summary>Parses a datagram. On failure <paramref name="error"/> says what is wrong with it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, [NotNullWhen(true)] out NotifyMessage? message, [NotNullWhen(false)] out string? error)
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
                error = "a line of it is no NAME=VALUE";
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

    /// <summary>More than a hundred years (systemd's "infinity" is the largest number) are a hundred years.</summary>
    private TimeSpan? Microseconds(string name) => Number(name) is { } number
        ? TimeSpan.FromMicroseconds((long)Math.Min(number, 100UL * 365 * 24 * 3600 * 1_000_000))
        : null;

    private bool Has(string name, string value) => Assignments.Any(pair => pair.Key == name && pair.Value == value);
}
