using System.Net;
using BenchmarkDotNet.Attributes;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;

namespace Supervisor.Bench.Micro;

/// <summary>Creates, reads back, records and closes one listener.</summary>
public class ListenerFactoryBenchmarks
{
    private static readonly ListenerSpec Spec = new()
    {
        Name = "web",
        Address = ListenAddress.Internet(ListenerKind.Tcp, IPAddress.Loopback, 0)
    };

    private readonly ListenerFactory _silent = new(TimeProvider.System, Logger.None);

    private readonly ListenerFactory _logging = new(
        TimeProvider.System,
        new LoggerConfiguration().WriteTo.Sink(new Discard()).CreateLogger());

    [Benchmark]
    public void Create() => _silent.Create(Spec).Dispose();

    [Benchmark]
    public void CreateAndLog() => _logging.Create(Spec).Dispose();

    private sealed class Discard : ILogEventSink
    {
        public void Emit(LogEvent logEvent)
        {
        }
    }
}
