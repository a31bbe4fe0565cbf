using Spectre.Console;

namespace Supervisor.Listenctl;

/// <summary>A piece of a line: texts, each in its style. What others wrote is made printable here.</summary>
internal sealed class Cell
{
    private readonly List<(string Text, Style Style)> parts = [];

    public Cell(string? text, Style? style = null) => And(text, style);

    /// <summary>How many columns it takes.</summary>
    public int Width => parts.Sum(part => Columns(part.Text));

    /// <summary>How many columns its longest word takes: it can be wrapped to that, and no further without cutting one.</summary>
    public int LongestWord => string.Concat(parts.Select(part => part.Text)).Split(' ').Max(Columns);

    public static implicit operator Cell(string? text) => new(text);

    /// <summary>Adds a piece.</summary>
    public Cell And(string? text, Style? style = null)
    {
        if (!string.IsNullOrEmpty(text))
        {
            // default(Style) is black on black, hence never that.
            parts.Add((Printable.Of(text), style ?? Palette.Plain));
        }

        return this;
    }

    /// <summary>Adds a piece after a blank and a comma, where there is something before it.</summary>
    public Cell Then(string? text, Style? style = null) =>
        string.IsNullOrEmpty(text) ? this : parts.Count == 0 ? And(text, style) : And(", ").And(text, style);

    /// <summary>As Spectre draws it.</summary>
    public Paragraph Content()
    {
        var paragraph = new Paragraph();
        foreach (var (text, style) in parts)
        {
            paragraph.Append(text, style);
        }

        return paragraph;
    }

    private static int Columns(string text) => text.GetCellWidth();
}
