namespace Supervisor.Listenctl;

/// <summary>Which lines of many are shown: moved by keys, kept within what there is.</summary>
internal sealed class Scroll
{
    private int lines;
    private int room;

    /// <summary>The first line that is shown, from 0.</summary>
    public int First { get; private set; }

    /// <summary>There are so many lines, and room for so many.</summary>
    public void Fit(int lines, int room)
    {
        (this.lines, this.room) = (lines, room);
        First = Math.Clamp(First, 0, Math.Max(0, lines - room));
    }

    /// <summary>Moves by a key; false where it is none that moves.</summary>
    public bool TryMove(ConsoleKeyInfo key)
    {
        int? to = (key.Key, key.KeyChar) switch
        {
            (ConsoleKey.UpArrow, _) or (_, 'k') => First - 1,
            (ConsoleKey.DownArrow, _) or (_, 'j') => First + 1,
            (ConsoleKey.PageUp, _) or (_, 'b') => First - Math.Max(1, room - 1),
            (ConsoleKey.PageDown, _) or (_, ' ') => First + Math.Max(1, room - 1),
            (ConsoleKey.Home, _) or (_, 'g') => 0,
            (ConsoleKey.End, _) or (_, 'G') => lines,
            _ => null,
        };
        First = to ?? First;
        Fit(lines, room);
        return to is not null;
    }
}
