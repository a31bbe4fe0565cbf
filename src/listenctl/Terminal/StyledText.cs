using Spectre.Console;

namespace Supervisor.Listenctl.Terminal;

/// <summary>A line or a table cell: pieces of text, each in a style. Control characters are escaped here.</summary>
internal sealed class StyledText
{
    private readonly List<(string Text, Style Style)> parts = [];

    public StyledText(string? text, Style? style = null) => Append(text, style);

    /// <summary>Its width in terminal columns.</summary>
    public int Width => parts.Sum(part => Columns(part.Text));

    /// <summary>The width of its longest word: the narrowest column in which no word is broken.</summary>
    public int LongestWord => string.Concat(parts.Select(part => part.Text)).Split(' ').Max(Columns);

    public static implicit operator StyledText(string? text) => new(text);

    /// <summary>Adds a piece; an empty text adds nothing.</summary>
    public StyledText Append(string? text, Style? style = null)
    {
        if (!string.IsNullOrEmpty(text))
        {
            // default(Style) is black on black.
            parts.Add((Printable.Of(text), style ?? Palette.Plain));
        }

        return this;
    }

    /// <summary>Adds a piece, after a comma unless it is the first one.</summary>
    public StyledText AppendItem(string? text, Style? style = null) =>
        string.IsNullOrEmpty(text) ? this : parts.Count == 0 ? Append(text, style) : Append(", ").Append(text, style);

    /// <summary>The first piece, cut after so many characters.</summary>
    public StyledText Cut(int most) => parts is [var (text, style), ..] && text.Length > most
        ? new StyledText(text[..most] + "...", style)
        : this;

    /// <summary>The same for Spectre.Console; without <paramref name="hasStyle"/> neither coloured nor bold nor dim.</summary>
    public Paragraph ToParagraph(bool hasStyle)
    {
        var paragraph = new Paragraph();
        foreach (var (text, style) in parts)
        {
            paragraph.Append(text, hasStyle ? style : Palette.Plain);
        }

        return paragraph;
    }

    private static int Columns(string text) => text.GetCellWidth();
}
