using Spectre.Console;

namespace Supervisor.Listenctl;

/// <summary>A piece of a line: texts, each in its style. What others wrote is made printable here.</summary>
internal sealed class Cell
{
    private readonly List<(string Text, Style Style)> parts = [];

    public Cell(string? text, Style style = default) => And(text, style);

    /// <summary>How many columns it takes.</summary>
    public int Width => parts.Sum(part => Columns(part.Text));

    public static implicit operator Cell(string? text) => new(text);

    /// <summary>Adds a piece.</summary>
    public Cell And(string? text, Style style = default)
    {
        if (!string.IsNullOrEmpty(text))
        {
            parts.Add((Printable.Of(text), style));
        }

        return this;
    }

    /// <summary>Adds a piece after a blank and a comma, where there is something before it.</summary>
    public Cell Then(string? text, Style style = default) =>
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
