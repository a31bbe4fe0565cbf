using Serilog.Core;
using Serilog.Debugging;
using Serilog.Events;
using Serilog.Parsing;
using Supervisor.Core;

namespace Supervisor.Daemon.Logging;

/// <summary>
/// Hands events to a thread of its own, which writes them in their order. Nobody waits for it: where more than a given
/// number of events wait, further ones are dropped. The thread sleeps until there is something to write; one that spins
/// for a while, as a thread of the pool or a BlockingCollection's does, takes its processor from the worker that the
/// event is about.
/// </summary>
internal sealed class BackgroundSink : ILogEventSink, IDisposable
{
    /// <summary>How long the end waits for events that are not written yet.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly MessageTemplate Lost = new MessageTemplateParser().Parse("{Dropped} events were dropped here: whoever reads this log is too slow");

    private static readonly MessageTemplate Unwritten = new MessageTemplateParser().Parse("an event could not be written: {Template}");

    private readonly ILogEventSink _sink;
    private readonly int _capacity;
    private readonly Queue<LogEvent> _events = new();
    private readonly Thread _writer;
    private bool _closed;
    private long _dropped;
    private bool _isWriting;

    /// <summary>Takes over <paramref name="sink"/>; at most <paramref name="capacity"/> events wait for it.</summary>
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

    /// <summary>Waits until what there is has been written, unless that takes too long.</summary>
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

    /// <summary>Writes what waits, unless that takes too long: a reader that reads no more must not keep the daemon from leaving.</summary>
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
                Complain(logEvent, exception);
            }
        }
    }

    /// <summary>An event that cannot be rendered is not lost in silence.</summary>
    private void Complain(LogEvent logEvent, Exception exception)
    {
        try
        {
            _sink.Emit(new LogEvent(
                logEvent.Timestamp, logEvent.Level, exception, Unwritten, [new LogEventProperty("Template", new ScalarValue(logEvent.MessageTemplate.Text)), Kind(MessageIds.LogFailed)]));
        }
        catch (Exception again)
        {
            SelfLog.WriteLine("an event could not be written: {0}; {1}", exception, again);
        }
    }

    private static LogEventProperty Kind(string messageId) => new("MESSAGE_ID", new ScalarValue(messageId));

    private LogEvent? Next()
    {
        lock (_events)
        {
            // After the last one that was taken before some were not.
            if (_dropped > 0 && _events.Count == 0)
            {
                var dropped = _dropped;
                _dropped = 0;
                return new LogEvent(
                    TimeProvider.System.GetLocalNow(), LogEventLevel.Warning, exception: null, Lost, [new LogEventProperty("Dropped", new ScalarValue(dropped)), Kind(MessageIds.LogOverrun)]);
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
