using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Promotes a canary and reports the rest of the roll-out. On the loop.</summary>
internal sealed class PromoteProgress(EventLoop loop, ServiceRunner runner) : RolloutProgress(loop, runner)
{
    /// <inheritdoc/>
    public override (string Title, string Detail) Refusal(string? error) => ("nothing to promote", $"service \"{Runner.Name}\": {error}");

    /// <inheritdoc/>
    protected override void Request(Action<string?> onDecided) => Decide(Runner.Requests.Promote(), onDecided);
}
