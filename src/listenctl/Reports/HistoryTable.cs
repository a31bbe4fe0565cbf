using System.Globalization;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>A table of history entries.</summary>
internal static class HistoryTable
{
    /// <summary>The columns that leave room for notes. With fewer, each note is on a line of its own.</summary>
    private const int WidthWithNotes = 140;

    private const int NoteColumn = 7;
    private const int NoteIndent = 4;

    /// <summary>An empty table of entries.</summary>
    public static TextTable NewTable(TextOutput output)
    {
        Column[] columns =
        [
            new("SINCE", IsNumber: true, Spare: 3),
            new("PHASE", Spare: 2),
            new("CALL", Spare: 1),
            new("OPTION"),
            new($"REQUESTED {output.Arrow} EFFECTIVE"),
            new("VERDICT"),
            new("WHO", Spare: 4),
        ];
        return new TextTable(output, 0, HasNoteColumn(output) ? [.. columns, new("NOTE")] : columns);
    }

    /// <summary>Prints rows that the table has measured, each with its note.</summary>
    public static void Print(TextTable table, TextOutput output, IReadOnlyList<StyledText[]> rows, bool withHeader = false)
    {
        if (HasNoteColumn(output))
        {
            table.Print(rows, withHeader);
            return;
        }

        for (var i = 0; i < rows.Count; i++)
        {
            table.Print([rows[i]], withHeader && i == 0);
            if (rows[i][NoteColumn].Width > 0)
            {
                output.WriteLine(rows[i][NoteColumn], NoteIndent);
            }
        }
    }

    /// <summary>Reserves room for later entries, so all rows have the same columns.</summary>
    public static void Reserve(TextTable table, TextOutput output)
    {
        table.ReserveWidth(0, 9);
        table.ReserveWidth(1, Enum.GetValues<HandlePhase>().Max(p => p.ToWireName().Length));
        table.ReserveWidth(6, 16);
        if (HasNoteColumn(output))
        {
            table.ReserveWidth(NoteColumn, 1);
        }
    }

    /// <summary>One entry.</summary>
    public static StyledText[] Row(HistoryEntryDocument entry, TextOutput output)
    {
        var isRefused = entry.Errno is not null;
        var style = isRefused ? Palette.Failure : Palette.Verdict(entry.Verdict);
        return
        [
            HumanTime.Since(entry.SinceCreationUs),
            entry.Phase,
            new(entry.Call, isRefused ? Palette.Failure : Palette.Plain),
            entry.Option ?? "",
            RequestedAndEffective.Of(
                entry.Requested, entry.Effective, output.Arrow,
                isRefused || entry.Verdict is "adjusted" or "drifted" ? style : Palette.Plain),
            new StyledText(entry.Verdict, style).Append(isRefused ? $" {entry.Errno}" : null, style),
            Actor(entry),
            new(entry.Note, Palette.Muted),
        ];
    }

    private static bool HasNoteColumn(TextOutput output) => output.Width >= WidthWithNotes;

    private static StyledText Actor(HistoryEntryDocument entry) => entry.Actor is { } actor
        ? new StyledText(actor.Name).Append($"[{actor.Pid.ToString(CultureInfo.InvariantCulture)}]", Palette.Muted)
        : new StyledText(null);
}
