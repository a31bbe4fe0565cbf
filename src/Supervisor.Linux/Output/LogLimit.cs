using System.Globalization;
using System.Runtime.InteropServices;
using Serilog;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Output;

/// <summary>
/// Limits log lines that a worker or a client can cause at will. For each subject and kind it writes the first lines of a
/// minute; at the end of the minute it writes the newest one and how many more there were. So a flood causes few lines. Lives
/// on the loop.
/// </summary>
public sealed class LogLimit : IDeadline, IDisposable
{
    /// <summary>How many subjects and kinds are distinguished; further subjects share one counter per kind.</summary>
    public const int MostApart = 256;

    /// <summary>The length of the interval.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly EventLoop _loop;
    private readonly ILogger _log;
    private readonly Dictionary<(string Subject, string Kind), Entry> _entries = [];
    private TimeSpan? _next;

    /// <summary>A limit for <paramref name="log"/>.</summary>
    public LogLimit(EventLoop loop, ILogger log)
    {
        _loop = loop;
        _log = log;
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline => _next;

    /// <summary>
    /// Writes a line, or counts it. <paramref name="write"/> gets the log and the end of the line: how many lines were left
    /// out, or nothing. It may be called up to a minute later.
    /// </summary>
    /// <param name="subject">The subject of the line.</param>
    /// <param name="kind">The kind of event, one of a few words: never text that a worker or client chooses.</param>
    /// <param name="write">Writes the line.</param>
    /// <param name="first">How many lines per minute are written at once.</param>
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
            if (_next is null)
            {
                // Not a deadline that each turn reads: each service has a limit.
                _next = entry.Until;
                _loop.Schedule(this);
            }
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
            WriteNewest(entry);
            if (entry.LeftOut > 0)
            {
                // The flood may continue: the line that was just written counts for the next minute too.
                _entries.Add(key, new Entry(_loop.Now + Interval, entry.Written, 0, null));
            }
        }

        foreach (var entry in _entries.Values)
        {
            _next = _next <= entry.Until ? _next : entry.Until;
        }
    }

    /// <summary>Writes the lines that were counted.</summary>
    public void Dispose()
    {
        _loop.Remove(this);
        foreach (var entry in _entries.Values)
        {
            WriteNewest(entry);
        }

        _entries.Clear();
    }

    private void WriteNewest(Entry entry)
    {
        if (entry.LeftOut > 0)
        {
            var more = entry.LeftOut == 1
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $" (and {entry.LeftOut - 1} more like it within a minute)");
            entry.Newest!(_log, more);
        }
    }

    private readonly record struct Entry(TimeSpan Until, int Written, long LeftOut, Action<ILogger, string>? Newest);
}
