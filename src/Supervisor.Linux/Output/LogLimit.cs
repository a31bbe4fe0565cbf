using System.Globalization;
using System.Runtime.InteropServices;
using Serilog;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Output;

/// <summary>
/// Log lines that a worker or a client can cause at will: of each subject and kind the first in a minute are written, and at the
/// end of that minute the newest, with how many more there were. So a flood costs few lines a minute. Lives on the loop.
/// </summary>
public sealed class LogLimit : IDeadline, IDisposable
{
    /// <summary>Subjects and kinds that are told apart; what comes beyond is counted together, by its kind.</summary>
    public const int MostApart = 256;

    /// <summary>For how long one line stands.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly EventLoop _loop;
    private readonly ILogger _log;
    private readonly Dictionary<(string Subject, string Kind), Entry> _entries = [];
    private TimeSpan? _next;

    /// <summary>A limit on what is written to <paramref name="log"/>.</summary>
    public LogLimit(EventLoop loop, ILogger log)
    {
        _loop = loop;
        _log = log;
        loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline => _next;

    /// <summary>
    /// Writes a line, or counts it. <paramref name="write"/> gets the log and what to put at the line's end: how many were
    /// left out, or nothing. It may be called up to a minute later.
    /// </summary>
    /// <param name="subject">Whom the line is about.</param>
    /// <param name="kind">What has happened, one of a few words: never a text that a stranger chooses.</param>
    /// <param name="write">Writes the line.</param>
    /// <param name="first">How many in a minute are written at once.</param>
    public void Write(string subject, string kind, Action<ILogger, string> write, int first = 1)
    {
        var key = (subject, kind);
        if (!_entries.ContainsKey(key) && _entries.Count >= MostApart)
        {
            key = ("", kind);
        }

        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out var exists);
        if (!exists)
        {
            entry = new Entry(_loop.Now + Interval, 0, 0, null);
            _next ??= entry.Until;
        }

        if (entry.Written >= first)
        {
            entry = entry with { LeftOut = entry.LeftOut + 1, Newest = write };
            return;
        }

        entry = entry with { Written = entry.Written + 1 };
        write(_log, "");
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        _next = null;
        foreach (var (key, entry) in _entries.Where(pair => pair.Value.Until <= _loop.Now).ToArray())
        {
            _entries.Remove(key);
            Tell(entry);
            if (entry.LeftOut > 0)
            {
                // The flood may last: the line that has just been written stands for the next minute, too.
                _entries.Add(key, new Entry(_loop.Now + Interval, entry.Written, 0, null));
            }
        }

        foreach (var entry in _entries.Values)
        {
            _next = _next <= entry.Until ? _next : entry.Until;
        }
    }

    /// <summary>Writes what has been counted.</summary>
    public void Dispose()
    {
        _loop.Remove(this);
        foreach (var entry in _entries.Values)
        {
            Tell(entry);
        }

        _entries.Clear();
    }

    private void Tell(Entry entry)
    {
        if (entry.LeftOut > 0)
        {
            entry.Newest!(_log, entry.LeftOut == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" (and {entry.LeftOut - 1} more like it within a minute)"));
        }
    }

    private readonly record struct Entry(TimeSpan Until, int Written, long LeftOut, Action<ILogger, string>? Newest);
}
