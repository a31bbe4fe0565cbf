using System.Diagnostics;

namespace Supervisor.Load;

/// <summary>
/// The counters of one phase. <see cref="Begin"/>, <see cref="End"/> and <see cref="Report"/> are called under the ledger's lock.
/// </summary>
internal sealed class Phase(string name)
{
    private readonly TrafficCounters[] _traffic = [new(), new(), new()];
    private readonly Stopwatch _lasted = new();

    public string Name => name;

    public TrafficCounters this[Traffic traffic] => _traffic[(int)traffic];

    public void Begin() => _lasted.Start();

    public void End() => _lasted.Stop();

    public PhaseReport Report()
    {
        var fresh = this[Traffic.New];
        var kept = this[Traffic.KeepAlive];
        var slow = this[Traffic.Slow];
        return new PhaseReport
        {
            Name = name,
            Seconds = Math.Round(_lasted.Elapsed.TotalSeconds, 3),
            Total = TrafficCounters.Sum(fresh.Latency.Summarize(), fresh, kept, slow),
            New = TrafficCounters.Sum(fresh.Latency.Summarize(), fresh),
            KeepAlive = TrafficCounters.Sum(kept.Latency.Summarize(), kept),
            Slow = TrafficCounters.Sum(slow.Latency.Summarize(), slow),
        };
    }
}
