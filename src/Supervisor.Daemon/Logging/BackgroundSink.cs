using Serilog.Core;
using Serilog.Debugging;
using Serilog.Events;
using Serilog.Parsing;
using Supervisor.Core;

namespace Supervisor.Daemon.Logging;

/// <summary>
/// Writes events in order on a thread of its own. Callers never wait: when the queue is full, further events are dropped.
/// The thread sleeps until there is an event. A pool thread or a BlockingCollection would spin first, and take the
/// processor from the worker that caused the event.
/// </summary>
internal sealed class BackgroundSink : ILogEventSink, IDisposable
{
    /// <summary>How long <see cref="Dispose"/> and <see cref="Flush"/> wait for queued events.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly MessageTemplate Lost = new MessageTemplateParser()
        .Parse("{Dropped} events were dropped here: the reader of this log is too slow");

    private static readonly MessageTemplate Unwritten = new MessageTemplateParser().Parse("cannot write an event: {Template}");

    private readonly ILogEventSink _sink;
    private readonly int _capacity;
    private readonly Queue<LogEvent> _events = new();
    private readonly Thread _writer;
    private bool _closed;
    private long _dropped;
    private bool _isWriting;

    /// <summary>Owns <paramref name="sink"/>; queues at most <paramref name="capacity"/> events for it.</summary>
    public BackgroundSink(ILogEventSink sink, int capacity)
    {
        _sink = sink;
        _capacity = capacity;
        _writer = new Thread(Write) { IsBackground = true, Name = "log" };
        _writer.Start();
    }

    public void Emit(LogEvent logEvent)
    {
        lock (_events)
        {
            if (!_closed && _events.Count < _capacity)
            {
                _events.Enqueue(logEvent);
                Monitor.PulseAll(_events);
            }
            else
            {
                _dropped++;
            }
        }
    }

    /// <summary>Waits until all queued events are written, at most for <see cref="Patience"/>.</summary>
    public void Flush()
    {
        var deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        lock (_events)
        {
            while ((_events.Count > 0 || _isWriting) && deadline - Environment.TickCount64 is > 0 and var left)
            {
                Monitor.Wait(_events, TimeSpan.FromMilliseconds(left));
            }
        }
    }

    /// <summary>
    /// Writes the queued events within <see cref="Patience"/>: a reader that has stopped reading must not stop the daemon's
    /// exit.
    /// </summary>
    public void Dispose()
    {
        lock (_events)
        {
            _closed = true;
            Monitor.PulseAll(_events);
        }

        if (_writer.Join(Patience))
        {
            (_sink as IDisposable)?.Dispose();
        }
    }

    private void Write()
    {
        while (Next() is { } logEvent)
        {
            try
            {
                _sink.Emit(logEvent);
            }
            catch (Exception exception)
            {
                ReportFailure(logEvent, exception);
            }
        }
    }

    /// <summary>Reports an event that cannot be rendered.</summary>
    private void ReportFailure(LogEvent logEvent, Exception exception)
    {
        try
        {
            _sink.Emit(new LogEvent(
                logEvent.Timestamp, logEvent.Level, exception, Unwritten,
                [new LogEventProperty("Template", new ScalarValue(logEvent.MessageTemplate.Text)), Kind(MessageIds.LogFailed)]));
        }
        catch (Exception again)
        {
            SelfLog.WriteLine("cannot write an event: {0}; {1}", exception, again);
        }
    }

    private static LogEventProperty Kind(string messageId) => new("MESSAGE_ID", new ScalarValue(messageId));

    private LogEvent? Next()
    {
        lock (_events)
        {
            // At this position, because the dropped events followed the queued ones.
            if (_dropped > 0 && _events.Count == 0)
            {
                var dropped = _dropped;
                _dropped = 0;
                return new LogEvent(
                    TimeProvider.System.GetLocalNow(), LogEventLevel.Warning, exception: null, Lost,
                    [new LogEventProperty("Dropped", new ScalarValue(dropped)), Kind(MessageIds.LogOverrun)]);
            }

            _isWriting = false;
            if (_events.Count == 0)
            {
                Monitor.PulseAll(_events);
            }

            while (_events.Count == 0 && !_closed)
            {
                Monitor.Wait(_events);
            }

            _isWriting = _events.TryDequeue(out var next);
            return next;
        }
    }
}
