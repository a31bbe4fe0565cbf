using Supervisor.Control;

namespace Supervisor.Listenctl.Reports;

/// <summary>Writes one line for each step.</summary>
/// <param name="writeLine">Writes a line.</param>
/// <param name="mostLines">How many steps to write at most.</param>
internal sealed class PlainRolloutProgress(Action<string> writeLine, int mostLines = int.MaxValue) : IRolloutProgress
{
    private string? last;
    private int lines;

    /// <inheritdoc/>
    public void Run(Action<Action<ChangeDocument>> watch) => watch(Show);

    private void Show(ChangeDocument change)
    {
        var text = ChangeText.Named(change);
        if (change.Outcome is null && text != last && lines++ < mostLines)
        {
            last = text;
            writeLine(Printable.Of(text));
        }
    }
}
