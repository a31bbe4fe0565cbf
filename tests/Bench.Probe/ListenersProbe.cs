using System.Diagnostics;
using System.Net;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Performance;

namespace Supervisor.Bench.Probe;

/// <summary>Creates listeners by the factory, which reads them back and records them. Log events are rendered and discarded.</summary>
internal static class ListenersProbe
{
    /// <summary>Creates <paramref name="count"/> listeners, each on its own address. Returns the duration in nanoseconds.</summary>
    public static long Run(int count)
    {
        using var log = new LoggerConfiguration().MinimumLevel.Information().WriteTo.Sink(new Discard()).CreateLogger();
        var factory = new ListenerFactory(TimeProvider.System, log);
        var specs = Enumerable.Range(0, count).Select(Spec).ToArray();
        var handles = new ListenerHandle[count];
        var begin = Stopwatch.GetTimestamp();
        using (BulkCreation.Prepare(count))
        {
            for (var i = 0; i < count; i++)
            {
                handles[i] = factory.Create(specs[i]);
            }
        }

        var took = Stopwatch.GetElapsedTime(begin);
        if (handles.FirstOrDefault(handle => handle.Failure is not null) is { } failed)
        {
            throw new InvalidOperationException(failed.Failure!.ToString());
        }

        foreach (var handle in handles)
        {
            handle.Dispose();
        }

        return (long)took.TotalNanoseconds;
    }

    private static ListenerSpec Spec(int i) => new()
    {
        Name = $"l{i}",
        Address = ListenAddress.Internet(ListenerKind.Tcp, new IPAddress([127, 1, (byte)(i >> 8), (byte)i]), 0),
    };

    private sealed class Discard : ILogEventSink
    {
        public void Emit(LogEvent logEvent)
        {
        }
    }
}
