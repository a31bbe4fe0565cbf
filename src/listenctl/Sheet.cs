using Spectre.Console;

namespace Supervisor.Listenctl;

/// <summary>One column of a <see cref="Sheet"/>.</summary>
/// <param name="Header">Its heading; empty where it needs none.</param>
/// <param name="IsNumber">Whether its cells stand at the right.</param>
internal sealed record Column(string Header, bool IsNumber = false);

/// <summary>
/// Rows whose columns line up, also where they are printed in several tables or one by one as they come. The last
/// column takes what the screen has left and wraps; a column that is empty in all rows is left out.
/// </summary>
internal sealed class Sheet(Screen screen, int indent, params Column[] columns)
{
    private const int Gap = 2;

    private readonly int[] widths = new int[columns.Length];

    /// <summary>Makes the columns wide enough for these rows.</summary>
    public void Fit(params IEnumerable<Cell[]> rows)
    {
        foreach (var row in rows)
        {
            for (var i = 0; i < columns.Length; i++)
            {
                widths[i] = Math.Max(widths[i], row[i].Width);
            }
        }
    }

    /// <summary>Makes a column so wide whatever comes.</summary>
    public void Reserve(int column, int width) => widths[column] = Math.Max(widths[column], width);

    /// <summary>Prints the rows, which fit.</summary>
    public void Print(IEnumerable<Cell[]> rows, bool withHeader = false)
    {
        var shown = Enumerable.Range(0, columns.Length).Where(i => widths[i] > 0).ToArray();
        if (shown.Length == 0)
        {
            return;
        }

        var table = new Table { Border = TableBorder.None, ShowHeaders = withHeader, Expand = false };
        foreach (var i in shown)
        {
            var isLast = i == shown[^1];
            table.AddColumn(new TableColumn(new Paragraph(columns[i].Header, Palette.Quiet))
            {
                Alignment = columns[i].IsNumber ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, isLast ? 0 : Gap, 0),
                NoWrap = !isLast,
                Width = isLast ? null : Math.Max(widths[i], withHeader || hasHeader ? columns[i].Header.Length : 0),
            });
        }

        hasHeader |= withHeader;
        foreach (var row in rows)
        {
            table.AddRow(shown.Select(i => row[i].Content()));
        }

        screen.Write(new Padder(table, new Padding(indent, 0, 0, 0)));
    }

    private bool hasHeader;
}
