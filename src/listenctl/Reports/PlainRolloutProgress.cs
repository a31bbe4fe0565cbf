using Supervisor.Control;

namespace Supervisor.Listenctl.Reports;

/// <summary>Writes one line for each step.</summary>
internal sealed class PlainRolloutProgress(Action<string> writeLine) : IRolloutProgress
{
    private string? last;

    /// <inheritdoc/>
    public void Run(Action<Action<ChangeDocument>> watch) => watch(Show);

    private void Show(ChangeDocument change)
    {
        var text = ChangeText.Named(change);
        if (change.Outcome is null && text != last)
        {
            last = text;
            writeLine(Printable.Of(text));
        }
    }
}
