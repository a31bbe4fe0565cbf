using BenchmarkDotNet.Attributes;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Bench.Micro;

/// <summary>Adds one entry to a handle's history.</summary>
public class HandleHistoryBenchmarks
{
    private static readonly HistoryActor Actor = new(1, "listend");

    private readonly HandleHistory _full = new(TimeProvider.System);

    [GlobalSetup]
    public void Setup()
    {
        for (var i = 0; i < HandleHistory.KeptBeginning + HandleHistory.KeptRecent; i++)
        {
            AddToFull();
        }
    }

    [Benchmark]
    public void AddToFull() =>
        _full.Add(HandlePhase.PreBind, "setsockopt", "SO_REUSEADDR", OptionValue.Of(true), OptionValue.Of(true), actor: Actor);

    [Benchmark]
    public object MakeAndAdd()
    {
        var history = new HandleHistory(TimeProvider.System);
        history.Add(HandlePhase.PreBind, "setsockopt", "SO_REUSEADDR", OptionValue.Of(true), OptionValue.Of(true), actor: Actor);
        return history;
    }
}
