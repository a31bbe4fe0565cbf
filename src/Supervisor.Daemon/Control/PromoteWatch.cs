using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Lets a roll-out go on beyond its canary, and follows it. On the loop.</summary>
internal sealed class PromoteWatch(EventLoop loop, ServiceRunner runner) : RolloutWatch(loop, runner)
{
    /// <inheritdoc/>
    public override (string Title, string Detail) Refusal(string? error) => ("nothing to promote", $"service \"{Runner.Name}\": {error}");

    /// <inheritdoc/>
    protected override void Ask(Action<string?> onDecided) => onDecided(Runner.Promote());
}
