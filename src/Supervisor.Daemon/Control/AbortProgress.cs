using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Aborts a roll-out and reports the roll-back, which is the outcome "done". On the loop.</summary>
internal sealed class AbortProgress(EventLoop loop, ServiceRunner runner) : RolloutProgress(loop, runner)
{
    /// <inheritdoc/>
    public override (string Title, string Detail) Refusal(string? error) => ("nothing to abort", $"service \"{Runner.Name}\": {error}");

    /// <inheritdoc/>
    protected override void Request(Action<string?> onDecided) => Decide(Runner.Requests.Abort(), onDecided);

    /// <inheritdoc/>
    protected override string Outcome(RolloutPhase phase) => phase switch
    {
        RolloutPhase.RolledBack => "done",
        RolloutPhase.Superseded => "superseded",
        _ => "failed",
    };
}
