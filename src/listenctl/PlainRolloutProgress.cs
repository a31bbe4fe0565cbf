using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>One line for each change.</summary>
internal sealed class PlainRolloutProgress(Action<string> line) : IRolloutProgress
{
    private string? said;

    /// <inheritdoc/>
    public void Run(Action<Action<ChangeDocument>> watch) => watch(Show);

    private void Show(ChangeDocument restart)
    {
        if (restart.Outcome is not null)
        {
            return;
        }

        var text = string.IsNullOrEmpty(restart.Message) && restart.Rollout is { } rollout ? RolloutText.Of(rollout, "->") : restart.Message;
        if (text.Length > 0 && text != said)
        {
            said = text;
            line(Printable.Of(RolloutText.Named(restart, text)));
        }
    }
}
