namespace Supervisor.Linux.Output;

/// <summary>Looks for a text in a stream that arrives in parts, whether or not its line has ended. Finds it once.</summary>
/// <param name="text">The text's bytes, at least one.</param>
/// <param name="onFound">Called when the text has arrived.</param>
public sealed class TextSearch(byte[] text, Action onFound)
{
    /// <summary>The end of what has arrived, shorter than the text.</summary>
    private byte[] _end = [];
    private bool _isOver;

    /// <summary>Takes the next part.</summary>
    public void Take(ReadOnlySpan<byte> part)
    {
        if (_isOver)
        {
            return;
        }

        var most = text.Length - 1;
        ReadOnlySpan<byte> border = [.. _end, .. part[..Math.Min(part.Length, most)]];
        if (border.IndexOf(text) >= 0 || part.IndexOf(text) >= 0)
        {
            _isOver = true;
            onFound();
            return;
        }

        _end = part.Length >= most ? part[^most..].ToArray() : border[^Math.Min(border.Length, most)..].ToArray();
    }
}
