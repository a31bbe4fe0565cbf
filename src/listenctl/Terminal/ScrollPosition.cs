namespace Supervisor.Listenctl.Terminal;

/// <summary>Which lines of a longer text are visible; keys move it within the text.</summary>
internal sealed class ScrollPosition
{
    private int lines;
    private int room;

    /// <summary>The first visible line, from 0.</summary>
    public int First { get; private set; }

    /// <summary>Sets the number of lines and the number of visible ones.</summary>
    public void SetExtent(int lines, int room)
    {
        (this.lines, this.room) = (lines, room);
        First = Math.Clamp(First, 0, Math.Max(0, lines - room));
    }

    /// <summary>Moves by a key; false for a key that does not scroll.</summary>
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
        SetExtent(lines, room);
        return to is not null;
    }
}
