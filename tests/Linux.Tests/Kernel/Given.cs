using System.Globalization;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>The fixtures of the tests.</summary>
internal static class Given
{
    public static ListenAddress Address(string text) =>
        ListenAddress.TryParse(text, out var address, out var error) ? address : throw new ArgumentException(error.Message, nameof(text));

    public static ListenerSpec Spec(string address, Func<ListenerSpec, ListenerSpec>? configure = null)
    {
        var spec = new ListenerSpec { Name = "web", Address = Address(address) };
        spec = configure is null ? spec : configure(spec);
        UserDirectory.Host.Refresh([.. AccountName.OwnersOf(spec)]).GetAwaiter().GetResult();
        return spec;
    }

    public static ListenerFactory Factory(ILogger? log = null) => new(TimeProvider.System, log ?? Logger.None);

    /// <summary>A handle, with or without a socket.</summary>
    public static ListenerHandle Attempt(string address, Func<ListenerSpec, ListenerSpec>? configure = null) =>
        Factory().Create(Spec(address, configure));

    /// <summary>A handle with a socket.</summary>
    public static ListenerHandle Listener(string address, Func<ListenerSpec, ListenerSpec>? configure = null)
    {
        var handle = Attempt(address, configure);
        Assert.True(handle.Failure is null, handle.Failure?.ToString());
        return handle;
    }

    /// <summary>A log that can be read; <paramref name="onEvent"/> receives each event synchronously.</summary>
    public static (ILogger Log, List<LogEvent> Events) Log(Action<LogEvent>? onEvent = null)
    {
        var sink = new Sink(onEvent);
        return (new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Sink(sink).CreateLogger(), sink.Events);
    }

    /// <summary>A field of a message as text; null if it is absent.</summary>
    public static string? Field(this LogEvent entry, string name) =>
        entry.Properties.GetValueOrDefault(name) is ScalarValue { Value: { } value }
            ? Convert.ToString(value, CultureInfo.InvariantCulture)
            : null;

    private sealed class Sink(Action<LogEvent>? onEvent) : ILogEventSink
    {
        public List<LogEvent> Events { get; } = [];

        public void Emit(LogEvent logEvent)
        {
            Events.Add(logEvent);
            onEvent?.Invoke(logEvent);
        }
    }
}
