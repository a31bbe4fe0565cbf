using System.Threading.Channels;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Paths;

namespace Supervisor.Linux.Output;

/// <summary>A line of a worker on its way out of the daemon.</summary>
/// <param name="Pid">The worker's process.</param>
/// <param name="Generation">Its generation.</param>
/// <param name="Priority">syslog's, 0 to 7.</param>
/// <param name="Text">The line without its priority prefix.</param>
public readonly record struct OutgoingLine(int Pid, int Generation, int Priority, string Text);

/// <summary>Where lines end up.</summary>
public interface IOutputSink : IDisposable
{
    /// <summary>Writes them, in order; may take its time.</summary>
    void Write(IReadOnlyList<OutgoingLine> lines);

    /// <summary>So many lines came faster than they could be written, and are lost.</summary>
    void Dropped(long lines);
}

/// <summary>
/// Takes a service's lines where they are read, on the loop, and writes them elsewhere: a disk or a journal that is slow or
/// stuck holds nobody up. Where it falls behind by more than <see cref="Capacity"/> lines, lines are dropped, and counted.
/// </summary>
public sealed class OutputQueue : IDisposable
{
    /// <summary>Lines that may wait.</summary>
    public const int Capacity = 8192;

    private const int BatchLines = 512;

    /// <summary>How often it says that lines were dropped, which a worker can cause at will: milliseconds.</summary>
    private const int TellsEvery = 60_000;

    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(2);

    private readonly Channel<OutgoingLine> _lines = Channel.CreateBounded<OutgoingLine>(new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });
    private readonly IOutputSink _sink;
    private readonly Task _writer;
    private long? _told;
    private long _dropped;
    private long _pending;
    private TaskCompletionSource? _written;

    /// <summary>A queue in front of a sink, which it owns.</summary>
    public OutputQueue(IOutputSink sink)
    {
        _sink = sink;
        _writer = Task.Run(WriteAllAsync);
    }

    /// <summary>The queue for a service's <c>log</c>; null where its lines go with the daemon's own.</summary>
    /// <param name="spec">The service.</param>
    /// <param name="daemonLogsToJournal">Whether the daemon's own log goes to the journal.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The daemon's log.</param>
    /// <param name="worker">The rights of the workers' user on files, which open a log file in a folder that others may write; never called on the loop.</param>
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
                log.Kind(MessageIds.JournalAbsent).Service(spec.Name).Warning("service {Service}: log = \"journal\": there is no journal on this host; its output goes with the daemon's own", spec.Name);
                return null;
            default:
                throw new ArgumentOutOfRangeException(nameof(spec), spec.Log.Kind, null);
        }
    }

    /// <summary>Takes a line; never waits.</summary>
    public void Write(OutgoingLine line)
    {
        Interlocked.Increment(ref _pending);
        if (!_lines.Writer.TryWrite(line))
        {
            Interlocked.Decrement(ref _pending);
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Waits until what there is has been written, as far as it goes in a reasonable time.</summary>
    public void Flush()
    {
        var written = new TaskCompletionSource();
        Volatile.Write(ref _written, written);
        if (Interlocked.Read(ref _pending) > 0)
        {
            written.Task.Wait(EndTime);
        }
    }

    /// <summary>Writes what there is, as far as it goes in a reasonable time.</summary>
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
            if (_told is null || Environment.TickCount64 - _told >= TellsEvery)
            {
                TellDropped();
            }
        }

        TellDropped();
    }

    private void TellDropped()
    {
        if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
        {
            _told = Environment.TickCount64;
            _sink.Dropped(dropped);
        }
    }
}
