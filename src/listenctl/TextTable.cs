using Spectre.Console;

namespace Supervisor.Listenctl;

/// <summary>One column of a <see cref="TextTable"/>.</summary>
/// <param name="Header">Its heading; empty where it needs none.</param>
/// <param name="IsNumber">Whether its cells stand at the right and are never wrapped.</param>
/// <param name="Spare">On a screen too narrow for all columns, the one with the highest number goes first; 0: it stays.</param>
internal sealed record Column(string Header, bool IsNumber = false, int Spare = 0);

/// <summary>
/// Rows whose columns line up, also where they are printed in several tables or one by one as they come. A column that
/// is empty in all rows is left out. Where the screen is too narrow, the widest columns are wrapped between words; if
/// that is not enough, columns that can be spared go; last, words are broken. Nothing is ever cut off.
/// </summary>
internal sealed class TextTable(Screen screen, int indent, params Column[] columns)
{
    private const int Gap = 2;
    private const int MinimumText = 8;

    private readonly int[] widths = new int[columns.Length];
    private readonly int[] words = new int[columns.Length];

    /// <summary>Makes the columns wide enough for these rows.</summary>
    public void Fit(params IEnumerable<Cell[]> rows)
    {
        foreach (var row in rows)
        {
            for (var i = 0; i < columns.Length; i++)
            {
                Reserve(i, row[i].Width);
                words[i] = Math.Max(words[i], columns[i].IsNumber ? row[i].Width : row[i].LongestWord);
            }
        }
    }

    /// <summary>Makes a column at least so wide, whatever comes.</summary>
    public void Reserve(int column, int width) => widths[column] = Math.Max(widths[column], width);

    /// <summary>Prints the rows, which fit.</summary>
    public void Print(IEnumerable<Cell[]> rows, bool withHeader = false)
    {
        var shown = Enumerable.Range(0, columns.Length).Where(i => widths[i] > 0).ToArray();
        if (shown.Length == 0)
        {
            return;
        }

        var given = Share(ref shown);
        var total = Total(given);
        var table = new Table { Border = TableBorder.None, ShowHeaders = withHeader, Expand = false };
        for (var i = 0; i < shown.Length; i++)
        {
            var column = columns[shown[i]];
            table.AddColumn(new TableColumn(new Paragraph(column.Header, Palette.Quiet))
            {
                Alignment = column.IsNumber ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, i == shown.Length - 1 ? 0 : Gap, 0),
                Width = given[i],
            });
        }

        foreach (var row in rows)
        {
            table.AddRow(shown.Select(i => row[i].Content()));
        }

        screen.Write(new Padder(table, new Padding(indent, 0, 0, 0)), total);
    }

    /// <summary>Gives each column the width that it wants, or what the screen has for it.</summary>
    private int[] Share(ref int[] shown)
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
                Shrink(given, Array.ConvertAll(shown, i => columns[i].IsNumber ? widths[i] : Math.Max(MinimumText, columns[i].Header.Length)));
                return given;
            }

            shown = [.. shown.Where(i => i != spare)];
        }
    }

    /// <summary>Takes from the widest columns until the screen suffices; false where their least widths do not allow that.</summary>
    private bool Shrink(int[] given, int[] least)
    {
        while (Total(given) > screen.Width)
        {
            var widest = -1;
            for (var i = 0; i < given.Length; i++)
            {
                if (given[i] > least[i] && (widest < 0 || given[i] > given[widest]))
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
