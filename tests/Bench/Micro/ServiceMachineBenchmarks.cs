using BenchmarkDotNet.Attributes;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Bench.Micro;

/// <summary>One transition of a service, by the number of workers.</summary>
public class ServiceMachineBenchmarks
{
    private ServiceState _starting = null!;
    private ServiceState _running = null!;

    /// <summary>Workers of the service.</summary>
    [Params(1, 200)]
    public int Workers { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var spec = new ServiceSpec { Name = "w", Command = ["/bin/true"], Workers = Workers };
        (_starting, _) = ServiceMachine.Step(ServiceState.Create(spec), new StartRequested(), TimeSpan.Zero);
        _running = _starting;
        for (var id = 1; id <= Workers; id++)
        {
            (_running, _) = ServiceMachine.Step(_running, new WorkerSpawned(id, 100 + id), TimeSpan.Zero);
            (_running, _) = ServiceMachine.Step(_running, new WorkerReady(id), TimeSpan.Zero);
        }
    }

    [Benchmark]
    public object StepToReady() => ServiceMachine.Step(_starting, new WorkerReady(1), TimeSpan.Zero);

    [Benchmark]
    public object StepToReplacement() => ServiceMachine.Step(_running, new WorkerEnded(1, ExitReason.Signalled(9, false)), TimeSpan.Zero);
}
