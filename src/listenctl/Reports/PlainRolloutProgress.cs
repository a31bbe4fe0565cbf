using Supervisor.Control;

namespace Supervisor.Listenctl.Reports;

/// <summary>
/// Writes one line for each of the first steps and for each change of the state. Of many steps, as of a service with a thousand
/// workers, it writes fewer and fewer, so that the text of the whole is short.
/// </summary>
/// <param name="writeLine">Writes a line.</param>
/// <param name="mostLines">How many steps to write at most.</param>
internal sealed class PlainRolloutProgress(Action<string> writeLine, int mostLines = int.MaxValue) : IRolloutProgress
{
    /// <summary>After step N, as many steps as N divided by this number are left out.</summary>
    private const int Sparseness = 10;

    private string? last;
    private string? state;
    private int steps;
    private int next = 1;
    private int lines;

    /// <inheritdoc/>
    public void Run(Action<Action<ChangeDocument>> watch) => watch(Show);

    private void Show(ChangeDocument change)
    {
        var text = ChangeText.Named(change);
        if (change.Outcome is not null || text == last)
        {
            return;
        }

        last = text;
        steps++;
        var now = change.Rollout?.State ?? change.State;
        if ((steps >= next || now != state) && lines++ < mostLines)
        {
            state = now;
            next = steps + 1 + (steps / Sparseness);
            writeLine(Printable.Of(text));
        }
    }
}
