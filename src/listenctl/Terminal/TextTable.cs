using Spectre.Console;

namespace Supervisor.Listenctl.Terminal;

/// <summary>One column of a <see cref="TextTable"/>.</summary>
/// <param name="Header">Its heading; empty for none.</param>
/// <param name="IsNumber">Whether its cells are aligned right and never wrapped.</param>
/// <param name="Spare">On a narrow screen the column with the highest number is left out first; 0: always shown.</param>
internal sealed record Column(string Header, bool IsNumber = false, int Spare = 0);

/// <summary>
/// Rows with aligned columns, also when they are printed in several parts. A column that is empty in all rows is left
/// out. On a narrow screen the widest columns are wrapped between words, then spare columns are left out, then words
/// are broken. No text is cut off.
/// </summary>
internal sealed class TextTable(TextOutput output, int indent, params Column[] columns)
{
    private const int Gap = 2;
    private const int MinimumText = 8;

    private readonly int[] widths = new int[columns.Length];
    private readonly int[] words = new int[columns.Length];

    /// <summary>Widens the columns for these rows; call it before <see cref="Print"/>.</summary>
    public void Measure(params IEnumerable<StyledText[]> rows)
    {
        foreach (var row in rows)
        {
            for (var i = 0; i < columns.Length; i++)
            {
                ReserveWidth(i, row[i].Width);
                words[i] = Math.Max(words[i], columns[i].IsNumber ? row[i].Width : row[i].LongestWord);
            }
        }
    }

    /// <summary>Sets the minimum width of a column.</summary>
    public void ReserveWidth(int column, int width) => widths[column] = Math.Max(widths[column], width);

    /// <summary>Prints rows that <see cref="Measure"/> has seen.</summary>
    public void Print(IEnumerable<StyledText[]> rows, bool withHeader = false)
    {
        var shown = Enumerable.Range(0, columns.Length).Where(i => widths[i] > 0).ToArray();
        if (shown.Length == 0)
        {
            return;
        }

        var given = DistributeWidth(ref shown);
        var total = Total(given);
        var table = new Table { Border = TableBorder.None, ShowHeaders = withHeader, Expand = false };
        for (var i = 0; i < shown.Length; i++)
        {
            var column = columns[shown[i]];
            table.AddColumn(new TableColumn(new Paragraph(column.Header, output.HasColor ? Palette.Muted : Palette.Plain))
            {
                Alignment = column.IsNumber ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, i == shown.Length - 1 ? 0 : Gap, 0),
                Width = given[i],
            });
        }

        foreach (var row in rows)
        {
            table.AddRow(shown.Select(i => row[i].ToParagraph(output.HasColor)));
        }

        output.Write(new Padder(table, new Padding(indent, 0, 0, 0)), total);
    }

    /// <summary>Distributes the width of the screen; removes spare columns from <paramref name="shown"/>.</summary>
    private int[] DistributeWidth(ref int[] shown)
    {
        while (true)
        {
            var given = Array.ConvertAll(shown, i => Math.Max(widths[i], columns[i].Header.Length));
            if (Shrink(given, Array.ConvertAll(shown, i => Math.Max(words[i], columns[i].Header.Length))))
            {
                return given;
            }

            var spare = shown.MaxBy(i => columns[i].Spare);
            if (columns[spare].Spare == 0)
            {
                Shrink(given, Array.ConvertAll(
                    shown, i => columns[i].IsNumber ? widths[i] : Math.Max(MinimumText, columns[i].Header.Length)));
                return given;
            }

            shown = [.. shown.Where(i => i != spare)];
        }
    }

    /// <summary>Narrows the widest columns until the table fits; false when it cannot without going below the minimum widths.</summary>
    private bool Shrink(int[] given, int[] minimum)
    {
        while (Total(given) > output.Width)
        {
            var widest = -1;
            for (var i = 0; i < given.Length; i++)
            {
                if (given[i] > minimum[i] && (widest < 0 || given[i] > given[widest]))
                {
                    widest = i;
                }
            }

            if (widest < 0)
            {
                return false;
            }

            given[widest]--;
        }

        return true;
    }

    private int Total(int[] given) => indent + given.Sum() + (Gap * (given.Length - 1));
}
