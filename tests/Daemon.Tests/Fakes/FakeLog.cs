using System.Collections.Concurrent;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>A log that keeps its messages.</summary>
internal sealed class FakeLog : ILogEventSink
{
    private readonly ConcurrentQueue<LogEvent> _events = new();

    public FakeLog() => Log = new LoggerConfiguration().MinimumLevel.Debug().WriteTo.Sink(this).CreateLogger();

    public ILogger Log { get; }

    /// <summary>The MESSAGE_IDs of what was logged, in order.</summary>
    public string[] Kinds => [.. _events.Select(Kind).OfType<string>()];

    public void Emit(LogEvent logEvent) => _events.Enqueue(logEvent);

    private static string? Kind(LogEvent one) =>
        one.Properties.Values.OfType<ScalarValue>().Select(value => value.Value).OfType<string>().FirstOrDefault(IsId);

    private static bool IsId(string text) => text.Length == 32 && text.All(char.IsAsciiHexDigit);
}
