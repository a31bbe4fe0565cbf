using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Lets a roll-out go back, and follows it: that it has gone back is done. On the loop.</summary>
internal sealed class AbortWatch(EventLoop loop, ServiceRunner runner) : RolloutWatch(loop, runner)
{
    /// <inheritdoc/>
    public override (string Title, string Detail) Refusal(string? error) => ("nothing to abort", $"service \"{Runner.Name}\": {error}");

    /// <inheritdoc/>
    protected override void Ask(Action<string?> onDecided) => onDecided(Runner.Abort());

    /// <inheritdoc/>
    protected override string Outcome(RolloutPhase phase) => phase switch
    {
        RolloutPhase.RolledBack => "done",
        RolloutPhase.Superseded => "superseded",
        _ => "failed",
    };
}
