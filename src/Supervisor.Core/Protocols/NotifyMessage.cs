using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Supervisor.Core.Protocols;

/// <summary>
/// One datagram of the notify protocol, sd_notify(3), read as systemd reads it (src/shared/notify-recv.c, src/core/service.c): lines
/// of NAME=VALUE that end with LF or CR, and at most one NUL at the end. A line without "=" and an unknown name have no effect. Of a
/// name that occurs more than once the first line counts. A bad value voids only its own field.
/// </summary>
/// <param name="Assignments">Name and value of each line, in order.</param>
/// <param name="NotText">The names of the fields whose value is not UTF-8; they are not among the assignments.</param>
public sealed record NotifyMessage(ImmutableArray<KeyValuePair<string, string>> Assignments, ImmutableArray<string> NotText)
{
    /// <summary>The most bytes of a message, as in systemd (NOTIFY_BUFFER_MAX is a page).</summary>
    public const int MaxBytes = 4096;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The message READY=1.</summary>
    public static NotifyMessage Ready { get; } = new([new("READY", "1")], []);

    /// <summary>The message WATCHDOG=1.</summary>
    public static NotifyMessage Alive { get; } = new([new("WATCHDOG", "1")], []);

    /// <summary>READY=1, and not STOPPING=1, which wins.</summary>
    public bool IsReady => Has("READY", "1") && !IsStopping;

    /// <summary>STOPPING=1.</summary>
    public bool IsStopping => Has("STOPPING", "1");

    /// <summary>BARRIER=1.</summary>
    public bool IsBarrier => Has("BARRIER", "1");

    /// <summary>RELOADING=1: the worker rereads its configuration and continues to serve.</summary>
    public bool IsReloading => Has("RELOADING", "1");

    /// <summary>WATCHDOG=1: the worker resets its watchdog.</summary>
    public bool IsAlive => First("WATCHDOG") == "1";

    /// <summary>WATCHDOG=trigger: the worker requests a watchdog timeout.</summary>
    public bool IsHung => First("WATCHDOG") == "trigger";

    /// <summary>RESTART_RESET=1: the restarts and failures of the worker's slot no longer count.</summary>
    public bool ResetsRestarts => Has("RESTART_RESET", "1");

    /// <summary>FDSTORE=1, and not FDSTOREREMOVE=1, which wins: the daemon stores the descriptors of this message.</summary>
    public bool StoresDescriptors => Has("FDSTORE", "1") && !RemovesDescriptors;

    /// <summary>FDSTOREREMOVE=1: the daemon closes the descriptors stored under <see cref="DescriptorName"/>.</summary>
    public bool RemovesDescriptors => Has("FDSTOREREMOVE", "1");

    /// <summary>FDPOLL=0: a stored descriptor is kept after a hang-up or an error.</summary>
    public bool KeepsHungUp => Has("FDPOLL", "0");

    /// <summary>FDNAME=; null if absent or invalid.</summary>
    public string? DescriptorName => First("FDNAME") is { } name && StoredName.IsValid(name) ? name : null;

    /// <summary>STATUS=; null if absent.</summary>
    public string? Status => First("STATUS");

    /// <summary>NOTIFYACCESS=, who may send from now on; null if absent or invalid.</summary>
    public NotifyAccess? Access => NotifyValue.Access(First("NOTIFYACCESS"));

    /// <summary>MAINPID=, the new main process; null if absent or not a process id.</summary>
    public int? MainPid => NotifyValue.Number(First("MAINPID")) is { } pid and >= 1 and <= int.MaxValue ? (int)pid : null;

    /// <summary>MAINPIDFDID=, the inode number of the new main process's pidfd; null if absent or invalid.</summary>
    public ulong? MainPidfdId => NotifyValue.Number(First("MAINPIDFDID"));

    /// <summary>ERRNO=, the worker's error by number; null if absent or not a number up to 4095; 0: no error.</summary>
    public int? Errno => NotifyValue.Number(First("ERRNO")) is { } errno and <= 4095 ? (int)errno : null;

    /// <summary>ERRNO= as it was sent, such as ENOENT; null if absent.</summary>
    public string? ErrnoText => First("ERRNO");

    /// <summary>WATCHDOG_USEC=, the new watchdog interval; null if absent or invalid; zero: no watchdog.</summary>
    public TimeSpan? WatchdogInterval => NotifyValue.Microseconds(First("WATCHDOG_USEC"));

    /// <summary>EXTEND_TIMEOUT_USEC=, the additional time from now on; null if absent or invalid.</summary>
    public TimeSpan? Extension => NotifyValue.Microseconds(First("EXTEND_TIMEOUT_USEC"));

    /// <summary>The names of the fields, in order and each once, for a summary of what was received.</summary>
    public IEnumerable<string> Names => Assignments.Select(pair => pair.Key).Distinct(StringComparer.Ordinal);

    /// <summary>Parses a datagram. On failure <paramref name="error"/> is the reason.</summary>
    public static bool TryParse(
        ReadOnlySpan<byte> data, [NotNullWhen(true)] out NotifyMessage? message, [NotNullWhen(false)] out string? error)
    {
        message = null;
        data = data is [.., 0] ? data[..^1] : data;
        if (data.Contains((byte)0))
        {
            error = "it has a NUL byte before its end";
            return false;
        }

        var assignments = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        var notText = ImmutableArray.CreateBuilder<string>();
        foreach (var range in data.SplitAny((byte)'\n', (byte)'\r'))
        {
            var line = data[range];
            var equals = line.IndexOf((byte)'=');
            if (equals <= 0)
            {
                continue;
            }

            try
            {
                assignments.Add(new(StrictUtf8.GetString(line[..equals]), StrictUtf8.GetString(line[(equals + 1)..])));
            }
            catch (DecoderFallbackException)
            {
                notText.Add(Encoding.ASCII.GetString(line[..equals]));
            }
        }

        message = new NotifyMessage(assignments.ToImmutable(), notText.ToImmutable());
        error = null;
        return true;
    }

    /// <summary>Why fields of the message have no effect, one text each; empty if all known fields are valid.</summary>
    public IEnumerable<string> Problems() => NotifyProblems.Of(this);

    /// <summary>The value of the first line with that name; null if there is none.</summary>
    internal string? First(string name) => Assignments.FirstOrDefault(pair => pair.Key == name).Value;

    private bool Has(string name, string value) => Assignments.Any(pair => pair.Key == name && pair.Value == value);
}
