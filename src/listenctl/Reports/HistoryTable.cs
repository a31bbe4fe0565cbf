using System.Globalization;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>A table of history entries.</summary>
internal static class HistoryTable
{
    /// <summary>An empty table of entries.</summary>
    public static TextTable NewTable(TextOutput output) => new(
        output, 0,
        new("SINCE", IsNumber: true),
        new("PHASE"),
        new("CALL", Spare: 1),
        new("OPTION"),
        new($"REQUESTED {output.Arrow} EFFECTIVE"),
        new("VERDICT"),
        new("WHO"),
        new("NOTE"));

    /// <summary>Reserves room for later entries, so all rows have the same columns.</summary>
    public static void Reserve(TextTable table)
    {
        table.ReserveWidth(0, 9);
        table.ReserveWidth(1, Enum.GetValues<HandlePhase>().Max(p => p.ToWireName().Length));
        table.ReserveWidth(6, 16);
        table.ReserveWidth(7, 1);
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

    private static StyledText Actor(HistoryEntryDocument entry) => entry.Actor is { } actor
        ? new StyledText(actor.Name).Append($"[{actor.Pid.ToString(CultureInfo.InvariantCulture)}]", Palette.Muted)
        : new StyledText(null);
}
