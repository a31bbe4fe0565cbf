using System.Threading.Channels;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Paths;

namespace Supervisor.Linux.Output;

/// <summary>A worker's line that the daemon is to write, or a piece of a long line.</summary>
/// <param name="Pid">The worker's process.</param>
/// <param name="Generation">Its generation.</param>
/// <param name="Priority">syslog's, 0 to 7.</param>
/// <param name="Text">The line without its priority prefix.</param>
public readonly record struct OutgoingLine(int Pid, int Generation, int Priority, string Text)
{
    /// <summary>Whether it came from the standard error.</summary>
    public bool IsError { get; init; }

    /// <summary>Whether it continues the last piece of that process and stream.</summary>
    public bool Continues { get; init; }

    /// <summary>Whether the next piece continues the line.</summary>
    public bool IsCut { get; init; }
}

/// <summary>A destination of lines.</summary>
public interface IOutputSink : IDisposable
{
    /// <summary>Writes the lines in order; may block.</summary>
    void Write(IReadOnlyList<OutgoingLine> lines);

    /// <summary>Reports that this many lines were lost because they came faster than they could be written.</summary>
    void Dropped(long lines);
}

/// <summary>
/// Accepts a service's lines on the loop and writes them on another thread, so that a slow or stuck disk or journal delays
/// nothing else. It drops and counts lines beyond <see cref="Capacity"/>.
/// </summary>
public sealed class OutputQueue : IDisposable
{
    /// <summary>How many lines may wait.</summary>
    public const int Capacity = 8192;

    private const int BatchLines = 512;

    /// <summary>How often it reports dropped lines, which a worker can cause at will: milliseconds.</summary>
    private const int ReportInterval = 60_000;

    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(2);

    private readonly Channel<OutgoingLine> _lines = Channel.CreateBounded<OutgoingLine>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });
    private readonly IOutputSink _sink;
    private readonly Task _writer;
    private long? _reportedAt;
    private long _dropped;
    private long _pending;
    private TaskCompletionSource? _written;

    /// <summary>A queue for a sink, which it owns.</summary>
    public OutputQueue(IOutputSink sink)
    {
        _sink = sink;
        _writer = Task.Run(WriteAllAsync);
    }

    /// <summary>The queue for a service's <c>log</c>; null if its lines go to the daemon's own log.</summary>
    /// <param name="spec">The service.</param>
    /// <param name="daemonLogsToJournal">Whether the daemon's own log goes to the journal.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The daemon's log.</param>
    /// <param name="worker">The rights of the workers' user on files, for a log file in a directory that others can write to;
    /// never called on the loop.</param>
    public static OutputQueue? For(ServiceSpec spec, bool daemonLogsToJournal, TimeProvider time, ILogger log, Func<FileRights?> worker)
    {
        switch (spec.Log.Kind)
        {
            case LogTargetKind.File:
                return new OutputQueue(new LogFile(spec.Log.Path!, time, log, spec.Name, worker));
            case LogTargetKind.Inherit:
            case LogTargetKind.Default when !daemonLogsToJournal:
                return null;
            case LogTargetKind.Journal or LogTargetKind.Default:
                var journal = new JournalSocket();
                if (journal.IsConnected)
                {
                    return new OutputQueue(new JournalOutput(spec.Name, journal));
                }

                journal.Dispose();
                log.Kind(MessageIds.JournalAbsent).Service(spec.Name).Warning(
                    "service {Service}: log = \"journal\": this host has no journal; its output goes to the daemon's own log",
                    spec.Name);
                return null;
            default:
                throw new ArgumentOutOfRangeException(nameof(spec), spec.Log.Kind, null);
        }
    }

    /// <summary>Accepts a line; never waits.</summary>
    public void Write(OutgoingLine line)
    {
        Interlocked.Increment(ref _pending);
        if (!_lines.Writer.TryWrite(line))
        {
            Interlocked.Decrement(ref _pending);
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Waits until the queued lines are written, for a limited time.</summary>
    public void Flush()
    {
        var written = new TaskCompletionSource();
        Volatile.Write(ref _written, written);
        if (Interlocked.Read(ref _pending) > 0)
        {
            written.Task.Wait(EndTime);
        }
    }

    /// <summary>Writes the queued lines, for a limited time.</summary>
    public void Dispose()
    {
        _lines.Writer.TryComplete();
        if (_writer.Wait(EndTime))
        {
            _sink.Dispose();
        }
    }

    private async Task WriteAllAsync()
    {
        var batch = new List<OutgoingLine>();
        while (await _lines.Reader.WaitToReadAsync())
        {
            while (batch.Count < BatchLines && _lines.Reader.TryRead(out var line))
            {
                batch.Add(line);
            }

            _sink.Write(batch);
            if (Interlocked.Add(ref _pending, -batch.Count) == 0)
            {
                Volatile.Read(ref _written)?.TrySetResult();
            }

            batch.Clear();
            if (_reportedAt is null || Environment.TickCount64 - _reportedAt >= ReportInterval)
            {
                ReportDropped();
            }
        }

        ReportDropped();
    }

    private void ReportDropped()
    {
        if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
        {
            _reportedAt = Environment.TickCount64;
            _sink.Dropped(dropped);
        }
    }
}
